"""Reading one device now: what it is, what its profiles make of it, and its interfaces. Nothing is stored."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from collector.snmp.client import SnmpClient, SnmpError
from collector.snmp.device import DeviceReading, evaluate
from collector.snmp.device_power import DiagnosisFound
from collector.snmp.estimate import with_estimate
from collector.snmp.fetch import choose, fetch
from collector.snmp.held_diagnoses import no_profile
from collector.snmp.identity import ENGINE_ID, OWN_ADDRESSES, SYS_OBJECT_ID, SYSTEM
from collector.snmp.interfaces import Interface, interfaces
from collector.snmp.interfaces import columns as interface_columns
from collector.snmp.oids import is_instance
from collector.snmp.poll_plan import Wanted
from collector.snmp.profile import Profile
from collector.snmp.profile_files import oids_of, profiles
from collector.snmp.selection import asked
from collector.snmp.snapshot import Snapshot
from collector.snmp.values import SnmpValue


@dataclass(frozen=True, slots=True)
class LiveReading:
    """A device as it answered: whole, or what of it could be read, and then `diagnoses` say what failed."""

    device: DeviceReading
    interfaces: list[Interface]
    diagnoses: list[DiagnosisFound]


async def read_device(client: SnmpClient, among: Iterable[Profile] | None = None) -> LiveReading:
    """Read a device: what it says of itself, which profiles hold, and the columns and values that those need.

    Raises the client's error where the device gives nothing; what fails later is a diagnosis.
    """
    known = list(profiles().values() if among is None else among)
    problems: list[SnmpError] = []
    found: dict[str, SnmpValue] = {}
    try:
        found |= await client.get(sorted({*SYSTEM, *asked(known)}))
    except SnmpError as error:
        if not error.found:
            raise
        found |= error.found
        problems.append(error)
    held: list[Profile] = []
    try:
        held = await choose(client, Snapshot(found), known)
    except SnmpError as error:
        problems.append(error)
        if not found:
            raise
    fetched = await fetch(client, everything(held))
    found |= dict(fetched.snapshot)
    problems += fetched.problems
    snapshot = Snapshot(found)
    device = with_estimate(evaluate(snapshot, held))
    diagnoses = [*device.power.diagnoses, *map(_told, problems)]
    if not held and not problems:
        diagnoses.append(no_profile(snapshot.text(SYS_OBJECT_ID) or "which has no sysObjectID"))
    return LiveReading(device, interfaces(snapshot), diagnoses)


def everything(held: Iterable[Profile]) -> Wanted:
    """All that some profiles and the interfaces need."""
    oids = {oid for profile in held for oid in oids_of(profile)} | {*SYSTEM, ENGINE_ID, *OWN_ADDRESSES}
    oids |= interface_columns(("inventory", "state", "counters"))
    return Wanted(frozenset(filter(is_instance, oids)), frozenset(oid for oid in oids if not is_instance(oid)))


def _told(error: SnmpError) -> DiagnosisFound:
    return DiagnosisFound(error.code, f"not everything was read: {error.message}", error.remedy)


def as_json(read: LiveReading) -> dict[str, Any]:
    """The JSON of `ictagent snmp read`, which docs/snmp.md describes: stable, keys are only added."""
    device = read.device
    power = asdict(device.power)
    power["oids"] = list(device.power.oids)
    del power["diagnoses"]
    identity = asdict(device.identity)
    identity["members"] = list(device.identity.members)
    return {
        "device": identity,
        "power": power,
        "readings": [asdict(one) for one in device.readings],
        "utilisation": {
            "processors": [asdict(one) for one in device.processors],
            "memory": [asdict(one) for one in device.memory],
        },
        "interfaces": [asdict(one) for one in read.interfaces],
        "diagnoses": [{"code": one.code, "message": one.words} for one in read.diagnoses],
        "profiles": list(device.profiles),
    }
