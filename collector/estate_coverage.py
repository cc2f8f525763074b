"""How much of the estate is known, by class: registered devices in use that are measured, estimated, profiled or absent."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from carbon.calendar import day_bounds, local_day
from carbon.device_classes import CLASSES
from collector.class_metered import NOT_ITS_OWN, metered_months, seen_classes
from collector.class_population import numbers_on
from collector.class_profiles import profile_at, profile_stretches
from collector.database.schema import device, ledger_day, meter, organisation, register_import, register_state
from collector.poe_fed import fed_on
from collector.register_facts import holds_at, visible
from collector.register_queries import IN_USE, seen_devices
from collector.seen_class import class_of


@dataclass(slots=True)
class CoverageRow:
    """Devices of a class. `registered` = `measured` + `estimated` + `profile` + `absent`; beside them what was seen and is
    not registered. `fed` of the measured are known by count of PoE ports (`collector.poe_fed`)."""

    organisation: str
    device_class: str
    measured: int = 0
    estimated: int = 0
    profile: int = 0
    absent: int = 0
    seen_not_registered: int = 0
    fed: int = 0

    @property
    def registered(self) -> int:
        return self.measured + self.estimated + self.profile + self.absent

    @property
    def known(self) -> float:
        """The part of the registered devices that anything is known of, 0 to 1."""
        return (self.registered - self.absent) / self.registered if self.registered else 0.0


def estate_coverage(
    connection: Connection, month: str, now: int, organisation_ids: Iterable[int] | None = None
) -> list[CoverageRow]:
    """Coverage at the end of a month (YYYY-MM), or at `now` (Unix seconds) within it, by organisation and class."""
    wanted = None if organisation_ids is None else set(organisation_ids)
    found: list[CoverageRow] = []
    for row in connection.execute(select(organisation).order_by(organisation.c.id)).all():
        if wanted is None or row.id in wanted:
            found += _of(connection, row.id, row.name, row.time_zone, month, now)
    return found


def _of(
    connection: Connection, organisation_id: int, name: str, time_zone: str, month: str, now: int
) -> list[CoverageRow]:
    first = datetime.date.fromisoformat(f"{month}-01")
    last = (first + datetime.timedelta(days=32)).replace(day=1) - datetime.timedelta(days=1)
    at = min(day_bounds(last, time_zone)[1] - 1, now)
    last = min(last, local_day(now - now % 1800, time_zone))
    known = _methods(connection, organisation_id, first, last, time_zone)
    profiles = profile_stretches(connection, organisation_id)
    profiled = {kind for kind, stretches in profiles.items() if profile_at(stretches, at).profile is not None}
    numbers = numbers_on(connection, organisation_id, time_zone, last)
    rows: dict[str, CoverageRow] = {}

    def add(kind: str, method: str, devices: int = 1) -> None:
        row = rows.setdefault(kind, CoverageRow(name, kind))
        setattr(row, method, getattr(row, method) + devices)

    registered: set[str] = set()
    for one in _registered(connection, organisation_id, at):
        if one.device_id:
            registered.add(one.device_id)
        kind, devices = one.device_class, int(one.devices)
        if one.status not in IN_USE or kind in numbers:
            continue
        if method := known.get(one.device_id or ""):
            add(kind, method, one.items)
            devices -= one.items
        if devices:
            add(kind, "profile" if kind in profiled else "absent", devices)
    if numbers:
        # Devices that are read are some of those which are only counted.
        for seen_one in seen_classes(connection, organisation_id, at):
            kind, method = seen_one.device_class, known.get(seen_one.device_id)
            if method and numbers.get(kind):
                registered.add(seen_one.device_id)
                add(kind, method)
                numbers[kind] -= 1
        for kind, left in numbers.items():
            add(kind, "profile" if kind in profiled else "absent", left)
    day = min(last, local_day(now - now % 1800, time_zone) - datetime.timedelta(days=1))
    for kind, devices in fed_on(connection, organisation_id, time_zone, day).items():
        if kind in rows:
            fed = min(devices, rows[kind].profile)
            rows[kind].profile -= fed
            add(kind, "measured", fed)
            add(kind, "fed", fed)
    for seen in seen_devices(connection, organisation_id):
        if seen.device_id not in registered:
            add(class_of(seen.kind, seen.platform, seen.chassis), "seen_not_registered")
    order = list(CLASSES)
    return sorted(rows.values(), key=lambda one: order.index(one.device_class))


def _registered(connection: Connection, organisation_id: int, at: int) -> Sequence[Any]:
    """What the register has at a time, equal items together: `items` of them, which are so many `devices`."""
    keys = [register_state.c[name] for name in ("device_class", "status", "device_id")]
    query = (
        select(*keys, func.count().label("items"), func.sum(register_state.c.quantity).label("devices"))
        .join(register_import, register_import.c.id == register_state.c.import_id)
        .where(register_import.c.organisation_id == organisation_id, visible())
        .where(holds_at(at))
        .group_by(*keys)
    )
    return connection.execute(query).all()


def _methods(
    connection: Connection, organisation_id: int, first: datetime.date, last: datetime.date, time_zone: str
) -> dict[str, str]:
    """How each device's energy was got in local days of a month: measured or estimated, whichever is more of it.

    What lies in the reading of the switch or the meter that feeds it is measured there.
    """
    query = (
        select(meter.c.device_id, func.sum(ledger_day.c.measured_uj), func.sum(ledger_day.c.estimated_uj))
        .join(meter, meter.c.id == ledger_day.c.meter_id)
        .join(device, device.c.id == meter.c.device_id)
        .where(
            device.c.organisation_id == organisation_id,
            meter.c.covers.not_in(NOT_ITS_OWN),
            ledger_day.c.local_day >= first.isoformat(),
            ledger_day.c.local_day <= last.isoformat(),
            ledger_day.c.covered_seconds > 0,
        )
        .group_by(meter.c.device_id)
    )
    found = dict.fromkeys(metered_months(connection, organisation_id, first, last, time_zone), "measured")
    for device_id, measured, estimated in connection.execute(query):
        found[device_id] = "measured" if measured >= estimated and measured > 0 else "estimated"
    return found
