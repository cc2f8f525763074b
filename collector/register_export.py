"""The register as a table again: in the columns of the last import, and our own names for the rest."""

import csv
import io
import json
from collections.abc import Mapping, Sequence

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from sqlalchemy import Connection, select

from collector.database.schema import register_import, site, space
from collector.register.fields import proposed
from collector.register_facts import State, states

HEADERS: dict[str, str] = {
    "asset_tag": "Asset tag",
    "serial": "Serial number",
    "host_name": "Host name",
    "vendor": "Manufacturer",
    "model": "Model",
    "device_class": "Class",
    "status": "Status",
    "site": "Site",
    "space": "Space",
    "space_kind": "Space kind",
    "directorate": "Directorate",
    "owner": "Owner",
    "tenure": "Tenure",
    "service_category": "Service category",
    "school": "School",
    "share": "Share",
    "share_key": "Share key",
    "acquired_on": "Acquired on",
    "disposed_on": "Disposed on",
    "quantity": "Quantity",
    "notes": "Notes",
}
"""Our header of each field."""


def register_table(connection: Connection, organisation_id: int) -> tuple[list[str], list[list[str]]]:
    """Headers and rows of all items as they are now. Read again, the table changes nothing."""
    headers = _headers(connection, organisation_id)
    query = select(site.c.name.label("site"), space.c.name, space.c.kind).join(site, site.c.id == space.c.site_id)
    kinds = {(row.site, row.name): row.kind for row in connection.execute(query)}
    rows = [_row(one, headers, kinds) for one in states(connection, organisation_id)]
    return list(headers.values()), rows


def _headers(connection: Connection, organisation_id: int) -> dict[str, str]:
    """The last import's own headers where they would be known again, else ours."""
    query = (
        select(register_import.c.mapping)
        .where(register_import.c.organisation_id == organisation_id, register_import.c.state == "visible")
        .order_by(register_import.c.id.desc())
        .limit(1)
    )
    mapping = json.loads(connection.execute(query).scalar() or "{}")
    theirs = {field: names[0] for field, names in mapping.get("columns", {}).items() if names and field in HEADERS}
    headers = {field: theirs.get(field, ours) for field, ours in HEADERS.items()}
    known = proposed(list(headers.values()))
    told = all(known.get(field) == column for column, field in enumerate(headers))
    return headers if told else dict(HEADERS)


def _row(one: State, headers: Mapping[str, str], kinds: Mapping[tuple[str, str], str]) -> list[str]:
    return [_text(one, field, kinds) for field in headers]


def _text(one: State, field: str, kinds: Mapping[tuple[str, str], str]) -> str:
    facts = one.facts
    if field == "space_kind":
        return kinds.get((facts["site"], facts["space"]), "")
    value = facts[field]
    if field == "school":
        return "" if value is None else "yes" if value else "no"
    if field == "share":
        return f"{value * 100:.10g}%"
    return str(value)


def as_csv(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The table as CSV. Texts that a spreadsheet would take for a formula begin with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(headers)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return out.getvalue()


def as_workbook(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """The table as XLSX: all cells are text, so that serial numbers stay what they are."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Register")
    for row in ([*headers], *rows):
        cells = []
        for text in row:
            cell = WriteOnlyCell(sheet, value=text)
            cell.data_type = "s"
            cell.number_format = "@"
            cells.append(cell)
        sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
