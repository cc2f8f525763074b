"""The plan of an organisation: its complete financial years out of the ledger, its target, and what measures would save."""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, func, select

from carbon.calendar import financial_year, financial_year_dates, local_day
from carbon.errors import CarbonError
from carbon.forecast import Year
from carbon.measures.measure import Net, without_overlap
from carbon.pathway import Target
from carbon.report import Report
from carbon.scenario import Plan, Scenario, plan, savings_by_year
from collector.database.engine import Database
from collector.database.schema import device, ledger_day, meter, organisation
from collector.errors import BadRequest
from collector.footprints import report_of
from collector.green_book_tables import standing_table
from collector.measures.kept import NO_DEVICE, KeptMeasure, measures_of
from collector.targets import offsets_of, target_of


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan with what it rests on: the measures counted with what each still saves, and the table of the grid's index."""

    plan: Plan
    measures: Sequence[tuple[KeptMeasure, Net]]
    index_label: str
    state: str


def planned(
    database: Database,
    organisation_id: int,
    now: int,
    scenario: Scenario | None = None,
    reported: Callable[[tuple[str, str]], Report] | None = None,
) -> Planned:
    """The way to the target as things are known now (Unix seconds), or as a scenario has them.

    `reported` gives the report of a year's months, of a caller who keeps some; made here without.

    Raises NotFound without base year or target, and BadRequest where no pathway of that shape leads there.
    """
    wanted = scenario or Scenario()
    with database.read() as connection:
        target, shape = target_of(connection, organisation_id)
        table = standing_table(connection, "electricity_factors")
        offsets = offsets_of(connection, organisation_id)
        years = _complete_years(connection, organisation_id, target, now)
        time_zone = _time_zone(connection, organisation_id)
        kept = measures_of(connection, organisation_id, local_day(now - now % 1800, time_zone))
    reported = reported or (lambda months: report_of(database, organisation_id, *months, now))
    reports = {year: reported(_months(year)) for year in years}
    actuals = [_year(year, report) for year, report in reports.items() if report.rows]
    last = reports[max(years)] if years else None
    counted = [one for one in kept if one.state in _STATES[wanted.measures]]
    nets = _nets(counted, last)
    savings = {}
    if actuals:
        latest = max(one.year for one in actuals)
        parts = [(net, _still_to_come(one, latest)) for one, net in zip(counted, nets, strict=True)]
        savings = savings_by_year(parts, latest + 1, max(target.target_year, latest + 1))
    try:
        aimed = Target(
            target.base_year,
            target.base_g,
            wanted.target_year or target.target_year,
            target.target_g if wanted.target_g is None else wanted.target_g,
            target.rate,
            target.budget_g,
        )
        found = plan(
            aimed,
            wanted.shape or shape,
            actuals,
            lambda one, other: table.index(one, other, "grid_average"),
            savings,
            offsets,
            wanted.trend,
        )
    except CarbonError as error:
        raise BadRequest(str(error), "choose another shape, or set target, rate or budget anew") from error
    state = "provisional" if any(report.state == "provisional" for report in reports.values()) else "final"
    return Planned(found, list(zip(counted, nets, strict=True)), table.label, state)


_STATES = {"none": frozenset[str](), "accepted": frozenset({"accepted"}), "all": frozenset({"accepted", "open"})}


def _complete_years(connection: Connection, organisation_id: int, target: Target, now: int) -> list[int]:
    """Financial years after the base year that are over and were read from their first month on."""
    query = (
        select(func.min(ledger_day.c.local_day))
        .join(meter, meter.c.id == ledger_day.c.meter_id)
        .join(device, device.c.id == meter.c.device_id)
        .where(device.c.organisation_id == organisation_id)
    )
    first = connection.execute(query).scalar()
    if first is None:
        return []
    begun = datetime.date.fromisoformat(first)
    today = local_day(now - now % 1800, _time_zone(connection, organisation_id))
    from_year = financial_year(begun)
    if begun >= financial_year_dates(from_year)[0] + datetime.timedelta(days=30):
        from_year += 1
    return list(range(max(from_year, target.base_year + 1), financial_year(today)))


def _time_zone(connection: Connection, organisation_id: int) -> str:
    query = select(organisation.c.time_zone).where(organisation.c.id == organisation_id)
    return str(connection.execute(query).scalar_one())


def _months(year: int) -> tuple[str, str]:
    first, last = financial_year_dates(year)
    return f"{first:%Y-%m}", f"{last:%Y-%m}"


def _year(year: int, report: Report) -> Year:
    energy = sum(row.activity.activity_uj for row in report.rows)
    electricity = report.grams.total
    return Year(year, energy, electricity, report.total_g - electricity)


def _nets(measures: Sequence[KeptMeasure], last: Report | None) -> list[Net]:
    """What measures save one after another, of what their devices used in the last complete year with their room's
    overhead; one of no known device saves what it says.
    """
    energy: dict[str, int] = {}
    for row in last.rows if last else ():
        one = row.activity
        if one.subject.device:
            energy[one.subject.device] = energy.get(one.subject.device, 0) + one.activity_uj
    energy |= {
        name: saved for kept in measures for name, saved in kept.measure.saved_uj.items() if name.startswith(NO_DEVICE)
    }
    return without_overlap([kept.measure for kept in measures], energy)


def _still_to_come(kept: KeptMeasure, latest: int) -> Decimal:
    """The part of a year's saving that the last complete year has not in it already."""
    if not kept.done_on:
        return Decimal(1)
    first, last = financial_year_dates(latest)
    before = (datetime.date.fromisoformat(kept.done_on) - first).days
    return max(Decimal(0), min(Decimal(1), Decimal(before) / ((last - first).days + 1)))
