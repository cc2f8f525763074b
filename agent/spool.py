"""The spool: reports on disk until the collector has them on its own. Bounded; the oldest go first, and it says so.

One directory a spool: `stream` names the random stream id and a number below which no sequence is used again; each
report is one file `<sequence>.json.gz`, written to a temporary name, synced, and renamed. A file that a crash or a
fault left unreadable is moved to `rejected/`, and so are reports that the collector refused for their content.
"""

import contextlib
import fcntl
import json
import os
import secrets
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.errors import SpoolError
from agent.files import text_or_empty, write_durably

_SUFFIX = ".json.gz"
_REJECTED_LIMIT_BYTES = 16 * 1024 * 1024
_RESERVED_AHEAD = 1000
"""Sequence numbers are reserved in blocks, so that one small file is synced for a thousand reports; a crash leaves
part of a block unused, never used twice."""
_KEPT_IN_MEMORY = 60
_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Spooled:
    """A report that waits: its place in the stream and its encoded body."""

    sequence: int
    body: bytes


@dataclass(slots=True)
class SpoolCounters:
    """What became of reports in this stream, for the agent's own point and `doctor`."""

    dropped: int = 0
    rejected: int = 0
    unreadable: int = 0


class Spool:
    """The reports of one agent. Raises SpoolError when another agent holds it or it cannot be written."""

    def __init__(self, directory: Path, limit_bytes: int) -> None:
        self.directory = directory
        self.counters = SpoolCounters()
        self._limit_bytes = limit_bytes
        self._rejected = directory / "rejected"
        self._memory: deque[Spooled] = deque(maxlen=_KEPT_IN_MEMORY)
        try:
            self._rejected.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = (directory / "lock").open("w")
        except OSError as error:
            raise SpoolError(f"the spool {directory} cannot be made: {error}; set state_directory") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise SpoolError(f"another agent uses the spool {directory}; stop it, or set state_directory") from error
        for leftover in directory.glob(".*.new"):
            leftover.unlink(missing_ok=True)
        self.stream_id, self._next, self._reserved = self._open_stream()
        self._files = self._scan()
        if self._files:
            self._next = max(self._next, max(self._files) + 1)

    @property
    def reports(self) -> int:
        """How many reports wait, on disk and in memory."""
        return len(self._files) + len(self._memory)

    @property
    def size_bytes(self) -> int:
        return sum(self._files.values()) + sum(len(one.body) for one in self._memory)

    def next_sequence(self) -> int:
        """A number never given before in this stream, also not before a crash. Raises SpoolError."""
        if self._next >= self._reserved:
            self._reserve(self._next + _RESERVED_AHEAD)
        sequence = self._next
        self._next += 1
        return sequence

    def add(self, sequence: int, body: bytes) -> None:
        """Keep a report. On disk when this returns; if the disk is full the newest stay in memory and SpoolError says so."""
        try:
            write_durably(self._path(sequence), body)
        except OSError as error:
            if len(self._memory) == self._memory.maxlen:
                self.counters.dropped += 1
            self._memory.append(Spooled(sequence, body))
            raise SpoolError(
                f"the spool {self.directory} cannot be written ({error.strerror}): the newest {_KEPT_IN_MEMORY} reports "
                "stay in memory; free space on its disk"
            ) from error
        self._files[sequence] = len(body)
        self._make_room()

    def flush_memory(self) -> None:
        """Write to disk what was kept in memory while it was full. Stops quietly where it still is."""
        while self._memory:
            one = self._memory[0]
            try:
                write_durably(self._path(one.sequence), one.body)
            except OSError:
                return
            self._files[one.sequence] = len(one.body)
            self._memory.popleft()
        self._make_room()

    def oldest(self) -> Spooled | None:
        """The report to send next; unreadable files on the way are moved aside."""
        while self._files:
            sequence = min(self._files)
            try:
                body = self._path(sequence).read_bytes()
            except OSError:
                body = b""
            if body.startswith(_GZIP_MAGIC):
                return Spooled(sequence, body)
            self.counters.unreadable += 1
            self.reject(sequence, "unreadable")
        return self._memory[0] if self._memory else None

    def remove(self, sequence: int) -> None:
        """The collector has it."""
        if self._files.pop(sequence, None) is not None:
            self._path(sequence).unlink(missing_ok=True)
        elif self._memory and self._memory[0].sequence == sequence:
            self._memory.popleft()

    def reject(self, sequence: int, reason: str) -> None:
        """Move a report aside: the collector refused its content, or it cannot be read. Bounded like the spool."""
        self.counters.rejected += 1
        if self._files.pop(sequence, None) is None:
            self.remove(sequence)
            return
        target = self._rejected / f"{self.stream_id}-{sequence:012d}-{reason}{_SUFFIX}"
        with contextlib.suppress(FileNotFoundError):
            self._path(sequence).replace(target)
        kept = sorted(self._rejected.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        size = sum(path.stat().st_size for path in kept)
        for path in kept:
            if size <= _REJECTED_LIMIT_BYTES:
                break
            size -= path.stat().st_size
            path.unlink(missing_ok=True)

    def rejected_files(self) -> list[Path]:
        """What was moved aside and is still kept."""
        return sorted(self._rejected.iterdir())

    def new_stream(self) -> Iterator[Spooled]:
        """Begin a new stream and hand over what waits, oldest first, to be numbered anew; each is removed when the
        next is asked for. For a collector that has other content under our numbers: a spool restored from a snapshot.
        """
        waiting = sorted(self._files)
        self.stream_id = _new_id()
        self._next = 1 + max(waiting, default=0)
        self._reserve(self._next + _RESERVED_AHEAD)
        for sequence in waiting:
            path = self._path(sequence)
            body = path.read_bytes()
            if body.startswith(_GZIP_MAGIC):
                yield Spooled(sequence, body)
            self.remove(sequence)

    def close(self) -> None:
        self.flush_memory()
        self._lock.close()

    def _path(self, sequence: int) -> Path:
        return self.directory / f"{sequence:012d}{_SUFFIX}"

    def _open_stream(self) -> tuple[str, int, int]:
        """Stream id, next sequence and first number not reserved; a new stream where none is readable."""
        # Empty, damaged or written by another program: the reports found are sent in a new stream.
        with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
            stored = json.loads(text_or_empty(self.directory / "stream"))
            stream_id, reserved = stored["stream_id"], stored["reserved"]
            if isinstance(stream_id, str) and 8 <= len(stream_id) <= 64 and type(reserved) is int and reserved > 0:
                return stream_id, reserved, reserved
        self.stream_id = _new_id()
        self._reserve(1 + _RESERVED_AHEAD)
        return self.stream_id, 1, 1 + _RESERVED_AHEAD

    def _reserve(self, reserved: int) -> None:
        content = json.dumps({"stream_id": self.stream_id, "reserved": reserved}).encode()
        try:
            write_durably(self.directory / "stream", content)
        except OSError as error:
            raise SpoolError(f"the spool {self.directory} cannot be written ({error.strerror}): free space") from error
        self._reserved = reserved

    def _scan(self) -> dict[int, int]:
        """Sequence and size of every report on disk; other files are left alone."""
        found: dict[int, int] = {}
        with os.scandir(self.directory) as entries:
            for entry in entries:
                stem = entry.name.removesuffix(_SUFFIX)
                if stem != entry.name and stem.isdecimal() and entry.is_file():
                    found[int(stem)] = entry.stat().st_size
        return found

    def _make_room(self) -> None:
        size = self.size_bytes
        while size > self._limit_bytes and len(self._files) > 1:
            oldest = min(self._files)
            size -= self._files[oldest]
            self.remove(oldest)
            self.counters.dropped += 1


def _new_id() -> str:
    return secrets.token_urlsafe(12)
