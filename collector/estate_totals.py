"""The estate's energy by month, site, space, directorate and class, each kilowatt-hour once: read, profiled, unexplained.

What has readings comes from the metering tree (`collector.metering`), what has none from class profiles
(`collector.class_energy`). Homes are apart. Overheads are those of spaces, by their PUE. Everything adds up: any sum of
rows by any key is the same whole.
"""

import datetime
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Literal

from sqlalchemy import Connection, select

from carbon.calendar import day_bounds, local_day
from carbon.class_profiles import profile_errors
from carbon.device_classes import CLASSES
from carbon.overhead import overhead_errors, overheads
from carbon.spaces import Pue, pue_of
from carbon.uncertainty import Errors, add_errors, range_of, scale_errors
from carbon.units import UJ_PER_KWH
from collector.class_energy import ClassEnergy, by_month
from collector.database.dated import history, valid_at
from collector.database.schema import (
    device,
    inventory,
    organisation,
    organisation_boundary,
    register_import,
    register_state,
    site,
    space,
    space_pue,
)
from collector.metering import Accounted, accounted
from collector.seen_class import class_of

KEYS = ("month", "organisation", "site", "space", "directorate", "device_class", "service_category", "school")
AMOUNTS = ("measured_uj", "estimated_uj", "unexplained_uj", "profile_uj", "home_uj", "overhead_uj")
Range = Literal["ict", "overhead", "with_overhead", "home"]
RANGES: tuple[Range, ...] = ("ict", "overhead", "with_overhead", "home")
"""What a total tells the range of (`EstateTotal.range_uj`): `ict` is measured, estimated, unexplained and profile."""


@dataclass(frozen=True, slots=True)
class EstateKey:
    """What a row is of; "" where it is not known. `school` says whether it is a school's."""

    month: str
    organisation: str
    site: str
    space: str
    directorate: str
    device_class: str
    service_category: str
    school: bool


@dataclass(slots=True)
class EstateTotal:
    """Energy in microjoules.

    `measured` and `estimated` are of devices with readings, `unexplained` is what meters of ICT measured beyond their
    known devices, `profile` is by class profiles, all at the council's places; `it_errors` are those of their sum.
    `overhead` is cooling and losses by PUE; `home` is what staff use at home (Scope 3, category 7). Seconds are of
    devices that can be read.
    """

    measured_uj: int = 0
    estimated_uj: int = 0
    unexplained_uj: int = 0
    profile_uj: int = 0
    home_uj: int = 0
    overhead_uj: int = 0
    covered_seconds: int = 0
    possible_seconds: int = 0
    it_errors: Errors = field(default_factory=dict)
    overhead_errors: Errors = field(default_factory=dict)
    home_errors: Errors = field(default_factory=dict)

    @property
    def it_uj(self) -> int:
        """ICT energy at the council's places."""
        return self.measured_uj + self.estimated_uj + self.unexplained_uj + self.profile_uj

    @property
    def time_coverage(self) -> float:
        """The part of the time of devices that can be read which has readings."""
        return min(1.0, self.covered_seconds / self.possible_seconds) if self.possible_seconds else 0.0

    def amount_uj(self, of: Range) -> int:
        """What a range is of: ICT at the council's places, its overhead, both, or homes."""
        amounts = {"ict": self.it_uj, "overhead": self.overhead_uj, "home": self.home_uj}
        return amounts[of] if of in amounts else self.it_uj + self.overhead_uj

    def range_uj(self, of: Range) -> tuple[int, int]:
        """Low and high at 95% (`carbon.uncertainty`)."""
        errors = {"ict": self.it_errors, "overhead": self.overhead_errors, "home": self.home_errors}
        mine = errors[of] if of in errors else add_errors(self.it_errors, self.overhead_errors)
        return range_of(self.amount_uj(of), mine)

    def __iadd__(self, other: "EstateTotal") -> "EstateTotal":
        for name in (*AMOUNTS, "covered_seconds", "possible_seconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("it_errors", "overhead_errors", "home_errors"):
            setattr(self, name, add_errors(getattr(self, name), getattr(other, name)))
        return self


@dataclass(slots=True)
class EstateTotals:
    """Rows that count, and those of schools where schools are outside of the boundary."""

    rows: dict[EstateKey, EstateTotal] = field(default_factory=dict)
    left_out: dict[EstateKey, EstateTotal] = field(default_factory=dict)

    def by(self, *names: str) -> dict[tuple[Any, ...], EstateTotal]:
        """The rows added up by some of `KEYS`."""
        found: dict[tuple[Any, ...], EstateTotal] = {}
        for key, total in self.rows.items():
            of = found.setdefault(tuple(getattr(key, name) for name in names), EstateTotal())
            of += total
        return dict(sorted(found.items(), key=lambda one: tuple(map(str, one[0]))))


def kwh(amount_uj: int) -> Decimal:
    """Microjoules as kilowatt-hours, to the microjoule."""
    return Decimal(amount_uj) / UJ_PER_KWH


def figures(total: EstateTotal) -> dict[str, str]:
    """A total as text for commands and the API: kWh to the microjoule, with low and high at 95% of its sums."""
    found = {name.replace("_uj", "_kwh"): f"{kwh(getattr(total, name)):f}" for name in AMOUNTS}
    for name in RANGES:
        low, high = total.range_uj(name)
        found |= {f"{name}_kwh": f"{kwh(total.amount_uj(name)):f}"}
        found |= {f"{name}_low_kwh": f"{kwh(low):f}", f"{name}_high_kwh": f"{kwh(high):f}"}
    return found


@dataclass(slots=True)
class _Part:
    """A row before overheads: how PUE applies to it (`Accounted.overhead`), and with which PUE."""

    key: EstateKey
    place: tuple[str, int | None, int | None]
    total: EstateTotal
    pue: Pue
    overhead: str


def estate_totals(
    connection: Connection,
    first_month: str,
    last_month: str,
    now: int,
    organisation_ids: Iterable[int] | None = None,
) -> EstateTotals:
    """All rows from a month to another (YYYY-MM, both included). `now` in Unix seconds: later time cannot be covered yet."""
    wanted = None if organisation_ids is None else set(organisation_ids)
    whole = EstateTotals()
    for row in connection.execute(select(organisation).order_by(organisation.c.id)).all():
        if wanted is not None and row.id not in wanted:
            continue
        first, last = _days(first_month, last_month)
        last = min(last, local_day(now - now % 1800, row.time_zone))
        if first > last:
            continue
        facts = _Facts(connection, row.id, row.name, row.time_zone)
        parts = [facts.of_device(one) for one in accounted(connection, first, last, now, row.id)]
        parts += [facts.of_class(one) for one in by_month(connection, row.id, first_month, last_month, now)]
        _add_overheads(parts)
        for part in parts:
            counts = not part.key.school or facts.schools_count(part.key.month)
            of = (whole.rows if counts else whole.left_out).setdefault(part.key, EstateTotal())
            of += part.total
    return whole


def _days(first_month: str, last_month: str) -> tuple[datetime.date, datetime.date]:
    first = datetime.date.fromisoformat(f"{first_month}-01")
    last = datetime.date.fromisoformat(f"{last_month}-01") + datetime.timedelta(days=32)
    return first, last.replace(day=1) - datetime.timedelta(days=1)


def _add_overheads(parts: Sequence[_Part]) -> None:
    """Give every part of a space its share of the space's overhead in the month."""
    groups: dict[tuple[Any, ...], list[_Part]] = {}
    for part in parts:
        groups.setdefault((*part.place, part.pue), []).append(part)
    for (*_, pue), group in groups.items():
        losses = sum(one.total.it_uj for one in group if one.overhead == "ups_loss")
        whole = [one for one in group if one.overhead == "whole"]
        amounts = [one.total.it_uj for one in whole]
        for one, amount in zip(whole, overheads(amounts, losses, pue), strict=True):
            one.total.overhead_uj = amount
        for one, errors in zip(
            whole, overhead_errors([o.total.it_errors for o in whole], amounts, losses, pue), strict=True
        ):
            one.total.overhead_errors = errors


class _Facts:
    """What an organisation's register and estate say of devices: class, category, school, share, by time."""

    def __init__(self, connection: Connection, organisation_id: int, name: str, time_zone: str) -> None:
        self._connection, self._name, self._time_zone = connection, name, time_zone
        self._sites = dict(connection.execute(select(site.c.id, site.c.name)).all())
        rows = connection.execute(select(space.c.id, space.c.name, space.c.kind)).all()
        self._spaces = {row.id: (row.name, row.kind) for row in rows}
        self._pues = {row.id: history(connection, space_pue, {"space_id": row.id}) for row in rows}
        self._states = _states_by_device(connection, organisation_id)
        self._seen = _classes_of_seen(connection, organisation_id)
        self._boundary = history(connection, organisation_boundary, {"organisation_id": organisation_id})

    def schools_count(self, month: str) -> bool:
        """Whether schools are in the organisation's figures at the start of a month."""
        row = valid_at(self._boundary, self._start(month))
        return row is None or row.schools == "in"

    def of_device(self, one: Accounted) -> _Part:
        state = _at(self._states.get(one.device_id, ()), one.start)
        device_class = state["device_class"] if state else self._seen.get(one.device_id, "other")
        category = state["service_category"] if state else CLASSES[device_class].category
        total = EstateTotal(covered_seconds=one.covered_seconds, possible_seconds=one.possible_seconds)
        if one.kind == "rest":
            total.unexplained_uj = one.energy.total_uj
        else:
            total.measured_uj, total.estimated_uj = one.energy.measured_uj, one.energy.estimated_uj
        total.it_errors = one.energy.errors
        _scale(total, state["share"] if state else 1.0)
        place = (one.site_id, one.space_id, one.directorate)
        return self._part(
            one.month, place, (device_class, category, bool(state and state["school"])), total, one.pue, one.overhead
        )

    def of_class(self, one: ClassEnergy) -> _Part:
        total = EstateTotal(profile_uj=one.energy.office_uj, home_uj=one.energy.home_uj)
        total.it_errors, total.home_errors = profile_errors(one.device_class, one.energy)
        place = (one.site_id, one.space_id, one.directorate)
        kind = (one.device_class, one.service_category, one.school)
        return self._part(one.month, place, kind, total, self._pue(one.space_id, self._start(one.month)), "whole")

    def _part(
        self,
        month: str,
        place: tuple[int | None, int | None, str],
        kind: tuple[str, str, bool],
        total: EstateTotal,
        pue: Pue,
        overhead: str,
    ) -> _Part:
        site_id, space_id, directorate = place
        device_class, category, school = kind
        key = EstateKey(
            month=month,
            organisation=self._name,
            site=self._sites.get(site_id, "") if site_id is not None else "",
            space=self._spaces[space_id][0] if space_id is not None else "",
            directorate=directorate,
            device_class=device_class,
            service_category=category,
            school=school,
        )
        return _Part(key, (month, site_id, space_id), total, pue, overhead)

    def _start(self, month: str) -> int:
        return day_bounds(datetime.date.fromisoformat(f"{month}-01"), self._time_zone)[0]

    def _pue(self, space_id: int | None, at: int) -> Pue:
        if space_id is None:
            return pue_of(None, None)
        own = valid_at(self._pues[space_id], at)
        return pue_of(self._spaces[space_id][1], None if own is None else Pue(own.pue, own.low, own.high, own.source))


def _scale(total: EstateTotal, share: float) -> None:
    """The council's part of a joint service."""
    if share != 1.0:
        total.it_errors = scale_errors(total.it_errors, share)
        for name in ("measured_uj", "estimated_uj", "unexplained_uj"):
            exact = Decimal(getattr(total, name)) * Decimal(str(share))
            setattr(total, name, int(exact.to_integral_value(ROUND_HALF_EVEN)))


def _states_by_device(connection: Connection, organisation_id: int) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """States of register items that are seen devices, by device, oldest first."""
    names = ("device_id", "valid_from", "valid_to", "device_class", "service_category", "school", "share")
    query = (
        select(*(register_state.c[name] for name in names))
        .join(register_import, register_import.c.id == register_state.c.import_id)
        .where(
            register_state.c.device_id.is_not(None),
            register_import.c.state == "visible",
            register_import.c.organisation_id == organisation_id,
        )
        .order_by(register_state.c.valid_from, register_state.c.id)
    )
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in connection.execute(query).mappings():
        found.setdefault(row["device_id"], []).append(dict(row))
    return found


def _at(rows: Sequence[Mapping[str, Any]], at: int) -> Mapping[str, Any] | None:
    """The state that holds at a time; before the register's first word on a device, that word."""
    holding = [row for row in rows if row["valid_from"] <= at and (row["valid_to"] is None or row["valid_to"] > at)]
    return holding[-1] if holding else rows[0] if rows and at < rows[0]["valid_from"] else None


def _classes_of_seen(connection: Connection, organisation_id: int) -> dict[str, str]:
    """The class of each seen device by its kind and its newest inventory."""
    query = (
        select(device.c.id, device.c.kind, inventory.c.platform, inventory.c.body)
        .outerjoin(inventory, (inventory.c.device_id == device.c.id) & inventory.c.valid_to.is_(None))
        .where(device.c.organisation_id == organisation_id)
    )
    return {row.id: class_of(row.kind, row.platform or "", _chassis(row.body)) for row in connection.execute(query)}


def _chassis(body: str | None) -> str:
    return str(json.loads(body).get("chassis", "")) if body else ""
