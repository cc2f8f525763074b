"""How much of the estate is known, by class: registered devices in use that are measured, estimated, profiled or absent."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from carbon.calendar import day_bounds, local_day
from carbon.device_classes import CLASSES
from collector.database.schema import device, ledger_day, meter, organisation
from collector.register_facts import states
from collector.register_queries import seen_devices
from collector.seen_class import class_of

IN_USE = ("in_use", "on_loan", "unknown")
_NOT_ITS_OWN = ("feeds", "guest")
"""What meters cover that are not the device's own energy."""


@dataclass(slots=True)
class CoverageRow:
    """Devices of a class. `registered` = `measured` + `estimated` + `profile` + `absent`; beside them what was seen and is
    not registered."""

    organisation: str
    device_class: str
    measured: int = 0
    estimated: int = 0
    profile: int = 0
    absent: int = 0
    seen_not_registered: int = 0

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
    methods = _methods(connection, organisation_id, first, last)
    rows: dict[str, CoverageRow] = {}
    registered: set[str] = set()
    for one in states(connection, organisation_id, at):
        if one.device_id:
            registered.add(one.device_id)
        if one.facts["status"] not in IN_USE:
            continue
        kind = one.facts["device_class"]
        row = rows.setdefault(kind, CoverageRow(name, kind))
        method = methods.get(one.device_id or "") or ("profile" if CLASSES[kind].end_user else "absent")
        setattr(row, method, getattr(row, method) + one.facts["quantity"])
    for seen in seen_devices(connection, organisation_id):
        if seen.device_id not in registered:
            kind = class_of(seen.kind, seen.platform, seen.chassis)
            rows.setdefault(kind, CoverageRow(name, kind)).seen_not_registered += 1
    order = list(CLASSES)
    return sorted(rows.values(), key=lambda one: order.index(one.device_class))


def _methods(connection: Connection, organisation_id: int, first: datetime.date, last: datetime.date) -> dict[str, str]:
    """How each device's energy was got in some local days: measured or estimated, whichever is more of it."""
    query = (
        select(meter.c.device_id, func.sum(ledger_day.c.measured_uj), func.sum(ledger_day.c.estimated_uj))
        .join(meter, meter.c.id == ledger_day.c.meter_id)
        .join(device, device.c.id == meter.c.device_id)
        .where(
            device.c.organisation_id == organisation_id,
            meter.c.covers.not_in(_NOT_ITS_OWN),
            ledger_day.c.local_day >= first.isoformat(),
            ledger_day.c.local_day <= last.isoformat(),
            ledger_day.c.covered_seconds > 0,
        )
        .group_by(meter.c.device_id)
    )
    return {row[0]: "measured" if row[1] >= row[2] and row[1] > 0 else "estimated" for row in connection.execute(query)}
