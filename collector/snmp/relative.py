"""OIDs of a profile that begin at the device's own sysObjectID.

Some makers give each model a subtree of its own, below the number that the device has as sysObjectID, with the same
objects in each: one profile serves them all. `@.12.7.0` lies below the sysObjectID, `@-1.39.2.1.0` below it without its
last arc.
"""

import re
from typing import Any

import msgspec

from collector.snmp.profile import Profile
from collector.snmp.profile_files import oids_of

_RELATIVE = re.compile(r"@(?:-([1-9]))?\.")


def resolved(profile: Profile, object_id: str) -> Profile:
    """The profile with the OIDs that it has on a device of this sysObjectID."""
    if not any(oid.startswith("@") for oid in oids_of(profile)):
        return profile
    found: Profile = _resolved(profile, object_id.split("."))
    return found


def _resolved(value: Any, arcs: list[str]) -> Any:
    if isinstance(value, msgspec.Struct):
        inner = {name: getattr(value, name) for name in value.__struct_fields__}
        changed = {
            name: _absolute(one, arcs) if name in ("oid", "rows", "pointer") and one else _resolved(one, arcs)
            for name, one in inner.items()
        }
        return msgspec.structs.replace(value, **changed)
    return [_resolved(one, arcs) for one in value] if isinstance(value, list) else value


def _absolute(oid: str, arcs: list[str]) -> str:
    """An OID on a device whose sysObjectID has these arcs.

    >>> _absolute("@-1.1.39.2.1.0", ["1", "3", "27", "102"]), _absolute("@.2.0", ["1", "3"]), _absolute("1.3.6", [])
    ('1.3.27.1.39.2.1.0', '1.3.2.0', '1.3.6')
    """
    match = _RELATIVE.match(oid)
    if match is None:
        return oid
    kept = arcs[: len(arcs) - int(match[1] or 0)]
    return ".".join([*kept, oid[match.end() :]]) if len(kept) > 1 else f"1.{oid[match.end() :]}"
