"""The few exact conversions and divisions that every figure goes through."""

from collections.abc import Sequence
from decimal import Decimal

UJ_PER_KWH = 3_600_000_000_000
"""Microjoules in a kilowatt-hour."""


def kwh(microjoules: int) -> float:
    """Kilowatt-hours of an energy in microjoules, for people and series. Sums are made in microjoules first."""
    return microjoules / UJ_PER_KWH


def kwh_exact(microjoules: int) -> Decimal:
    """Kilowatt-hours of an energy in microjoules, exact to Decimal's 28 digits."""
    return Decimal(microjoules) / UJ_PER_KWH


def split_by_largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """`total` in whole parts in proportion to `weights`; the parts add up to it exactly.

    What rounding leaves over goes to the largest remainders, the first of equal ones first. Weights that are all
    zero share equally. Raises ValueError for negative weights or none.

    >>> split_by_largest_remainder(10, [1, 1, 1])
    [4, 3, 3]
    """
    if not weights or min(weights) < 0:
        raise ValueError("weights must be given and not negative")
    whole = sum(weights)
    if whole == 0:
        weights, whole = [1] * len(weights), len(weights)
    sign = -1 if total < 0 else 1
    shares = [divmod(abs(total) * weight, whole) for weight in weights]
    parts = [quotient for quotient, _ in shares]
    left = abs(total) - sum(parts)
    for index in sorted(range(len(parts)), key=lambda index: (-shares[index][1], index))[:left]:
        parts[index] += 1
    return [sign * part for part in parts]


def kilograms(grams: int) -> Decimal:
    """Kilograms of whole grams, exact, with three decimals.

    >>> kilograms(2_570_820), kilograms(100)
    (Decimal('2570.820'), Decimal('0.100'))
    """
    return Decimal(grams).scaleb(-3)
