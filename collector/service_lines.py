"""What providers' services emit by their statements, and the months for which a service has none."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row

from carbon.factor_lines import ELECTRICITY, FACTOR_LINES
from carbon.factors import FactorSet, YearRule, factors_for
from carbon.months import middle_of, months_between, runs_of
from carbon.other_lines import government_words, grams_of
from carbon.report import OtherLine
from collector.embodied import embodied_words
from collector.factors import factor_sets
from collector.other_lines import entered_lines, year_rule
from collector.services import devices_in_colocation, services
from collector.statements.figure import month_days
from collector.statements.kept import days_of_figure, holding_rows

METERED = "its devices are in the ledger"


@dataclass(slots=True)
class Services:
    """Lines of statements, in words each service and time without one, and what may be counted twice."""

    lines: list[OtherLine] = field(default_factory=list)
    not_reported: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Beside:
    """All that stands beside metered electricity in a report: lines, services not reported, and what to say."""

    lines: Sequence[OtherLine]
    not_reported: Sequence[str]
    notes: Sequence[str]


def beside_electricity(
    connection: Connection, organisation_id: int, first_month: str, last_month: str, now: int
) -> Beside:
    """Other lines and statements from a month to another (YYYY-MM, both included), for `carbon.report.Report`; and what
    is to be said of embodied carbon, as it is known at `now` (Unix seconds).
    """
    entered = entered_lines(connection, organisation_id, first_month, last_month)
    reported = service_lines(connection, organisation_id, first_month, last_month)
    notes = [f"not in the total, because there is no factor: {words}" for words in entered.without_factor]
    notes += [*reported.twice, *embodied_words(connection, organisation_id, first_month, last_month, now)]
    return Beside([*entered.lines, *reported.lines], reported.not_reported, notes)


def service_lines(connection: Connection, organisation_id: int, first_month: str, last_month: str) -> Services:
    """Emissions by the statements that hold, from a month to another (YYYY-MM, both included)."""
    found = Services()
    mine = services(connection, organisation_id)
    if not mine:
        return found
    rule, sets = year_rule(connection, organisation_id), factor_sets(connection)
    for service in mine:
        first = max(first_month, service.first_month)
        last = min(last_month, service.last_month or last_month)
        if first > last:
            continue
        rows = [row for row in holding_rows(connection, service.id) if first <= row.month <= last]
        for row in rows:
            found.lines += _lines(service, row, rule, sets)
        found.not_reported += _missing(service.name, rows, first, last)
        if rows and service.kind == "colocation" and not service.metered:
            found.twice += _twice(connection, service, first)
    return found


def _twice(connection: Connection, service: Row[Any], first_month: str) -> list[str]:
    devices = devices_in_colocation(connection, service, first_month)
    if not devices:
        return []
    return [
        f"{service.name}: {devices} devices in colocation are in the ledger; if they stand in this hall, its invoices count "
        "them again: ictagent carbon service set --metered makes those memos"
    ]


def _missing(name: str, rows: Sequence[Row[Any]], first: str, last: str) -> list[str]:
    days: dict[str, set[object]] = {}
    for row in rows:
        if row.counts:
            days.setdefault(row.month, set()).update(days_of_figure(row.first_day, row.last_day))
    months = months_between(first, last)
    whole = {month: month_days(month)[1].day for month in months}
    silent = [month for month in months if month not in days]
    found = [f"{name}: {begin}" + (f" to {end}" if begin != end else "") for begin, end in runs_of(silent)]
    parts = [month for month in months if 0 < len(days.get(month, ())) < whole[month]]
    return found + [f"{name}: {month} in part ({len(days[month])} of {whole[month]} days)" for month in parts]


def _lines(service: Row[Any], row: Row[Any], rule: YearRule, sets: Sequence[FactorSet]) -> list[OtherLine]:
    amount, scope = Decimal(row.amount), f"scope {row.scope}" if row.scope != "all" else "all scopes"
    if row.unit == "kWh":
        return _by_government(service, row, amount, rule, sets)
    if row.unit == "GBP":
        basis = f"spend: {row.factor_source}, {row.kg_per_unit} kgCO2e per pound"
        return [_line(service, row, row.name, "pound", grams_of(amount, Decimal(row.kg_per_unit)), basis)]
    said = (f"{service.provider}: its own {scope}", row.basis, f"method: {row.method}" if row.method else "")
    words = ", ".join(part for part in said if part)
    return [_line(service, row, f"{row.name}, its {scope}", "kgCO2e", grams_of(amount, Decimal(1)), words)]


def _by_government(
    service: Row[Any], row: Row[Any], amount: Decimal, rule: YearRule, sets: Sequence[FactorSet]
) -> list[OtherLine]:
    applied = factors_for(middle_of(row.month), rule, sets)
    found = []
    for at, key in enumerate(ELECTRICITY, 1):
        factor: Decimal = getattr(applied.factors, key)
        told = applied.factors.find(key)
        basis = f"{row.basis}; {government_words(applied)}: {factor:f} kgCO2e per kWh"
        name = f"{row.name}: {FACTOR_LINES[key].name}"
        line = _line(service, row, name, "kWh", grams_of(amount, factor), basis)
        found.append(
            replace(
                line,
                id=f"{line.id}.{at}",
                factor_row_id=told.row_id if told else "",
                provisional=applied.provisional,
            )
        )
    return found


def _line(service: Row[Any], row: Row[Any], name: str, unit: str, grams: int, basis: str) -> OtherLine:
    return OtherLine(
        id=f"statement {row.statement_id}, {row.id}",
        month=row.month,
        name=name,
        service=service.name,
        site=service.site or "",
        scope="3",
        scope_3_category=service.scope_3_category,
        amount=Decimal(row.amount),
        unit=unit,
        grams=grams,
        basis=basis + (f"; a memo: {METERED}" if service.metered else ""),
        factor_row_id="",
        evidence=row.document,
        evidence_sha256=row.document_sha256,
        actor=row.actor,
        memo=service.metered or not row.counts,
    )
