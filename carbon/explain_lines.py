"""Why emissions beside metered electricity changed: providers' services that came and went, and more or less of the rest.

A service that began after the first period moved to its provider, one that ended came back; one that was there and has
a statement in one period only is a matter of coverage. Amounts of fuel, gas, water and waste are activity, and their
factors go with the grid's, as the only other figure of the Government's sets.
"""

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

from carbon.explain import Explanation, Identity
from carbon.explain_terms import split_change, whole_grams
from carbon.report import OtherLine

Existed = Callable[[str, str], bool]
"""Whether a service (by name) was there in a month (YYYY-MM)."""


def explain_lines(
    found: Explanation,
    before: Iterable[OtherLine],
    after: Iterable[OtherLine],
    months: Mapping[str, str],
    existed: Existed = lambda *_: True,
) -> None:
    """Add the change of other lines to an explanation. Memos are in no total, and in no change."""
    first = _by_name(before, {month: month for month in months})
    second = _by_name(after, {later: month for month, later in months.items()})
    for key in sorted(first.keys() | second.keys()):
        (*name, month), one, other = key, first.get(key, []), second.get(key, [])
        service = (one or other)[0].service
        old, new = sum(line.grams for line in one), sum(line.grams for line in other)
        if service and (not one or not other):
            there = existed(service, months[month] if one else month)
            parts = {"coverage" if there else "moved": new - old}
        elif service:
            parts = {"activity": new - old}
        else:
            parts = _by_amount(one, other, old, new)
        found.add(("line", *name), old, new, parts)


def _by_name(lines: Iterable[OtherLine], months: Mapping[str, str]) -> dict[Identity, list[OtherLine]]:
    found: dict[Identity, list[OtherLine]] = {}
    for line in lines:
        month = months.get(line.month)
        if month is not None and not line.memo:
            found.setdefault((line.service or line.name, line.site, line.unit, month), []).append(line)
    return found


def _by_amount(one: list[OtherLine], other: list[OtherLine], old: int, new: int) -> dict[str, int]:
    before, after = (sum((Fraction(line.amount) for line in side), Fraction(0)) for side in (one, other))
    if old <= 0 or new <= 0 or before <= 0 or after <= 0:
        return {"activity": new - old}
    ratios = {"activity": after / before, "grid_factor": Fraction(new, old) / (after / before)}
    if {line.factor_row_id for line in one} == {line.factor_row_id for line in other}:
        del ratios["grid_factor"]  # what is left of the ratio is rounding
    parts = split_change(old, new, {name: ratio for name, ratio in ratios.items() if ratio != 1})
    return whole_grams(parts, new - old) if parts else {"activity": new - old}
