"""What the metering of the estate answers: rows of energy, what each meter measured beside its parts, and alarms."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from carbon.footprint import Energy, sum_energies
from carbon.spaces import Pue

Overhead = Literal["whole", "held", "ups_loss"]


@dataclass(frozen=True, slots=True)
class Unheld:
    """A time in which these meters alone stand for a device: what they miss is in no other reading. Unix seconds."""

    start: int
    end: int
    meter_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Accounted:
    """Energy of one device, or of one meter beyond its known parts, in a month, at one place with one PUE.

    `month` is YYYY-MM of the organisation's local days. Of a rest `device_id` is the device whose meter `meter_id` it is.
    Where it stood: the device's placement; of a rest the meter's own place, else its device's. `overhead` says how the
    space's PUE applies: `whole` as it is, `held` not at all, because it lies under an accounting meter of a whole room or
    building, which holds the cooling, `ups_loss` for what PUE holds already: the own use of UPSs and PDUs.
    `rank`, `source` and `reason` name what was chosen: how good it is, what read it, and why. `start` and `end` are the
    first and the last half-hour bound of what is summed (Unix seconds). `unheld` says in which of it what was not read is
    lost: elsewhere a meter above the device holds it.
    """

    month: str
    organisation_id: int
    kind: Literal["device", "rest"]
    device_id: str
    meter_id: int | None
    site_id: int | None
    space_id: int | None
    directorate: str
    energy: Energy
    covered_seconds: int
    possible_seconds: int
    pue: Pue
    overhead: Overhead
    rank: str
    source: str
    reason: str
    start: int
    end: int
    unheld: tuple[Unheld, ...] = ()


@dataclass(slots=True)
class MeterMonth:
    """A meter of the metering tree in a month: what it measured, what is known below it, and what became of the rest.

    `rest` is in the totals; `not_ict` (of a whole building) and `withheld` (`why`) are not.
    """

    month: str
    meter_id: int
    energy: Energy = field(default_factory=Energy)
    parts: Energy = field(default_factory=Energy)
    rest: Energy = field(default_factory=Energy)
    not_ict: Energy = field(default_factory=Energy)
    withheld: Energy = field(default_factory=Energy)
    covered_seconds: int = 0
    possible_seconds: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class TreeAlarm:
    """Parts below a meter were more than it measured, from `start` to before `end` (Unix seconds, at most a day)."""

    meter_id: int
    device_id: str
    start: int
    end: int
    measured_uj: int
    parts_uj: int


@dataclass(slots=True)
class Metering:
    """All of it. `generation` is what on-site generation made, by month and meter: apart, and in no total."""

    rows: list[Accounted] = field(default_factory=list)
    meters: dict[tuple[str, int], MeterMonth] = field(default_factory=dict)
    alarms: list[TreeAlarm] = field(default_factory=list)
    generation: dict[tuple[str, int], Energy] = field(default_factory=dict)

    def meter(self, month: str, meter_id: int) -> MeterMonth:
        """A meter's month, begun where there is none."""
        key = (month, meter_id)
        found = self.meters.get(key)
        if found is None:
            found = self.meters[key] = MeterMonth(month, meter_id)
        return found


def merged(rows: Iterable[Accounted]) -> list[Accounted]:
    """Rows that only time tells apart as one, in the order in which they first come."""
    found: dict[tuple[object, ...], list[Accounted]] = {}
    for row in rows:
        key = (
            row.month,
            row.kind,
            row.device_id,
            row.meter_id,
            row.site_id,
            row.space_id,
            row.directorate,
            row.pue,
            row.overhead,
            row.rank,
            row.source,
        )
        found.setdefault(key, []).append(row)
    return [mine[0] if len(mine) == 1 else _one(mine) for mine in found.values()]


def _one(rows: Sequence[Accounted]) -> Accounted:
    return replace(
        rows[-1],
        energy=sum_energies(row.energy for row in rows),
        covered_seconds=sum(row.covered_seconds for row in rows),
        possible_seconds=sum(row.possible_seconds for row in rows),
        reason=rows[0].reason,
        start=min(row.start for row in rows),
        end=max(row.end for row in rows),
        unheld=tuple(one for row in rows for one in row.unheld),
    )
