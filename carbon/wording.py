"""Figures in words: two or three significant figures and a range, with what they rest on."""

import math
import re
from collections.abc import Sequence
from decimal import Decimal

from carbon.factors import Applied
from carbon.footprint import Energy, footprint
from carbon.spaces import NOT_SET, Pue
from carbon.units import UJ_PER_KWH, split_by_largest_remainder

_UJ_PER_WATT_HOUR = UJ_PER_KWH // 1000
_MARKED_DIGITS = 5
"""Whole digits from which on thousands are marked: 9999 is read at a glance, 10000 is counted."""


def counted(name: str) -> list[str | int]:
    """A key by which names sort as people count: Cupboard 4 before Cupboard 32, capitals or not.

    >>> sorted(["Room 10", "room 9", "Hall"], key=counted)
    ['Hall', 'room 9', 'Room 10']
    """
    return [int(part) if part.isdecimal() else part.casefold() for part in re.split(r"([0-9]+)", name)]


def percent(ratio: float) -> str:
    """A ratio in whole per cents; what is nearly nothing or nearly all is not told as such.

    >>> percent(0.004), percent(0.42), percent(0.997), percent(1)
    ('under 1%', '42%', 'over 99%', '100%')
    """
    if 0 < ratio < 0.01:
        return "under 1%"
    return "over 99%" if 0.995 <= ratio < 1 else f"{ratio:.0%}"


def figure(value: float | Decimal, digits: int = 2) -> str:
    """A number with so many significant figures, never in scientific notation; thousands are marked as in `fixed`.

    >>> figure(0.0075612), figure(41.27), figure(1234.5, 3), figure(12345, 3)
    ('0.0076', '41', '1230', '12,300')
    """
    number = float(value)
    if number == 0 or not math.isfinite(number):
        return "0"
    rounded = f"{number:.{digits - 1}e}"
    decimals = digits - 1 - int(rounded.partition("e")[2])
    return fixed(float(rounded), max(0, decimals))


def fixed(value: float | Decimal, decimals: int) -> str:
    """A number with so many decimals as people read it: thousands are marked from ten of them on. Never for programs.

    >>> fixed(9999.4, 1), fixed(Decimal("-1234567.89"), 1), fixed(9999.96, 1)
    ('9999.4', '-1,234,567.9', '10,000.0')
    """
    plain = f"{value:.{decimals}f}"
    return f"{value:,.{decimals}f}" if len(plain.lstrip("-").partition(".")[0]) >= _MARKED_DIGITS else plain


def sum_in_figures(parts: Sequence[Decimal], digits: int = 2) -> tuple[str, list[str]]:
    """A sum with so many significant figures, and its parts to the same place: what a reader adds up, adds up.

    >>> sum_in_figures([Decimal("0.00153"), Decimal("0.000628")])
    ('0.0022', ['0.0016', '0.0006'])
    """
    total = sum(parts, Decimal(0))
    if total <= 0:
        return "0", ["0"] * len(parts)
    decimals = digits - 1 - int(f"{total:.{digits - 1}e}".partition("e")[2])
    scale = Decimal(10) ** decimals
    whole = int((total * scale).to_integral_value())
    shares = split_by_largest_remainder(whole, [int(part * scale * 10**9) for part in parts])
    texts = [f"{Decimal(units) / scale:.{max(0, decimals)}f}" for units in (whole, *shares)]
    return texts[0], texts[1:]


def energy_words(kwh: float | Decimal, digits: int = 3) -> str:
    """Energy in the unit that people read without counting zeros.

    >>> energy_words(12.345), energy_words(0.0123), energy_words(1e-9)
    ('12.3 kWh', '12.3 Wh', 'under 0.01 Wh')
    """
    return _scaled(float(kwh), "kWh", "Wh", digits)


def mass_words(kilograms: float | Decimal, digits: int = 3) -> str:
    """Carbon in kilograms, grams where it is little, tonnes from ten of them on.

    >>> mass_words(152_400), mass_words(1234.5), mass_words(0.00123)
    ('152 t', '1230 kg', '1.23 g')
    """
    value = float(kilograms)
    if abs(value) >= 10_000:
        return f"{figure(value / 1000, digits)} t"
    return _scaled(value, "kg", "g", digits)


def _scaled(value: float, unit: str, thousandth: str, digits: int) -> str:
    if value == 0 or abs(value) >= 0.1:
        return f"{figure(value, digits)} {unit}"
    if abs(value) * 1000 < 0.01:
        return f"under 0.01 {thousandth}"
    return f"{figure(value * 1000, digits)} {thousandth}"


def host_line(
    watts: float,
    low_watts: float,
    high_watts: float,
    method: str,
    applied: Applied,
    pue: Pue = NOT_SET,
    *,
    host_missing: bool = False,
) -> str:
    """The line that says what this host draws and what an hour of it costs in carbon.

    `this host: 41 W (estimated, 28 to 60), 0.0076 kg CO2e per hour (Scope 2 0.0054, Scope 3 0.0022; UK electricity
    2026, provisional; no PUE: space not set)`
    """
    hour = footprint(Energy(estimated_uj=round(watts * _UJ_PER_WATT_HOUR)), applied.factors, pue)
    total, (scope_2, scope_3) = sum_in_figures([hour.s2_location_kg, hour.scope_3_kg])
    notes = [f"Scope 2 {scope_2}, Scope 3 {scope_3}", applied.label]
    notes.append(pue.source if pue == NOT_SET else f"PUE {pue.value:g}, {pue.source}")
    machine = "; virtual machine, host missing" if host_missing else ""
    return (
        f"this host: {figure(watts)} W ({method}, {figure(low_watts)} to {figure(high_watts)}{machine}), "
        f"{total} kg CO2e per hour ({'; '.join(notes)})"
    )
