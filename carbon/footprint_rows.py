"""Emissions of activities: integer grams of CO2 equivalent, line by line.

Each line of each atom is rounded once, half to even, to the gram. Whatever is larger is a sum of whole grams, so sites,
months, lines and causes of change add up to the gram, and a recomputation can be compared by equality.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from carbon.activity import SCOPES, Activity
from carbon.class_profiles import round_half_even
from carbon.factors import Applied
from carbon.units import UJ_PER_KWH

LINES = ("s2_generation", "s3_td", "s3_wtt_generation", "s3_wtt_td")
"""The four lines of the Government's set, by their names in `carbon.factors.FactorSet`."""


@dataclass(frozen=True, slots=True)
class Grams:
    """Grams of CO2 equivalent by line, location-based; `s2_market` stands beside `s2_generation`, never with it.

    Of a row that is not Scope 2 (homes, landlord's supply) all four lines are Scope 3 of the row's category.
    """

    s2_generation: int = 0
    s3_td: int = 0
    s3_wtt_generation: int = 0
    s3_wtt_td: int = 0
    s2_market: int = 0

    @property
    def total(self) -> int:
        """Location-based, all four lines."""
        return self.s2_generation + self.s3_td + self.s3_wtt_generation + self.s3_wtt_td

    @property
    def market_total(self) -> int:
        """Market-based: the same with the market's generation."""
        return self.total - self.s2_generation + self.s2_market

    def __add__(self, other: "Grams") -> "Grams":
        return Grams(
            self.s2_generation + other.s2_generation,
            self.s3_td + other.s3_td,
            self.s3_wtt_generation + other.s3_wtt_generation,
            self.s3_wtt_td + other.s3_wtt_td,
            self.s2_market + other.s2_market,
        )


@dataclass(frozen=True, slots=True)
class MarketRate:
    """What a kilowatt-hour is by contract: kgCO2e, and the evidence in words (`carbon.market` gives it)."""

    kg_per_kwh: Decimal
    evidence: str


@dataclass(frozen=True, slots=True)
class FootprintRow:
    """An activity with its emissions and the factors they were made with."""

    activity: Activity
    grams: Grams
    applied: Applied
    market: MarketRate | None = None

    @property
    def scope(self) -> str:
        return SCOPES[self.activity.subject.supply][0]

    @property
    def scope_3_category(self) -> str:
        return SCOPES[self.activity.subject.supply][1]


def grams(energy_uj: int, kg_per_kwh: Decimal) -> int:
    """Grams of an energy in microjoules by a factor, rounded half to even.

    >>> grams(3_600_000_000_000, Decimal("0.177")), grams(1_800_000_000_000, Decimal("0.177"))
    (177, 88)
    """
    over, under = _grams_per_uj(kg_per_kwh)
    return round_half_even(energy_uj * over, under)


@lru_cache(maxsize=256)
def _grams_per_uj(kg_per_kwh: Decimal) -> tuple[int, int]:
    """A factor as a quotient of whole numbers."""
    over, under = kg_per_kwh.as_integer_ratio()
    return over * 1000, under * UJ_PER_KWH


def footprint_row(activity: Activity, applied: Applied, market: MarketRate | None = None) -> FootprintRow:
    """The emissions of one activity. Without a market's rate the location's stands in its column."""
    energy, factors = activity.activity_uj, applied.factors
    lines = {name: grams(energy, getattr(factors, name)) for name in LINES}
    by_market = grams(energy, market.kg_per_kwh) if market is not None else lines["s2_generation"]
    return FootprintRow(activity, Grams(**lines, s2_market=by_market), applied, market)


def footprint_rows(
    activities: Iterable[Activity],
    factors_of: Callable[[Activity], Applied],
    market_of: Callable[[Activity], MarketRate | None] = lambda _: None,
) -> list[FootprintRow]:
    """The emissions of activities, in their order; factors and market rates by activity (month, site)."""
    return [footprint_row(one, factors_of(one), market_of(one)) for one in activities]


def total(rows: Iterable[FootprintRow]) -> Grams:
    """All grams of rows, line by line."""
    whole = Grams()
    for row in rows:
        whole += row.grams
    return whole
