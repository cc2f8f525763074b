"""The catalogue of network devices' typical power, and finding a device in it by what it calls itself.

A device names its model in its own way ("cisco ASR92024SZM", "J9146A E2910al-24G-PoE", "FortiGate 60F"): makers' names and
common prefixes are left out, letters and digits compared. What is not there is compared with models of its family: those
with the longest common beginning, number by number, of the same maker. A switch of another number of ports in the family
is reckoned by the rule of size below.
"""

import csv
import importlib.resources
import math
import re
import statistics
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

from carbon.poe import PSE_EFFICIENCY, feeds

TYPICAL_OF_MAXIMUM = 0.66
"""Median of 424 models whose datasheets state both, maximum without PoE budget (carbon reference, section 5)."""

Level = Literal["measured", "datasheet", "maximum", "family", "size", "kind", "virtual"]
"""How near an estimate is to the device: its model measured, by its datasheet, by a stated maximum; models of its family;
its number of ports; its kind alone. `virtual`: a machine in another one draws nothing itself."""

SHORTEST_FAMILY = 4
"""Letters and digits that must agree for a family, at least two of them digits: fewer say nothing."""

SIZE_BASE_WATTS, SIZE_EXPONENT, SIZE_FAST, SIZE_FEEDING = 10.5, 0.9, 2.7, 1.3
"""Watts of a switch by its size: base x (ports / 8) ** exponent, times a factor if its ports have 10 Gbit/s or more, and one
if it can feed others over Ethernet (beside what it feeds). Fitted on measured switches, datasheets and name plates of access
switches; the last is the median of models that come with and without (`tests/benchmarks/network_power_backtest.py --fit`)."""
PORT_COUNTS = frozenset({5, 8, 10, 12, 16, 18, 20, 24, 26, 28, 32, 36, 40, 48, 50, 52, 54, 56})
LARGEST_SWITCH_PORTS = 64
PLATE_FROM_PORTS, PLATE_IS_RATING = 16, 3.0
"""From so many ports on, and so many times what a switch of its size draws, a name plate tells a supply and no device."""
_FAST = re.compile(
    r"XG|(?<!\dX)(?<!\d )(?<!\d-)10G|\d{2}SFP\+|QSFP|\d\d(?:XS|XT|XF|Q|Y|CQ|HX|UX|MP|UXM)\b"
    r"|\bN40|\bS4\d{3}|\bS5000|80\d\dF|\bX6[57]0|\bS67|\b83[26][05]|QFX|DCS-7|\b[A-Z]\d{4}-32X"
)
"""Names of switches whose ports, not their uplinks alone, have 10 Gbit/s or more."""

_NEUTRAL = re.compile(
    r"AFI|AFO|AI|AO|AC|DC|S?AF[IO]|TAA|K|9|[ABCDEILRSV]|EI|SI|HI|IN|RM|EU|UK|US|ON|TD|NGFW|[34]|G|LTE|GA|INT"
)
"""What may follow a model's name and draws no more for it: direction of air, supply, country, licence, radio."""
_Put: TypeAlias = str | Callable[[re.Match[str]], str]
_SERIES_OF = {"29": "2960X", "35": "3560X", "36": "3650-", "37": "3750-", "38": "3850-", "92": "9200", "93": "9300"}
"""What Cisco's stacks call their series."""
_NO_MODEL = re.compile(r"\s(?:Rev\b|version\b|HW\w*:|\d+\.\d+$).*", re.IGNORECASE)
"""A revision after the model."""
_DROPPED = re.compile(
    r"\b(?:CISCO|SYSTEMS|JUNIPER|HEWLETT|PACKARD|ENTERPRISE|HPE?|ANW|ARUBA|DELL|EMC|NETWORKING|NETWORKS?|PROCURVE"
    r"|POWERSWITCH|MERAKI|SWITCH|ROUTER|UNIFI|OMADA|JETSTREAM|PROSAFE|SUMMIT|MODEL|SERIES|CATALYST|NEXUS|FLEXNETWORK"
    r"|FLEXFABRIC|COMWARE|HUAWEI|ZYXEL|NETGEAR|D-?LINK|TP-?LINK|ROUTEROS|SONICWALL|EXTREME|RUCKUS|PALO|ALTO|RUGGED"
    r"|ETHERNET|INTERNET|REV|VSF|STACK)\b"
)
_BEFORE: tuple[tuple[re.Pattern[str], _Put], ...] = (
    (re.compile(r"^(?:CISCO)?CAT(?:ALYST)?(\d{4})(?=\d)"), r"\1-"),
    (re.compile(r"^(?:CISCO|CATALYST|CAT|CEV(?:CHASSIS)?)+(?=[A-Z]*\d)"), ""),
    (re.compile(r"^C?(29|3[5678]|9[23])XX(L?)"), lambda match: f"{_SERIES_OF[match[1]]}{match[2]}"),
)
_AFTER: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\bWS\d?-(?=[A-Z])"), ""),
    (re.compile(r"\bN\dK-(?=C)"), ""),
    (re.compile(r"\bC(?=\d{4})"), ""),
    (re.compile(r"\bE(?=\d{4})"), ""),
    (re.compile(r"\bAIR-[A-Z]*AP|\bAIRONET "), "AP"),
    (re.compile(r"\bFORTIGATE|\bFGT"), "FG"),
    (re.compile(r"\bFORTISWITCH"), "FS"),
    (re.compile(r"\bFORTIAP"), "FAP"),
    (re.compile(r"\b(?:TL|AT)-(?=[A-Z])"), ""),
)
_VIRTUAL = re.compile(
    r"virtual|vmware|kvm|qemu|\bv(?:mx|srx|qfx|yos|edge)\b|\bVM\b|\bVM-?\d|-VA\b|csr1000v|c8000v|asav|ngfwv|Standard PC|i440FX"
    r"|hyper-?v|\bxen\b|ciscoCSR1000v",
    re.IGNORECASE,
)
_CALLED_VIRTUAL = re.compile(
    r"virtual[ -]?(?:switch|connect|chassis)|kvm[ -]?(?:switch|console|extender|over|\d+)|port\b.*\bkvm", re.IGNORECASE
)
"""Machines all the same: several chassis that act as one, a blade enclosure's switch, a switch for keyboards and screens."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model of the catalogue: watts at the plug without what it gives over PoE; None where only its size is known."""

    vendor: str
    name: str
    part_number: str
    source: str
    watts: float | None
    level: Level
    ports: int | None
    feeds: bool
    runs: tuple[str, ...]
    part_runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """What a device's model draws, how near the figure is to it, and in words what it comes from."""

    watts: float
    level: Level
    basis: str
    spread: tuple[float, float] | None = None
    """Least and most of the family's models."""


@cache
def models() -> tuple[Model, ...]:
    """The catalogue. Measured models come first, then datasheets, then name plates."""
    text = (importlib.resources.files("carbon") / "data" / "network_power.tsv").read_text(encoding="utf-8")
    rows = [_model(row) for row in csv.DictReader(text.splitlines(), delimiter="\t")]
    order = ("measured", "datasheet", "maximum", "size")
    return tuple(sorted(rows, key=lambda one: order.index(one.level)))


def _model(row: dict[str, str]) -> Model:
    typical, maximum, budget = (float(row[name] or 0) for name in ("typical_w", "max_w", "max_poe_w"))
    poe, source = bool(row["poe"]), row["source"]
    watts: float | None = typical or None
    level: Level = "measured" if source.startswith("measured") else "datasheet"
    if watts is None:
        without_poe = maximum - budget / PSE_EFFICIENCY
        # A sheet that gives the maximum without its PoE budget would come out below zero.
        known = maximum if without_poe <= 0 else without_poe
        level, watts = "maximum", TYPICAL_OF_MAXIMUM * known
        if poe and source == "nameplate":
            level, watts = "size", None  # the plate holds a budget that it does not tell
    ports = int(row["ports"]) if row["ports"] else ports_of(row["model"])
    if source == "nameplate" and level == "maximum" and watts and ports and ports >= PLATE_FROM_PORTS:
        sized = of_size(min(ports, LARGEST_SWITCH_PORTS), row["model"], feeding=poe)
        # Such a plate is the rating of a supply: half way, in ratio, to what its size tells.
        watts = math.sqrt(watts * sized) if maximum > PLATE_IS_RATING * sized else watts
    names = runs(row["model"]), runs(row["part_number"])
    return Model(
        row["vendor"], row["model"], row["part_number"], source, watts, level, ports, poe or feeds(row["model"]), *names
    )


def find(kind: str, hardware: str, vendor: str = "") -> Match | None:
    """The catalogue's figure for a device that calls itself so; None where it knows neither model, family nor size.

    >>> find("switch", "CBS350-48P-4X").basis
    'datasheet of CBS350-48P-4X'
    """
    if _VIRTUAL.search(_CALLED_VIRTUAL.sub("", hardware)):
        return Match(0.0, "virtual", "a virtual machine: what it needs is its host's")
    known = [one for one in models() if _same_maker(one.vendor, vendor)]
    for wanted in _names(hardware):
        if (found := _by_model(_same_model(known, wanted))) is not None:
            return found
    if (family := _by_family(kind, hardware, known, vendor)) is not None:
        return family
    ports = ports_of(hardware)
    if kind == "switch" and ports is not None:
        watts = of_size(ports, hardware)
        return Match(watts, "size", f"a switch of {ports} ports")
    return None


def _by_model(same: list[Model]) -> Match | None:
    """The nearest of the rows of one model; where its size alone is known, that."""
    for best in same:
        if best.watts is None:
            continue
        word = {"measured": "measured", "datasheet": "datasheet", "maximum": "0.66 of the maximum"}[best.level]
        if best.source == "nameplate" and best.level == "datasheet":
            word = "name plate"
        return Match(best.watts, best.level, f"{word} of {best.name}")
    sized = next((one for one in same if one.ports), None)
    if sized is None or sized.ports is None or sized.ports > LARGEST_SWITCH_PORTS:
        return None
    watts = of_size(sized.ports, sized.name, feeding=True)
    return Match(watts, "size", f"a switch of {sized.ports} ports, as {sized.name} is")


def _by_family(kind: str, hardware: str, known: list[Model], vendor: str) -> Match | None:
    wanted, ports = runs(hardware), ports_of(hardware)
    least = SHORTEST_FAMILY if vendor else SHORTEST_FAMILY + 1
    best, family = 0, list[tuple[Model, float]]()
    for one in known:
        if one.watts is None:
            continue
        score = _shared(one.runs, wanted)
        if score > best:
            best, family = score, [(one, one.watts)]
        elif score == best:
            family.append((one, one.watts))
    if best < least:
        return None
    figures = []
    for one, watts in family:
        scale = 1.0
        if kind == "switch" and ports and one.ports:
            scale = of_size(ports, hardware) / of_size(one.ports, one.name, feeding=one.feeds)
        figures.append(watts * scale)
    words = (
        f"{len(family)} models like {family[0][0].name}" if len(family) > 1 else f"a model like it, {family[0][0].name}"
    )
    return Match(
        statistics.median(figures),
        "family",
        f"median of {words}" if len(family) > 1 else words,
        (min(figures), max(figures)),
    )


def of_size(ports: int, name: str, feeding: bool | None = None) -> float:
    """Watts of a switch by the number of its ports, and by what its name tells of their speed and of feeding others."""
    feeding = feeds(name) if feeding is None else feeding
    factors = (SIZE_FAST if is_fast(name) else 1) * (SIZE_FEEDING if feeding else 1)
    return float(SIZE_BASE_WATTS * (ports / 8) ** SIZE_EXPONENT * factors)


def is_fast(name: str) -> bool:
    return _FAST.search(name.upper()) is not None


def ports_of(name: str) -> int | None:
    """How many ports a switch's name tells, if it does.

    >>> ports_of("WS6-DGS-1210-52MP/F1"), ports_of("PowerConnect 6248"), ports_of("S5300")
    (52, 48, None)
    """
    text = _NO_MODEL.sub("", name)
    numbers = re.findall(r"\d+", text)
    # Of small numbers only those that stand apart: the 5 of MX5 counts no ports.
    whole = [
        int(one)
        for one in numbers
        if int(one) in PORT_COUNTS and (int(one) >= 16 or re.search(rf"(?:^|[-_\s]){one}", text))
    ]
    ends = [int(one[-2:]) for one in numbers if len(one) == 4 and int(one[-2:]) in PORT_COUNTS]
    return max(whole, default=None) or max(ends, default=None)


def runs(name: str) -> tuple[str, ...]:
    """A name's letters and digits in runs, without makers' names.

    >>> runs("Juniper EX3400-48T"), runs("WS-C2960X-24TS-L"), runs("FortiGate 60F")
    (('EX', '3400', '48', 'T'), ('2960', 'X', '24', 'TS', 'L'), ('FG', '60', 'F'))
    """
    text = _NO_MODEL.sub("", name).upper().strip()
    for pattern, put in _BEFORE:
        text = pattern.sub(put, text)
    text = _DROPPED.sub(" ", text)
    for pattern, put in _AFTER:
        text = pattern.sub(put, text)
    return tuple(re.findall(r"[A-Z]+|\d+", text))


def _names(hardware: str) -> Iterator[tuple[str, ...]]:
    """What may be the model in a text: all of it, and each word with letters and digits."""
    yield runs(hardware)
    for word in re.split(r"[\s(),/]+", hardware):
        if len(word) >= SHORTEST_FAMILY and re.search(r"\d", word) and re.search(r"[A-Za-z]", word):
            yield runs(word)


def _same_model(known: Iterable[Model], wanted: tuple[str, ...]) -> list[Model]:
    """The rows of a model, else of variants of it, which differ in what follows (a country, an airflow, a revision)."""
    text = "".join(wanted)
    if len(text) < 3:
        return []
    exact, variants = [], []
    for one in known:
        names = [name for name in (one.runs, one.part_runs) if name]
        if any("".join(name) == text for name in names):
            exact.append(one)
        elif any(_is_variant(name, wanted) for name in names):
            variants.append(one)
    # A variant's datasheet says more than the model's own name plate.
    return sorted([*exact, *variants], key=lambda one: one.level in ("maximum", "size"))


def _is_variant(name: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    shorter, longer = sorted((name, wanted), key=len)
    if longer[: len(shorter)] != shorter or not _telling(shorter):
        return False
    return all(_NEUTRAL.fullmatch(run) for run in longer[len(shorter) :])


def _telling(name: tuple[str, ...]) -> bool:
    text = "".join(name)
    return len(name) > 1 and len(text) >= SHORTEST_FAMILY and (any(map(str.isdigit, name)) or len(text) > 7)


def _shared(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """How many letters and digits two names share from the beginning. Numbers of other length share nothing: a
    FortiGate 501 is none of the 50s. 0 without at least two digits.
    """
    count = digits = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine == theirs:
            count += len(mine)
            digits += len(mine) if mine.isdigit() else 0
            continue
        if mine.isdigit() != theirs.isdigit() or (mine.isdigit() and len(mine) != len(theirs)):
            break
        same = next(place for place in range(len(mine) + 1) if mine[: place + 1] != theirs[: place + 1])
        count += same
        digits += same if mine.isdigit() else 0
        break
    return count if digits >= 2 else 0


def _same_maker(one: str, other: str) -> bool:
    """Whether two names can be of one maker; an unknown one can be any."""
    mine, theirs = _maker_words(one), _maker_words(other)
    return not mine or not theirs or bool(mine & theirs)


@cache
def _maker_words(name: str) -> frozenset[str]:
    words = {_KIN.get(word, word) for word in re.findall(r"[a-z0-9]+", name.lower())}
    return frozenset(words - {"networks", "systems"})


_KIN = {
    "meraki": "cisco",
    "hp": "hpe",
    "aruba": "hpe",
    "procurve": "hpe",
    "h3c": "hpe",
    "3com": "hpe",
    "brocade": "ruckus",
    "foundry": "ruckus",
    "enterasys": "extreme",
    "avaya": "extreme",
    "nortel": "extreme",
    "force10": "dell",
}
"""Makers that were bought, by whose name their models go today."""
