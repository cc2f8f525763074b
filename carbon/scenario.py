"""A "what if": another target, shape or trend, and which measures are carried out; with all years that follow from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from carbon.errors import CarbonError
from carbon.forecast import Index, Year, arrival, forecast, yearly_trend
from carbon.measures.measure import Net
from carbon.pathway import SHAPES, Shape, Target, pathway

Chosen = Literal["none", "accepted", "all"]


@dataclass(frozen=True, slots=True)
class Scenario:
    """What differs from the plan: None where nothing does. `measures` says which of them are counted on."""

    shape: Shape | None = None
    target_year: int | None = None
    target_g: int | None = None
    trend: Decimal | None = None
    measures: Chosen = "accepted"

    def __post_init__(self) -> None:
        if self.shape is not None and self.shape not in SHAPES:
            raise CarbonError(f"{self.shape} is no shape of a pathway: use one of {', '.join(SHAPES)}")
        if self.trend is not None and not Decimal(-1) < self.trend < Decimal(1):
            raise CarbonError(f"a yearly trend lies between -1 and 1, not {self.trend}: -0.05 is 5% less each year")
        if self.measures not in ("none", "accepted", "all"):
            raise CarbonError(f"measures are none, accepted or all, not {self.measures}")


@dataclass(frozen=True, slots=True)
class PlannedYear:
    """A financial year of the way: grams allowed, emitted (None while it is not over), forecast as is and with measures.

    `residual_g` is what is left above nothing with measures; `offset_g` stands apart and is taken off nothing.
    """

    year: int
    allowed_g: int | None
    actual_g: int | None
    forecast_g: int | None
    with_measures_g: int | None
    offset_g: int

    @property
    def residual_g(self) -> int | None:
        return self.with_measures_g if self.with_measures_g is not None else self.actual_g


@dataclass(frozen=True, slots=True)
class Plan:
    """All years, when the target is met as is and with measures, and by how much the target year misses it (below 0: by
    how much it is more than met). `trend` is None where there are too few complete years to have one. The budget is what
    the pathway allows in all years after the base year together; `spent_g` is what was emitted of it.
    """

    target: Target
    shape: Shape
    trend: Decimal | None
    years: Sequence[PlannedYear]
    arrival: int | None
    arrival_with_measures: int | None
    gap_g: int | None
    gap_with_measures_g: int | None
    budget_g: int
    spent_g: int


def plan(
    target: Target,
    shape: Shape,
    actuals: Sequence[Year],
    index: Index,
    savings_uj: Mapping[int, int] | None = None,
    offsets_g: Mapping[int, int] | None = None,
    trend: Decimal | None = None,
) -> Plan:
    """The way from base to target. `actuals` are complete financial years; `savings_uj` is what measures save in each
    year to come; `trend` replaces the organisation's own. Raises CarbonError where there is no pathway of this shape.
    """
    own = yearly_trend(actuals) if trend is None else trend
    emitted = {one.year: one for one in actuals}
    last = max(actuals, key=lambda one: one.year, default=None)
    end = max(target.target_year, last.year if last else 0)
    allowed = pathway(target, shape, end)
    as_is = forecast(last, own, end, index) if last else {}
    better = forecast(last, own, end, index, savings_uj) if last else {}
    years = [
        PlannedYear(
            year,
            allowed.get(year),
            target.base_g if year == target.base_year else emitted[year].total_g if year in emitted else None,
            as_is[year].total_g if year in as_is else None,
            better[year].total_g if year in better else None,
            (offsets_g or {}).get(year, 0),
        )
        for year in sorted(allowed.keys() | emitted.keys())
    ]
    return Plan(
        target=target,
        shape=shape,
        trend=own,
        years=years,
        arrival=arrival(emitted | as_is, target.target_g),
        arrival_with_measures=arrival(emitted | better, target.target_g),
        gap_g=_gap(target, emitted | as_is),
        gap_with_measures_g=_gap(target, emitted | better),
        budget_g=sum(grams for year, grams in allowed.items() if target.base_year < year <= target.target_year),
        spent_g=sum(one.total_g for year, one in emitted.items() if target.base_year < year <= target.target_year),
    )


def savings_by_year(measures: Sequence[tuple[Net, Decimal]], first_year: int, last_year: int) -> dict[int, int]:
    """What measures save in each year: of each the part (0..1) that the last complete year does not have in it already.

    A measure that was carried out in the middle of the last complete year has saved half of a year in it: the forecast,
    which carries that year on, lacks the other half.
    """
    saved = sum(int(net.total_uj * part) for net, part in measures)
    return dict.fromkeys(range(first_year, last_year + 1), saved)


def _gap(target: Target, years: Mapping[int, Year]) -> int | None:
    found = years.get(target.target_year)
    return None if found is None else found.total_g - target.target_g
