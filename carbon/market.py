"""Market-based Scope 2: what a kilowatt-hour is by contract, rung by rung of the evidence there is.

The rungs, best first: certificates (REGO) retired for a contract's year from 1 April to 31 March, up to their quantity;
the supplier's disclosed mix of the tariff; the UK residual mix; the location's factor. What one rung does not cover falls
to the next, and nothing is zero because evidence is missing. Source: GHG Protocol Scope 2 Guidance (quality criteria and
hierarchy); carbon reference, section 1.

Certificates are matched over their year, not month by month: the part of the contract's kilowatt-hours that they cover
is the same in each of its months and sites. That part is of all that the contract supplied, of which ICT is some: ICT
alone may not claim the whole quantity.
"""

import calendar
import datetime
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import lru_cache
from typing import Literal

from carbon.calendar import financial_year_label
from carbon.errors import CarbonError
from carbon.footprint_rows import MarketRate
from carbon.units import UJ_PER_KWH, split_by_largest_remainder

Rung = Literal["rego", "supplier_mix", "residual_mix", "location"]
RUNGS: Mapping[Rung, str] = {
    "rego": "contract with certificates (REGO) retired for the year, up to their quantity",
    "supplier_mix": "the supplier's disclosed mix of the tariff",
    "residual_mix": "the UK residual mix",
    "location": "no contract evidence; grid average used, may double count renewables claimed by others",
}
LOCATION_LABEL = RUNGS["location"]
OLDEST_MIX_YEARS = 2
"""A mix comes out after its year: the newest stands for months up to two years after its end. Our own choice."""
_DIGITS = 28

Use = Mapping[tuple[str, str], int]
"""Energy in microjoules by site and month (YYYY-MM): all that the organisation buys itself, of whatever contract."""


@dataclass(frozen=True, slots=True)
class Rego:
    """Certificates retired for a contract: of `supplied_kwh`, which the contract supplied in the year in all, so much."""

    id: str
    first_day: datetime.date
    last_day: datetime.date
    quantity_kwh: Decimal
    supplied_kwh: Decimal
    retired_on: datetime.date
    kg_per_kwh: Decimal

    def __post_init__(self) -> None:
        if (self.first_day, self.last_day) != rego_year(self.first_day.year):
            raise CarbonError(f"{self.id}: a year of certificates is 1 April to 31 March, not {self.first_day} on")
        if self.quantity_kwh <= 0 or self.supplied_kwh <= 0:
            raise CarbonError(f"{self.id}: the certificates' quantity and what was supplied must be more than 0 kWh")
        if self.retired_on < self.first_day:
            raise CarbonError(f"{self.id}: certificates retired on {self.retired_on} are not of the year after it")
        _check_factor(self.id, self.kg_per_kwh)


@dataclass(frozen=True, slots=True)
class Mix:
    """A disclosed or residual mix of a period, and where it is printed."""

    id: str
    first_day: datetime.date
    last_day: datetime.date
    kg_per_kwh: Decimal
    source: str

    def __post_init__(self) -> None:
        if self.last_day < self.first_day:
            raise CarbonError(f"{self.id}: the period ends on {self.last_day}, before it begins on {self.first_day}")
        _check_factor(self.id, self.kg_per_kwh)


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract of supply: which sites (None: all) it supplies on which days (None: it goes on), and its evidence."""

    id: str
    name: str
    supplier: str
    sites: frozenset[str] | None
    first_day: datetime.date
    last_day: datetime.date | None
    regos: Sequence[Rego] = ()
    mixes: Sequence[Mix] = ()

    def supplies(self, site: str) -> bool:
        return self.sites is None or site in self.sites

    def days_in(self, month: str) -> tuple[int, int] | None:
        """First and last day of a month (1 to 31) on which it supplies."""
        first, last = month_bounds(month)
        begins, ends = max(first, self.first_day), min(last, self.last_day or last)
        return (begins.day, ends.day) if begins <= ends else None


@dataclass(frozen=True, slots=True)
class Part:
    """What one rung covers of a site's month: its share (0..1), its energy, its factor and the evidence's id."""

    rung: Rung
    share: Fraction
    energy_uj: int
    kg_per_kwh: Decimal
    evidence_id: str
    label: str


@dataclass(frozen=True, slots=True)
class MarketBased:
    """A site's month: the rungs it rests on, whose energy adds up to all, and the factor of all."""

    site: str
    month: str
    energy_uj: int
    kg_per_kwh: Decimal
    parts: Sequence[Part] = field(default=())

    @property
    def rate(self) -> MarketRate:
        """As `carbon.footprint_rows` takes it."""
        return MarketRate(self.kg_per_kwh, self.evidence)

    @property
    def evidence(self) -> str:
        """The rungs in words, such as `75% REGO of Corporate 2025/26 [rego 3]; 25% UK residual mix [residual 1]`."""
        return "; ".join(
            (f"{_percent(one.share)} " if one.share != 1 else "")
            + one.label
            + (f" [{one.evidence_id}]" if one.evidence_id else "")
            for one in self.parts
        )


def rego_year(year: int) -> tuple[datetime.date, datetime.date]:
    """The year of certificates that begins in a calendar year."""
    return datetime.date(year, 4, 1), datetime.date(year + 1, 3, 31)


@lru_cache(maxsize=1024)
def month_bounds(month: str) -> tuple[datetime.date, datetime.date]:
    """First and last day of a month written YYYY-MM."""
    first = datetime.date.fromisoformat(f"{month}-01")
    return first, first.replace(day=calendar.monthrange(first.year, first.month)[1])


def market_based(
    use: Use, contracts: Sequence[Contract], residual: Sequence[Mix], location: Callable[[str], Decimal]
) -> dict[tuple[str, str], MarketBased]:
    """The market-based factor of each site and month, and the rungs it rests on.

    `use` is all that the contracts can be asked of: the more of a year is in it, the better its REGO share is known.
    `location` gives the grid's factor of a month, kgCO2e per kWh. Raises CarbonError where two contracts supply a site on
    one day.
    """
    _require_apart(use, contracts)
    shares = {contract.id: _rego_shares(use, contract) for contract in contracts}
    found = {}
    for site, month in sorted(use):
        pieces: list[tuple[Rung, Fraction, Decimal, str, str]] = []
        rest = Fraction(1)
        for contract in contracts:
            of_month = _share_of_days(contract, month) if contract.supplies(site) else Fraction(0)
            if not of_month:
                continue
            rest -= of_month
            covered = Fraction(0)
            for rego, share, label in shares[contract.id]:
                if _holds(rego.first_day, rego.last_day, month) and share:
                    pieces.append(("rego", of_month * share, rego.kg_per_kwh, rego.id, label))
                    covered += share
            if (left := of_month * (1 - covered)) and (mix := mix_for(contract.mixes, month)):
                label = f"disclosed mix of {contract.supplier}, {_period(mix)}{_age(mix, month)}"
                pieces.append(("supplier_mix", left, mix.kg_per_kwh, mix.id, label))
            else:
                rest += left
        if rest and (mix := mix_for(residual, month)):
            label = f"UK residual mix, {_period(mix)}{_age(mix, month)}"
            pieces.append(("residual_mix", rest, mix.kg_per_kwh, mix.id, label))
        elif rest:
            pieces.append(("location", rest, location(month), "", LOCATION_LABEL))
        found[site, month] = _made(site, month, use[site, month], pieces)
    return found


def mix_for(mixes: Iterable[Mix], month: str) -> Mix | None:
    """The mix of a month: of the period that holds it, else the newest that ended at most two years before."""
    first, last = month_bounds(month)
    known = [one for one in mixes if one.first_day <= last]
    holding = [one for one in known if one.last_day >= first]
    oldest = first.replace(year=first.year - OLDEST_MIX_YEARS)
    usable = holding or [one for one in known if one.last_day >= oldest]
    return max(usable, key=lambda one: (one.last_day, one.first_day, one.id)) if usable else None


def _made(
    site: str, month: str, energy_uj: int, pieces: Sequence[tuple[Rung, Fraction, Decimal, str, str]]
) -> MarketBased:
    common = math.lcm(*(share.denominator for _, share, *_ in pieces))
    weights = [int(share * common) for _, share, *_ in pieces]
    energies = split_by_largest_remainder(energy_uj, weights)
    parts = [
        Part(rung, share, energy, factor, evidence, label)
        for (rung, share, factor, evidence, label), energy in zip(pieces, energies, strict=True)
    ]
    factor = sum((one.share * Fraction(one.kg_per_kwh) for one in parts), Fraction(0))
    with localcontext() as context:
        context.prec = _DIGITS
        return MarketBased(site, month, energy_uj, Decimal(factor.numerator) / factor.denominator, parts)


def _rego_shares(use: Use, contract: Contract) -> list[tuple[Rego, Fraction, str]]:
    """The part of the contract's energy that each of its certificates covers, and their label; of a year at most all."""
    left: dict[datetime.date, Fraction] = {}
    found = []
    for rego in sorted(contract.regos, key=lambda one: (one.first_day, one.id)):
        supplied = max(Fraction(one.supplied_kwh) for one in contract.regos if one.first_day == rego.first_day)
        own = _own_kwh(use, contract, rego)
        share = min(Fraction(rego.quantity_kwh) / max(supplied, own), left.get(rego.first_day, Fraction(1)))
        left[rego.first_day] = left.get(rego.first_day, Fraction(1)) - share
        label = f"REGO of {contract.name}, {financial_year_label(rego.first_day.year)}"
        if own > supplied:
            label += " (ICT alone used more than the contract is said to have supplied)"
        found.append((rego, share, label))
    return found


def _own_kwh(use: Use, contract: Contract, rego: Rego) -> Fraction:
    """What ICT used of a contract in the year of certificates."""
    by_month: dict[str, int] = {}
    for (site, month), energy in use.items():
        if contract.supplies(site):
            by_month[month] = by_month.get(month, 0) + max(0, energy)
    own = (
        _share_of_days(contract, month) * energy
        for month, energy in by_month.items()
        if _holds(rego.first_day, rego.last_day, month)
    )
    return sum(own, Fraction(0)) / UJ_PER_KWH


def _share_of_days(contract: Contract, month: str) -> Fraction:
    days = contract.days_in(month)
    return Fraction(days[1] - days[0] + 1, month_bounds(month)[1].day) if days else Fraction(0)


def _require_apart(use: Use, contracts: Sequence[Contract]) -> None:
    for site, month in use:
        ends, before = 0, ""
        spans = [(days, one) for one in contracts if one.supplies(site) and (days := one.days_in(month))]
        for (first, last), contract in sorted(spans, key=lambda one: one[0]):
            if first <= ends:
                raise CarbonError(f"{site} is supplied by {before} and by {contract.name} on one day of {month}")
            ends, before = last, contract.name


def _holds(first_day: datetime.date, last_day: datetime.date, month: str) -> bool:
    first, last = month_bounds(month)
    return first_day <= first and last <= last_day


def _check_factor(name: str, kg_per_kwh: Decimal) -> None:
    if not kg_per_kwh.is_finite() or not 0 <= kg_per_kwh <= 2:
        raise CarbonError(f"{name}: {kg_per_kwh} is no factor: 0 to 2 kgCO2e per kWh")


def _period(mix: Mix) -> str:
    return f"{mix.first_day} to {mix.last_day}"


def _age(mix: Mix, month: str) -> str:
    return "" if mix.last_day >= month_bounds(month)[0] else " (the newest before that month)"


def _percent(share: Fraction) -> str:
    return f"{float(share):.3%}".rstrip("%").rstrip("0").rstrip(".") + "%"
