"""A report for people who do not work with figures: sections of plain sentences, tables and what charts show of them.

Three significant figures and a range everywhere; the exact figures are in the exports. Page, PDF and terminal say what
stands here, so all of them say the same.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from carbon.device_classes import SERVICE_CATEGORIES
from carbon.footprint_groups import by_scope
from carbon.footprint_rows import FootprintRow
from carbon.months import middle_of, months_between
from carbon.report import Report
from carbon.report_method import known, method, not_in_the_total
from carbon.report_words import (
    Chart,
    Section,
    Table,
    Unit,
    figure_words,
    period_words,
    share_words,
    state_words,
    unit_of,
)
from carbon.row_ranges import energy_range, grams_range
from carbon.units import kwh
from carbon.wording import mass_words

MOST_SITES = 12
"""Bars and rows of a table that people still read; the others are one row."""
SCOPE_3: dict[str, str] = {
    "1": "Scope 3, category 1: bought services, such as cloud",
    "2": "Scope 3, category 2: equipment bought",
    "3": "Scope 3, category 3: losses of the grid, and producing and moving fuel",
    "4": "Scope 3, category 4: transport to us",
    "5": "Scope 3, category 5: waste and waste water",
    "7": "Scope 3, category 7: working at home",
    "8": "Scope 3, category 8: leased space",
    "12": "Scope 3, category 12: end of life of what was sold",
}


_SCOPES = {"1": "Scope 1: fuel and refrigerants", "2": "Scope 2: electricity that the organisation buys"}


@dataclass(frozen=True, slots=True)
class Summary:
    """A report in words: title, state, and its sections in order."""

    title: str
    state: str
    sections: Sequence[Section]


def summary(report: Report) -> Summary:
    """The report as members read it."""
    unit = unit_of(report.total_g)
    period = period_words(report.first_month, report.last_month)
    sections = [_in_short(report, unit, period), _by_scope(report, unit)]
    if len(report.by(_month)) > 1:
        sections.append(_by_month(report, unit))
    if report.rows:
        sections += [_by_category(report, unit), _by_site(report, unit)]
    sections += [known(report), not_in_the_total(report), method(report)]
    return Summary(f"Carbon of ICT: {report.organisation}, {period}", state_words(report), sections)


def _month(row: FootprintRow) -> str:
    return row.activity.subject.month


def _in_short(report: Report, unit: Unit, period: str) -> Section:
    energy = sum(row.activity.activity_uj for row in report.rows)
    low, high = grams_range(report.rows)
    other = report.total_g - report.grams.total
    if not report.rows and not report.other:
        return Section("In short", (f"Nothing is known of {period}: there are no readings, profiles or other lines.",))
    words = [
        f"ICT used {figure_words(kwh(energy))} kWh of electricity ({_range(energy_range(report.rows), kwh)} kWh).",
        f"It caused {unit.words(report.total_g)} {unit.name} of CO2e "
        f"({_range((low + other, high + other), unit.amount)} {unit.name}).",
    ]
    if other:
        words.append(
            f"Of that, {unit.words(report.grams.total)} {unit.name} is electricity, and {unit.words(other)} {unit.name} "
            "is fuel, cloud services and other lines."
        )
    if report.full_time_equivalents:
        each = Decimal(report.total_g) / 1000 / report.full_time_equivalents
        words.append(f"That is {mass_words(each)} for each full-time equivalent of staff.")
    words.append(
        "CO2e is carbon dioxide with other greenhouse gases reckoned as carbon dioxide. A range holds in 19 of 20 cases"
        + ("; it is of the electricity, because other lines come without one. " if other else ". ")
        + "Figures are rounded: parts may not add up."
    )
    return Section("In short", tuple(words))


def _range(bounds: tuple[int, int], amount: Callable[[int], float]) -> str:
    return " to ".join(figure_words(amount(one)) for one in bounds)


def _by_scope(report: Report, unit: Unit) -> Section:
    rows = [
        (scope_words(scope, category), unit.words(grams), share_words(grams, report.total_g))
        for (scope, category), grams in by_scope(report).items()
    ]
    rows.append(("All", unit.words(report.total_g), share_words(report.total_g, report.total_g)))
    return Section(
        "By scope",
        (
            "Scope 1 is what is burnt or leaks on site, Scope 2 is electricity bought, Scope 3 is what others emit for us.",
            _market(report, unit),
        ),
        Table("Emissions by scope", ("Scope", f"{unit.name} CO2e", "part of all"), tuple(rows)),
    )


def scope_words(scope: str, category: str) -> str:
    """A scope, and of Scope 3 its category, in words."""
    if scope in _SCOPES:
        return _SCOPES[scope]
    return SCOPE_3.get(category, f"Scope {scope}" + (f", category {category}" if category else ""))


def _market(report: Report, unit: Unit) -> str:
    own = [row for row in report.rows if row.scope == "2"]
    location = sum(row.grams.s2_generation for row in own)
    market = sum(row.grams.s2_market for row in own)
    if not own:
        return "There is no electricity that the organisation buys."
    words = f"By contracts for electricity (market-based), Scope 2 is {unit.words(market)} {unit.name}"
    if not any(row.market for row in own):
        return (
            words
            + ", the grid's average: no contract evidence is held, so that it may count renewables claimed by others."
        )
    return words + f", beside {unit.words(location)} {unit.name} by the grid's average; the two are never added."


def _by_month(report: Report, unit: Unit) -> Section:
    months = report.by(_month)
    labels = {month: f"{middle_of(month):%b %Y}" for month in months_between(report.first_month, report.last_month)}
    rows = [(labels.get(month, month), *_figures(of, unit)) for month, of in months.items()]
    bars = [(labels.get(month, month), unit.amount(_grams(of))) for month, of in months.items()]
    highest = max(bars, key=lambda bar: bar[1])
    lowest = min(bars, key=lambda bar: bar[1])
    alternative = (
        f"Columns of the electricity's emissions in each month. The highest is {highest[0]} with "
        f"{figure_words(highest[1])} {unit.name}, the lowest {lowest[0]} with {figure_words(lowest[1])} {unit.name}."
    )
    return Section(
        "Month by month",
        ("Emissions of electricity in each month.",),
        Table("Electricity month by month", ("Month", *_heads(unit)), tuple(rows)),
        Chart("columns", alternative, f"{unit.name} CO2e", tuple(bars)),
    )


def _by_category(report: Report, unit: Unit) -> Section:
    groups = report.by(lambda row: SERVICE_CATEGORIES.get(row.activity.subject.service_category, "not known"))
    length = len(months_between(report.first_month, report.last_month))
    ranked = sorted(groups.items(), key=lambda one: -_grams(one[1]))
    rows = [(name, _devices(of, length), *_figures(of, unit)) for name, of in ranked]
    rows.append(("All", _devices(report.rows, length), *_figures(report.rows, unit)))
    return Section(
        "By kind of ICT",
        (f"The largest part of the electricity's emissions is of {ranked[0][0]}: {_part(ranked[0][1], report)}.",),
        Table("Electricity by kind of ICT", ("Kind", "devices (mean)", *_heads(unit)), tuple(rows)),
        _bars("kind of ICT", ranked, unit),
    )


def _by_site(report: Report, unit: Unit) -> Section:
    groups = report.by(lambda row: "homes of staff" if row.activity.subject.supply == "home" else _site(row))
    ranked = sorted(groups.items(), key=lambda one: -_grams(one[1]))
    if len(ranked) > MOST_SITES:
        rest = [row for _, of in ranked[MOST_SITES - 1 :] for row in of]
        ranked = [*ranked[: MOST_SITES - 1], (f"{len(ranked) - MOST_SITES + 1} other sites", rest)]
    return Section(
        "By site",
        (f"The largest part of the electricity's emissions is of {ranked[0][0]}: {_part(ranked[0][1], report)}.",),
        Table(
            "Electricity by site", ("Site", *_heads(unit)), tuple((name, *_figures(of, unit)) for name, of in ranked)
        ),
        _bars("site", ranked, unit),
    )


def _site(row: FootprintRow) -> str:
    return row.activity.subject.site or "site not known"


def _bars(what: str, ranked: Sequence[tuple[str, Sequence[FootprintRow]]], unit: Unit) -> Chart:
    bars = tuple((name, unit.amount(_grams(of))) for name, of in ranked)
    first = "; ".join(f"{name} {figure_words(amount)} {unit.name}" for name, amount in bars[:3])
    words = f"Bars of the electricity's emissions by {what}, the largest first: {first}" + (
        "; and others." if bars[3:] else "."
    )
    return Chart("bars", words, f"{unit.name} CO2e", bars)


def _part(of: Sequence[FootprintRow], report: Report) -> str:
    return share_words(_grams(of), report.grams.total)


def _heads(unit: Unit) -> tuple[str, ...]:
    return "kWh", f"{unit.name} CO2e", "low", "high"


def _figures(of: Sequence[FootprintRow], unit: Unit) -> tuple[str, ...]:
    energy = sum(row.activity.activity_uj for row in of)
    return figure_words(kwh(energy)), unit.words(_grams(of)), *(unit.words(one) for one in grams_range(of))


def _devices(of: Iterable[FootprintRow], months: int) -> str:
    return figure_words(float(sum((row.activity.count for row in of), Fraction(0)) / months))


def _grams(of: Iterable[FootprintRow]) -> int:
    return sum(row.grams.total for row in of)
