"""Other lines that people enter, by hand or from a file: kept with their evidence, and made emissions of when read."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from carbon.errors import CarbonError, FactorError
from carbon.factors import YearRule
from carbon.months import middle_of
from carbon.other_lines import LINE_KINDS, LinePart, by_own_factor, by_sets, line_kind
from carbon.report import OtherLine
from collector.database.audit import audit
from collector.database.schema import line_entry, organisation, other_line, site
from collector.documents import Document, insert_proved, withdraw_proved
from collector.errors import BadRequest
from collector.factors import factor_sets
from collector.sites import find_site
from collector.tables.columns import Heads, read_rows
from collector.taking import Who

PAGE = "docs/other-lines.md"
HEADS: Heads = {
    "month": ("month",),
    "kind": ("kind", "line"),
    "amount": ("amount", "quantity"),
    "unit": ("unit",),
    "name": ("name", "what"),
    "site": ("site",),
    "kg_per_unit": ("kg per unit", "kgco2e per unit"),
    "factor_source": ("factor source",),
    "note": ("note", "notes"),
}
"""Columns of a file of lines; the first three are needed."""


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line as it is told: an amount of a month (YYYY-MM) in the kind's unit, with a factor of its own or None."""

    month: str
    kind: str
    amount: Decimal
    name: str = ""
    site: str = ""
    kg_per_unit: Decimal | None = None
    factor_source: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        try:
            kind = line_kind(self.kind)
            middle_of(self.month)
        except CarbonError as error:
            raise BadRequest(str(error)) from error
        if self.kg_per_unit is None and not kind.parts:
            raise BadRequest(
                f"the Government's sets have no factor for {kind.words}",
                f"give one in kgCO2e per {kind.unit}, with its source",
            )
        if (self.kg_per_unit is not None) != bool(self.factor_source.strip()):
            raise BadRequest("a factor of one's own and its source belong together", "give both, or neither")


@dataclass(frozen=True, slots=True)
class OtherLines:
    """Lines of a report; `without_factor` says in words which amounts have none, and are therefore in no total."""

    lines: Sequence[OtherLine]
    without_factor: Sequence[str]


def read_lines(path: Path) -> list[NewLine]:
    """The lines of a CSV or workbook. Raises BadRequest with the cell that is wrong."""
    found = []
    for row in read_rows(path, HEADS, ("month", "kind", "amount"), PAGE):
        key = row.needed("kind").lower().replace(" ", "_")
        if key not in LINE_KINDS:
            raise row.refuse("kind", f"{key} is no kind of line", f"use one of {', '.join(LINE_KINDS)}")
        unit = row.text("unit").lower()
        if unit not in ("", LINE_KINDS[key].unit):
            raise row.refuse("unit", f"{unit} is not the unit of {key}", f"give it in {LINE_KINDS[key].unit}")
        line = (row.month("month"), key, row.amount("amount"), row.text("name"), row.text("site"))
        try:
            found.append(NewLine(*line, row.number_in("kg_per_unit"), row.text("factor_source"), row.text("note")))
        except BadRequest as error:
            raise row.refuse("kg_per_unit", error.message, error.remedy) from error
    if not found:
        raise BadRequest(f"{path.name} has no lines below its heads", f"see {PAGE}")
    return found


def add_lines(
    connection: Connection,
    organisation_id: int,
    lines: Sequence[NewLine],
    document: Document,
    who: Who,
    list_sha256: str = "",
) -> int:
    """Keep lines as one entry; its number. `list_sha256` is the file's that they were in, "" by hand."""
    sites = {one.site: find_site(connection, organisation_id, one.site) for one in lines if one.site}
    values = {"organisation_id": organisation_id, "list_sha256": list_sha256}
    entry_id = insert_proved(connection, line_entry, values, document, who)
    rows = [
        {
            "entry_id": entry_id,
            "month": one.month,
            "kind": one.kind,
            "name": one.name,
            "site_id": sites.get(one.site),
            "amount": f"{one.amount:f}",
            "kg_per_unit": "" if one.kg_per_unit is None else f"{one.kg_per_unit:f}",
            "factor_source": one.factor_source,
            "note": one.note,
        }
        for one in lines
    ]
    connection.execute(insert(other_line), rows)
    detail = {"lines": len(rows), "document": document.name, "sha256": document.sha256}
    audit(connection, who.now, who.actor, "carbon.line.add", str(entry_id), detail)
    return entry_id


def same_list(connection: Connection, organisation_id: int, list_sha256: str) -> int | None:
    """The standing entry of the same file of lines; None where none is."""
    same = (line_entry.c.list_sha256 == list_sha256) & (line_entry.c.organisation_id == organisation_id)
    query = select(line_entry.c.id).where(same, line_entry.c.withdrawn_at.is_(None)).limit(1)
    return connection.execute(query).scalar()


def undo_lines(connection: Connection, organisation_id: int, entry_id: int, reason: str, who: Who) -> None:
    """Let an entry's lines count no longer. Raises NotFound."""
    mine = (line_entry.c.id == entry_id) & (line_entry.c.organisation_id == organisation_id)
    withdraw_proved(connection, line_entry, mine, "line", entry_id, reason, who)


def kept_lines(connection: Connection, organisation_id: int, *, withdrawn: bool = False) -> Sequence[Row[Any]]:
    """Rows of lines with their entry and site, by month; those that stand, or those withdrawn too."""
    query = (
        select(
            other_line,
            *(line_entry.c[name] for name in ("document", "document_sha256", "added_at", "actor")),
            line_entry.c.withdrawn_at,
            line_entry.c.withdrawn_reason,
            site.c.name.label("site"),
        )
        .join(line_entry, line_entry.c.id == other_line.c.entry_id)
        .outerjoin(site, site.c.id == other_line.c.site_id)
        .where(line_entry.c.organisation_id == organisation_id)
        .order_by(other_line.c.month, other_line.c.id)
    )
    return connection.execute(query if withdrawn else query.where(line_entry.c.withdrawn_at.is_(None))).all()


def entered_lines(connection: Connection, organisation_id: int, first_month: str, last_month: str) -> OtherLines:
    """Emissions of an organisation's lines from a month to another (YYYY-MM, both included)."""
    rows = [one for one in kept_lines(connection, organisation_id) if first_month <= one.month <= last_month]
    rule = year_rule(connection, organisation_id)
    sets = factor_sets(connection) if rows else ()
    found: list[OtherLine] = []
    missing: list[str] = []
    for row in rows:
        try:
            parts = parts_of(row, rule, sets)
        except FactorError as error:
            missing.append(f"{row.month}: {row.amount} {LINE_KINDS[row.kind].unit} of {row.kind}: {error}")
            continue
        many = len(parts) > 1
        found += [_line(row, one, f"line {row.id}" + (f".{at}" if many else "")) for at, one in enumerate(parts, 1)]
    return OtherLines(found, missing)


def parts_of(row: Row[Any], rule: YearRule, sets: Sequence[Any]) -> list[LinePart]:
    """What a kept line emits. Raises FactorError where the month's set has no factor for it."""
    kind, amount = LINE_KINDS[row.kind], Decimal(row.amount)
    if row.kg_per_unit:
        return [by_own_factor(kind, amount, Decimal(row.kg_per_unit), row.factor_source)]
    return by_sets(kind, row.month, amount, rule, sets)


def year_rule(connection: Connection, organisation_id: int) -> YearRule:
    """The organisation's rule of which factor set applies."""
    found: YearRule = connection.execute(
        select(organisation.c.year_rule).where(organisation.c.id == organisation_id)
    ).scalar_one()
    return found


def _line(row: Row[Any], part: LinePart, number: str) -> OtherLine:
    kind = LINE_KINDS[row.kind]
    return OtherLine(
        id=number,
        month=row.month,
        name=part.name,
        service="",
        site=row.site or "",
        scope=part.scope,
        scope_3_category=part.category,
        amount=Decimal(row.amount),
        unit=kind.unit,
        grams=part.grams,
        basis=f"{part.basis}; for {row.name}" if row.name else part.basis,
        factor_row_id=part.factor_row_id,
        evidence=row.document,
        evidence_sha256=row.document_sha256,
        actor=row.actor,
        memo=kind.memo,
        provisional=part.provisional,
    )
