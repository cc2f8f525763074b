"""Which sections of the profiles the tests of profiles have seen a value of: a plugin of pytest that writes them down.

A section is a table of a profile's file: a reading, a text, a processor, a pool of memory. It has been seen when a device
of some test, built after the MIB's text or recorded, holds the profile and gives that section a value.

    python -m tests.snmp.sections --write

writes the sections without a test to `untested_sections.txt`, which says why there are any.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from collector.snmp import device
from collector.snmp.identity import identify
from collector.snmp.profile import Profile, Select
from collector.snmp.profile_files import profiles
from collector.snmp.readings import readings
from collector.snmp.snapshot import Snapshot
from collector.snmp.utilisation import memory, processors

PLUGIN = "tests.snmp.sections"
WHERE = "ICTAGENT_TEST_SECTIONS"
"""The file that the plugin writes to."""
SECTIONS = ("reading", "hardware", "version", "serial", "processor", "memory")

_EMPTY = Profile(title="a section alone", select=Select(sys_description="."))


def sections_of(profile: Profile) -> list[str]:
    """The names of a profile's sections: that it holds for a device at all, and what each table of it reads."""
    return [f"{profile.name} select", *(name for kind in SECTIONS for name in _names(profile, kind))]


def _names(profile: Profile, kind: str) -> list[str]:
    return [f"{profile.name} {kind} {getattr(rule, 'oid', '') or rule.rows}" for rule in getattr(profile, kind)]


def seen_in(snapshot: Snapshot, holding: Sequence[Profile], but: Collection[str] = ()) -> Iterator[str]:
    """The sections that a device gives a value, leaving out those that are known already."""
    known = profiles()
    for profile in holding:
        if profile.name not in known:
            continue
        yield f"{profile.name} select"
        for kind in SECTIONS:
            # By the names in the file: a profile's OIDs may be relative to the device's.
            for name, rule in zip(_names(known[profile.name], kind), getattr(profile, kind), strict=True):
                if name not in but and _has_value(snapshot, profile, kind, rule):
                    yield name


def _has_value(snapshot: Snapshot, profile: Profile, kind: str, rule: object) -> bool:
    alone = msgspec.structs.replace(_EMPTY, name=profile.name, **{kind: [rule]})
    if kind == "reading":
        return bool(readings(snapshot, [alone]))
    if kind == "processor":
        return bool(processors(snapshot, [alone]))
    if kind == "memory":
        return bool(memory(snapshot, [alone]))
    return bool(getattr(identify(snapshot, [alone]), kind))


class Watch:
    """Looks on while devices are read."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._evaluate = device.evaluate

    def evaluate(self, snapshot: Snapshot, holding: Sequence[Profile], *more: Any) -> device.DeviceReading:
        self.seen.update(seen_in(snapshot, holding, self.seen))
        return self._evaluate(snapshot, holding, *more)


_watch = Watch()


def pytest_configure() -> None:
    device.evaluate = _watch.evaluate  # type: ignore[assignment]  # it passes on whatever else is given


def pytest_sessionfinish() -> None:
    if WHERE in os.environ:
        Path(os.environ[WHERE]).write_text(json.dumps(sorted(_watch.seen)))


ROOT = Path(__file__).parents[2]
TESTS = ("tests/snmp/profiles", *(name for name in ("tests/snmp/test_managed.py",) if (ROOT / name).is_file()))
"""Where devices are read by the profiles; of access points by their controllers apart."""
LIST = Path(__file__).with_name("untested_sections.txt")


def run_profile_tests() -> set[str]:
    """Run the tests of profiles in a process of their own; the sections that they saw. Raises where they fail."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "seen.json"
        command = [sys.executable, "-m", "pytest", "-q", "-p", PLUGIN, "-p", "no:cacheprovider", *TESTS]
        ran = subprocess.run(
            command, cwd=ROOT, env={**os.environ, WHERE: str(file)}, capture_output=True, text=True, check=False
        )
        if ran.returncode:
            raise AssertionError(f"the tests of profiles themselves fail:\n{ran.stdout[-3000:]}")
        return set(json.loads(file.read_text()))


def listed() -> set[str]:
    """The sections that are known to have no test."""
    return {line for line in LIST.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")}


def untested(seen: Collection[str]) -> list[str]:
    """Every section of every profile that was not seen."""
    return sorted({name for profile in profiles().values() for name in sections_of(profile)} - set(seen))


def main() -> None:
    reason = [line for line in LIST.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    names = untested(run_profile_tests())
    LIST.write_text("\n".join([*reason, *names]) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(names)} sections have no test\n")


if __name__ == "__main__":
    main()
