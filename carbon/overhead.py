"""What a space uses beside its ICT: cooling and losses, by its PUE, of energy read on the side of the ICT.

A PUE holds the losses of the UPS in the space. Where these are read, they are counted as themselves, and the overhead
is what is left of it. Source: carbon reference, section 6.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal

from carbon.spaces import Pue
from carbon.uncertainty import Errors, add_errors, scale_errors
from carbon.units import split_by_largest_remainder


def overhead_uj(it_uj: int, ups_loss_uj: int, pue: Pue) -> int:
    """Overhead in microjoules of so much ICT energy in a space, beside the UPS losses that are counted already.

    >>> overhead_uj(1000, 50, Pue(1.5, 1.4, 1.6, "test")), overhead_uj(1000, 800, Pue(1.5, 1.4, 1.6, "test"))
    (450, 0)
    """
    whole = (Decimal(it_uj) * (Decimal(str(pue.value)) - 1)).to_integral_value(ROUND_HALF_EVEN)
    return max(0, int(whole) - ups_loss_uj)


def overheads(it_uj: Sequence[int], ups_loss_uj: int, pue: Pue) -> list[int]:
    """The same of several parts of one space, in proportion to their energy; the parts add up to the space's."""
    whole = overhead_uj(sum(it_uj), ups_loss_uj, pue)
    weights = [max(0, one) for one in it_uj]
    return split_by_largest_remainder(whole, weights) if weights else []


def pue_beside(it_uj: int, ups_loss_uj: int, pue: Pue) -> Pue:
    """The PUE that gives so much ICT energy the overhead which is left beside UPS losses that are counted already.

    >>> pue_beside(1000, 100, Pue(1.5, 1.4, 1.6, "test")).value
    1.4
    """
    if not ups_loss_uj or it_uj <= 0:
        return pue
    value, low, high = (max(1.0, end - ups_loss_uj / it_uj) for end in (pue.value, pue.low, pue.high))
    return Pue(value, low, high, pue.source)


def overhead_errors(it_errors: Sequence[Errors], it_uj: Sequence[int], ups_loss_uj: int, pue: Pue) -> list[Errors]:
    """Errors of the parts that `overheads` gives: those of their ICT energy times what is added to it, and the PUE's own
    band, which all spaces with the same assumption share. What the UPS losses may be off is not taken off here.
    """
    whole = sum(it_uj)
    if not whole:
        return [{} for _ in it_uj]
    value = overhead_uj(whole, ups_loss_uj, pue)
    ends = [overhead_uj(whole, ups_loss_uj, Pue(end, end, end, pue.source)) - value for end in (pue.low, pue.high)]
    weights = [max(0, one) for one in it_uj]
    lows, highs = (split_by_largest_remainder(end, weights) for end in ends)
    added = pue.value - 1 if value else 0.0
    return [
        add_errors(scale_errors(errors, added), {f"PUE {pue.source}": (low, high)} if low or high else {})
        for errors, low, high in zip(it_errors, lows, highs, strict=True)
    ]
