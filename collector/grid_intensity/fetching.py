"""Asking for what is missing: the newest every half-hour, old gaps four times a day, and any time at all on demand.

One call covers at most 14 days. A call that fails is noted with its problem and tried again at the next round; what was
kept before stays. Outward postcodes of one region share its slots: once the region is known, one of them is asked.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection

from carbon.calendar import HALF_HOUR_SECONDS
from collector.errors import TargetUnavailable
from collector.grid_intensity import ROUND_SECONDS
from collector.grid_intensity.answers import Answer, Slot
from collector.grid_intensity.client import AHEAD_SECONDS, LONGEST_SECONDS, IntensityClient
from collector.grid_intensity.places import outwards
from collector.grid_intensity.store import NATIONAL, keep, keep_region, note_try, regions, unsettled

RECENT_SECONDS = 48 * 3600
"""So far back every round looks; slots are settled within hours."""
OLD_GAPS_SECONDS = 6 * 3600
"""So often gaps of the last 14 days are asked for again."""

Write = Callable[[Callable[[Connection], list[Slot]]], list[Slot]]
"""Runs what it is given in a writing transaction."""
Told = Callable[[Connection, str, Sequence[Slot]], None]
"""Called in the same transaction with a region's slots whose value is new."""


@dataclass(slots=True)
class Fetched:
    """What a round did: calls, slots with a new value by region, and problems in words."""

    calls: int = 0
    changed: dict[str, list[Slot]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def slots(self) -> int:
        return sum(map(len, self.changed.values()))


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call to make: of Great Britain (`outward` "") or an outward postcode, from a half-hour to before another."""

    outward: str
    start: int
    end: int


def due(connection: Connection, now: int) -> list[Wanted]:
    """What a round at `now` (Unix seconds) asks for. The last call of each place reaches 48 hours ahead."""
    until = now - now % HALF_HOUR_SECONDS
    old = now % OLD_GAPS_SECONDS < ROUND_SECONDS
    start = until - (LONGEST_SECONDS if old else RECENT_SECONDS)
    found = []
    for outward, region in _asked(connection, now):
        missing = unsettled(connection, region, start, until)
        begins = missing[0] if missing else until
        found.append(Wanted(outward, begins, max(until, begins + HALF_HOUR_SECONDS)))
    return found


def between(connection: Connection, start: int, end: int, now: int) -> list[Wanted]:
    """What is missing from a half-hour to before another, in calls of at most 14 days."""
    until = min(end, now - now % HALF_HOUR_SECONDS)
    found = []
    for outward, region in _asked(connection, now):
        missing = unsettled(connection, region, start, until)
        while missing:
            limit = missing[0] + LONGEST_SECONDS
            mine = [at for at in missing if at < limit]
            found.append(Wanted(outward, mine[0], mine[-1] + HALF_HOUR_SECONDS))
            missing = missing[len(mine) :]
    return found


def ask(
    client: IntensityClient,
    write: Write,
    wanted: Sequence[Wanted],
    now: Callable[[], int],
    told: Told,
    *,
    ahead: bool = False,
) -> Fetched:
    """Make the calls, each with what it tells kept at once. With `ahead` forecasts of the next 48 hours come along."""
    done = Fetched()
    for one in wanted:
        _call(done, write, one.outward, partial(_answer, client, one, ahead=ahead), now, told)
        if ahead and not one.outward:
            _call(done, write, "", partial(client.ahead, one.end), now, told)
    return done


def _answer(client: IntensityClient, one: Wanted, *, ahead: bool) -> Answer:
    if not one.outward:
        return client.national(one.start, one.end)
    end = min(one.end + AHEAD_SECONDS, one.start + LONGEST_SECONDS) if ahead else one.end
    return client.regional(one.outward, one.start, end)


def _call(
    done: Fetched, write: Write, outward: str, call: Callable[[], Answer], now: Callable[[], int], told: Told
) -> None:
    subject = outward or NATIONAL
    done.calls += 1
    try:
        answer = call()
    except TargetUnavailable as error:
        problem = error.message
        done.problems.append(f"{subject}: {problem}")

        def fail(connection: Connection) -> list[Slot]:
            note_try(connection, subject, now(), None, problem)
            return []

        write(fail)
        return
    key = str(answer.region[0]) if answer.region else NATIONAL

    def take(connection: Connection) -> list[Slot]:
        at = now()
        if answer.region is not None:
            keep_region(connection, outward, answer.region, at)
        note_try(connection, subject, at, answer)
        changed = keep(connection, key, answer, at)
        told(connection, key, changed)
        return changed

    done.changed.setdefault(key, []).extend(write(take))


def _asked(connection: Connection, now: int) -> list[tuple[str, str]]:
    """Outward postcodes to ask with their region's key, "" where it is not known yet; Great Britain first."""
    known = regions(connection)
    found = [("", NATIONAL)]
    taken: set[str] = set()
    for outward in sorted(set(outwards(connection, now).values()) - {""}):
        region = known.get(outward, ("", ""))[0]
        if not region or region not in taken:
            found.append((outward, region))
            taken.add(region)
    return found
