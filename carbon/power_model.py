"""A first estimate of the power of a host that has no meter, with an 80% band for one host.

Idle power of a server is a base, so much a socket, a watt of TDP, a gigabyte of memory and a disk; load adds a share
of the processors' TDP along a measured curve. Desktops and laptops have a typical idle power instead of the sum.
Coefficients: fitted on SPECpower results and ENERGY STAR certified servers and computers by
`tests/benchmarks/power_model_fit.py`; see docs/methods-power.md for data, errors and what it does not know.
"""

import json
import math
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

from carbon.cpu import CpuFacts, cpu_facts
from carbon.utilisation import BINS

MODEL_VERSION = "2026.1"

_GB = 10**9
_MOST_SOCKETS = 16
_MOST_GB = 24_576
_MOST_DISKS = 200


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What the model may know of a host; None or "" where it is not known. `chassis` and `platform` as in the report."""

    cpu_model: str = ""
    sockets: int | None = None
    cores: int | None = None
    threads: int | None = None
    memory_bytes: int | None = None
    ssds: int | None = None
    hdds: int | None = None
    chassis: str = ""
    platform: str = ""


@dataclass(frozen=True, slots=True)
class Watts:
    """An estimate in watts with the bounds that hold four of five hosts."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class PowerCurve:
    """Watts of a host in each utilisation bin, at the plug (a virtual machine: its share of an ordinary host).

    `rest` is the machine without processor packages and memory, for hosts whose RAPL counters measure those.
    `basis` says in words what was known and what was assumed.
    """

    watts: tuple[Watts, ...]
    rest: tuple[Watts, ...]
    basis: str
    model_version: str = MODEL_VERSION


@cache
def coefficients() -> dict[str, dict[str, float | list[float]]]:
    """The fitted figures, as the fit wrote them."""
    text = (resources.files("carbon") / "data" / "power_model.json").read_text(encoding="utf-8")
    loaded: dict[str, dict[str, float | list[float]]] = json.loads(text)
    return loaded


@lru_cache(maxsize=4096)
def power_curve(facts: HostFacts) -> PowerCurve:
    """The curve of a host. Odd or missing facts are bounded or assumed, said in `basis`, and widen the band."""
    cpu = cpu_facts(facts.cpu_model, facts.cores, facts.sockets)
    if facts.platform in ("virtual_machine", "container"):
        return _share_of_a_host(facts)
    if facts.chassis == "laptop" or (not facts.chassis and cpu.mobile):
        return _client("laptop", cpu, facts)
    if facts.chassis == "desktop" or (not facts.chassis and cpu.desktop):
        return _client("desktop", cpu, facts)
    return _server(cpu, facts)


def _server(cpu: CpuFacts, facts: HostFacts) -> PowerCurve:
    model = _figures("server")
    sockets = _bounded(facts.sockets, 1, _MOST_SOCKETS, default=2 if (facts.cores or 0) > 16 else 1)
    memory_gb = _bounded(
        facts.memory_bytes and facts.memory_bytes / _GB, 1, _MOST_GB, default=model["default_memory_gb"]
    )
    ssds = _bounded(facts.ssds, 0, _MOST_DISKS, default=1)
    hdds = _bounded(facts.hdds, 0, _MOST_DISKS, default=0)
    processors = sockets * (model["socket"] + model["tdp"] * cpu.tdp_watts)
    memory = model["memory_gb"] * memory_gb
    idle = model["base"] + processors + memory + model["ssd"] * ssds + model["hdd"] * hdds
    dynamic = [model["dynamic_tdp"] * sockets * cpu.tdp_watts * share for share in _shape()]
    loss = model["psu_loss"]
    watts = [idle + load for load in dynamic]
    rest = [idle - (1 - loss) * (processors + memory) + loss * load for load in dynamic]
    known = [cpu.source]
    known.append("memory known" if facts.memory_bytes else f"memory assumed {memory_gb:g} GB")
    known.append(f"{sockets:g} sockets" + ("" if facts.sockets else " assumed"))
    known.append(f"{ssds:g} solid-state and {hdds:g} rotating disks" + ("" if facts.ssds is not None else " assumed"))
    doubt = cpu.doubt * (1.0 if facts.memory_bytes else 1.3) * (1.0 if facts.sockets else 1.2)
    return _curve(watts, rest, "server", doubt, "ordinary server: " + "; ".join(known))


def _client(kind: str, cpu: CpuFacts, facts: HostFacts) -> PowerCurve:
    model = _figures(kind)
    dynamic = [model["dynamic_tdp"] * cpu.tdp_watts * share for share in _shape()]
    watts = [model["idle"] + load for load in dynamic]
    loss, inside = model["psu_loss"], model["package_share"]
    rest = [model["idle"] * (1 - inside) + loss * load for load in dynamic]
    doubt = cpu.doubt * (1.0 if facts.chassis else 1.2)
    screen = "without its screen's backlight at full" if kind == "laptop" else "without a monitor"
    return _curve(watts, rest, kind, doubt, f"{kind}, {screen}: {cpu.source}; idle power of certified models' median")


def _share_of_a_host(facts: HostFacts) -> PowerCurve:
    """A guest's share of an ordinary two-socket host: idle by configured processors and memory, load by processors."""
    model = _figures("host_of_guests")
    threads, memory_gb = model["threads"], model["memory_gb"]
    vcpus = _bounded(facts.threads or facts.cores, 1, threads, default=2)
    guest_gb = _bounded(facts.memory_bytes and facts.memory_bytes / _GB, 0.25, memory_gb, default=4)
    host = _server(
        CpuFacts(model["tdp"], "", doubt=1.0),
        HostFacts("", 2, int(threads) // 2, int(threads), int(memory_gb * _GB), 2, 0),
    )
    idle = host.watts[0].value
    idle_share = (vcpus / threads + guest_gb / memory_gb) / 2
    watts = [idle * idle_share + (one.value - idle) * vcpus / threads for one in host.watts]
    basis = f"share of an ordinary two-socket host ({threads:g} threads, {memory_gb:g} GB) by {vcpus:g} vCPU, {guest_gb:.3g} GB"
    return _curve(watts, watts, "host_of_guests", 1.0, basis)


def _curve(watts: list[float], rest: list[float], kind: str, doubt: float, basis: str) -> PowerCurve:
    """Bands around the values: the fit's own at idle and at full load, widened in proportion by `doubt`."""
    model = _figures(kind)
    bands = []
    for index in range(BINS):
        full = index / (BINS - 1)
        low = math.log(model["idle_low"]) * (1 - full) + math.log(model["full_low"]) * full
        high = math.log(model["idle_high"]) * (1 - full) + math.log(model["full_high"]) * full
        bands.append((math.exp(low * doubt), math.exp(high * doubt)))

    def banded(values: list[float]) -> tuple[Watts, ...]:
        return tuple(
            Watts(round(value, 3), round(value * low, 3), round(value * high, 3))
            for value, (low, high) in zip(values, _rising(bands, values), strict=True)
        )

    return PowerCurve(banded(watts), banded(rest), basis)


def _rising(bands: list[tuple[float, float]], values: list[float]) -> list[tuple[float, float]]:
    """Band factors such that neither bound falls as utilisation rises."""
    result: list[tuple[float, float]] = []
    lowest = highest = 0.0
    for (low, high), value in zip(bands, values, strict=True):
        lowest, highest = max(lowest, min(value, value * low)), max(highest, value * high)
        result.append((min(1.0, lowest / value), max(1.0, highest / value)))
    return result


def _figures(kind: str) -> dict[str, float]:
    return {name: value for name, value in coefficients()[kind].items() if isinstance(value, (int, float))}


def _shape() -> list[float]:
    shape = coefficients()["load"]["shape"]
    assert isinstance(shape, list)  # noqa: S101  # the packaged file's own form, held by a test
    return shape


def _bounded(value: float | None, low: float, high: float, *, default: float) -> float:
    if value is None or not math.isfinite(value) or value < low:
        return default
    return min(value, high)
