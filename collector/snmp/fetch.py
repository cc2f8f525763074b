"""Fetching from a device what a poll wants: single values together, columns together, into one snapshot."""

from collections.abc import Iterable
from dataclasses import dataclass

from collector.snmp.client import SnmpClient, SnmpError
from collector.snmp.identity import SYSTEM
from collector.snmp.oids import is_below
from collector.snmp.poll_plan import Wanted
from collector.snmp.profile import Profile
from collector.snmp.selection import asked, probes, select
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
    """The profiles that hold for a device, by what it says of itself and which subtrees answer."""
    known = list(among)
    answers = Snapshot(await client.get(sorted({*SYSTEM, *asked(known)})))
    return select(answers, known, await client.heads(sorted(probes(known))))


def _outermost(columns: Iterable[str]) -> list[str]:
    """The columns without those that lie below another one: one walk reads both."""
    found: list[str] = []
    for oid in sorted(columns, key=len):
        if not any(is_below(oid, one) for one in found):
            found.append(oid)
    return found
