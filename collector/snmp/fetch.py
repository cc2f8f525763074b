"""Fetching from a device what a poll wants: single values together, columns together, into one snapshot."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from collector.snmp.client import SnmpClient, SnmpError
from collector.snmp.identity import SYSTEM
from collector.snmp.layout import Layout, layout_of
from collector.snmp.oids import is_below
from collector.snmp.poll_plan import Wanted
from collector.snmp.profile import Profile
from collector.snmp.selection import asked, possible, probes, select
from collector.snmp.snapshot import Snapshot
from collector.snmp.values import SnmpValue

WALK_SECONDS = 3600.0
"""How long rows are asked by their names before the tables are walked again."""
SIGNS = frozenset({"1.3.6.1.2.1.2.1.0", "1.3.6.1.2.1.31.1.5.0", "1.3.6.1.2.1.47.1.4.1.0"})
"""By which a device tells that its tables have other rows: ifNumber, ifTableLastChange, entLastChangeTime."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a device answered, and what of it failed."""

    snapshot: Snapshot
    problems: tuple[SnmpError, ...] = ()


@dataclass(slots=True)
class KnownRows:
    """The rows that a device's columns had when they were walked: asked by their names, they need a fifth of the
    requests, and what the device does not have needs none.
    """

    columns: frozenset[str] = frozenset()
    """Those that were walked to their ends."""
    rows: Layout = field(default_factory=lambda: layout_of(()))
    """What lay below them."""
    absent: frozenset[str] = frozenset()
    """Single values that the device did not have at the first poll since its tables were walked."""
    signs: dict[str, SnmpValue] = field(default_factory=dict)
    walked_at: float = 0.0
    names_fail: bool = False
    """Whether the device does not answer by name what its walks give."""
    last: Layout | None = None
    """Of the last answer, where it lacked something."""
    _asked: dict[Wanted, "_Asking"] = field(default_factory=dict)
    _settled: set[Wanted] = field(default_factory=set)

    def forget(self) -> None:
        """Walk next time."""
        self.columns, self.rows, self.absent = frozenset(), layout_of(()), frozenset()
        self._asked.clear()
        self._settled.clear()

    def age(self, now: float) -> None:
        """Walk next time what is old. What the device had nothing of, it is asked for again with its inventory alone."""
        if now - self.walked_at > WALK_SECONDS:
            empty = frozenset(column for column in self.columns if not self.rows.column(column))
            self.forget()
            self.columns, self.walked_at = empty, now

    def note(self, columns: Iterable[str], found: Iterable[str]) -> None:
        """Keep the rows of columns that were walked to their ends."""
        new = frozenset(columns)
        kept = {oid for column in self.columns - new for _, oid in self.rows.column(column)}
        self.columns |= new
        self.rows = layout_of(kept.union(found))
        self._asked.clear()

    def settle(self, wanted: Wanted, missing: frozenset[str]) -> None:
        """Keep which single values the device does not have, from the first time that they were asked.

        One that is gone later may be back with the next poll.
        """
        if wanted in self._settled:
            return
        self._settled.add(wanted)
        if missing:
            self.absent |= missing
            self._asked.clear()

    def layout(self, asking: "_Asking", found: Iterable[str]) -> Layout:
        """The layout of an answer."""
        if len(keys := frozenset(found)) == len(asking.layout.oids):
            return asking.layout
        if self.last is None or self.last.oids != keys:
            self.last = layout_of(keys)
        return self.last

    def asking(self, wanted: Wanted) -> "_Asking":
        """How what is wanted is asked for now."""
        found = self._asked.get(wanted)
        if found is None:
            columns = _outermost(wanted.columns)
            known = frozenset() if self.names_fail else self.columns
            named = [column for column in columns if column in known]
            rows = frozenset(oid for column in named for _, oid in self.rows.column(column))
            values = (wanted.values | SIGNS) - self.absent
            rest = tuple(sorted(column for column in columns if column not in known))
            found = self._asked[wanted] = _Asking(layout_of(values | rows), rows, rest, tuple(columns))
        return found


@dataclass(frozen=True, slots=True)
class _Asking:
    """One poll: values and known rows by their names, the rows among them, and the columns to walk, of all columns."""

    layout: Layout
    rows: frozenset[str]
    to_walk: tuple[str, ...]
    columns: tuple[str, ...]


async def fetch(client: SnmpClient, wanted: Wanted, known: KnownRows | None = None) -> Fetched:
    """Everything wanted that the device has. A part that fails leaves the rest; raises the client's error where the
    device gave nothing at all.

    With `known` the rows of the last walk are asked by their names, until `WALK_SECONDS` have passed, one of them is
    gone, or the device says that its tables have changed.
    """
    found: dict[str, SnmpValue] = {}
    problems: list[SnmpError] = []
    remembers = known is not None
    known = known or KnownRows()
    known.age(time.monotonic())
    asking = known.asking(wanted)
    names = asking.layout.ordered if remembers else tuple(sorted(wanted.values))
    try:
        found = await client.get(names) if names else {}
    except SnmpError as error:
        if not error.found:
            raise
        found = error.found
        problems.append(error)
    to_walk = asking.to_walk
    if remembers:
        signs = {oid: found[oid] for oid in SIGNS if oid in found}
        if signs != known.signs or not asking.rows <= found.keys():
            known.forget()
            to_walk = tuple(sorted(asking.columns))
        elif not problems:
            known.settle(wanted, asking.layout.oids - found.keys())
        known.signs = signs
    if not to_walk:
        return Fetched(Snapshot(found, known.layout(asking, found)), tuple(problems))
    try:
        walked = await client.walk(to_walk)
    except SnmpError as error:
        if not (found or error.found):
            raise
        found |= error.found
        problems.append(error)
    else:
        if remembers:
            if not known.columns:
                known.walked_at = time.monotonic()
            # What a walk gives again and a GET did not will not be had by name next time either.
            known.names_fail |= not problems and not (asking.rows & walked.keys()) <= found.keys()
            known.note(to_walk, walked)
        found |= walked
    return Fetched(Snapshot(found), tuple(problems))


async def holding(client: SnmpClient, among: Iterable[Profile]) -> list[Profile]:
    """The profiles that hold for a device, by what it says of itself and which subtrees answer.

    Raises the client's error where the device does not tell enough to choose.
    """
    answers = Snapshot(await client.get(sorted({*SYSTEM, *asked(among := list(among))})))
    return await choose(client, answers, among)


async def choose(client: SnmpClient, answers: Snapshot, among: Iterable[Profile]) -> list[Profile]:
    """The same, with the single values already asked.

    A maker's subtree that does not answer spares the question for each table below it: two or three requests tell of
    most makers that a device is not theirs.
    """
    profiles = possible(answers, among)
    wanted = probes(profiles)
    makers = {maker for oid in wanted if (maker := _maker(oid))}
    there = set(await client.heads(sorted(makers)))
    below = {oid for oid in wanted if (maker := _maker(oid)) == "" or maker in there}
    return select(answers, profiles, await client.heads(sorted(below)))


def _maker(oid: str) -> str:
    """The enterprise's subtree that an OID lies in, or "".

    >>> _maker("1.3.6.1.4.1.318.1.1.26.4"), _maker("1.3.6.1.2.1.33")
    ('1.3.6.1.4.1.318', '')
    """
    parts = oid.split(".")
    return ".".join(parts[:7]) if len(parts) > 7 and oid.startswith("1.3.6.1.4.1.") else ""


def _outermost(columns: Iterable[str]) -> list[str]:
    """The columns without those that lie below another one: one walk reads both."""
    found: list[str] = []
    for oid in sorted(columns, key=len):
        if not any(is_below(oid, one) for one in found):
            found.append(oid)
    return found
