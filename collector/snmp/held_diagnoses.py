"""Diagnoses of a polled device: one that three polls in a row found is kept until three in a row have not.

A reading that wavers about a limit, or one lost answer, is told of by no poll alone. A poll judges what it asked about: a
problem that a table had is over when the table was read again, not when something else was.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from collector.snmp.client import SnmpError
from collector.snmp.device_power import DiagnosisFound

POLLS_HELD = 3
POWER_CODES = ("outlets_differ", "power_zero")
PROBLEM_CODES = ("snmp_auth", "snmp_error", "snmp_protocol", "snmp_table", "snmp_timeout")
NO_PROFILE = "no_profile"
POLL_CODES = (*POWER_CODES, *PROBLEM_CODES, NO_PROFILE)
"""All that polls find: what a device has of them in the database is theirs to end."""


@dataclass(frozen=True, slots=True)
class DiagnosesChanged:
    """What is to be written: diagnoses that hold, and codes of those that do no longer."""

    hold: tuple[DiagnosisFound, ...] = ()
    ended: tuple[str, ...] = ()


@dataclass(slots=True)
class HeldDiagnoses:
    """What the polls of one device found, so far as it is not forgotten. Begins not knowing what an earlier run told."""

    _found: dict[str, DiagnosisFound] = field(default_factory=dict)
    _with: dict[str, int] = field(default_factory=dict)
    """Polls in a row that found a code; counted to `POLLS_HELD`."""
    _without: dict[str, int] = field(default_factory=dict)
    _begun: set[str] = field(default_factory=set)
    _ended: set[str] = field(default_factory=set)

    def note(self, found: Sequence[DiagnosisFound], judged: Collection[str]) -> None:
        """Take in a poll: what it found, and the codes that it would have found."""
        codes = {one.code for one in found}
        for one in found:
            self._found[one.code] = one
            self._without.pop(one.code, None)
            polls = self._with.get(one.code, 0) + 1
            if polls == POLLS_HELD:
                self._begun.add(one.code)
                self._ended.discard(one.code)
            self._with[one.code] = min(polls, POLLS_HELD + 1)
        for code in set(judged) - codes:
            polls = self._without.get(code, 0) + 1
            if self._with.get(code, 0) < POLLS_HELD or polls >= POLLS_HELD:
                self._with.pop(code, None)
            if polls == POLLS_HELD:
                self._ended.add(code)
                self._begun.discard(code)
            self._without[code] = min(polls, POLLS_HELD + 1)

    def changed(self) -> DiagnosesChanged | None:
        """What began and ended since it was written last; None where nothing did."""
        if not (self._begun or self._ended):
            return None
        return DiagnosesChanged(tuple(self._found[code] for code in sorted(self._begun)), tuple(sorted(self._ended)))

    def held(self) -> DiagnosesChanged:
        """The same with all that holds, as it was found last."""
        hold = sorted(code for code, polls in self._with.items() if polls >= POLLS_HELD)
        return DiagnosesChanged(tuple(self._found[code] for code in hold), tuple(sorted(self._ended)))

    def written(self) -> None:
        """What changed is in the database."""
        self._begun.clear()
        self._ended.clear()


def diagnoses_of(
    parts: Collection[str], power: Sequence[DiagnosisFound], problems: Sequence[SnmpError], *, has_profile: bool
) -> tuple[list[DiagnosisFound], set[str]]:
    """What one poll of some parts found, and the codes that it judged.

    Of power only where all of it was read: outlets that did not answer would be a difference. A problem is over when
    the large part of a poll, its interfaces and tables, went without.
    """
    found = [DiagnosisFound(one.code, f"not everything was read: {one.message}", one.remedy) for one in problems]
    judged = {NO_PROFILE}
    if not has_profile:
        found.append(no_profile())
    if "power" in parts and not problems:
        found += power
        judged |= set(POWER_CODES)
    if "utilisation" in parts:
        judged |= set(PROBLEM_CODES)
    return found, judged


def no_profile(kind: str = "") -> DiagnosisFound:
    """That no profile holds for a device; `kind` is its sysObjectID."""
    what = f" ({kind})" if kind else ""
    return DiagnosisFound(
        NO_PROFILE, f"no profile holds for this device{what}", "`ictagent snmp profiles` lists what can be read"
    )
