"""Bids side by side over their whole life: electricity as the grid becomes cleaner, what making them emits, and pounds.

    kWh      = devices x (kWh a year, or watts x hours / 1,000) x PUE x years
    use      = kWh of each year x each line's last actual factor x grid index of the year
    embodied = devices x the bid's product carbon footprint without use, else the category's 90th percentile
    pounds   = price, and kWh x pounds per kWh where a contract's rate is given

A bid without a footprint is not favoured by its silence: it gets what nine of ten products of its category stay below.
Each line of each year is whole grams, so parts add up. Sources: carbon reference, sections 4 and 5.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from carbon.embodied_sources import median_of_class
from carbon.errors import CarbonError
from carbon.factors import FactorSet
from carbon.footprint_rows import LINES

GridIndex = Callable[[int, int], Decimal]
"""The grid's factor in a year over that in another (`carbon.green_book.grid_index`)."""


@dataclass(frozen=True, slots=True)
class Bid:
    """One line of an option: so many equal devices.

    `kwh_a_year` is of one device. `price` is of all of them in pounds, None where it is not told. `embodied_kg` is of one
    device without use; None: no product carbon footprint came, and `document` is "".
    """

    option: str
    device_class: str
    description: str
    devices: int
    kwh_a_year: Decimal
    life_years: Decimal
    price: Decimal | None
    embodied_kg: Decimal | None
    document: str


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What all options are reckoned with. `factors` are the last actual set; the first year of use is `first_year`."""

    factors: FactorSet
    index: GridIndex
    first_year: int
    pue: Decimal = Decimal(1)
    pounds_per_kwh: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Costed:
    """One line with its whole life: grams of use by year, grams of making, pounds of buying and of electricity."""

    bid: Bid
    kwh: Decimal
    use_g: Mapping[int, int]
    embodied_g: int
    embodied_source: str
    electricity_pounds: Decimal | None

    @property
    def total_g(self) -> int:
        return sum(self.use_g.values()) + self.embodied_g


@dataclass(frozen=True, slots=True)
class Option:
    """An option: its lines added up. `pounds` None where one of its prices is not told."""

    name: str
    lines: Sequence[Costed]

    @property
    def devices(self) -> int:
        return sum(one.bid.devices for one in self.lines)

    @property
    def kwh(self) -> Decimal:
        return sum((one.kwh for one in self.lines), Decimal(0))

    @property
    def use_g(self) -> int:
        return sum(sum(one.use_g.values()) for one in self.lines)

    @property
    def embodied_g(self) -> int:
        return sum(one.embodied_g for one in self.lines)

    @property
    def total_g(self) -> int:
        return self.use_g + self.embodied_g

    @property
    def price(self) -> Decimal | None:
        return _sum([one.bid.price for one in self.lines])

    @property
    def electricity_pounds(self) -> Decimal | None:
        return _sum([one.electricity_pounds for one in self.lines])

    @property
    def without_footprint(self) -> int:
        """Devices of which no product carbon footprint came."""
        return sum(one.bid.devices for one in self.lines if one.bid.embodied_kg is None)


def compare(bids: Sequence[Bid], with_: Assumptions) -> list[Option]:
    """The options in the order in which they are first named. Raises CarbonError as `costed` does."""
    found: dict[str, list[Costed]] = {}
    for one in bids:
        found.setdefault(one.option, []).append(costed(one, with_))
    return [Option(name, lines) for name, lines in found.items()]


def costed(bid: Bid, with_: Assumptions) -> Costed:
    """A line over its whole life.

    Raises CarbonError where no footprint came and the class has no category that could stand for it, or for years
    outside of the grid's table.
    """
    yearly = bid.kwh_a_year * bid.devices * with_.pue
    use = {
        year: sum(
            round(Fraction(yearly * part) * Fraction(factor) * 1000)
            for factor in _factors_in(year, with_)
        )
        for year, part in _years(with_.first_year, bid.life_years)
    }  # fmt: skip
    kilograms, source = _embodied(bid)
    kwh = yearly * bid.life_years
    return Costed(
        bid=bid,
        kwh=kwh,
        use_g=use,
        embodied_g=round(Fraction(kilograms) * bid.devices * 1000),
        embodied_source=source,
        electricity_pounds=None if with_.pounds_per_kwh is None else kwh * with_.pounds_per_kwh,
    )


def can_stand(device_class: str) -> bool:
    """Whether a class has a category whose 90th percentile stands for a footprint that did not come."""
    return median_of_class(device_class) is not None


def _embodied(bid: Bid) -> tuple[Decimal, str]:
    if bid.embodied_kg is not None:
        return bid.embodied_kg, f"product carbon footprint: {bid.document}"
    category = median_of_class(bid.device_class)
    if category is None:
        raise CarbonError(
            f"{bid.option}: no product carbon footprint came, and no category could stand for a {bid.device_class}: ask for it"
        )
    return category.p90, f"none came: 90% of {category.products} products of category {category.category} lie below"


def _years(first_year: int, life: Decimal) -> list[tuple[int, Decimal]]:
    """The years of a life, each with the part of it that is used."""
    found: list[tuple[int, Decimal]] = []
    left = life
    while left > 0:
        found.append((first_year + len(found), min(left, Decimal(1))))
        left -= 1
    return found


def _factors_in(year: int, with_: Assumptions) -> list[Decimal]:
    """Each line's last actual factor, carried on by the index."""
    last = with_.factors.year
    index = with_.index(last, year) if year > last else Decimal(1)
    return [getattr(with_.factors, line) * index for line in LINES]


def _sum(amounts: Sequence[Decimal | None]) -> Decimal | None:
    told = [one for one in amounts if one is not None]
    return sum(told, Decimal(0)) if len(told) == len(amounts) else None
