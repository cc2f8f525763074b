"""The port that every store keeps: writing batches of line protocol, and saying what is wrong with whom."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from isal import igzip


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """A batch of the outbox: gzip-compressed line protocol with the times of its first and last point."""

    id: int
    lines: bytes
    points: int
    first_ns: int
    last_ns: int

    def text(self) -> bytes:
        """The lines, one each, the last one ended too."""
        unpacked: bytes = igzip.decompress(self.lines)
        return unpacked


@dataclass(slots=True)
class Written:
    """What became of the batches: lines refused for their content with the reason, points older than the retention."""

    dead: list[tuple[str, str]] = field(default_factory=list)
    skipped_old: int = 0


class Store(Protocol):
    """A target of the outbox. Writing the same batch again changes nothing."""

    name: str

    def write(self, batches: Sequence[StoredBatch]) -> Written:
        """Write batches in order; after it returns they are in the store.

        Raises TargetUnavailable when the target as a whole cannot take them now: nothing is lost, the pump keeps
        them and tries again.
        """
        ...

    def close(self) -> None: ...
