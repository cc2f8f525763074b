"""What asking one source of facts can come to: data, absent, or failed. The three are never confused.

*Absent* is normal (a virtual machine has no power meter) and says why. *Failed* is something a person can mend,
and says how. Neither is silent: both reach `doctor`, the report and the pages.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Data(Generic[T]):
    """The source gave `value`. `note` says what part of it is missing, if any; it completes "gives data, but ..."."""

    value: T
    note: str = ""


@dataclass(frozen=True, slots=True)
class Absent:
    """This host does not have the source. `reason` completes the sentence "not available: ..."."""

    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The source is there and could not be read. `remedy` is what a person should do, in the imperative."""

    reason: str
    remedy: str


Outcome = Data[T] | Absent | Failed
