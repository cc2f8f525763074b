"""Energy of the places of the power path: from the readings of each poll to readings of meters, every five minutes.

A PDU has fifty places and is polled each minute. Watts are added up from poll to poll and told as the mean over five
minutes: the same energy, in a fifth of the rows. Of a counter every value holds all before it, so the last of the five
minutes is as good as five. What was added up and not told yet when the collector stops is lost, as coverage.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.report import Meter, MeterKind, Reading, Report, SampleTime
from carbon.facts import HIGHEST_WATTS
from collector.snmp.places import Place
from collector.snmp.poe_tally import LONGEST_GAP_NS, PoeTally

TOLD_EVERY_NS = 300 * 10**9
_KWH_TO_MICROJOULES = 3.6e12
_MOST_MICROJOULES = 2**63 - 1


@dataclass(slots=True)
class _Watts:
    """Watts since they were told last: from `since`, up to the last poll, in watt-nanoseconds."""

    since: SampleTime
    last: SampleTime
    watts: float
    added: float = 0.0


@dataclass(slots=True)
class _Count:
    """A counter as it was told last."""

    at: SampleTime
    microjoules: int
    epoch: str


@dataclass(slots=True)
class Feeds:
    """What is remembered of a device's places between polls.

    `linked` are the meters of places that a person has linked to a device: of PoE ports only these are followed,
    and the others counted (`poe`).
    """

    linked: frozenset[str] = frozenset()
    poe: PoeTally = field(default_factory=PoeTally)
    _watts: dict[str, _Watts] = field(default_factory=dict)
    _counts: dict[str, _Count] = field(default_factory=dict)

    def add(self, report: Report, at: SampleTime, places: Sequence[Place]) -> None:
        """Take what a poll read, and add to its report what is due to be told."""
        self.poe.add(at, places)
        for place in places:
            if not place.measures or (place.role == "poe_port" and place.meter not in self.linked):
                continue
            # What is told in one way begins anew in the other: a counter's difference would hold the watts told since.
            if place.exact:
                self._watts.pop(place.meter, None)
                self._counted(report, at, place)
            else:
                self._counts.pop(place.meter, None)
                self._integrated(report, at, place)

    def _integrated(self, report: Report, at: SampleTime, place: Place) -> None:
        watts = place.watts or 0.0
        known = self._watts.get(place.meter)
        if known is None or not 0 < at.boot_ns - known.last.boot_ns <= LONGEST_GAP_NS:
            if known is not None:
                self._tell_watts(report, place, known)
            self._watts[place.meter] = _Watts(at, at, watts)
            return
        known.added += (known.watts + watts) / 2 * (at.boot_ns - known.last.boot_ns)
        known.last, known.watts = at, watts
        if _due(known.since, at):
            self._tell_watts(report, place, known)
            self._watts[place.meter] = _Watts(at, at, watts)

    def _tell_watts(self, report: Report, place: Place, known: _Watts) -> None:
        interval = known.last.boot_ns - known.since.boot_ns
        if interval > 0:
            mean = round(known.added / interval, 3)
            _tell(report, place, "", Reading(0, known.last.wall_ns, interval, [mean], []), known.last)

    def _counted(self, report: Report, at: SampleTime, place: Place) -> None:
        value = round((place.energy_kwh or 0.0) * _KWH_TO_MICROJOULES)
        known = self._counts.get(place.meter)
        if not 0 <= value <= _MOST_MICROJOULES:
            return
        if known is not None and known.microjoules <= value:
            interval = at.boot_ns - known.at.boot_ns
            if not _due(known.at, at):
                return
            if (value - known.microjoules) * 1000 <= HIGHEST_WATTS * interval:
                reading = Reading(0, at.wall_ns, interval, [value], [value - known.microjoules])
                _tell(report, place, known.epoch, reading, at)
                self._counts[place.meter] = _Count(at, value, known.epoch)
                return
        # First seen, set back, or leapt: what was before has no continuation.
        epoch = secrets.token_hex(4)
        _tell(report, place, epoch, Reading(0, at.wall_ns, 0, [value], []), at)
        self._counts[place.meter] = _Count(at, value, epoch)


def _due(since: SampleTime, at: SampleTime) -> bool:
    """Whether a mark of the clock lies between: so that what is told straddles a half-hour's end by a poll at most."""
    return at.wall_ns // TOLD_EVERY_NS != since.wall_ns // TOLD_EVERY_NS


def _tell(report: Report, place: Place, epoch: str, reading: Reading, at: SampleTime) -> None:
    if at not in report.samples:
        report.samples.append(at)
    kind: MeterKind = "counter" if place.exact else "power"
    report.meters.append(Meter(place.meter, place.source, kind, "feeds", epoch))
    report.readings.append(reading._replace(meter=len(report.meters) - 1))
