"""The spool: reports on disk until the collector has them on its own. Bounded; the oldest go first, and it says so.

One directory a spool: `stream` names the random stream id and a number below which no sequence is used again; each
report is one file `<sequence>.json.gz`, written to a temporary name, synced, and renamed. A file that a crash or a
fault left unreadable is moved to `rejected/`, and so are reports that the collector refused for their content.

On a full disk the newest reports stay in memory, also from the first one on: a stream of which nothing is on disk
needs no number reserved there, for a crash ends the stream itself.
"""

import contextlib
import errno
import fcntl
import secrets
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from agent.branch import renumbered, stream_of
from agent.errors import SpoolError
from agent.files import write_durably
from agent.spool_directory import (
    REPORT_SUFFIX,
    Stream,
    clear_leftovers,
    make_ready,
    read_stream,
    report_path,
    scan,
    whole_report,
)

_REJECTED_LIMIT_BYTES = 16 * 1024 * 1024
_RESERVED_AHEAD = 1000
"""Sequence numbers are reserved in blocks, so that one small file is synced for a thousand reports; a crash leaves
part of a block unused, never used twice."""
_KEPT_IN_MEMORY = 60
_FULL = (errno.ENOSPC, errno.EDQUOT)


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
        self.stream_id, self.branch = _new_id(), ""
        self._limit_bytes = limit_bytes
        self._rejected = directory / "rejected"
        self._memory: deque[Spooled] = deque(maxlen=_KEPT_IN_MEMORY)
        self._files: dict[int, int] = {}
        self._notes: list[str] = []
        self._problem = ""
        self._lock: TextIO | None = None
        self._next = self._reserved = 1
        self._stream_on_disk = self._begun = False
        try:
            self._open()
        except OSError as error:
            if error.errno not in _FULL:
                raise SpoolError(f"the spool {directory} cannot be made: {error}; set state_directory") from error
            self._problem = self._full(error)
            # Its reports are written beside these as soon as there is room.
            with contextlib.suppress(OSError):
                self._next = self._reserved = 1 + max(scan(directory), default=0)

    @property
    def reports(self) -> int:
        """How many reports wait, on disk and in memory."""
        return len(self._files) + len(self._memory)

    @property
    def size_bytes(self) -> int:
        return sum(self._files.values()) + sum(len(one.body) for one in self._memory)

    @property
    def problem(self) -> str:
        """What hinders writing to disk now, or nothing."""
        return self._problem

    def take_notes(self) -> list[str]:
        """What was found damaged and set aside since this was last asked, in words."""
        taken, self._notes = self._notes, []
        return taken

    def next_sequence(self) -> int:
        """A number never given before in this stream, also not before a crash."""
        if self._next >= self._reserved:
            try:
                self._reserve(self._next + _RESERVED_AHEAD)
            except OSError as error:
                self._problem = self._full(error)
                if self._stream_on_disk:
                    # Numbers of a new stream need no room on the disk.
                    self.stream_id, self._stream_on_disk = _new_id(), False
                self._reserved = self._next + _RESERVED_AHEAD
        sequence = self._next
        self._next += 1
        self._begun = True
        return sequence

    def add(self, sequence: int, body: bytes) -> None:
        """Keep a report. On disk when this returns; if the disk is full the newest stay in memory and SpoolError says so."""
        try:
            self._write(sequence, body)
        except (OSError, SpoolError) as error:
            if len(self._memory) == self._memory.maxlen:
                self.counters.dropped += 1
            self._memory.append(Spooled(sequence, body))
            self._problem = self._full(error) if isinstance(error, OSError) else str(error)
            raise SpoolError(self._problem) from error
        self._problem = ""
        self._make_room()

    def flush_memory(self) -> None:
        """Write to disk what was kept in memory while it was full. Stops quietly where it still is."""
        while self._memory:
            one = self._memory[0]
            try:
                self._write(one.sequence, one.body)
            except OSError:
                return
            self._memory.popleft()
            self._problem = ""
        self._make_room()

    def oldest(self) -> Spooled | None:
        """The report to send next; unreadable files on the way are moved aside."""
        while self._files:
            if (one := self._read(min(self._files))) is not None:
                return one
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
        target = self._rejected / f"{self.stream_id}-{sequence:012d}-{reason}{REPORT_SUFFIX}"
        self._rejected.mkdir(exist_ok=True, mode=0o700)
        with contextlib.suppress(FileNotFoundError):
            self._path(sequence).replace(target)
        kept = sorted(self.rejected_files(), key=lambda path: path.stat().st_mtime_ns)
        size = sum(path.stat().st_size for path in kept)
        for path in kept:
            if size <= _REJECTED_LIMIT_BYTES:
                break
            size -= path.stat().st_size
            path.unlink(missing_ok=True)

    def rejected_files(self) -> list[Path]:
        """What was moved aside and is still kept; nothing where somebody removed the directory."""
        try:
            return sorted(path for path in self._rejected.iterdir() if path.is_file())
        except OSError:
            return []

    def new_stream(self) -> None:
        """Begin a new stream, and with it a branch: the collector has other content under our numbers."""
        self.stream_id, self._stream_on_disk = _new_id(), False
        self.branch = self.stream_id
        with contextlib.suppress(OSError):
            self._reserve(self._next + _RESERVED_AHEAD)

    def renumber(self) -> None:
        """Put every report of another stream that waits under the next numbers of this one, oldest first.

        What is no report is set aside. Each is removed when its successor is on disk, so that a crash between them
        leaves both, and the next call goes on. Raises SpoolError, with the rest as it was, when the disk is full.
        """
        waiting, memory = sorted(self._files), list(self._memory)
        for sequence in waiting:
            if (one := self._read(sequence)) is None or stream_of(one.body) == self.stream_id:
                continue
            number = self.next_sequence()
            body = renumbered(one.body, self.branch, self.stream_id, number)
            if body is None:
                self._unreadable(sequence)
                continue
            try:
                self._write(number, body)
            except OSError as error:
                raise SpoolError(self._full(error)) from error
            self.remove(sequence)
        for one in memory:
            self._memory.popleft()
            if stream_of(one.body) != self.stream_id:
                number = self.next_sequence()
                one = Spooled(number, renumbered(one.body, self.branch, self.stream_id, number) or one.body)  # noqa: PLW2901  # the same report
            self._memory.append(one)

    def close(self) -> None:
        self.flush_memory()
        if self._lock is not None:
            self._lock.close()

    def _path(self, sequence: int) -> Path:
        return report_path(self.directory, sequence)

    def _open(self) -> None:
        """Take the directory, and read what is in it. Raises OSError, and SpoolError where another agent has it."""
        notes = make_ready(self.directory, self._rejected)
        lock = (self.directory / "lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise SpoolError(
                f"another agent uses the spool {self.directory}; stop it, or set state_directory"
            ) from error
        self._notes += notes + clear_leftovers(self.directory, self._rejected)
        stream, self._files = read_stream(self.directory / "stream"), scan(self.directory)
        if stream is not None and not self._begun:
            self.stream_id, self.branch = stream.stream_id, stream.branch
            self._next = self._reserved = stream.reserved
            self._stream_on_disk = True
        elif stream is None and (self.directory / "stream").exists():
            self._notes.append(f"{self.directory / 'stream'} was damaged: a new stream is begun")
        if self._files:
            self._next = max(self._next, max(self._files) + 1)
            self._reserved = max(self._reserved, self._next)
        self._lock = lock

    def _write(self, sequence: int, body: bytes) -> None:
        """A report to disk, after its stream. Raises OSError."""
        if self._lock is None:
            self._open()
        if not self._stream_on_disk:
            self._reserve(self._next + _RESERVED_AHEAD)
        write_durably(self._path(sequence), body)
        self._files[sequence] = len(body)

    def _reserve(self, reserved: int) -> None:
        if self._lock is None:
            self._open()
        write_durably(self.directory / "stream", Stream(self.stream_id, reserved, self.branch).to_bytes())
        self._reserved, self._stream_on_disk = reserved, True

    def _full(self, error: OSError) -> str:
        return (
            f"the spool {self.directory} cannot be written ({error.strerror}): the newest {_KEPT_IN_MEMORY} reports "
            "stay in memory; free space on its disk"
        )

    def _read(self, sequence: int) -> Spooled | None:
        """A report from disk; None where it cannot be read, and then it is moved aside."""
        try:
            body = whole_report(self._path(sequence).read_bytes())
        except OSError:
            body = None
        if body is not None:
            return Spooled(sequence, body)
        self._unreadable(sequence)
        return None

    def _unreadable(self, sequence: int) -> None:
        self.counters.unreadable += 1
        self._notes.append(f"report {sequence} in {self.directory} was damaged: it was moved to rejected")
        self.reject(sequence, "unreadable")

    def _make_room(self) -> None:
        size = self.size_bytes
        while size > self._limit_bytes and len(self._files) > 1:
            oldest = min(self._files)
            size -= self._files[oldest]
            self.remove(oldest)
            self.counters.dropped += 1


def _new_id() -> str:
    return secrets.token_urlsafe(12)
