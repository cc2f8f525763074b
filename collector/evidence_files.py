"""What an evidence pack holds beside the report itself: ledger, boundary, base year, acceptances, market, method."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from carbon.report import Report
from carbon.report_summary import summary
from carbon.report_words import Section
from collector.coverage_acceptance import coverage_acceptances
from collector.database.schema import base_year, inventory_boundary, organisation_boundary
from collector.factors import acceptances
from collector.ledger_evidence import LedgerMonth, ledger_csv
from collector.taking import Who


def attached_files(
    connection: Connection,
    organisation_id: int,
    report: Report,
    ledger: Iterable[LedgerMonth],
    who: Who,
    old: Row[Any] | None,
    reason: str,
) -> dict[str, bytes]:
    """The further files of a pack by name. `old` is the report that this one restates, `reason` why."""
    restates = None
    if old is not None:
        names = ("id", "total_g", "pack_sha256", "prepared_by", "approved_by", "approved_at")
        restates = {**{name: getattr(old, name) for name in names}, "reason": reason, "new_total_g": report.total_g}
    sets = {row.applied.factors for row in report.rows}
    return {
        "ledger.csv": ledger_csv(ledger),
        "publication.json": _json({"prepared_by": who.actor, "prepared_at": who.now, "restates": restates}),
        "boundary.json": _json(
            {
                table.name: _rows(connection, table, organisation_id)
                for table in (organisation_boundary, inventory_boundary, base_year)
            }
        ),
        "acceptances.json": _json(
            {
                "coverage": [dict(row._mapping) for row in coverage_acceptances(connection, organisation_id)],
                "factor_changes": [
                    dict(row._mapping) for row in acceptances(connection, sorted({one.sha256 for one in sets}))
                ],
            }
        ),
        "market.json": _json(
            [
                {"site": site, "month": month, "kg_per_kwh": rate, "evidence": evidence}
                for site, month, rate, evidence in sorted(
                    {
                        (
                            row.activity.subject.site,
                            row.activity.subject.month,
                            str(row.market.kg_per_kwh),
                            row.market.evidence,
                        )
                        for row in report.rows
                        if row.market is not None
                    }
                )
            ]
        ),
        "method.md": _method(report).encode(),
    }


def _rows(connection: Connection, table: Table, organisation_id: int) -> list[dict[str, Any]]:
    query = select(table).where(table.c.organisation_id == organisation_id).order_by(table.c.id)
    return [dict(row._mapping) for row in connection.execute(query)]


def _method(report: Report) -> str:
    words = summary(report)
    parts = [f"# {words.title}", words.state]
    for section in words.sections:
        parts += _section(section)
    return "\n\n".join(parts) + "\n"


def _section(section: Section) -> Sequence[str]:
    parts = [f"## {section.heading}", *section.sentences]
    if section.table is not None:
        lines = [section.table.head, ["---"] * len(section.table.head), *section.table.rows]
        parts.append("\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines))
    return parts


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()
