"""A system below a directory, as an image has it: tables of users, and nothing that runs."""

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


Entry = tuple[str, int, int, int, bytes]


def entries(root: Path) -> dict[str, Entry]:
    """Everything below a root: kind, mode, owner, group and content, by path; without the copies that useradd keeps."""
    found = {}
    for base, folders, files in os.walk(root):
        for name in [*folders, *files]:
            path = Path(base, name)
            relative = "/" + str(path.relative_to(root))
            if relative.rstrip("-") != relative or relative.endswith(".lock"):
                continue
            status = path.lstat()
            kind = "link" if path.is_symlink() else "directory" if path.is_dir() else "file"
            found[relative] = (kind, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, _content(path))
    return found


def _content(path: Path) -> bytes:
    if path.is_symlink():
        return str(path.readlink()).encode()
    return b"" if path.is_dir() else path.read_bytes()


def changes(before: dict[str, Entry], after: dict[str, Entry]) -> set[str]:
    """Paths that were made, changed or taken away."""
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
