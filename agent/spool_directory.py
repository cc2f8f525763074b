"""The spool's directory as it is found at a start: what belongs to it is read, what stands in its way is set aside.

Nothing found is deleted: a file system that was damaged, a restored backup or another program may leave files cut
short, filled with zeros, of other content, or a directory where a file belongs. Such a thing is moved to `rejected/`
under its own name and a random end, and noted.
"""

import contextlib
import json
import re
import secrets
import zlib
from dataclasses import dataclass
from pathlib import Path

from agent.files import text_or_empty

REPORT_SUFFIX = ".json.gz"
HIGHEST_SEQUENCE = 10**15
"""No stream lives to give so many numbers; one that is larger was made by a damaged file."""
_REPORT_NAME = re.compile(r"[0-9]{12,15}\.json\.gz")
_STREAM_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_BRANCH = re.compile(r"[A-Za-z0-9_-]{0,64}")
LARGEST_REPORT_BYTES = 64 * 1024 * 1024
"""Larger than any report is unpacked, so that a damaged file cannot take the host's memory."""


@dataclass(frozen=True, slots=True)
class Stream:
    """The stream file: the id, a number below which no sequence is used again, and the branch (see `agent.branch`)."""

    stream_id: str
    reserved: int
    branch: str = ""

    def to_bytes(self) -> bytes:
        content: dict[str, str | int] = {"stream_id": self.stream_id, "reserved": self.reserved}
        if self.branch:
            content["branch"] = self.branch
        return json.dumps(content).encode()


def read_stream(path: Path) -> Stream | None:
    """The stream that a file names; None where it names none: empty, damaged or written by another program."""
    with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
        stored = json.loads(text_or_empty(path))
        stream_id, reserved, branch = stored["stream_id"], stored["reserved"], stored.get("branch", "")
        if (
            _STREAM_ID.fullmatch(stream_id)
            and _BRANCH.fullmatch(branch)
            and type(reserved) is int
            and 0 < reserved < HIGHEST_SEQUENCE
        ):
            return Stream(stream_id, reserved, branch)
    return None


def report_path(directory: Path, sequence: int) -> Path:
    return directory / f"{sequence:012d}{REPORT_SUFFIX}"


def whole_report(content: bytes) -> bytes | None:
    """The gzip member that a file begins with, or None where it is none, or is cut short or damaged.

    Whatever follows it is cut off: the member's own checksum proves that it is whole.
    """
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        unpacker.decompress(content, LARGEST_REPORT_BYTES)
    except zlib.error:
        return None
    return content[: len(content) - len(unpacker.unused_data)] if unpacker.eof else None


def make_ready(directory: Path, rejected: Path) -> list[str]:
    """Make both directories, and move aside what stands in the way of the spool's files. What was moved, in words.

    Raises OSError where the directories cannot be made.
    """
    notes = []
    for folder in (directory, rejected):
        if (folder.exists() or folder.is_symlink()) and not folder.is_dir():
            notes.append(_set_aside(folder, folder.parent, "is no directory"))
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    in_the_way = [path for path in (directory / "stream", directory / "lock") if path.is_dir()]
    return notes + [_set_aside(path, rejected, "is a directory") for path in in_the_way]


def clear_leftovers(directory: Path, rejected: Path) -> list[str]:
    """Delete what a crash left half written, and move aside what has its name or a report's and is no file."""
    notes = []
    for path in directory.iterdir():
        unfinished = path.name.startswith(".") and path.name.endswith(".new")
        if not unfinished and not _REPORT_NAME.fullmatch(path.name):
            continue
        if not path.is_file():
            notes.append(_set_aside(path, rejected, "is no file"))
        elif unfinished:
            path.unlink(missing_ok=True)
    return notes


def scan(directory: Path) -> dict[int, int]:
    """Sequence and size of every report on disk; other files are left alone."""
    found: dict[int, int] = {}
    for path in directory.iterdir():
        if _REPORT_NAME.fullmatch(path.name) and path.is_file():
            sequence = int(path.name.removesuffix(REPORT_SUFFIX))
            if report_path(directory, sequence) == path:
                found[sequence] = path.stat().st_size
    return found


def _set_aside(path: Path, into: Path, why: str) -> str:
    target = into / f"{path.name}-{secrets.token_hex(4)}"
    path.rename(target)
    return f"{path} {why}: it was moved to {target}"
