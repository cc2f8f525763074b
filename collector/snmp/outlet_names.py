"""Which device an outlet's name means, as people write it: "SW-CORE-01 PSU A", "srv12", "fw1-a / left", "Host: web01.corp".

Case, domain and punctuation do not count; what says which supply or side it is (PSU A, left, feed 2) is taken off. A name
that fits several devices fits them all: nobody but a person decides.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

EXACT, STRIPPED, PART, NUMBERED = 0.9, 0.85, 0.7, 0.6
"""How well a name fits: as it is, without its supply, as a part of a longer text, and but for zeros before numbers."""

_SEPARATORS = re.compile(r"\s+[-\u2013]\s+|[/|,;:()\[\]<>+&@=]|\s->\s")
_TOKEN = re.compile(r"[^\W_]+")
_SUPPLY = re.compile(
    r"(psu|pwr|power|supply|supplies|ps|feed|side|inlet|input|cord|plug|lead|pdu|ups|socket|outlet|port|slot)?[-_ .]*"
    r"([a-d]|[1-4]|0[1-4]|left|right|lh|rh|l|r|top|bottom|upper|lower|front|rear|main|primary|secondary|backup|red|blue|ps[ab12]|psu[ab1-4])?"
)
_DEFAULT = re.compile(
    r"(outlet|socket|port|plug|outl|receptacle|load|group|bank|branch|relay|output|power ?port|switched outlet|ausgang|"
    r"steckdose|prise|name|unused|spare|free|empty|none|n/?a|not used|reserved|ac|c13|c19|iec)?[-_ #.:]*"
    r"[a-z]?\d*(\.\d+)*"
)
_SHORTEST = 3
"""Characters that a name needs to be looked for within a longer text."""
_LONGEST = 200
"""Characters of a label that are looked at: every run of its words is, and a device may send a text of 64 KB."""


@dataclass(frozen=True, slots=True)
class NameFit:
    """A device that a name may mean: how well it fits, and in words why."""

    device_id: str
    score: float
    why: str


@dataclass(frozen=True, slots=True)
class NamedDevices:
    """Devices by the keys of their names."""

    by_key: Mapping[str, frozenset[str]]
    by_number_key: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, names: Iterable[tuple[str, str]]) -> "NamedDevices":
        """Of (device id, name) pairs; a device may have several names."""
        keys: dict[str, set[str]] = {}
        numbers: dict[str, set[str]] = {}
        for device_id, name in names:
            if key := key_of(name):
                keys.setdefault(key, set()).add(device_id)
                numbers.setdefault(_without_zeros(key), set()).add(device_id)
        return cls(
            {key: frozenset(found) for key, found in keys.items()},
            {key: frozenset(found) for key, found in numbers.items()},
        )


def is_default(label: str) -> bool:
    """Whether a name is the maker's, or says that nothing is there. A letter and a number may be a device's, all the same.

    >>> is_default("Outlet 12"), is_default("spare"), is_default("A7"), is_default("SW-CORE-01")
    (True, True, True, False)
    """
    return _DEFAULT.fullmatch(label.strip().casefold()) is not None


def key_of(name: str) -> str:
    """A name without case, domain and punctuation; numbers that stood apart stay apart.

    >>> key_of("SW-CORE-01.corp.example.gov.uk"), key_of("sw_core 01"), key_of("sw-core-0-1")
    ('swcore01', 'swcore01', 'swcore0.1')
    """
    return _joined(_tokens(_without_domain(name.strip())))


def fits(label: str, devices: NamedDevices) -> list[NameFit]:
    """The devices that an outlet's name may mean, the best first; of each the best way in which it fits."""
    known = label.strip()[:_LONGEST]
    best: dict[str, NameFit] = {}
    for score, key, what in _ways(known):
        found = devices.by_key.get(key, frozenset())
        factor = 1.0
        if not found:
            found, factor = devices.by_number_key.get(_without_zeros(key), frozenset()), NUMBERED / EXACT
        for device_id in found:
            why = f"{what}{' but for zeros before numbers' if factor < 1 else ''}"
            fit = NameFit(device_id, round(score * factor, 3), why)
            if device_id not in best or best[device_id].score < fit.score:
                best[device_id] = fit
    fitting = sorted(best.values(), key=lambda one: (-one.score, one.device_id))
    if not fitting:
        return []
    # What fits as well as the best is as likely; each of several is as likely as their number says.
    top = [one for one in fitting if one.score >= fitting[0].score - 0.01]
    if len(top) == 1:
        return [top[0]]
    return [NameFit(one.device_id, round(one.score / len(top), 3), f"{one.why}; {len(top)} devices fit") for one in top]


def _ways(label: str) -> Iterator[tuple[float, str, str]]:
    """(score, key, in words) of every way to read a name, the best first."""
    if not label:
        return
    if not is_default(label):
        yield EXACT, key_of(label), "the name is the device's"
    else:
        # A device may be called A7; a port called so is the likelier one.
        yield NUMBERED, key_of(label), "the name, which many outlets have, is the device's"
        return
    pieces = [one.strip() for one in _SEPARATORS.split(label) if one.strip()]
    for piece in (label, *pieces):
        tokens = _tokens(_without_domain(piece))
        if piece != label and not is_default(piece):
            yield STRIPPED, _joined(tokens), f"{piece!r} is the device's name"
        for end in range(len(tokens) - 1, 0, -1):
            rest = " ".join(tokens[end:])
            if len(tokens) - end > 2 or _SUPPLY.fullmatch(rest) is None:
                break
            yield STRIPPED, _joined(tokens[:end]), f"without {rest!r} it is the device's name"
    # Domains are taken off word by word: "rack 4 web01.corp left".
    tokens = [token for word in label.split() for token in _tokens(_without_domain(word))]
    for length in range(len(tokens), 0, -1):
        for start in range(len(tokens) - length + 1):
            key = _joined(tokens[start : start + length])
            if len(key) >= _SHORTEST and not is_default(key):
                yield PART, key, "the device's name is in it"


def _tokens(text: str) -> list[str]:
    return [one.casefold() for one in _TOKEN.findall(text)]


def _joined(tokens: Iterable[str]) -> str:
    key = ""
    for token in tokens:
        key += f".{token}" if key and key[-1].isdigit() and token[0].isdigit() else token
    return key


def _without_domain(text: str) -> str:
    """A host name without its domain; what is no host name with one (an address, a version) as it is."""
    first, dot, rest = text.partition(".")
    has_domain = dot and not re.search(r"\s", first) and re.search(r"[a-zA-Z]", first)
    if has_domain and re.fullmatch(r"[\w-]+(\.[\w-]+)*", rest.split()[0] if rest.split() else ""):
        remaining = rest.split(None, 1)
        return f"{first} {remaining[1]}" if len(remaining) > 1 else first
    return text


def _without_zeros(key: str) -> str:
    return re.sub(r"(?<!\d)0+(?=\d)", "", key)
