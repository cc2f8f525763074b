"""Classes of which little time was read, and an officer's written word that they may be published so."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from carbon.report import ClassCoverage, Report
from collector.database.audit import audit
from collector.database.schema import coverage_acceptance
from collector.documents import withdraw_proved
from collector.errors import BadRequest
from collector.taking import Who

LEAST_COVERAGE = Decimal("0.75")
"""Of a class's time; below, publishing needs an officer's word (carbon reference, section 6)."""


def low_coverage(report: Report) -> list[ClassCoverage]:
    """Classes of a report under the least coverage of time. A class that nothing can read has none, and is by profile."""
    return [one for one in report.coverage if one.time_coverage is not None and one.time_coverage < LEAST_COVERAGE]


def unaccepted_coverage(connection: Connection, organisation_id: int, report: Report) -> list[ClassCoverage]:
    """Those that nobody accepted for exactly these months, or of which less was read than was accepted."""
    accepted: dict[str, Decimal] = {}
    for row in coverage_acceptances(connection, organisation_id):
        if (row.first_month, row.last_month) == (report.first_month, report.last_month):
            ratio = Decimal(row.time_coverage)
            accepted[row.asset_class] = min(ratio, accepted.get(row.asset_class, ratio))
    return [
        one
        for one in low_coverage(report)
        if one.asset_class not in accepted or (one.time_coverage or 0) < accepted[one.asset_class]
    ]


def accept_coverage(
    connection: Connection, organisation_id: int, report: Report, asset_class: str, reason: str, who: Who
) -> int:
    """Keep an officer's acceptance of a class's coverage in a report's months; its number. Raises BadRequest."""
    found = next((one for one in low_coverage(report) if one.asset_class == asset_class), None)
    if found is None:
        low = ", ".join(one.asset_class for one in low_coverage(report)) or "none"
        raise BadRequest(
            f"{asset_class} is not under {LEAST_COVERAGE:.0%} of its time in {report.first_month} to {report.last_month}",
            f"to be accepted: {low}",
        )
    if not reason.strip():
        raise BadRequest("an acceptance needs its reason: an auditor will ask", "say why the figure can stand")
    values = {
        "organisation_id": organisation_id,
        "asset_class": asset_class,
        "first_month": report.first_month,
        "last_month": report.last_month,
        "time_coverage": f"{found.time_coverage:f}",
        "reason": reason,
    }
    made = connection.execute(insert(coverage_acceptance).values(**values, added_at=who.now, actor=who.actor))
    number = int((made.inserted_primary_key or (0,))[0])
    audit(connection, who.now, who.actor, "carbon.coverage.accept", str(number), values)
    return number


def withdraw_acceptance(connection: Connection, organisation_id: int, number: int, reason: str, who: Who) -> None:
    """Let an acceptance hold no longer; what was published with it stays. Raises NotFound."""
    wanted = (coverage_acceptance.c.id == number) & (coverage_acceptance.c.organisation_id == organisation_id)
    withdraw_proved(connection, coverage_acceptance, wanted, "coverage", number, reason, who)


def coverage_acceptances(
    connection: Connection, organisation_id: int, *, withdrawn: bool = False
) -> Sequence[Row[Any]]:
    """What was accepted, oldest first."""
    query = select(coverage_acceptance).where(coverage_acceptance.c.organisation_id == organisation_id)
    if not withdrawn:
        query = query.where(coverage_acceptance.c.withdrawn_at.is_(None))
    return connection.execute(query.order_by(coverage_acceptance.c.id)).all()
