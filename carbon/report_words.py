"""The pieces of a report for people, and how its figures, period and state are said."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from carbon.calendar import financial_year, financial_year_dates, financial_year_label
from carbon.months import middle_of
from carbon.report import Report
from carbon.wording import figure, percent

_TONNES_FROM_G = 10_000_000


@dataclass(frozen=True, slots=True)
class Table:
    """A table for people: its first column names each row."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Chart:
    """What a chart shows of its section's table, and the words that stand for it where nobody sees it."""

    kind: Literal["bars", "columns"]
    alternative: str
    axis: str
    bars: Sequence[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with sentences, and maybe a table, of which a chart shows a column."""

    heading: str
    sentences: Sequence[str] = ()
    table: Table | None = None
    chart: Chart | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """Tonnes of a large total, kilograms of a small one: the same in the whole report."""

    name: Literal["tonnes", "kg"]

    def amount(self, grams: int) -> float:
        return grams / (1_000_000 if self.name == "tonnes" else 1000)

    def words(self, grams: int) -> str:
        return figure_words(self.amount(grams))


def unit_of(total_g: int) -> Unit:
    """The unit in which a total of grams and all its parts are told."""
    return Unit("tonnes" if abs(total_g) >= _TONNES_FROM_G else "kg")


def figure_words(value: float) -> str:
    """Three significant figures, thousands marked.

    >>> figure_words(1234567), figure_words(0.012345), figure_words(-41.27)
    ('1,230,000', '0.0123', '-41.3')
    """
    whole, point, decimals = figure(value, 3).replace(",", "").partition(".")
    return f"{int(whole):,}{point}{decimals}" if abs(value) >= 1000 else f"{whole}{point}{decimals}"


def share_words(part: int, whole: int) -> str:
    """A part of a whole in whole per cents; "-" where the whole is nothing."""
    return percent(part / whole) if whole else "-"


def period_words(first_month: str, last_month: str) -> str:
    """A period as people say it.

    >>> period_words("2024-04", "2025-03"), period_words("2024-04", "2024-06"), period_words("2024-04", "2024-04")
    ('2024/25 (April 2024 to March 2025)', 'April 2024 to June 2024', 'April 2024')
    """
    begins, ends = middle_of(first_month), middle_of(last_month)
    if begins == ends:
        return f"{begins:%B %Y}"
    words = f"{begins:%B %Y} to {ends:%B %Y}"
    year = financial_year(begins)
    whole = tuple(f"{day:%Y-%m}" for day in financial_year_dates(year)) == (first_month, last_month)
    return f"{financial_year_label(year)} ({words})" if whole else words


def _month_of(unix_seconds: int) -> str:
    """The month of an instant, YYYY-MM."""
    return f"{datetime.datetime.fromtimestamp(unix_seconds, datetime.UTC):%Y-%m}"


def date_words(unix_seconds: int) -> str:
    """A day as it is written here.

    >>> date_words(1_764_000_000)
    '24 November 2025'
    """
    at = datetime.datetime.fromtimestamp(unix_seconds, datetime.UTC)
    return f"{at.day} {at:%B %Y}"


def state_words(report: Report) -> str:
    """What the report's state means, for the top of every output."""
    made = f"Made on {date_words(report.made_at)}."
    if report.state == "provisional":
        return f"Provisional: {_why_provisional(report)}. Figures will change. {made}"
    if report.state == "restated":
        before = f"report {report.restated_from}" if report.restated_from else "an earlier report"
        return f"Restated: it takes the place of {before}, whose figures no longer hold. {made}"
    return f"Final: every factor is final, and the period is over. {made}"


def _why_provisional(report: Report) -> str:
    sets = sorted({row.applied.factors.name for row in report.rows if row.applied.provisional})
    why = (
        [f"the Government's factors of {' and '.join(sets)} are not final or stand in for a later year's"]
        if sets
        else []
    )
    if any(line.provisional for line in report.other):
        why.append("factors of other lines are not final")
    if not why or report.last_month >= _month_of(report.made_at):
        why.append("the period is not over, or its last readings are still on their way")
    return "; ".join(why)
