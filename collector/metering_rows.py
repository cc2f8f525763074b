"""Rows of a period of a branch: of each month, device and source what it used, and what each meter measured beyond them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from carbon.accounting import Accounted as Account
from carbon.best_source import Chosen
from carbon.daily import Column, Days, first_of, last_of, runs_of, sum_on, union_of
from carbon.footprint import Energy
from carbon.tree_nodes import DeviceNode
from collector.metered import Accounted, Overhead, Unheld
from collector.metering_nodes import Branch
from collector.metering_periods import Estate, Period
from collector.placements import Stand
from collector.snmp.places import FEEDING_KINDS


@dataclass(frozen=True, slots=True)
class Own:
    """A device by its own source, with its seconds that had a reading, and that could have had one, by day."""

    node: DeviceNode
    covered: Column
    possible: Column


@dataclass(frozen=True, slots=True)
class _Of:
    """What a row is of, and how its amount is known."""

    organisation_id: int
    device_id: str
    meter_id: int | None
    rank: str
    source: str
    reason: str


class PeriodRows:
    """`found` is how the period is accounted, `covered` the seconds with a reading of each meter by day."""

    def __init__(
        self, estate: Estate, branch: Branch, period: Period, found: Account, covered: Mapping[int, Column]
    ) -> None:
        self._estate = estate
        self._branch = branch
        self._period = period
        self._found = found
        self._covered = covered
        self._organisation_id = next((one.organisation_id for one in branch.meters.values()), 0)
        self._outlets: dict[str, list[int]] = {}
        for feed in period.shape.feeds:
            self._outlets.setdefault(feed.device_id, []).append(feed.meter_id)

    def of_devices(self, devices: Mapping[str, Own]) -> Iterator[Accounted]:
        for device_id, own in devices.items():
            by_rank: dict[str, list[Chosen]] = {}
            for one in self._found.sources[device_id]:
                by_rank.setdefault(one.rank, []).append(one)
            for rank, chosen in by_rank.items():
                if rank != "none":
                    yield from self._of_device(device_id, own, rank, chosen)

    def _of_device(self, device_id: str, own: Own, rank: str, chosen: Sequence[Chosen]) -> Iterator[Accounted]:
        period = self._period
        segment = period.segments.get(device_id)
        covered, possible, since = own.covered, own.possible, period.time.start
        organisation_id = self._organisation_id
        if segment is not None:
            organisation_id, since = segment.organisation_id, segment.first_heard
        if rank == "outlet" or segment is None:
            source, meter_ids, since = "outlet", tuple(sorted(self._outlets[device_id])), period.time.start
            columns = [self._covered[one] for one in meter_ids]
            covered = columns[0] if len(columns) == 1 else tuple(map(min, *columns))
            possible = period.time.past
        else:
            source, meter_ids = period.sources[device_id].words, segment.meter_ids
        above = self._found.above[device_id]
        other: Overhead = "ups_loss" if self._estate.kinds.get(device_id) in FEEDING_KINDS else "whole"
        held = union_of(above[one] for one in above.keys() - set(meter_ids))
        for time in self._times(sum(one.days for one in chosen), above, other):
            reason = _reason(chosen, time[2])
            yield self._row(
                time,
                _Of(
                    organisation_id,
                    device_id,
                    None,
                    rank,
                    source,
                    reason if rank == "outlet" else f"{reason} ({source})",
                ),
                period.stands[device_id],
                self._found.devices[device_id].on(time[2]),
                (covered, possible),
                self._unheld(time[2] & ~held, since, meter_ids),
            )

    def _unheld(self, days: Days, since: int, meter_ids: tuple[int, ...]) -> tuple[Unheld, ...]:
        """Days on which no meter above holds what these meters miss."""
        time = self._period.time
        found = [(max(time.starts[first], since), time.ends[last]) for first, last in runs_of(days)]
        return tuple(Unheld(start, end, meter_ids) for start, end in found if start < end)

    def of_rests(self) -> Iterator[Accounted]:
        found, period = self._found, self._period
        for meter_id, accounts in found.accounts.items():
            meter = self._branch.meters[meter_id]
            reason = f"what {meter.name} measured beyond the devices and meters below it"
            for time in self._times(accounts, found.above_meters[meter_id], "whole"):
                yield self._row(
                    time,
                    _Of(meter.organisation_id, meter.device_id, meter_id, "rest", "rest", reason),
                    period.meter_stands[meter_id],
                    found.rest(meter_id, time[2]),
                    (self._covered[meter_id], period.time.past),
                )

    def _times(self, days: Days, above: Mapping[int, Days], other: Overhead) -> Iterator[tuple[str, Overhead, Days]]:
        """Some days by month, and by whether a meter above holds the room's cooling on them."""
        held = union_of(above[one] for one in above.keys() & self._period.held)
        for month, within in self._period.time.months:
            if below := days & within & held:
                yield month, "held", below
            if beside := days & within & ~held:
                yield month, other, beside

    def _row(
        self,
        time: tuple[str, Overhead, Days],
        of: _Of,
        stand: Stand,
        energy: Energy,
        seconds: tuple[Column, Column],
        unheld: tuple[Unheld, ...] = (),
    ) -> Accounted:
        month, overhead, days = time
        return Accounted(
            month=month,
            organisation_id=of.organisation_id,
            kind="device" if of.meter_id is None else "rest",
            device_id=of.device_id,
            meter_id=of.meter_id,
            site_id=stand.site_id,
            space_id=stand.space_id,
            directorate=stand.directorate,
            energy=energy,
            covered_seconds=sum_on(seconds[0], days),
            possible_seconds=sum_on(seconds[1], days),
            pue=stand.pue,
            overhead=overhead,
            rank=of.rank,
            source=of.source,
            reason=of.reason,
            start=self._period.time.starts[first_of(days)],
            end=self._period.time.ends[last_of(days)],
            unheld=unheld,
        )


def _reason(chosen: Iterable[Chosen], days: Days) -> str:
    """Why a source was chosen on most of the days; of equally many the reason that came first."""
    found = [(one, one.days & days) for one in chosen if one.days & days]
    return max(found, key=lambda one: (one[1].bit_count(), -first_of(one[1])))[0].reason
