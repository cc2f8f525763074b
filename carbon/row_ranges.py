"""How far sums of rows may be off, in energy and in emissions, at 95%.

Errors are those of the activities: what is shared (a model, a class profile, a PUE) adds up, and the rest is independent
(`carbon.uncertainty`). Of emissions the factor may be off too: U = sqrt(Ua^2 + Uf^2), because it is a group of its own.
"""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

from carbon.footprint_rows import FootprintRow
from carbon.uncertainty import FACTOR_GROUP, FACTOR_HALF_WIDTH, half_width_errors, range_of
from carbon.units import UJ_PER_KWH


def energy_range(rows: Iterable[FootprintRow]) -> tuple[int, int]:
    """Low and high of the rows' activity in microjoules."""
    value, errors = 0, dict[str, tuple[int, int]]()
    for row in rows:
        value += row.activity.activity_uj
        _add(errors, row.activity.errors.items())
    return range_of(value, errors)


def grams_range(rows: Iterable[FootprintRow]) -> tuple[int, int]:
    """Low and high of the rows' location-based emissions in grams, all four lines."""
    value = 0
    by_factor: dict[Decimal, dict[str, tuple[int, int]]] = {}
    for row in rows:
        value += row.grams.total
        _add(by_factor.setdefault(row.applied.factors.total, {}), row.activity.errors.items())
    errors: dict[str, tuple[int, int]] = {}
    for factor, energies in by_factor.items():
        grams_per_uj = Fraction(factor) * 1000 / UJ_PER_KWH
        _add(
            errors,
            (
                (group, (_grams(low, grams_per_uj), _grams(high, grams_per_uj)))
                for group, (low, high) in energies.items()
            ),
        )
    _add(errors, half_width_errors(value, FACTOR_HALF_WIDTH, FACTOR_GROUP).items())
    return range_of(value, errors)


def _add(into: dict[str, tuple[int, int]], errors: Iterable[tuple[str, tuple[int, int]]]) -> None:
    for group, (low, high) in errors:
        before = into.get(group, (0, 0))
        into[group] = before[0] + low, before[1] + high


def _grams(energy_uj: int, grams_per_uj: Fraction) -> int:
    """Away from nothing: a range never becomes narrower than it is."""
    grams = abs(energy_uj) * grams_per_uj
    whole = -(-grams.numerator // grams.denominator)
    return whole if energy_uj >= 0 else -whole
