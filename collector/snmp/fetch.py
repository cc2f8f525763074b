"""Fetching from a device what a poll wants: single values together, columns together, into one snapshot."""

from collections.abc import Iterable
from dataclasses import dataclass

from collector.snmp.client import SnmpClient, SnmpError
from collector.snmp.identity import SYSTEM
from collector.snmp.oids import is_below
from collector.snmp.poll_plan import Wanted
from collector.snmp.profile import Profile
from collector.snmp.selection import asked, possible, probes, select
from collector.snmp.snapshot import Snapshot
from collector.snmp.values import SnmpValue


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a device answered, and what of it failed."""

    snapshot: Snapshot
    problems: tuple[SnmpError, ...] = ()


async def fetch(client: SnmpClient, wanted: Wanted) -> Fetched:
    """Everything wanted that the device has. A part that fails leaves the rest; raises the client's error where the
    device gave nothing at all.
    """
    found: dict[str, SnmpValue] = {}
    problems: list[SnmpError] = []
    for ask, oids in ((client.get, sorted(wanted.values)), (client.walk, sorted(_outermost(wanted.columns)))):
        if not oids:
            continue
        try:
            found |= await ask(oids)
        except SnmpError as error:
            if not (found or error.found):
                raise
            found |= error.found
            problems.append(error)
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
