"""What the estate's energy is made of, before anything is added up: a device's month at a place, a class's, a meter's rest.

What has readings comes from the metering tree (`collector.metering`), what has none from class profiles
(`collector.class_energy`). Totals (`collector.estate_totals`) and the atoms of reports (`collector.activities`) are
both made of these parts, so they are the same whole.
"""

import datetime
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection, Row, select

from carbon.activity import Kind
from carbon.calendar import day_bounds, local_day
from carbon.class_profiles import profile_errors
from carbon.device_classes import CLASSES
from carbon.overhead import overhead_errors, overheads
from carbon.spaces import Pue, pue_of
from carbon.uncertainty import Errors, scale_errors
from collector.class_energy import ClassEnergy, by_month
from collector.database.dated import history, valid_at
from collector.database.schema import (
    device,
    inventory,
    organisation_boundary,
    register_import,
    register_state,
    site,
    space,
    space_pue,
)
from collector.metered import Accounted, Overhead, Unheld
from collector.metering import accounted
from collector.seen_class import class_of


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
class EstatePart:
    """Energy of one device, class or rest in a month at one place, in microjoules.

    `device` is the device's id, of a rest `meter:<id>`, "" of a class. `measured` to `home` are as
    `collector.estate_totals.EstateTotal` has them, the council's `share` of a joint service; `filled` stands for what was
    not read, where a report wants it, and `unheld` is when that may be (`collector.metered`). `overhead` says how the
    space's PUE applies. `device_days` is of a class. `counts` says whether it is inside of the boundary (schools).
    """

    key: EstateKey
    kind: Kind
    device: str
    site_id: int | None
    space_id: int | None
    space_kind: str
    pue: Pue
    overhead: Overhead
    source: str
    measured_uj: int = 0
    estimated_uj: int = 0
    unexplained_uj: int = 0
    profile_uj: int = 0
    home_uj: int = 0
    filled_uj: int = 0
    overhead_uj: int = 0
    covered_seconds: int = 0
    possible_seconds: int = 0
    device_days: Fraction = Fraction(0)
    share: float = 1.0
    counts: bool = True
    unheld: tuple[Unheld, ...] = ()
    it_errors: Errors = field(default_factory=dict)
    overhead_errors: Errors = field(default_factory=dict)
    home_errors: Errors = field(default_factory=dict)

    @property
    def it_uj(self) -> int:
        """ICT energy at the council's places."""
        return self.measured_uj + self.estimated_uj + self.unexplained_uj + self.profile_uj + self.filled_uj


def estate_parts(
    connection: Connection,
    of: Row[Any],
    first_month: str,
    last_month: str,
    now: int,
    fill: Callable[[Sequence[EstatePart]], None] = lambda _: None,
) -> list[EstatePart]:
    """All parts of an organisation (its row) from a month to another (YYYY-MM, both included), with their overheads.

    `now` in Unix seconds: later time cannot be covered yet. `fill` may give parts what stands for their gaps before
    overheads are reckoned.
    """
    first, last = _days(first_month, last_month)
    last = min(last, local_day(now - now % 1800, of.time_zone))
    if first > last:
        return []
    facts = _Facts(connection, of.id, of.name, of.time_zone)
    parts = [facts.of_device(one) for one in accounted(connection, first, last, now, of.id)]
    fill(parts)
    parts += [facts.of_class(one) for one in by_month(connection, of.id, first_month, last_month, now)]
    _add_overheads(parts)
    return parts


def _days(first_month: str, last_month: str) -> tuple[datetime.date, datetime.date]:
    first = datetime.date.fromisoformat(f"{first_month}-01")
    last = datetime.date.fromisoformat(f"{last_month}-01") + datetime.timedelta(days=32)
    return first, last.replace(day=1) - datetime.timedelta(days=1)


def _add_overheads(parts: Sequence[EstatePart]) -> None:
    """Give every part of a space its share of the space's overhead in the month."""
    groups: dict[tuple[Any, ...], list[EstatePart]] = {}
    for part in parts:
        groups.setdefault((part.key.month, part.site_id, part.space_id, part.pue), []).append(part)
    for (*_, pue), group in groups.items():
        losses = sum(one.it_uj for one in group if one.overhead == "ups_loss")
        whole = [one for one in group if one.overhead == "whole"]
        amounts = [one.it_uj for one in whole]
        errors = overhead_errors([one.it_errors for one in whole], amounts, losses, pue)
        for one, amount, mine in zip(whole, overheads(amounts, losses, pue), errors, strict=True):
            one.overhead_uj, one.overhead_errors = amount, mine


class _Facts:
    """What an organisation's register and estate say of devices: class, category, school, share, by time."""

    def __init__(self, connection: Connection, organisation_id: int, name: str, time_zone: str) -> None:
        self._name, self._time_zone = name, time_zone
        self._sites = dict(connection.execute(select(site.c.id, site.c.name)).all())
        rows = connection.execute(select(space.c.id, space.c.name, space.c.kind)).all()
        self._spaces = {row.id: (row.name, row.kind) for row in rows}
        self._pues = {row.id: history(connection, space_pue, {"space_id": row.id}) for row in rows}
        self._states = _states_by_device(connection, organisation_id)
        self._seen = _classes_of_seen(connection, organisation_id)
        self._boundary = history(connection, organisation_boundary, {"organisation_id": organisation_id})

    def of_device(self, one: Accounted) -> EstatePart:
        state = _at(self._states.get(one.device_id, ()), one.start)
        device_class = state["device_class"] if state else self._seen.get(one.device_id, "other")
        category = state["service_category"] if state else CLASSES[device_class].category
        place = (one.site_id, one.space_id, one.directorate)
        kind = (device_class, category, bool(state and state["school"]))
        part = self._part(one.month, place, kind, one.pue, one.overhead)
        part.kind, part.device, part.source = one.kind, one.device_id, f"{one.rank}: {one.source}"
        part.covered_seconds, part.possible_seconds = one.covered_seconds, one.possible_seconds
        part.it_errors, part.unheld = one.energy.errors, one.unheld
        if one.kind == "rest":
            part.device, part.source = f"meter:{one.meter_id}", "rest of a meter"
            part.unexplained_uj = one.energy.total_uj
        else:
            part.measured_uj, part.estimated_uj = one.energy.measured_uj, one.energy.estimated_uj
        _scale(part, state["share"] if state else 1.0)
        return part

    def of_class(self, one: ClassEnergy) -> EstatePart:
        place = (one.site_id, one.space_id, one.directorate)
        kind = (one.device_class, one.service_category, one.school)
        part = self._part(one.month, place, kind, self._pue(one.space_id, self._start(one.month)), "whole")
        part.source, part.device_days = f"class profile: {one.source}", one.device_days
        part.profile_uj, part.home_uj = one.energy.office_uj, one.energy.home_uj
        part.it_errors, part.home_errors = profile_errors(one.device_class, one.energy)
        return part

    def _part(
        self,
        month: str,
        place: tuple[int | None, int | None, str],
        kind: tuple[str, str, bool],
        pue: Pue,
        overhead: Overhead,
    ) -> EstatePart:
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
        counts = not school or self._schools_count(month)
        space_kind = self._spaces[space_id][1] if space_id is not None else ""
        return EstatePart(key, "profile", "", site_id, space_id, space_kind, pue, overhead, "", counts=counts)

    def _schools_count(self, month: str) -> bool:
        """Whether schools are in the organisation's figures at the start of a month."""
        row = valid_at(self._boundary, self._start(month))
        return row is None or row.schools == "in"

    def _start(self, month: str) -> int:
        return day_bounds(datetime.date.fromisoformat(f"{month}-01"), self._time_zone)[0]

    def _pue(self, space_id: int | None, at: int) -> Pue:
        if space_id is None:
            return pue_of(None, None)
        own = valid_at(self._pues[space_id], at)
        return pue_of(self._spaces[space_id][1], None if own is None else Pue(own.pue, own.low, own.high, own.source))


def _scale(part: EstatePart, share: float) -> None:
    """The council's part of a joint service."""
    part.share = share
    if share != 1.0:
        part.it_errors = scale_errors(part.it_errors, share)
        for name in ("measured_uj", "estimated_uj", "unexplained_uj"):
            setattr(part, name, shared_uj(getattr(part, name), share))


def shared_uj(amount_uj: int, share: float) -> int:
    """The council's part of an amount."""
    return int((Decimal(amount_uj) * Decimal(str(share))).to_integral_value(ROUND_HALF_EVEN))


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
