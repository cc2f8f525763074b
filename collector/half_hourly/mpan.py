"""Meter point administration numbers (MPANs): the thirteen digits by which Great Britain's supply points are known."""

import re

from collector.register.serials import damaged

_PRIMES = (3, 5, 7, 13, 17, 19, 23, 29, 31, 37, 41, 43)


class MpanError(ValueError):
    """What is given is no MPAN; the text says why."""


def mpan_of(cell: object) -> str:
    """The core MPAN (13 digits) of a cell, which may hold all 21 digits of a bill, spaces, or a number.

    Raises MpanError. The last digit checks the others: the sum of the first twelve, each times a prime from 3 on
    without 11, modulo 11, modulo 10 (Elexon, MPAN check digit).

    >>> mpan_of("20 0000 0000 015")
    '2000000000015'
    """
    if problem := damaged(cell):
        raise MpanError(problem)
    digits = re.sub(r"[\s='\"-]", "", str(int(cell) if isinstance(cell, float) else cell).upper()).removeprefix("S")
    if re.fullmatch(r"\d{21}", digits):
        digits = digits[8:]
    if not re.fullmatch(r"\d{13}", digits):
        raise MpanError(f"{str(cell)[:40]} is no MPAN of 13 digits")
    check = sum(int(digit) * prime for digit, prime in zip(digits, _PRIMES, strict=False)) % 11 % 10
    if check != int(digits[-1]):
        raise MpanError(f"{digits} is no MPAN: its last digit would be {check}")
    return digits


def mpan_in(cell: object) -> str | None:
    """An MPAN in a text, whole, as a word of it, or as groups of digits that follow one another; None where there is none.

    >>> mpan_in("Supply: 2000000000015 (Town Hall)"), mpan_in("MPAN: 20 0000 0000 015")
    ('2000000000015', '2000000000015')
    """
    return next(iter(mpans_in(cell)), None)


def mpans_in(cell: object) -> list[str]:
    """All MPANs in a text, each once, in their order.

    >>> mpans_in("Meters 2000000000015 and 20 0000 0000 024")
    ['2000000000015', '2000000000024']
    """
    text = str(cell or "")
    found: dict[str, None] = {}
    for part in (cell, *re.split(r"[\s:;,()=]+", text), *re.findall(r"(?<!\d)\d{2}(?: \d+){2,}(?!\d)", text)):
        try:
            found.setdefault(mpan_of(part))
        except MpanError:
            continue
    return list(found)
