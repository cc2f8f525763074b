"""The logarithmic mean Divisia index (LMDI-I, additive): a change of a product, split over its factors without a rest.

For E = x1 * x2 * ... the part of factor i is L(E_after, E_before) * ln(xi_after / xi_before), where L is the logarithmic
mean. Source: B. W. Ang, "The LMDI approach to decomposition analysis: a practical guide", Energy Policy 33 (2005) 867-871.
"""

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal, localcontext
from fractions import Fraction

DIGITS = 40
"""Of all logarithms: whole grams of any council are then certain."""

Ratio = Fraction
Parts = Mapping[str, Decimal]


def split_change(before: int, after: int, ratios: Mapping[str, Ratio]) -> dict[str, Decimal]:
    """The change of a positive amount by what its factors' ratios (after / before, all positive) are.

    The ratios' product is the amount's own ratio, but for what rounding the amounts made of it: what is left of the
    change by that goes over the parts as they are. Equal amounts with equal factors have no parts.

    >>> parts = split_change(100, 400, {"devices": Fraction(2), "energy each": Fraction(2)})
    >>> [round(part, 6) for part in parts.values()]
    [Decimal('150.000000'), Decimal('150.000000')]
    """
    if before <= 0 or after <= 0 or min(ratios.values(), default=1) <= 0:
        raise ValueError("only a positive amount with positive factors can be split")
    with localcontext() as context:
        context.prec = DIGITS
        logs = {name: _logarithm(ratio) for name, ratio in ratios.items()}
        weight = _logarithmic_mean(before, after)
        parts = {name: weight * log for name, log in logs.items()}
        left = Decimal(after - before) - sum(parts.values(), Decimal(0))
        size = sum((abs(part) for part in parts.values()), Decimal(0))
        if left and size:
            parts = {name: part + left * abs(part) / size for name, part in parts.items()}
        return parts


def whole_grams(parts: Parts, total: int) -> dict[str, int]:
    """Parts as whole numbers that add up to the total: what rounding down leaves goes to the largest remainders.

    >>> whole_grams({"a": Decimal("1.6"), "b": Decimal("-0.6")}, 1)
    {'a': 2, 'b': -1}
    """
    floors = {name: int(part.to_integral_value(ROUND_FLOOR)) for name, part in parts.items()}
    left = total - sum(floors.values())
    if not 0 <= left <= len(parts):
        raise ValueError(f"parts add up to {sum(parts.values(), Decimal(0))}, not to {total}")
    order = sorted(parts, key=lambda name: (floors[name] - parts[name], name))
    for name in order[:left]:
        floors[name] += 1
    return floors


def _logarithm(ratio: Ratio) -> Decimal:
    return (Decimal(ratio.numerator) / Decimal(ratio.denominator)).ln()


def _logarithmic_mean(before: int, after: int) -> Decimal:
    if before == after:
        return Decimal(before)
    return Decimal(after - before) / _logarithm(Fraction(after, before))
