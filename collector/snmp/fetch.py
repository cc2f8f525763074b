"""Fetching from a device what a poll wants: single values together, columns together, into one snapshot."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from collector.snmp.client import SnmpClient, SnmpError
from collector.snmp.identity import SYSTEM
from collector.snmp.oids import arcs, is_below
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
    requests, and a column that the device does not have needs none.
    """

    indexes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    signs: dict[str, SnmpValue] = field(default_factory=dict)
    walked_at: float = 0.0
    names_fail: bool = False
    """Whether the device does not answer by name what its walks give."""

    def forget(self) -> None:
        """Walk next time."""
        self.indexes.clear()

    def note(self, columns: Iterable[str], found: Mapping[str, SnmpValue]) -> None:
        """Keep the rows of columns that were walked to their ends. Columns of one table share them."""
        shared = {one: one for one in self.indexes.values()}
        below: dict[str, list[str]] = {column: [] for column in columns}
        for oid in sorted(found, key=arcs):
            root = oid
            while root and root not in below:
                root = root.rpartition(".")[0]
            if root:
                below[root].append(oid[len(root) :])
        for column, rows in below.items():
            key = tuple(rows)
            self.indexes[column] = shared.setdefault(key, key)


async def fetch(client: SnmpClient, wanted: Wanted, known: KnownRows | None = None) -> Fetched:
    """Everything wanted that the device has. A part that fails leaves the rest; raises the client's error where the
    device gave nothing at all.

    With `known` the rows of the last walk are asked by their names, until `WALK_SECONDS` have passed, one of them is
    gone, or the device says that its tables have changed.
    """
    found: dict[str, SnmpValue] = {}
    problems: list[SnmpError] = []
    values, to_walk = set(wanted.values), _outermost(wanted.columns)
    named: dict[str, list[str]] = {}
    if known is not None:
        values |= SIGNS
        if time.monotonic() - known.walked_at > WALK_SECONDS:
            known.forget()
        if not known.names_fail:
            named = {
                column: [column + index for index in known.indexes[column]]
                for column in to_walk
                if column in known.indexes
            }
    asked_by_name = set().union(*named.values())
    try:
        found |= await client.get(sorted(values | asked_by_name)) if values or asked_by_name else {}
    except SnmpError as error:
        if not error.found:
            raise
        found |= error.found
        problems.append(error)
    if known is not None:
        signs = {oid: found[oid] for oid in SIGNS if oid in found}
        missing = not asked_by_name <= found.keys()
        if missing or signs != known.signs:
            known.forget()
            named = {}
        known.signs = signs
    to_walk = [column for column in to_walk if column not in named]
    if not to_walk:
        return Fetched(Snapshot(found), tuple(problems))
    try:
        walked = await client.walk(sorted(to_walk))
    except SnmpError as error:
        if not (found or error.found):
            raise
        found |= error.found
        problems.append(error)
    else:
        if known is not None:
            if not known.indexes:
                known.walked_at = time.monotonic()
            # What a walk gives again and a GET did not will not be had by name next time either.
            known.names_fail |= not problems and not (asked_by_name & walked.keys()) <= found.keys()
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
