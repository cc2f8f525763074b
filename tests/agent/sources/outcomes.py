"""What a source came to, taken apart."""

from agent.outcome import Absent, Data, Failed, Outcome
from agent.sources.reading import RawReading


def data(outcome: Outcome[list[RawReading]]) -> dict[str, RawReading]:
    assert isinstance(outcome, Data), outcome
    return {one.name: one for one in outcome.value}


def reason(outcome: Outcome[list[RawReading]]) -> str:
    """Why a source is absent; it is not failed."""
    assert isinstance(outcome, Absent), outcome
    return outcome.reason


def failure(outcome: Outcome[list[RawReading]]) -> tuple[str, str]:
    """Why a source failed, and the remedy, which every failure has."""
    assert isinstance(outcome, Failed), outcome
    assert outcome.remedy
    return outcome.reason, outcome.remedy
