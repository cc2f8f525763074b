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
from functools import lru_cache
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
    found, wanted = EmbodiedView(view), [_number(month) for month in months]
    known: dict[tuple[str, str, str], Embodied | None] = {}
    for item in items:
        key = (item.vendor, item.model, item.device_class)
        if key not in known:
            known[key] = sources.of(*key)
        source = known[key]
        if view == "inventory" and item.leased:
            found.leave_out(item, LEASED)
        elif source is None:
            found.leave_out(item, NO_FACTOR)
        elif item.acquired is None:
            found.leave_out(item, NO_DATE)
        elif view == "inventory":
            found.charges += _whole(item, item.acquired, source, wanted)
        else:
            years = lives.get(item.device_class, SERVICE_LIFE_YEARS["other"])
            found.charges += _line(item, item.acquired, source, max(1, round(years * 12)), wanted)
    return found


def by(charges: Iterable[Charge], key: Callable[[Charge], str]) -> dict[str, list[Charge]]:
    """Charges by a key, keys in order."""
    found: dict[str, list[Charge]] = {}
    for one in charges:
        found.setdefault(key(one), []).append(one)
    return dict(sorted(found.items()))


def _whole(item: Item, acquired: datetime.date, source: Embodied, wanted: Sequence[int]) -> list[Charge]:
    """Cradle-to-gate, all of it in the month of acquisition; the range in the same proportion."""
    if (month := _number_of(acquired)) not in wanted:
        return []
    ratio = source.cradle_to_gate_kg / (source.embodied_kg or Decimal(1))
    amounts = (source.cradle_to_gate_kg, source.low_kg * ratio, source.high_kg * ratio)
    whole, low, high = (_grams(item, one) for one in amounts)
    return [Charge(item, _month(month), whole, low, high, source)]


def _line(
    item: Item, acquired: datetime.date, source: Embodied, life_months: int, wanted: Sequence[int]
) -> list[Charge]:
    """Equal parts over the life, of which what is left falls into the month of disposal.

    In whole grams: after any number of months the sum is right to the gram.
    """
    first = _number_of(acquired)
    last = first + life_months - 1
    if item.disposed is not None and first <= _number_of(item.disposed) < last:
        last = _number_of(item.disposed)
    mine = [month for month in wanted if first <= month <= last]
    if not mine:
        return []
    amounts = [_grams(item, one) for one in (source.embodied_kg, source.low_kg, source.high_kg)]

    def reached(grams: int, month: int) -> int:
        return grams if month == last else grams * (month + 1 - first) // life_months

    found = []
    for month in mine:
        grams, low, high = (reached(amount, month) - reached(amount, month - 1) for amount in amounts)
        found.append(Charge(item, _month(month), grams, low, high, source))
    return found


def _grams(item: Item, kilograms: Decimal) -> int:
    return _grams_of(kilograms, item.share, item.quantity)


@lru_cache(maxsize=4096)
def _grams_of(kilograms: Decimal, share: Decimal, quantity: int) -> int:
    """Registers hold thousands of equal devices."""
    return round(Fraction(kilograms) * Fraction(share) * quantity * 1000)


def _number_of(day: datetime.date) -> int:
    """A month's number, by which months are counted."""
    return day.year * 12 + day.month - 1


def _number(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:]) - 1


def _month(number: int) -> str:
    return f"{number // 12:04}-{number % 12 + 1:02}"
