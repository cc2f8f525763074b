"""Values of cells as energy in microjoules: exact, by the unit that the file names."""

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from carbon.units import UJ_PER_KWH
from collector.half_hourly.mapping import UNIT_FACTORS, Unit
from collector.register.fields import words
from collector.tables.error_cells import UNCALCULATED

MOST_KWH = Decimal(50_000)
"""In half an hour: 100 MW is more than any council's supply."""


class ValueProblem(ValueError):
    """Why a cell is no energy; the text says it."""


def energy_of(cell: object, unit: Unit) -> int:
    """The cell's energy in half an hour, in microjoules. Raises ValueProblem."""
    over, under = UNIT_FACTORS[unit]
    kwh = amount_of(cell) * over / under
    if kwh > MOST_KWH:
        raise ValueProblem(f"{str(cell).strip()} {unit} is more than any supply gives in half an hour")
    return int((kwh * UJ_PER_KWH).to_integral_value())


def amount_of(cell: object) -> Decimal:
    """The cell's number, which is not negative. Raises ValueProblem."""
    text = str(cell).strip()
    if text == UNCALCULATED:
        raise ValueProblem("a formula that was never calculated: open the file in a spreadsheet and save it")
    if "," in text:
        if not re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d*)?", text):
            raise ValueProblem(f"{text[:40]} has a comma that divides no thousands")
        text = text.replace(",", "")
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueProblem(f"{str(cell)[:40]} is no number") from None
    if not number.is_finite():
        raise ValueProblem(f"{text} is no number")
    if number < 0:
        raise ValueProblem(f"{text} is negative: active import is what was drawn")
    return number


def flag_in(cell: object, meanings: Sequence[str]) -> bool:
    """Whether a flag is one of some words."""
    return cell is not None and words(cell) in {words(one) for one in meanings}
