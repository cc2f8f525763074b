"""Unwrapping hardware energy counters into monotonic microjoules, with an epoch for every stretch that is proved.

A 262 kJ RAPL range wraps every half hour at 145 W. Between two reads a counter may have wrapped at most once, and it
is believed only if it could not have wrapped twice: the time between, at the highest power the part can draw, must
give less than the range. Everything else (a reset, a reboot, a longer pause) starts a new epoch at zero.
"""

import json
import secrets
from dataclasses import asdict, dataclass

HIGHEST_WATTS = 4000.0
"""More than any one processor package, board or supply draws; with it a 262 kJ range is proved for 65 seconds, so a
zone that states its own maximum is proved for longer."""


@dataclass(slots=True)
class CounterState:
    """What is remembered of one counter: its last raw value and when, and the microjoules since its epoch began."""

    raw_uj: int
    boot_ns: int
    boot_id: str
    epoch: str
    total_uj: int


@dataclass(frozen=True, slots=True)
class Counted:
    """A reading: the epoch, microjoules since it began, and the change over the interval (0 at an epoch's start)."""

    epoch: str
    total_uj: int
    interval_ns: int
    difference_uj: int


def advance(
    state: CounterState | None,
    raw_uj: int,
    boot_ns: int,
    boot_id: str,
    range_uj: int | None,
    highest_watts: float = HIGHEST_WATTS,
    *,
    suspended: bool = False,
) -> tuple[CounterState, Counted]:
    """The state and reading after a raw value. `range_uj` is the largest value before the counter wraps; None: never.

    A machine that was `suspended` since may have lost its count: then a lower value is no wrap.
    """
    if state is not None and state.boot_id == boot_id and boot_ns > state.boot_ns:
        interval_ns = boot_ns - state.boot_ns
        difference = _difference(
            state.raw_uj, raw_uj, interval_ns, None if suspended and raw_uj < state.raw_uj else range_uj, highest_watts
        )
        if difference is not None:
            total = state.total_uj + difference
            return (
                CounterState(raw_uj, boot_ns, boot_id, state.epoch, total),
                Counted(state.epoch, total, interval_ns, difference),
            )
    epoch = secrets.token_hex(6)
    return CounterState(raw_uj, boot_ns, boot_id, epoch, 0), Counted(epoch, 0, 0, 0)


def _difference(before: int, after: int, interval_ns: int, range_uj: int | None, highest_watts: float) -> int | None:
    """Microjoules between two raw values, or None where continuity is not proved."""
    possible_uj = highest_watts * interval_ns / 1000
    if range_uj is None or range_uj <= 0:
        difference = after - before
        return difference if 0 <= difference <= possible_uj else None
    if possible_uj >= range_uj:
        return None
    difference = (after - before) % (range_uj + 1)
    return difference if difference <= possible_uj else None


def states_to_text(states: dict[str, CounterState]) -> str:
    """States as JSON, to continue epochs over a restart."""
    return json.dumps({name: asdict(state) for name, state in states.items()})


def states_from_text(text: str) -> dict[str, CounterState]:
    """States from a file; whatever in it makes no sense is left out, and its counters start new epochs."""
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    states: dict[str, CounterState] = {}
    if not isinstance(rows, dict):
        return {}
    for name, row in rows.items():
        try:
            state = CounterState(**row)
        except TypeError:
            continue
        numbers = (state.raw_uj, state.boot_ns, state.total_uj)
        if all(type(number) is int and 0 <= number < 2**63 for number in numbers) and all(
            isinstance(text, str) and 0 < len(text) <= 64 for text in (state.boot_id, state.epoch)
        ):
            states[name] = state
    return states
