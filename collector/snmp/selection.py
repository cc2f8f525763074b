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


def possible(snapshot: Snapshot, profiles: Iterable[Profile]) -> list[Profile]:
    """The profiles that hold for a device if their probes answer."""
    return [profile for profile in profiles if _fits(snapshot, profile)]


def select(snapshot: Snapshot, profiles: Iterable[Profile], answering: Iterable[str] | None = None) -> list[Profile]:
    """The profiles that hold, the highest priority first, those left out that another one replaces.

    `answering` holds the probes that have a value; without it the snapshot itself is asked, which must be whole.
    """
    answers = snapshot.has if answering is None else set(answering).__contains__
    held = [one for one in possible(snapshot, profiles) if not one.select.probe or any(map(answers, one.select.probe))]
    found = sorted(held, key=lambda one: (-one.priority, one.name))
    replaced = {name for profile in found for name in profile.replaces}
    object_id = snapshot.text(SYS_OBJECT_ID)
    return [resolved(profile, object_id) for profile in found if profile.name not in replaced]


def _fits(snapshot: Snapshot, profile: Profile) -> bool:
    """Whether a device is what a profile is for, as far as single values tell."""
    rule = profile.select
    object_id = snapshot.text(SYS_OBJECT_ID)
    if rule.sys_object_id and not any(is_below(object_id, one) for one in rule.sys_object_id):
        return False
    if any(is_below(object_id, one) for one in rule.not_sys_object_id):
        return False
    if rule.sys_description and re.search(rule.sys_description, snapshot.text(SYS_DESCRIPTION)) is None:
        return False
    return all(meets(snapshot, one, "") for one in rule.where)
