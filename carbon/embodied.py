"""Embodied carbon in its two views, which are never added.

*Inventory* (Scope 3, category 2): cradle-to-gate, the whole amount in the month in which a device is acquired; the Scope 3
Standard does not amortise. *Management*: everything but use, in equal parts over the months of the service life; what is
left at disposal falls into that month, and after the service life it is 0. Source: carbon reference, section 5.
"""

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Literal

from carbon.embodied_sources import Embodied, Sources

View = Literal["inventory", "management"]

SERVICE_LIFE_YEARS: Mapping[str, Decimal] = {
    "server": Decimal(5), "storage": Decimal(5), "switch": Decimal(8), "router": Decimal(8), "firewall": Decimal(6),
    "wireless_controller": Decimal(6), "access_point": Decimal(6), "network_other": Decimal(6), "ups": Decimal(10),
    "pdu": Decimal(10), "meter": Decimal(10), "laptop": Decimal(4), "desktop": Decimal(5), "all_in_one": Decimal(5),
    "thin_client": Decimal(6), "monitor": Decimal(6), "dock": Decimal(5), "tablet": Decimal(4), "desk_phone": Decimal(8),
    "mobile_phone": Decimal(3), "printer": Decimal(5), "multifunction": Decimal(5), "scanner": Decimal(5),
    "meeting_room_screen": Decimal(7), "projector": Decimal(7), "other": Decimal(5),
}  # fmt: skip
"""Our assumptions of how long councils keep devices; an organisation sets its own (`ictagent carbon life set`)."""


@dataclass(frozen=True, slots=True)
class Item:
    """A thing of the register: so many equal devices, and the organisation's share of them (0..1).

    `acquired` and `disposed` are dates, None where the register does not say.
    """

    id: str
    device_class: str
    vendor: str
    model: str
    site: str
    directorate: str
    quantity: int
    share: Decimal
    acquired: datetime.date | None
    disposed: datetime.date | None
    leased: bool = False


@dataclass(frozen=True, slots=True)
class Charge:
    """Grams of an item in a month (YYYY-MM); `low_g` and `high_g` as its source says."""

    item: Item
    month: str
    grams: int
    low_g: int
    high_g: int
    source: Embodied


@dataclass(slots=True)
class EmbodiedView:
    """The charges of a view, and how many devices are in none, by class and why."""

    view: View
    charges: list[Charge] = field(default_factory=list)
    without: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def grams(self) -> int:
        return sum(one.grams for one in self.charges)

    def leave_out(self, item: Item, why: str) -> None:
        """Count an item's devices among those without a figure."""
        key = (item.device_class, why)
        self.without[key] = self.without.get(key, 0) + item.quantity


NO_FACTOR = "no factor"
NO_DATE = "no acquisition date"
LEASED = "leased: its maker's carbon is the lessor's purchase"


def embodied_view(
    view: View,
    items: Iterable[Item],
    sources: Sources,
    months: Sequence[str],
    life_years: Mapping[str, Decimal] | None = None,
) -> EmbodiedView:
    """A view of some items over months (YYYY-MM).

    An item without a factor or a date is counted, whatever its months would be; one that is leased is in no inventory.
    """
    lives = {**SERVICE_LIFE_YEARS, **(life_years or {})}
    found, wanted = EmbodiedView(view), set(months)
    for item in items:
        if view == "inventory" and item.leased:
            found.leave_out(item, LEASED)
        elif (source := sources.of(item.vendor, item.model, item.device_class)) is None:
            found.leave_out(item, NO_FACTOR)
        elif item.acquired is None:
            found.leave_out(item, NO_DATE)
        else:
            found.charges += [one for one in _charges(view, item, source, lives) if one.month in wanted]
    return found


def by(charges: Iterable[Charge], key: Callable[[Charge], str]) -> dict[str, list[Charge]]:
    """Charges by a key, keys in order."""
    found: dict[str, list[Charge]] = {}
    for one in charges:
        found.setdefault(key(one), []).append(one)
    return dict(sorted(found.items()))


def _charges(view: View, item: Item, source: Embodied, lives: Mapping[str, Decimal]) -> list[Charge]:
    assert item.acquired is not None  # noqa: S101  # items without a date are left out before
    first = item.acquired.year * 12 + item.acquired.month - 1
    if view == "inventory":
        over = source.embodied_kg or Decimal(1)
        ratio = source.cradle_to_gate_kg / over
        low, high = source.low_kg * ratio, source.high_kg * ratio
        whole = _grams(item, source.cradle_to_gate_kg)
        return [Charge(item, _month(first), whole, _grams(item, low), _grams(item, high), source)]
    months = max(1, round(lives.get(item.device_class, SERVICE_LIFE_YEARS["other"]) * 12))
    parts = [
        _until(_line(_grams(item, one), months), item, first)
        for one in (source.embodied_kg, source.low_kg, source.high_kg)
    ]
    return [
        Charge(item, _month(first + at), grams, low, high, source)
        for at, (grams, low, high) in enumerate(zip(*parts, strict=True))
    ]


def _line(grams: int, months: int) -> list[int]:
    """A straight line in whole grams: after any number of months the sum is right to the gram."""
    reached = [grams * month // months for month in range(months + 1)]
    return [after - before for before, after in pairwise(reached)]


def _until(parts: list[int], item: Item, first: int) -> list[int]:
    """Monthly parts of a service life, of which what is left falls into the month of disposal."""
    if item.disposed is None:
        return parts
    last = item.disposed.year * 12 + item.disposed.month - 1 - first
    if not 0 <= last < len(parts):
        return parts
    return [*parts[:last], sum(parts[last:])]


def _grams(item: Item, kilograms: Decimal) -> int:
    return round(Fraction(kilograms) * Fraction(item.share) * item.quantity * 1000)


def _month(number: int) -> str:
    return f"{number // 12:04}-{number % 12 + 1:02}"
