"""What the ELF files of a folder need of the system they run on: the glibc, and libraries that are not in the folder."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

GLIBC = re.compile(r"^(lib(c|m|dl|rt|util|pthread|resolv|nsl|crypt|anl)|ld-linux-x86-64|ld-linux-aarch64)\.so\.\d+$")
"""The libraries that come with glibc, except libcrypt, which distributions ship apart: see `needs`."""


@dataclass(frozen=True, slots=True)
class ElfNeeds:
    """`glibc` is the oldest glibc that has every symbol version asked for, `asked_by` the files that ask for it."""

    glibc: str
    asked_by: tuple[str, ...]
    missing: tuple[str, ...]


def elf_files(folder: Path) -> Iterator[Path]:
    """Every ELF file below a folder, once."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(4) == b"\x7fELF":
                    yield path


def needs(folder: Path) -> ElfNeeds:
    """Read by `objdump -p` (binutils). Raises CalledProcessError where a file cannot be read.

    `missing` names libraries that are neither in the folder nor glibc's: a package must depend on them or carry them.
    The program at the top is loaded before it can name its library folder, so only what lies beside it counts for it.
    """
    here = {path.name for path in folder.rglob("*.so*")}
    beside = {path.name for path in folder.glob("*.so*")}
    newest: dict[str, tuple[int, ...]] = {}
    missing: set[str] = set()
    for path in elf_files(folder):
        text = subprocess.run(["objdump", "-p", str(path)], check=True, capture_output=True, text=True).stdout
        versions = re.findall(r"\bGLIBC_(\d+(?:\.\d+)+)$", text, re.MULTILINE)
        newest[str(path.relative_to(folder))] = max((_numbers(one) for one in versions), default=(0,))
        found = beside if path.parent == folder else here
        missing |= set(re.findall(r"^\s+NEEDED\s+(\S+)$", text, re.MULTILINE)) - found
    glibc = max(newest.values(), default=(0,))
    asked_by = tuple(sorted(name for name, version in newest.items() if version == glibc))
    outside = {name for name in missing if not GLIBC.match(name) or name.startswith("libcrypt.")}
    return ElfNeeds(".".join(map(str, glibc)), asked_by, tuple(sorted(outside)))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
