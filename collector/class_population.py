"""How many devices there were that a class profile stands for, day by day, by class and place.

How many there are is the register's word for a class that it has, else a plain number of them; without those devices
whose energy is known otherwise.
"""

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from sqlalchemy import Connection, case, func, or_, select

from carbon.calendar import day_bounds, local_day
from carbon.device_classes import CLASSES
from carbon.poe_ports import FED_CLASSES
from collector.class_counts import CountKey, CountRow, class_counts, key_in
from collector.class_metered import SeenDevice, metered_months, seen_classes
from collector.class_profiles import ProfileStretch
from collector.database.schema import register_import, register_state, space
from collector.poe_counting import Counting
from collector.poe_ports import poe_ports
from collector.register_queries import IN_USE

Span = tuple[int, int]
"""Days by their ordinals, from the first to before the last."""


@dataclass(frozen=True, slots=True)
class ClassKey:
    """What rows of a month are told apart by."""

    device_class: str
    site_id: int | None
    space_id: int | None
    directorate: str
    service_category: str
    school: bool


class DeviceDays:
    """How many devices were in use on each day, by key: kept as what is added on which day.

    Numbers are exact: whole ones, and fractions where devices are shared.
    """

    def __init__(self) -> None:
        self._changes: dict[ClassKey, dict[int, int | Fraction]] = {}

    def add(self, key: ClassKey, span: Span, devices: int | Fraction) -> None:
        if span[0] < span[1]:
            mine = self._changes.setdefault(key, {})
            mine[span[0]] = mine.get(span[0], 0) + devices
            mine[span[1]] = mine.get(span[1], 0) - devices

    def __iter__(self) -> Iterator[ClassKey]:
        return iter(self._changes)

    def between(self, key: ClassKey, cuts: Sequence[int]) -> list[int | Fraction]:
        """Device-days from each cut to the next."""
        found: list[int | Fraction] = [0] * (len(cuts) - 1)
        changes = self._changes[key]
        devices: int | Fraction = 0
        index = 0
        for begins, ends in pairwise([*sorted({*changes, *cuts})]):
            devices += changes.get(begins, 0)
            while index + 1 < len(cuts) - 1 and begins >= cuts[index + 1]:
                index += 1
            if cuts[0] <= begins < cuts[-1]:
                found[index] += devices * (ends - begins)
        return found


class Population:
    """How many devices there were that a profile stands for, day by day."""

    def __init__(
        self,
        connection: Connection,
        organisation_id: int,
        time_zone: str,
        first: datetime.date,
        last: datetime.date,
        profiles: Mapping[str, Sequence[ProfileStretch]],
    ) -> None:
        self._connection, self._organisation_id, self._time_zone = connection, organisation_id, time_zone
        self._first, self._last, self._profiles, self._classes = first, last, profiles, set(profiles)
        self._whole: Span = (first.toordinal(), last.toordinal() + 1)
        # A month's readings count as a whole, those of its days that are not over too.
        months_end = next_month(last) - datetime.timedelta(days=1)
        self._metered = metered_months(connection, organisation_id, first, months_end, time_zone)
        self._seen: dict[datetime.date, dict[str, list[SeenDevice]]] = {}
        self._days = DeviceDays()
        self._whole_devices = DeviceDays()
        """The same of classes that ports feed, at sites and not at home: devices, not the council's part of them."""
        self.fed = DeviceDays()
        """Of these, what is taken for fed by count of PoE ports, and is not in `device_days`."""
        self._homes = set(connection.execute(select(space.c.id).where(space.c.kind == "home")).scalars())

    def device_days(self) -> DeviceDays:
        """All of it."""
        begun = _register_begins(self._connection, self._organisation_id, self._time_zone)
        counts: dict[str, list[tuple[CountRow, Span]]] = {}
        for row in class_counts(self._connection, self._organisation_id):
            span = self._inside(row.since, row.until, until_day=begun.get(row.key.device_class))
            if row.devices and span[0] < span[1] and row.key.device_class in self._classes:
                counts.setdefault(row.key.device_class, []).append((row, span))
        counted = {name: _union(span for _, span in rows) for name, rows in counts.items()}
        self._add_register(counted)
        if counts:
            self._add_counts(counts)
        self._leave_out_fed()
        return self._days

    def _add(self, key: ClassKey, span: Span, devices: int, share: int | Fraction = 1) -> None:
        self._days.add(key, span, share * devices)
        if key.device_class in FED_CLASSES and key.site_id is not None and key.space_id not in self._homes:
            self._whole_devices.add(key, span, devices)

    def _leave_out_fed(self) -> None:
        """Take away what lies in switches' readings by count of their ports (`carbon.poe_ports`): of each site's devices
        the same part, so that no directorate is favoured. Each day by itself.
        """
        if not any(True for _ in self._whole_devices):
            return
        told = poe_ports(self._connection, self._organisation_id, self._time_zone, self._first, self._last)
        if not told.ports:
            return
        cuts = range(self._whole[0], self._whole[1] + 1)
        there: dict[tuple[int, str], list[ClassKey]] = {}
        whole = {key: self._whole_devices.between(key, cuts) for key in self._whole_devices}
        for key in whole:
            there.setdefault((key.site_id or 0, key.device_class), []).append(key)
        unread = {
            at: [int(sum(each)) for each in zip(*(whole[key] for key in keys), strict=True)]
            for at, keys in there.items()
        }
        days = {key: self._days.between(key, cuts) for key in whole}
        counting = Counting(told, unread, self._metered_by_class, self._profiles, self._time_zone, self._whole[0])
        for site_id, day, name, part in counting.parts():
            for key in there[site_id, name]:
                at = day - self._whole[0]
                self._days.add(key, (day, day + 1), -days[key][at] * part)
                self.fed.add(key, (day, day + 1), whole[key][at] * part)

    def _add_register(self, counted: Mapping[str, Sequence[Span]]) -> None:
        """Items in use, without those that are metered, and without days for which a number is known instead."""
        names = ("device_class", "site_id", "space_id", "directorate", "service_category", "school", "share")
        begins, ends = day_bounds(self._first, self._time_zone)[0], day_bounds(self._last, self._time_zone)[1]
        # What lies outside of the days asked for tells no two items apart: thousands of them are some hundred rows.
        since = case((register_state.c.valid_from <= begins, begins), else_=register_state.c.valid_from)
        until = case((register_state.c.valid_to >= ends, None), else_=register_state.c.valid_to)
        keys = [*(register_state.c[name] for name in (*names, "device_id")), since, until]
        query = (
            select(
                *keys[:-2],
                since.label("since"),
                until.label("until"),
                func.count().label("items"),
                func.sum(register_state.c.quantity).label("devices"),
            )
            .join(register_import, register_import.c.id == register_state.c.import_id)
            .where(register_import.c.organisation_id == self._organisation_id, register_import.c.state == "visible")
            .where(register_state.c.status.in_(IN_USE), register_state.c.device_class.in_(sorted(self._classes)))
            .where(register_state.c.valid_from < ends)
            .where(or_(register_state.c.valid_to.is_(None), register_state.c.valid_to > begins))
            .group_by(*keys)
        )
        for row in self._connection.execute(query):
            category = row.service_category or CLASSES[row.device_class].category
            key = ClassKey(row.device_class, row.site_id, row.space_id, row.directorate, category, bool(row.school))
            share = 1 if row.share == 1 else Fraction(str(row.share))
            span = self._inside(row.since, row.until)
            for part in _without(span, counted.get(row.device_class, ())):
                self._add(key, part, int(row.devices), share)
                for month in self._metered.get(row.device_id, ()) if row.device_id else ():
                    self._add(key, _common(part, _month_span(month)), -row.items, share)

    def _add_counts(self, counts: Mapping[str, Sequence[tuple[CountRow, Span]]]) -> None:
        """Plain numbers, less the devices of the class that were seen and are metered: each is one of them."""
        for name, rows in counts.items():
            cuts = {*self._whole, *month_starts(self._first, self._last), *(day for _, span in rows for day in span)}
            for span in pairwise(sorted(cuts)):
                left = {row.key: row.devices for row, held in rows if held[0] <= span[0] < held[1]}
                month = datetime.date.fromordinal(span[0]).replace(day=1)
                for one in self._metered_by_class(month).get(name, ()):
                    _take_one(left, one)
                for key, devices in left.items():
                    mine = ClassKey(
                        name, key.site_id, key.space_id, key.directorate, CLASSES[name].category, school=False
                    )
                    self._add(mine, span, devices)

    def _metered_by_class(self, month: datetime.date) -> dict[str, list[SeenDevice]]:
        """Devices that are metered in a month, as they were at its end."""
        if month in self._seen:
            return self._seen[month]
        metered = {device_id for device_id, months in self._metered.items() if f"{month:%Y-%m}" in months}
        until = day_bounds(next_month(month), self._time_zone)[0]
        found = self._seen[month] = {}
        for one in seen_classes(self._connection, self._organisation_id, until):
            if one.device_id in metered:
                found.setdefault(one.device_class, []).append(one)
        return found

    def _inside(self, since: int, until: int | None, until_day: int | None = None) -> Span:
        """The days asked for that begin within a stretch of time, before a day."""
        begins = max(ordinal_from(since, self._time_zone), self._whole[0])
        ends = self._whole[1] if until is None else min(ordinal_from(until, self._time_zone), self._whole[1])
        return begins, ends if until_day is None else min(ends, until_day)


def numbers_on(connection: Connection, organisation_id: int, time_zone: str, day: datetime.date) -> dict[str, int]:
    """How many devices of a class there are on a local day by plain numbers: of classes that no register had by then."""
    begun = _register_begins(connection, organisation_id, time_zone)
    at = day_bounds(day, time_zone)[0]
    found: dict[str, int] = {}
    for row in class_counts(connection, organisation_id):
        name = row.key.device_class
        holds = row.since <= at and (row.until is None or at < row.until)
        if holds and row.devices and day.toordinal() < begun.get(name, day.toordinal() + 1):
            found[name] = found.get(name, 0) + row.devices
    return found


def _register_begins(connection: Connection, organisation_id: int, time_zone: str) -> dict[str, int]:
    """The day of the first register that had a class: from it on, the register says how many there are."""
    query = (
        select(register_state.c.device_class, func.min(register_import.c.as_at))
        .join(register_import, register_import.c.id == register_state.c.import_id)
        .where(register_import.c.organisation_id == organisation_id, register_import.c.state == "visible")
        .group_by(register_state.c.device_class)
    )
    return {name: ordinal_from(at, time_zone) for name, at in connection.execute(query).all()}


def _take_one(left: dict[CountKey, int], one: SeenDevice) -> None:
    key = key_in((key for key, devices in left.items() if devices), one.site_id, one.space_id, one.directorate)
    if key is not None:
        left[key] -= 1


def ordinal_from(at: int, time_zone: str) -> int:
    """The first local day that begins at a time (Unix seconds) or after it, by its ordinal."""
    day = local_day(at - at % 1800, time_zone)
    return day.toordinal() + (day_bounds(day, time_zone)[0] < at)


def next_month(date: datetime.date) -> datetime.date:
    return (date.replace(day=1) + datetime.timedelta(days=32)).replace(day=1)


def _month_span(month: str) -> Span:
    first = datetime.date.fromisoformat(f"{month}-01")
    return first.toordinal(), next_month(first).toordinal()


def month_starts(first: datetime.date, last: datetime.date) -> Iterator[int]:
    """The first days of months after `first` and up to `last`, by their ordinals."""
    month = first
    while (month := next_month(month)) <= last:
        yield month.toordinal()


def _common(one: Span, other: Span) -> Span:
    return max(one[0], other[0]), min(one[1], other[1])


def _union(spans: Iterable[Span]) -> list[Span]:
    """Days of any of some spans, as spans that do not touch, in order."""
    found: list[Span] = []
    for begins, ends in sorted(spans):
        if found and begins <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], ends)
        else:
            found.append((begins, ends))
    return found


def _without(span: Span, others: Sequence[Span]) -> Iterator[Span]:
    """What is left of a span without others, which are in order and do not touch."""
    begins, ends = span
    for one in others:
        if begins < min(one[0], ends):
            yield begins, min(one[0], ends)
        begins = max(begins, one[1])
    if begins < ends:
        yield begins, ends
