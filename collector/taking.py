"""Taking large files over and back: in short transactions, with progress."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

Progress = Callable[[int, int], None]
"""Called with the steps that are done and all of them."""
T = TypeVar("T")


def silent(done: int, steps: int) -> None:
    """Progress that nobody looks at."""
    del done, steps


@dataclass(frozen=True, slots=True)
class Who:
    """By whom, and when (Unix seconds)."""

    actor: str
    now: int


@dataclass(frozen=True, slots=True)
class Acting(Who):
    """The same, and the collector whose outbox takes what follows from it."""

    collector_id: str


def chunks(items: Sequence[T], size: int) -> Iterable[Sequence[T]]:
    """The items in their order, at most `size` at once."""
    return (items[begin : begin + size] for begin in range(0, len(items), size))
