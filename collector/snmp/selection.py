"""Which profiles hold for a device, by what it says of itself and which subtrees answer."""

import re
from collections.abc import Iterable

from collector.snmp.identity import SYS_DESCRIPTION, SYS_OBJECT_ID
from collector.snmp.oids import is_below
from collector.snmp.profile import Profile
from collector.snmp.relative import resolved
from collector.snmp.rows import meets
from collector.snmp.snapshot import Snapshot


def probes(profiles: Iterable[Profile]) -> set[str]:
    """The subtrees of which it must be known whether they answer."""
    return {oid for profile in profiles for oid in profile.select.probe}


def asked(profiles: Iterable[Profile]) -> set[str]:
    """The single values that choosing needs."""
    return {SYS_DESCRIPTION, SYS_OBJECT_ID} | {one.oid for profile in profiles for one in profile.select.where}


def select(snapshot: Snapshot, profiles: Iterable[Profile], answering: Iterable[str] | None = None) -> list[Profile]:
    """The profiles that hold, the highest priority first, those left out that another one replaces.

    `answering` holds the probes that have a value; without it the snapshot itself is asked, which must be whole.
    """
    known = None if answering is None else set(answering)
    object_id, description = snapshot.text(SYS_OBJECT_ID), snapshot.text(SYS_DESCRIPTION)

    def holds(profile: Profile) -> bool:
        rule = profile.select
        if rule.sys_object_id and not any(is_below(object_id, one) for one in rule.sys_object_id):
            return False
        if any(is_below(object_id, one) for one in rule.not_sys_object_id):
            return False
        if rule.sys_description and re.search(rule.sys_description, description) is None:
            return False
        if not all(meets(snapshot, one, "") for one in rule.where):
            return False
        answers = snapshot.has if known is None else known.__contains__
        return not rule.probe or any(answers(one) for one in rule.probe)

    found = sorted(filter(holds, profiles), key=lambda one: (-one.priority, one.name))
    replaced = {name for profile in found for name in profile.replaces}
    return [resolved(profile, object_id) for profile in found if profile.name not in replaced]
