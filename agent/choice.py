"""Which meters stand for the whole host: whole-machine meter, else platform, else processors and memory, else estimate."""

from collections.abc import Sequence

from agent.report import Basis, Choice, Meter, SourceState

_WHOLE = ("machine_ac", "battery", "machine_dc")


def choose(meters: Sequence[Meter], sources: Sequence[SourceState]) -> Choice:
    """The choice among the meters that gave a reading now. `sources` explain what is not there.

    Meters come in the order of preference of their sources.
    """
    why_not: dict[str, str] = {}
    for covers in _WHOLE:
        if found := [meter for meter in meters if meter.covers == covers]:
            first = [meter.name for meter in found if meter.source == found[0].source]
            # Two batteries feed one machine together; of two whole-machine meters one is enough.
            return Choice("machine", first if covers == "battery" else first[:1], why_not)
    why_not["machine"] = _reasons(sources, ("acpi_meter", "battery", "hwmon"), "no sensor sees the whole machine")
    if platform := [meter.name for meter in meters if meter.covers == "psys"]:
        return Choice("psys", platform[:1], why_not)
    why_not["psys"] = _reasons(sources, ("rapl",), "the processor counts no platform energy")
    packages = [meter for meter in meters if meter.covers == "package"]
    if packages:
        source = packages[0].source
        parts = [one.name for one in meters if one.source == source and one.covers in ("package", "dram")]
        return Choice("package", parts, why_not)
    why_not["package"] = _reasons(sources, ("rapl", "hwmon"), "the processor counts no energy")
    return Choice("estimate", [], why_not)


def _reasons(sources: Sequence[SourceState], names: Sequence[str], otherwise: str) -> str:
    """Why the sources of a rung gave nothing; where one gave other meters, what they lack."""
    by_name = {state.source: state for state in sources}
    reasons = []
    for name in names:
        state = by_name.get(name)
        if state is not None:
            reasons.append(f"{name}: {otherwise if state.outcome == 'data' else state.reason}")
    return "; ".join(reasons) or otherwise


RUNGS: dict[Basis, str] = {
    "machine": "a meter of the whole machine",
    "psys": "the processor's platform counter (psys)",
    "package": "the counters of the processors, and of memory where it has one; the rest is estimated",
    "estimate": "an estimate from inventory and utilisation",
}
"""What each basis is called where people read it."""

BETTER: dict[str, str] = {
    "machine": "a machine meter",
    "psys": "a platform counter",
    "package": "processor counters",
}
"""The rungs above an estimate, short, for "not from ...: why"."""


def chosen_words(choice: Choice) -> str:
    """What the host's power is taken from, with the names of the meters."""
    meters = f" ({' + '.join(choice.meters)})" if choice.meters else ""
    return RUNGS[choice.basis] + meters
