"""The atoms of an organisation's footprint: its estate's parts as activities, each with place, supply, source and errors."""

import calendar
import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection, Row, select

from carbon.activity import Activity, Inside, Subject, Supply
from carbon.calendar import day_bounds
from carbon.months import months_between
from carbon.uncertainty import REGISTER_GROUP, REGISTER_HALF_WIDTH, Errors, add_errors, half_width_errors
from collector.corporate_inventory import CorporateInventory
from collector.database.dated import valid_at
from collector.database.schema import organisation, site, site_detail
from collector.estate_parts import EstatePart, estate_parts
from collector.model_versions import model_versions

Fill = Callable[[Sequence[EstatePart]], None]
_SUPPLIES: Mapping[str, Supply] = {"home": "home", "colocation": "landlord"}
"""Kinds of spaces whose electricity is never the organisation's own."""


MODELLED = ("estimate:", "partial:", "supplies:")
"""Ranks of sources (`carbon.accounting`) of which our models fill a part."""


@dataclass(slots=True)
class Activities:
    """Those that count, and those of schools where schools are outside of the boundary."""

    counted: list[Activity] = field(default_factory=list)
    left_out: list[Activity] = field(default_factory=list)


def activities(
    connection: Connection,
    organisation_id: int,
    first_month: str,
    last_month: str,
    now: int,
    fill: Fill = lambda _: None,
) -> Activities:
    """All of an organisation from a month to another (YYYY-MM, both included). `now` in Unix seconds.

    Their sums are those of `collector.estate_totals`, and beside them what `fill` gives parts for their gaps. What a part
    of a class uses at home is an activity of its own; its `count` is divided as its energy is.
    """
    row = connection.execute(select(organisation).where(organisation.c.id == organisation_id)).one()
    sites = _Sites(connection, row)
    found = Activities()
    bounds = ((month, *sites.month(month)) for month in months_between(first_month, last_month))
    models = model_versions(connection, organisation_id, ((month, at, at + seconds) for month, at, seconds in bounds))
    for part in estate_parts(connection, row, first_month, last_month, now, fill):
        if part.source.startswith(MODELLED) and (version := models.get((part.device, part.key.month))):
            part.source += f", model {version}"
        of = found.counted if part.counts else found.left_out
        of.extend(_activities_of(part, sites))
    return found


def _activities_of(part: EstatePart, sites: "_Sites") -> list[Activity]:
    supply = sites.supply(part)
    if part.kind != "profile":
        made = _activity(
            part, sites, supply, sites.device_count(part), add_errors(part.it_errors, part.overhead_errors)
        )
        return [made] if made.activity_uj or made.possible_seconds else []
    whole = part.profile_uj + part.home_uj
    months = Fraction(part.device_days) / _days(part.key.month)
    found = []
    if part.profile_uj or not whole:
        count = months * Fraction(part.profile_uj, whole) if whole else months
        found.append(_activity(part, sites, supply, count, add_errors(part.it_errors, part.overhead_errors)))
    if part.home_uj:
        count = months * Fraction(part.home_uj, whole)
        found.append(_activity(part, sites, "home", count, part.home_errors, at_home=True))
    return found


def _activity(
    part: EstatePart, sites: "_Sites", supply: Supply, count: Fraction, errors: Errors, at_home: bool = False
) -> Activity:
    key = part.key
    subject = Subject(
        month=key.month,
        organisation=key.organisation,
        directorate=key.directorate,
        site=key.site,
        uprn=sites.uprn(part),
        space=key.space,
        service_category=key.service_category,
        asset_class=key.device_class,
        school=key.school,
        kind=part.kind,
        device=part.device,
        supply=supply,
    )
    measured, estimated = _columns(part, at_home)
    if part.kind == "profile":
        whole = part.home_uj if at_home else part.it_uj + part.overhead_uj
        errors = add_errors(errors, half_width_errors(whole, REGISTER_HALF_WIDTH, REGISTER_GROUP))
    return Activity(
        subject=subject,
        count=count,
        measured_uj=measured,
        estimated_uj=estimated,
        filled_uj=0 if at_home else part.filled_uj,
        overhead_uj=0 if at_home else part.overhead_uj,
        pue=part.pue,
        covered_seconds=0 if at_home else part.covered_seconds,
        possible_seconds=0 if at_home else part.possible_seconds,
        source=part.source,
        inside=sites.inside(part, supply),
        errors=errors,
    )


def _columns(part: EstatePart, at_home: bool) -> tuple[int, int]:
    """Measured and estimated energy. A rest is a difference, which may hold less than nothing of either: it stands as one
    amount, measured."""
    if at_home:
        return 0, part.home_uj
    return part.measured_uj + part.unexplained_uj, part.estimated_uj + part.profile_uj


def _days(month: str) -> int:
    return calendar.monthrange(int(month[:4]), int(month[5:]))[1]


class _Sites:
    """Supply and UPRN of sites as they were at the beginning of each month."""

    def __init__(self, connection: Connection, of: Row[Any]) -> None:
        self._time_zone = of.time_zone
        query = select(site_detail).join(site).where(site.c.organisation_id == of.id)
        self._details: dict[int, list[Row[Any]]] = {}
        for row in connection.execute(query.order_by(site_detail.c.valid_from, site_detail.c.id)):
            self._details.setdefault(row.site_id, []).append(row)
        self._months: dict[str, tuple[int, int]] = {}
        self._inventory = CorporateInventory(connection, of.id)
        self._known: dict[tuple[int | None, str], tuple[str, str]] = {}

    def supply(self, part: EstatePart) -> Supply:
        """Whose electricity it is: a home's, a landlord's or colocation provider's, else the organisation's own."""
        if part.space_kind in _SUPPLIES:
            return _SUPPLIES[part.space_kind]
        return "landlord" if self._at(part)[0] == "landlord" else "own"

    def uprn(self, part: EstatePart) -> str:
        """The site's, by the newest word where none was said by then: a building keeps its number."""
        return self._at(part)[1]

    def device_count(self, part: EstatePart) -> Fraction:
        """The part of the month in which the device was in use, of a joint one the organisation's share."""
        if part.kind == "rest":
            return Fraction(0)
        whole = Fraction(part.possible_seconds, self.month(part.key.month)[1])
        return whole if part.share == 1 else whole * Fraction(str(part.share))

    def inside(self, part: EstatePart, supply: Supply) -> Inside:
        """Whether it is in the corporate inventory, by what the boundary register says at the month's beginning."""
        return self._inventory.of(part.site_id, part.key.service_category, supply, self.month(part.key.month)[0])

    def _at(self, part: EstatePart) -> tuple[str, str]:
        key = (part.site_id, part.key.month)
        if key not in self._known:
            rows = self._details.get(part.site_id, []) if part.site_id is not None else []
            held = valid_at(rows, self.month(part.key.month)[0])
            numbers = [row.uprn for row in rows if row.uprn]
            uprn = held.uprn if held is not None and held.uprn else numbers[-1] if numbers else ""
            self._known[key] = ("own" if held is None else held.tenure, uprn)
        return self._known[key]

    def month(self, month: str) -> tuple[int, int]:
        """When a month begins, and how long it is, in seconds: an hour less or more where the clocks change."""
        found = self._months.get(month)
        if found is None:
            first = datetime.date.fromisoformat(f"{month}-01")
            begins = day_bounds(first, self._time_zone)[0]
            ends = day_bounds(first.replace(day=_days(month)), self._time_zone)[1]
            found = self._months[month] = begins, ends - begins
        return found
