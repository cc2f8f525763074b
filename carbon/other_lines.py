"""Emissions that are not of metered electricity: fuel of generators, refrigerants, water, waste of electrical items.

An amount of a month times a factor is whole grams, each line rounded once, half to even. Factors are the Government's of
the set that the organisation's year rule gives the month, unless the line brings its own with its source. A *memo*
(travel avoided by working at home) stands beside the inventory and is in no total: avoided emissions are never netted.
Sources: GHG Protocol, Corporate and Scope 3 Standards; carbon reference, section 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from carbon.errors import CarbonError, FactorError
from carbon.factor_lines import FACTOR_LINES
from carbon.factors import Applied, FactorSet, YearRule, factors_for
from carbon.months import middle_of


@dataclass(frozen=True, slots=True)
class LineKind:
    """What can be entered: `unit` of its amount, and the lines of the factor set that make emissions of it.

    Each of `parts` is a key of `carbon.factor_lines` with scope and category of Scope 3. Without parts the line brings
    its own factor, and is of `scope` and `category`.
    """

    key: str
    words: str
    unit: str
    parts: Sequence[tuple[str, str, str]] = ()
    scope: str = ""
    category: str = ""
    memo: bool = False


_KINDS = (
    LineKind("diesel", "diesel of generators", "litre", (("diesel", "1", ""), ("diesel_wtt", "3", "3"))),
    *(
        LineKind(key, line.name.lower(), line.unit, ((key, "1", ""),))
        for key, line in FACTOR_LINES.items()
        if key.startswith("refrigerant_")
    ),
    LineKind("refrigerant_other", "another refrigerant", "kg", scope="1"),
    LineKind("water_supply", "water supplied", "cubic metre", (("water_supply", "3", "1"),)),
    LineKind("water_treatment", "water treated", "cubic metre", (("water_treatment", "3", "5"),)),
    *(
        LineKind(key, line.name[0].lower() + line.name[1:], line.unit, ((key, "3", "5"),))
        for key, line in FACTOR_LINES.items()
        if key.startswith("weee_")
    ),
    LineKind("travel_avoided", "travel avoided by working at home", "km", scope="3", category="7", memo=True),
)

LINE_KINDS: Mapping[str, LineKind] = {one.key: one for one in _KINDS}
"""Every kind by its key, in the order of tables."""


def line_kind(key: str) -> LineKind:
    """The kind of a key. Raises CarbonError with the kinds that there are."""
    try:
        return LINE_KINDS[key]
    except KeyError:
        raise CarbonError(f"{key} is no kind of line: use one of {', '.join(LINE_KINDS)}") from None


@dataclass(frozen=True, slots=True)
class LinePart:
    """Emissions of one amount by one factor. `basis` says in words whose factor it was; `provisional` as factors are."""

    name: str
    scope: str
    category: str
    grams: int
    basis: str
    factor_row_id: str
    provisional: bool


def grams_of(amount: Decimal, kg_per_unit: Decimal) -> int:
    """Grams of an amount by a factor in kilograms, rounded half to even.

    >>> grams_of(Decimal("1000"), Decimal("2.57082")), grams_of(Decimal("0.5"), Decimal("0.001"))
    (2570820, 0)
    """
    return round(Fraction(amount) * Fraction(kg_per_unit) * 1000)


def by_sets(
    kind: LineKind, month: str, amount: Decimal, rule: YearRule, sets: Sequence[FactorSet] | None = None
) -> list[LinePart]:
    """An amount by the Government's factors of a month (YYYY-MM). Raises FactorError where the set has none.

    A missing factor is not available, and never 0.
    """
    if not kind.parts:
        raise FactorError(f"the Government's sets have no factor for {kind.words}: give one with its source")
    applied = factors_for(middle_of(month), rule, sets)
    found = []
    for key, scope, category in kind.parts:
        factor = applied.factors.line(key)
        assert factor.value is not None  # noqa: S101  # `line` raises where there is none
        basis = f"{government_words(applied)}: {factor.value:f} kgCO2e per {kind.unit}"
        grams = grams_of(amount, factor.value)
        name = FACTOR_LINES[key].name
        found.append(LinePart(name, scope, category, grams, basis, factor.row_id, applied.provisional))
    return found


def government_words(applied: Applied) -> str:
    """How a line names the set whose factor made it."""
    provisional = ", provisional" if applied.provisional else ""
    return f"UK Government factors {applied.factors.name}, version {applied.factors.version}{provisional}"


def by_own_factor(kind: LineKind, amount: Decimal, kg_per_unit: Decimal, source: str) -> LinePart:
    """An amount by a factor that the line brings."""
    _, scope, category = kind.parts[0] if kind.parts else ("", kind.scope, kind.category)
    basis = f"{source}: {kg_per_unit:f} kgCO2e per {kind.unit}"
    words = kind.words[0].upper() + kind.words[1:]
    return LinePart(words, scope, category, grams_of(amount, kg_per_unit), basis, "", provisional=False)
