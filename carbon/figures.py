"""The figures of a report by name: every sum that is published, and the atoms that it is made of.

A figure's id says what it is: `site=County Hall/s2_generation`, `total/all`. It is the same in every output, so that
one printed number can be walked back to its device-months.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from carbon.errors import CarbonError
from carbon.footprint_rows import LINES, FootprintRow
from carbon.report import Report

Dimension = Callable[[FootprintRow], str]

DIMENSIONS: Mapping[str, Dimension] = {
    "scope": lambda row: f"{row.scope}.{row.scope_3_category}" if row.scope_3_category else row.scope,
    "directorate": lambda row: row.activity.subject.directorate,
    "site": lambda row: row.activity.subject.site,
    "space": lambda row: f"{row.activity.subject.site} / {row.activity.subject.space}",
    "category": lambda row: row.activity.subject.service_category,
    "class": lambda row: row.activity.subject.asset_class,
    "month": lambda row: row.activity.subject.month,
    "device": lambda row: row.activity.subject.device or f"class {row.activity.subject.asset_class}",
}
"""What a figure may be of, and the value of a row in it."""

AMOUNTS: Mapping[str, Callable[[FootprintRow], int]] = {
    **{name: (lambda row, name=name: getattr(row.grams, name)) for name in LINES},  # type: ignore[misc]  # a default binds the name
    "s2_market": lambda row: row.grams.s2_market,
    "all": lambda row: row.grams.total,
}
"""The lines of a figure in grams; `all` is the four of the location-based total."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One published sum in grams."""

    id: str
    grams: int


def figures(report: Report, dimensions: Sequence[str] = tuple(DIMENSIONS)) -> Iterator[Figure]:
    """Every figure of a report: of the whole, and by each dimension."""
    yield from _lines("total", report.rows)
    for name in dimensions:
        for value, rows in report.by(DIMENSIONS[name]).items():
            yield from _lines(f"{name}={value}", rows)


def _lines(of: str, rows: Sequence[FootprintRow]) -> Iterator[Figure]:
    for line, amount in AMOUNTS.items():
        yield Figure(f"{of}/{line}", sum(amount(row) for row in rows))


def rows_of(report: Report, figure_id: str) -> list[FootprintRow]:
    """The atoms of a figure. Raises CarbonError where the id names nothing of this report."""
    of, _, line = figure_id.rpartition("/")
    if line not in AMOUNTS or not of:
        raise CarbonError(f"{figure_id} is no figure: end it with one of {', '.join(AMOUNTS)}")
    if of == "total":
        return list(report.rows)
    name, _, value = of.partition("=")
    if name not in DIMENSIONS:
        raise CarbonError(f"{figure_id} is no figure: begin it with total/ or one of {', '.join(DIMENSIONS)} and =")
    found = [row for row in report.rows if DIMENSIONS[name](row) == value]
    if not found:
        raise CarbonError(f"{figure_id}: the report has nothing of {name} {value}")
    return found


def grams_of(rows: Sequence[FootprintRow], figure_id: str) -> int:
    """The figure's grams of its atoms."""
    return sum(AMOUNTS[figure_id.rpartition("/")[2]](row) for row in rows)
