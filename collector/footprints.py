"""The report of an organisation's footprint over months: activities, their emissions, coverage, and what is to be said."""

import calendar
import datetime
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, select

from carbon.activity import Activity
from carbon.calendar import day_bounds, financial_year
from carbon.factors import Applied
from carbon.footprint_rows import FootprintRow, MarketRate, footprint_rows, total
from carbon.months import middle_of
from carbon.report import ClassCoverage, OtherLine, Report, State, provisional
from collector.activities import activities
from collector.database.engine import Database
from collector.database.schema import organisation
from collector.device_energy import Rules, rules_by_organisation
from collector.errors import BadRequest
from collector.estate_coverage import estate_coverage
from collector.fills import Fills
from collector.gap_fills import keep_fills
from collector.market_based import market_based_of
from collector.metered_totals import SETTLED_SECONDS
from collector.service_lines import beside_electricity
from collector.taking import Progress, silent
from collector.yearly import full_time_equivalents_of


def footprint_report(
    connection: Connection,
    organisation_id: int,
    first_month: str,
    last_month: str,
    now: int,
    fills: Fills | None = None,
) -> Report:
    """The footprint from a month to another (YYYY-MM, both included), as it is known at `now` (Unix seconds).

    `fills` is a caller's own, who keeps what they reckoned (`report_of`).

    Raises BadRequest where the months are in the wrong order, or FactorError for months before the oldest factor set.
    """
    if last_month < first_month:
        raise BadRequest(f"{first_month} lies after {last_month}", "give the earlier month first")
    row = connection.execute(select(organisation).where(organisation.c.id == organisation_id)).one()
    rules = rules_by_organisation(connection)[organisation_id]
    fills = fills or Fills(connection, row, now)
    found = activities(connection, organisation_id, first_month, last_month, now, fills)
    factors = _Factors(rules)
    market = _Market(connection, organisation_id, found.counted, rules)
    beside = beside_electricity(connection, organisation_id, first_month, last_month, now)
    rows = footprint_rows(found.counted, factors.of, market.of)
    left_out = footprint_rows(found.left_out, factors.of)
    return Report(
        organisation=row.name,
        time_zone=row.time_zone,
        year_rule=rules.year_rule,
        first_month=first_month,
        last_month=last_month,
        made_at=now,
        state=_state(rows, beside.lines, row.time_zone, last_month, now),
        rows=rows,
        other=beside.lines,
        not_reported=beside.not_reported,
        coverage=_coverage(connection, row, found.counted, last_month, now),
        fills=fills.fills,
        notes=beside.notes,
        full_time_equivalents=_staff(connection, organisation_id, first_month, last_month),
        left_out_g=total(left_out).total,
    )


def report_of(
    database: Database,
    organisation_id: int,
    first_month: str,
    last_month: str,
    now: int,
    progress: Progress = silent,
) -> Report:
    """The same from a database; what stands for gaps is kept there, so that the next report need not reckon it again."""
    with database.read() as connection:
        row = connection.execute(select(organisation).where(organisation.c.id == organisation_id)).one()
        fills = Fills(connection, row, now, progress)
        found = footprint_report(connection, organisation_id, first_month, last_month, now, fills)
    keep_fills(database, fills.kept.fresh)
    return found


class _Factors:
    """The set of each month: it never changes within one."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._months: dict[str, Applied] = {}

    def of(self, activity: Activity) -> Applied:
        month = activity.subject.month
        if month not in self._months:
            self._months[month] = self._rules.factors(middle_of(month))
        return self._months[month]


class _Market:
    """The market-based factor of each site and month, of electricity that the organisation buys itself."""

    def __init__(self, connection: Connection, organisation_id: int, counted: Sequence[Activity], rules: Rules) -> None:
        use: dict[tuple[str, str], int] = {}
        for one in counted:
            if one.subject.supply == "own":
                key = (one.subject.site, one.subject.month)
                use[key] = use.get(key, 0) + one.activity_uj
        found = market_based_of(connection, organisation_id, use, lambda month: _generation(rules, month))
        # Where nothing is proved there is no rate: the location's stands in its column, and is said to.
        proved = (one for one in found.values() if any(part.rung != "location" for part in one.parts))
        self._rates = {(one.site, one.month): one.rate for one in proved}

    def of(self, activity: Activity) -> MarketRate | None:
        """None of what others buy: homes and landlords have contracts that nobody knows here."""
        subject = activity.subject
        return self._rates.get((subject.site, subject.month)) if subject.supply == "own" else None


def _generation(rules: Rules, month: str) -> Decimal:
    return rules.factors(middle_of(month)).factors.s2_generation


def _staff(connection: Connection, organisation_id: int, first_month: str, last_month: str) -> Decimal | None:
    """Full-time equivalents of the financial year in which the months lie; None of months in several."""
    years = {financial_year(middle_of(month)) for month in (first_month, last_month)}
    return full_time_equivalents_of(connection, organisation_id, years.pop()) if len(years) == 1 else None


def _state(
    rows: Sequence[FootprintRow], other: Sequence[OtherLine], time_zone: str, last_month: str, now: int
) -> State:
    """Final once the months are over and every factor is."""
    year, month = int(last_month[:4]), int(last_month[5:])
    last = datetime.date(year, month, calendar.monthrange(year, month)[1])
    over = now >= day_bounds(last, time_zone)[1] + SETTLED_SECONDS
    open_factors = provisional(rows) or any(line.provisional for line in other)
    return "provisional" if open_factors or not over else "final"


def _coverage(
    connection: Connection, of: Row[Any], counted: Sequence[Activity], last_month: str, now: int
) -> list[ClassCoverage]:
    """Both coverages by class: of the estate at the end, of the time over all months."""
    seconds: dict[str, tuple[int, int]] = {}
    for one in counted:
        if one.subject.kind == "device":
            covered, possible = seconds.get(one.subject.asset_class, (0, 0))
            seconds[one.subject.asset_class] = (covered + one.covered_seconds, possible + one.possible_seconds)
    found = []
    for row in estate_coverage(connection, last_month, now, [of.id]):
        numbers = (row.registered, row.measured, row.estimated, row.profile, row.absent)
        found.append(ClassCoverage(row.device_class, *numbers, *seconds.pop(row.device_class, (0, 0))))
    return found + [ClassCoverage(name, 0, 0, 0, 0, 0, *both) for name, both in sorted(seconds.items())]
