"""Reading the kernel's small files, and writing our own so that they survive a crash."""

import errno
import os
import stat
from pathlib import Path

LARGEST_BYTES = 1 << 20


def read_text(path: Path) -> str:
    """A file's text without white space at its ends; bytes that are no UTF-8 are replaced. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, LARGEST_BYTES).decode(errors="replace").strip("\0 \t\r\n")
    finally:
        os.close(descriptor)


def read_plain_text(path: Path, *, follow: bool = True) -> str:
    """As `read_text`, of a plain file only: whoever may write in its directory could put a pipe there, on which a reader
    would wait for ever, or (unless `follow`) a link to a file that root may read and they may not. Raises OSError.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0) | (0 if follow else getattr(os, "O_NOFOLLOW", 0))
    descriptor = os.open(path, flags)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no plain file", str(path))
        return os.read(descriptor, LARGEST_BYTES).decode(errors="replace").strip("\0 \t\r\n")
    finally:
        os.close(descriptor)


def text_or_empty(path: Path) -> str:
    """A file's text, or "" where it is missing or cannot be read."""
    try:
        return read_text(path)
    except OSError:
        return ""


def number_or_none(path: Path) -> int | None:
    """A file that holds one whole number, or None where it holds none or is missing."""
    try:
        return int(text_or_empty(path))
    except ValueError:
        return None


def write_durably(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace a file in one step, on disk before this returns. Raises OSError."""
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def names_in(directory: Path) -> list[str]:
    """The names in a directory, sorted; none where it is missing or may not be listed."""
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []


def there(path: Path) -> bool:
    """Whether there is something at a path. What may not be looked at is not there: containers hide parts of `/sys` and
    `/proc` behind a directory that nobody may enter, and pathlib raises on it.
    """
    return os.path.exists(path)  # noqa: PTH110  # see above


def is_directory(path: Path) -> bool:
    """Whether a path is a directory that may be looked at."""
    return os.path.isdir(path)  # noqa: PTH112  # pathlib's raises PermissionError below a hidden directory
