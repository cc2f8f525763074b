"""What a notification means, by the rules in `events/*.toml`, each written after a MIB's text.

    title = "Uninterruptible power supplies by the standard"
    mib = ["UPS-MIB"]

    [[event]]
    object = "upsTrapAlarmEntryAdded"
    oid = "1.3.6.1.2.1.33.2.3"
    code = "ups_overload"                                   # see codes.py
    where = [{ oid = "1.3.6.1.2.1.33.1.6.2.1.2", any_of = ["1.3.6.1.2.1.33.1.6.3.8"] }]
    # severity = "warning"   else the code's own
    # words = "..."          else the code's own

Of several rules for one OID the first whose conditions hold counts. `oid` of a condition is a column: the variable that
is it, or lies below it. What the variables say in words stands behind the rule's.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

import msgspec

from agent.errors import ConfigurationError
from collector.snmp.oids import is_below, is_oid
from collector.snmp.traps.codes import EVENT_CODES, Severity

Variables = Sequence[tuple[str, int | float | str]]
LONGEST_DETAIL = 500
_MOST_TEXTS = 4
_TRAP_ENVELOPE = "1.3.6.1.6.3.18.1"
"""SNMP-COMMUNITY-MIB: what proxies add, the community among it."""


class Where(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A variable that must be there, and of these values where some are given."""

    oid: str
    any_of: tuple[int | str, ...] = ()
    none_of: tuple[int | str, ...] = ()
    matches: str = ""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one notification means. `object` is its name in the MIB."""

    oid: str
    object: str
    code: str
    where: tuple[Where, ...] = ()
    severity: Severity | None = None
    words: str = ""


class EventFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rules of one MIB or maker."""

    title: str
    mib: tuple[str, ...]
    event: tuple[Rule, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a notification tells."""

    code: str
    severity: Severity
    detail: str
    polls: bool
    kept: bool


@cache
def event_files() -> dict[str, EventFile]:
    """The packaged rules by file. Raises ConfigurationError naming the file and what is wrong in it."""
    folder = files("collector.snmp.traps") / "events"
    found = [
        _read(path) for path in sorted(folder.iterdir(), key=lambda path: path.name) if path.name.endswith(".toml")
    ]
    _rules(found)
    return {one.name: one for one in found}


@cache
def rules() -> Mapping[str, tuple[Rule, ...]]:
    """All rules by the OID of their notification, as `canonical` writes it."""
    return _rules(list(event_files().values()))


def parsed(name: str, text: str) -> EventFile:
    """A file of rules, checked. Raises ConfigurationError."""
    try:
        found = msgspec.convert({**tomllib.loads(text), "name": name}, EventFile)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"events {name}: {error}") from error
    for rule in found.event:
        if rule.code not in EVENT_CODES:
            raise ConfigurationError(f"events {name}: {rule.object}: there is no code {rule.code}")
        for oid in (rule.oid, *(one.oid for one in rule.where)):
            if not is_oid(oid):
                raise ConfigurationError(f"events {name}: {rule.object}: {oid!r} is no OID")
        for one in rule.where:
            try:
                re.compile(one.matches)
            except re.error as error:
                raise ConfigurationError(f"events {name}: {rule.object}: {one.matches!r}: {error}") from error
    return found


def meaning_of(oid: str, variables: Variables) -> Meaning:
    """What a notification means; `notification` where no rule knows it."""
    for rule in rules().get(canonical(oid), ()):
        if all(_holds(one, variables) for one in rule.where):
            known = EVENT_CODES[rule.code]
            words = _detail(rule.words or known.words, variables)
            return Meaning(rule.code, rule.severity or known.severity, words, known.polls, known.kept)
    known = EVENT_CODES["notification"]
    return Meaning("notification", known.severity, _detail(known.words, variables), known.polls, known.kept)


def canonical(oid: str) -> str:
    """An OID without a last arc but one of 0: v1 puts it in where v2's may lack it (RFC 3584, section 3).

    >>> canonical("1.3.6.1.2.1.33.2.0.1"), canonical("1.3.6.1.2.1.33.2.1")
    ('1.3.6.1.2.1.33.2.1', '1.3.6.1.2.1.33.2.1')
    """
    above, _, last = oid.rpartition(".")
    return f"{above.removesuffix('.0')}.{last}"


def _read(path: Traversable) -> EventFile:
    return parsed(path.name.removesuffix(".toml"), path.read_text(encoding="utf-8"))


def _rules(found: Sequence[EventFile]) -> Mapping[str, tuple[Rule, ...]]:
    whose: dict[str, str] = {}
    known: dict[str, tuple[Rule, ...]] = {}
    for one in found:
        for rule in one.event:
            oid = canonical(rule.oid)
            if whose.setdefault(oid, one.name) != one.name:
                raise ConfigurationError(f"events {one.name}: {rule.object}: {whose[oid]} has this OID too")
            if known.get(oid) and not known[oid][-1].where:
                raise ConfigurationError(f"events {one.name}: {rule.object}: the rule before it leaves it nothing")
            known[oid] = (*known.get(oid, ()), rule)
    return known


def _holds(condition: Where, variables: Variables) -> bool:
    values = [value for oid, value in variables if is_below(oid, condition.oid)]
    return any(_fits(condition, value) for value in values)


def _fits(condition: Where, value: int | float | str) -> bool:
    if condition.any_of and value not in condition.any_of:
        return False
    if value in condition.none_of:
        return False
    return not condition.matches or re.search(condition.matches, str(value)) is not None


def _detail(words: str, variables: Variables) -> str:
    """Words, and after them what the variables say in words of their own: the outlet's name, the sensor's."""
    texts = [
        value.strip()
        for oid, value in variables
        if isinstance(value, str) and not value.startswith("0x") and not is_below(oid, _TRAP_ENVELOPE)
    ]
    texts = [one for one in dict.fromkeys(texts) if any(map(str.isalpha, one))][:_MOST_TEXTS]
    return (words + (f": {', '.join(texts)}" if texts else ""))[:LONGEST_DETAIL]
