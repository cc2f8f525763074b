"""Profiles from their files: read once, checked wholly, so that a running part never meets a wrong one."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import msgspec

from agent.errors import ConfigurationError
from collector.snmp.oids import is_instance
from collector.snmp.profile import Column, Condition, Profile


@cache
def profiles() -> dict[str, Profile]:
    """The packaged profiles by name, the highest priority first.

    Raises ConfigurationError naming the file and the place of what is wrong in it.
    """
    folder = files("collector.snmp") / "profiles"
    found = [read(path) for path in sorted(folder.iterdir(), key=lambda path: path.name) if path.name.endswith(".toml")]
    known = {profile.name for profile in found}
    for profile in found:
        if missing := set(profile.replaces) - known:
            raise ConfigurationError(f"profile {profile.name}: replaces: there is no profile {min(missing)}")
    return {profile.name: profile for profile in sorted(found, key=lambda one: (-one.priority, one.name))}


def read(path: Traversable) -> Profile:
    """One profile's file, checked."""
    return parsed(path.name.removesuffix(".toml"), path.read_text(encoding="utf-8"))


def parsed(name: str, text: str) -> Profile:
    """A profile from its TOML text. Raises ConfigurationError."""
    try:
        profile = msgspec.convert(_with_common({**tomllib.loads(text), "name": name}), Profile)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"profile {name}: {error}") from error
    for what in _problems(profile):
        raise ConfigurationError(f"profile {name}: {what}")
    return profile


def _with_common(table: dict[str, Any]) -> dict[str, Any]:
    """A profile's table with what its readings have in common put into each."""
    common = table.get("each_reading")
    readings = table.get("reading")
    if not isinstance(common, dict) or not isinstance(readings, list):
        return table

    def whole(reading: dict[str, Any]) -> dict[str, Any]:
        conditions = [*common.get("where", []), *reading.get("where", [])]
        return {**common, **reading, **({"where": conditions} if conditions else {})}

    return {**table, "reading": [whole(one) for one in readings if isinstance(one, dict)]}


def _problems(profile: Profile) -> Iterator[str]:
    select = profile.select
    if not (select.probe or select.sys_object_id or select.sys_description):
        yield "select: needs a probe, a sys_object_id or a sys_description"
    for place, pattern in _patterns(profile):
        try:
            re.compile(pattern)
        except re.error as error:
            yield f"{place}: {pattern!r} is no regular expression: {error}"
    for condition in select.where:
        if not is_instance(condition.oid):
            yield f"select.where: {condition.oid} must be one value (end in .0)"
    for oid in (*select.probe, *(condition.oid for condition in select.where)):
        if oid.startswith("@"):
            yield f"select: {oid} must not begin at the sysObjectID, which is not known yet"
    for number, rule in enumerate(profile.reading, start=1):
        if "{name}" in rule.name and not rule.names:
            yield f"reading {number}: its name has {{name}} and there are no names"
    for number, pool in enumerate(profile.memory, start=1):
        if pool.percent is None and sum(one is not None for one in (pool.used, pool.free, pool.total)) < 2:
            yield f"memory {number}: needs percent, or two of used, free and total"


def _patterns(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Every regular expression of a profile, with its place."""
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            inner = getattr(value, name)
            where = f"{place}.{name}".lstrip(".")
            regular = name in ("pattern", "matches", "sys_description") or (name == "index" and isinstance(inner, str))
            if regular and inner:
                yield where, inner
            else:
                yield from _patterns(inner, where)
    elif isinstance(value, list):
        for number, inner in enumerate(value, start=1):
            yield from _patterns(inner, f"{place} {number}")


def oids_of(profile: Profile) -> set[str]:
    """Every column and value that a profile reads."""
    return oids_in(profile)


def oids_in(rules: Any) -> set[str]:
    """Every column and value that a profile, or some of its rules, read."""
    return set(_oids(rules))


def _oids(value: Any) -> Iterator[str]:
    if isinstance(value, (Column, Condition)) and value.pointer:
        yield value.pointer
    if isinstance(value, Condition) and value.within:
        yield value.within
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            inner = getattr(value, name)
            if name in ("oid", "rows"):
                yield inner
            elif name not in ("probe", "sys_object_id", "not_sys_object_id", "pointer", "within", "each_reading"):
                yield from _oids(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _oids(inner)
