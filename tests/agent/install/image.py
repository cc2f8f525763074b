"""A system below a directory, as an image has it: tables of users, and nothing that runs."""

import hashlib
import os
import shutil
import stat
from pathlib import Path

from tests.conftest import missing

_TOOLS = ("useradd", "userdel", "systemctl")


def make_image(root: Path) -> Path:
    """An image of a system with systemd."""
    if os.geteuid() != 0:
        missing("root: files of an image belong to its users")
    for tool in _TOOLS:
        if shutil.which(tool) is None:
            missing(f"{tool} (Debian: passwd, systemd)")
    for folder in ("etc/systemd/system", "usr/lib/systemd", "usr/sbin", "var/lib"):
        (root / folder).mkdir(parents=True)
    (root / "usr/lib/systemd/systemd").touch()
    (root / "usr/sbin/nologin").touch()
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\n")
    (root / "etc/shadow").write_text("root:*:1::::::\n")
    (root / "etc/gshadow").write_text("root:*::\n")
    return root


_KINDS = {stat.S_IFLNK: "link", stat.S_IFDIR: "directory", stat.S_IFREG: "file"}
Entry = tuple[str, int, int, int, bytes]


def entries(root: Path) -> dict[str, Entry]:
    """Everything below a root: kind, mode, owner, group and the content's digest, by path; without the copies that useradd
    keeps."""
    found = {}
    start = str(root)
    for base, folders, files in os.walk(start):
        for name in [*folders, *files]:
            # Without making a Path of each: a whole system has many thousands of them.
            path = f"{base}/{name}"
            relative = path[len(start) :]
            if relative.rstrip("-") != relative or relative.endswith(".lock"):
                continue
            status = os.lstat(path)
            kind = _KINDS.get(stat.S_IFMT(status.st_mode), "device")
            found[relative] = (kind, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, _content(path, kind))
    return found


def _content(path: str, kind: str) -> bytes:
    if kind == "link":
        return str(Path(path).readlink()).encode()
    if kind != "file":
        return b""  # a folder, or a device, which one does not read to its end
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def changes(before: dict[str, Entry], after: dict[str, Entry]) -> set[str]:
    """Paths that were made, changed or taken away."""
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
