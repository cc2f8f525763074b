"""What rules look at: the last whole local days of an organisation's devices, as plain values."""

import datetime
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from carbon.calendar import day_bounds, local_day
from collector.class_metered import SeenDevice, seen_classes
from collector.database.schema import device, ledger_day, meter
from collector.device_energy import HalfHour, half_hours, ledger_rows
from collector.power_view import device_names
from collector.segments import Segment, load_segments


@dataclass(frozen=True, slots=True)
class MeterDays:
    """A meter with what it told in the days looked at: microjoules and seconds with readings."""

    id: int
    device_id: str
    name: str
    energy_uj: int
    covered_seconds: int


@dataclass(frozen=True, slots=True)
class Look:
    """An organisation's devices and the `days` whole local days before the one that `now` (Unix seconds) is in."""

    connection: Connection
    organisation_id: int
    time_zone: str
    now: int
    days: int
    _devices: list[SeenDevice] = field(default_factory=list, init=False, repr=False)

    @property
    def last(self) -> datetime.date:
        """The last day looked at: yesterday."""
        return local_day(self.now - self.now % 1800, self.time_zone) - datetime.timedelta(days=1)

    @property
    def first(self) -> datetime.date:
        return self.last - datetime.timedelta(days=self.days - 1)

    @property
    def start(self) -> int:
        """The first half-hour of the first day."""
        return day_bounds(self.first, self.time_zone)[0]

    @property
    def end(self) -> int:
        """The first half-hour after the last day."""
        return day_bounds(self.last, self.time_zone)[1]

    @property
    def seconds(self) -> int:
        return self.end - self.start

    def devices(self) -> Mapping[str, SeenDevice]:
        """Devices that were seen and are in use, with their class and place, by id."""
        if not self._devices:
            gone = select(device.c.id).where(device.c.retired_at.is_not(None), device.c.retired_at <= self.now)
            retired = set(self.connection.execute(gone).scalars())
            seen = seen_classes(self.connection, self.organisation_id, self.end)
            self._devices.extend(one for one in seen if one.device_id not in retired)
        return {one.device_id: one for one in self._devices}

    def names(self, device_ids: Iterable[str]) -> Mapping[str, str]:
        return device_names(self.connection, device_ids)

    def meters(self, name: str, least_covered: float = 0.0, *, begins: bool = False) -> list[MeterDays]:
        """Meters of the organisation's devices that are called so, or `begins` so, with readings for a part of the time."""
        sums = [func.sum(ledger_day.c[column]) for column in ("measured_uj", "estimated_uj", "covered_seconds")]
        called = meter.c.name.startswith(name, autoescape=True) if begins else meter.c.name == name
        query = (
            select(meter.c.id, meter.c.device_id, meter.c.name, *sums)
            .join(meter, meter.c.id == ledger_day.c.meter_id)
            .join(device, device.c.id == meter.c.device_id)
            .where(device.c.organisation_id == self.organisation_id, called)
            .where(ledger_day.c.local_day >= self.first.isoformat(), ledger_day.c.local_day <= self.last.isoformat())
            .group_by(meter.c.id, meter.c.device_id, meter.c.name)
            .order_by(meter.c.id)
        )
        found = [
            MeterDays(one, device_id, named, int(measured) + int(estimated), int(covered))
            for one, device_id, named, measured, estimated, covered in self.connection.execute(query)
        ]
        return [one for one in found if one.covered_seconds >= max(1, least_covered * self.seconds)]

    def segments(self, device_ids: Collection[str]) -> Mapping[str, Sequence[Segment]]:
        """What was true of devices, by id."""
        found: dict[str, list[Segment]] = {}
        if device_ids:
            for one in load_segments(self.connection, self.start, self.end, sorted(device_ids)):
                found.setdefault(one.device_id, []).append(one)
        return found

    def half_hours(self, segments: Sequence[Segment]) -> list[HalfHour]:
        """A device's half-hours, by its accounting meters."""
        ids = {one for segment in segments for one in segment.meter_ids}
        return half_hours(segments, ledger_rows(self.connection, ids, self.start, self.end)) if ids else []


def energy_of(rows: Iterable[HalfHour]) -> tuple[int, int, bool]:
    """Microjoules, seconds with readings, and whether all of it was measured."""
    energy = covered = estimated = 0
    for one in rows:
        energy += one.energy.total_uj
        covered += one.covered_seconds
        estimated += one.energy.estimated_uj
    return energy, covered, energy > 0 and estimated == 0
