"""Which device a register's row is: by serial number, then asset tag, then host name and model. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from collector.register.serials import comparable, number_keys


class Identified(Protocol):
    """What rows, register items and seen devices have in common."""

    @property
    def serial(self) -> str: ...
    @property
    def asset_tag(self) -> str: ...
    @property
    def host_name(self) -> str: ...
    @property
    def vendor(self) -> str: ...
    @property
    def model(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Known:
    """Something that a row may be: `id` of a register item or of a seen device."""

    id: str
    serial: str = ""
    asset_tag: str = ""
    host_name: str = ""
    vendor: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """The one that a row is, and by what; or several that quarrel, each by something else."""

    id: str = ""
    by: str = ""
    others: tuple[tuple[str, str], ...] = ()
    """(what, id) of those that something of the row would say, where not all say the same."""


class Index:
    """Finds what a row is among things that are known."""

    def __init__(self, known: Iterable[Known]) -> None:
        self._by: dict[tuple[str, ...], list[Known]] = {}
        for one in known:
            for key in _keys(one):
                self._by.setdefault(key, []).append(one)

    def find(self, row: Identified) -> Match:
        """What a row is. By a name alone only what has that name alone, and no other serial number or asset tag."""
        found: list[tuple[str, Known]] = []
        for key in _keys(row):
            candidates = [one for one in self._by.get(key, ()) if _may_be(row, one, key[0])]
            if len(candidates) == 1:
                found.append((key[0], candidates[0]))
            elif len(candidates) > 1 and not found:
                return Match(others=tuple((key[0], one.id) for one in candidates))
        if not found:
            return Match()
        ids = {one.id for _, one in found}
        if len(ids) > 1:
            return Match(others=tuple((by, one.id) for by, one in found))
        return Match(found[0][1].id, found[0][0])


def _keys(one: Identified) -> Sequence[tuple[str, ...]]:
    """By what something is known, the surest first."""
    keys: list[tuple[str, ...]] = [*number_keys(one.serial, one.asset_tag, one.vendor)]
    if one.host_name:
        keys.append(("host_name", one.host_name.lower().split(".")[0]))
    return keys


def _may_be(row: Identified, one: Known, by: str) -> bool:
    """Whether nothing speaks against it."""
    if by != "serial" and row.serial and one.serial and comparable(row.serial) != comparable(one.serial):
        return by == "asset_tag"  # a quarrel to be told: two serial numbers under one tag
    if by != "host_name":
        return True
    if row.asset_tag and one.asset_tag and comparable(row.asset_tag) != comparable(one.asset_tag):
        return False
    return not (row.model and one.model) or _same_model(row.model, one.model)


def _same_model(one: str, other: str) -> bool:
    """Whether two spellings may mean one model: the words of the shorter are all in the longer."""
    first, second = (set(text.lower().replace("-", " ").split()) for text in (one, other))
    return first <= second or second <= first
