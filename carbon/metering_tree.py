"""The metering tree: which meters feed which devices and meters, and when; and what cannot be.

An edge says that what a meter measures goes on to a device, or to another meter, from a time on until another. Its
share is the part of the parent's energy that goes there, or None where that is not known and the child's own meters
tell it. At every instant the tree has no circle, and the shares of a parent are 1 together at most.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from carbon.errors import TreeError

_ROUNDING = 1e-9
"""Thirds are no binary fractions: three of them are 1."""

Node = tuple[str, int | str]
"""("device", id) or ("meter", row number)."""


@dataclass(frozen=True, slots=True)
class Edge:
    """What a meter feeds: `child_device`, or where `child_meter` is given that meter of it. Times are Unix seconds.

    `valid_to` None: still so. `name` is how messages call the child.
    """

    parent_meter: int
    parent_device: str
    child_device: str
    child_meter: int | None = None
    share: float | None = 1.0
    valid_from: int = 0
    valid_to: int | None = None
    name: str = ""

    def holds_at(self, at: int) -> bool:
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)

    def meets(self, other: "Edge") -> bool:
        """Whether there is an instant at which both hold."""
        begins = max(self.valid_from, other.valid_from)
        ends = [one for one in (self.valid_to, other.valid_to) if one is not None]
        return not ends or begins < min(ends)

    @property
    def child(self) -> tuple[str, int | None]:
        return self.child_device, self.child_meter


def check_edge(new: Edge, edges: Iterable[Edge]) -> None:
    """Raise TreeError where an edge cannot stand beside the others; its message and remedy are for people."""
    if new.valid_to is not None and new.valid_to <= new.valid_from:
        raise TreeError("a link cannot end before it begins", "give an end after the beginning")
    if new.share is not None and not 0 < new.share <= 1:
        raise TreeError(f"the share {new.share:g} is not above 0 and at most 1", "give 1 for the whole, 0.5 for half")
    itself = new.parent_device == new.child_device and new.child_meter is None
    if itself or new.child_meter == new.parent_meter:
        raise TreeError("a device does not feed itself", "name the device at the other end")
    beside = [one for one in edges if one.meets(new)]
    siblings = [one for one in beside if one.parent_meter == new.parent_meter]
    if any(one.child == new.child for one in siblings):
        raise TreeError("the two are linked already in this time", "end that link first, or give other dates")
    for at in _instants(new, siblings):
        _check_shares(new, [one for one in siblings if one.holds_at(at)])
    for at in _instants(new, beside):
        if _reaches(new, [one for one in beside if one.holds_at(at)]):
            raise TreeError(
                "this would be a circle: the device feeds, itself or through others, what is to feed it",
                "look at what is linked, and end the link that is wrong",
            )


def _instants(new: Edge, edges: Iterable[Edge]) -> Iterator[int]:
    """Every instant of the edge's time at which something else holds than before."""
    found = {new.valid_from}
    found |= {one.valid_from for one in edges if new.holds_at(one.valid_from)}
    yield from sorted(found)


def _check_shares(new: Edge, siblings: list[Edge]) -> None:
    if not siblings:
        return
    both = [new, *siblings]
    known = sum(one.share for one in both if one.share is not None)
    open_ended = any(one.share is None for one in both)
    if known > 1 + _ROUNDING or (open_ended and known > 1 - _ROUNDING):
        others = ", ".join(sorted(f"{one.name or one.child_device} ({_words(one.share)})" for one in siblings))
        raise TreeError(
            f"there is no part left: what passes here goes to {others}",
            "end that link, or give both a --share that is 1 together at most",
        )


def _words(share: float | None) -> str:
    return "share not known" if share is None else f"share {share:g}"


def _reaches(new: Edge, edges: list[Edge]) -> bool:
    """Whether the child of an edge feeds its parent."""
    onward: dict[Node, set[Node]] = {}
    for one in (new, *edges):
        parent: Node = ("meter", one.parent_meter)
        # What feeds a device feeds all that it passes on.
        onward.setdefault(("device", one.parent_device), set()).add(parent)
        onward.setdefault(parent, set()).update(_entered(one))
    seen: set[Node] = set()
    waiting = list(_entered(new))
    while waiting:
        node = waiting.pop()
        if node == ("meter", new.parent_meter):
            return True
        if node not in seen:
            seen.add(node)
            waiting.extend(onward.get(node, ()))
    return False


def _entered(edge: Edge) -> list[Node]:
    """What an edge leads to. A meter of another device is that device's inlet; one of the same is a part of it."""
    if edge.child_meter is None:
        return [("device", edge.child_device)]
    inlet: Node = ("meter", edge.child_meter)
    return [inlet] if edge.child_device == edge.parent_device else [inlet, ("device", edge.child_device)]
