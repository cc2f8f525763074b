"""What a service must be allowed so that the energy sources found on its host can be read, and nothing more."""

import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Needs:
    """Of one source, or of several together.

    `capabilities` are Linux's names (CAP_DAC_READ_SEARCH), `devices` paths of device nodes to read and write,
    `address_families` systemd's names (AF_INET), `groups` supplementary groups, `programs` paths of programs that run,
    `processes` to see those of other users.
    """

    capabilities: frozenset[str] = frozenset()
    devices: frozenset[str] = frozenset()
    address_families: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    programs: frozenset[str] = frozenset()
    processes: bool = False

    def __or__(self, other: "Needs") -> "Needs":
        return Needs(
            self.capabilities | other.capabilities,
            self.devices | other.devices,
            self.address_families | other.address_families,
            self.groups | other.groups,
            self.programs | other.programs,
            self.processes or other.processes,
        )


NOTHING = Needs()
ROOTS_FILES = Needs(capabilities=frozenset({"CAP_DAC_READ_SEARCH"}))
"""To read files of the kernel that belong to root alone."""


def to_read(paths: Iterable[Path]) -> Needs:
    """What reading these files takes: nothing where everybody may."""
    for path in paths:
        try:
            if not path.stat().st_mode & stat.S_IROTH:
                return ROOTS_FILES
        except OSError:
            continue
    return NOTHING


def together(needs: Iterable[Needs]) -> Needs:
    """The needs of several sources."""
    joined = NOTHING
    for one in needs:
        joined |= one
    return joined
