"""Which meters stand for the whole host: whole-machine meter, else platform, else processors and memory, else estimate."""

from collections.abc import Sequence

from agent.report import Basis, Choice, Meter, SourceState

_WHOLE = ("machine_ac", "battery", "machine_dc")
_SEES_MACHINE = ("acpi_meter", "redfish", "ipmi_dcmi", "nut", "battery", "hwmon")
_TOGETHER = ("battery", "nut", "nut_load")
"""Sources whose meters feed one machine together; of two other whole-machine meters one is enough."""


def choose(meters: Sequence[Meter], sources: Sequence[SourceState]) -> Choice:
    """The choice among the meters that gave a reading now. `sources` explain what is not there.

    Meters come in the order of preference of their sources.
    """
    why_not: dict[str, str] = {}
    for covers in _WHOLE:
        if found := [meter for meter in meters if meter.covers == covers]:
            first = [meter for meter in found if _source_of(meter) == _source_of(found[0])]
            chosen = first if found[0].source in _TOGETHER else first[:1]
            why_not |= _others(meters, chosen)
            return Choice("machine", [meter.name for meter in chosen], why_not)
    why_not["machine"] = _reasons(sources, _SEES_MACHINE, "no sensor sees the whole machine")
    if any(meter.covers == "ups_output" for meter in meters):
        why_not["nut"] = UPS_MAY_FEED_OTHERS
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


UPS_MAY_FEED_OTHERS = "the UPS may feed other machines too: if it does not, set nut_ups_feeds_only_this_host"


def _source_of(meter: Meter) -> str:
    return "nut" if meter.source == "nut_load" else meter.source


def _others(meters: Sequence[Meter], chosen: Sequence[Meter]) -> dict[str, str]:
    """Why each other source that sees the whole machine is not what is used, by its name."""
    used = {_source_of(meter) for meter in chosen}
    reasons: dict[str, str] = {}
    for meter in meters:
        source = _source_of(meter)
        if source in used or source in reasons:
            continue
        if meter.covers == "ups_output":
            reasons[source] = UPS_MAY_FEED_OTHERS
        elif meter.covers in _WHOLE:
            reasons[source] = f"it sees the whole machine too, and {_source_of(chosen[0])} comes before it"
    return reasons


def _reasons(sources: Sequence[SourceState], names: Sequence[str], otherwise: str) -> str:
    """Why the sources of a rung gave nothing; where one gave other meters, what they lack."""
    by_name = {state.source: state for state in sources}
    reasons = []
    for name in names:
        state = by_name.get(name)
        # Most machines have neither of what is set up by hand, and need not be told with each figure.
        if state is not None and not (state.outcome == "absent" and name in ("redfish", "nut")):
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


def better_words(key: str) -> str:
    """What was not chosen, a rung or the source of another meter."""
    return BETTER.get(key, key)


def chosen_words(choice: Choice) -> str:
    """What the host's power is taken from, with the names of the meters."""
    meters = f" ({' + '.join(choice.meters)})" if choice.meters else ""
    return RUNGS[choice.basis] + meters
