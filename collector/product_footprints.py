"""Documents of embodied carbon by model, and service lives: what an organisation was told, and what it assumes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, select

from carbon.device_classes import CLASSES
from carbon.embodied_sources import SOURCE_KINDS, ProductFootprint, SourceKind, Sources
from collector.database.audit import audit
from collector.database.schema import product_footprint, service_life
from collector.database.upsert import upsert
from collector.documents import Document, insert_proved, withdraw_proved
from collector.errors import BadRequest
from collector.tables.columns import Heads, read_rows
from collector.tables.columns import Row as TableRow
from collector.taking import Who

PAGE = "docs/embodied.md"
HEADS: Heads = {
    "vendor": ("vendor", "manufacturer", "make"),
    "model": ("model", "product", "model name"),
    "device_class": ("class", "device class", "category"),
    "kind": ("kind",),
    "total": ("total kgco2e", "total kg co2e", "total", "kgco2e", "pcf kgco2e"),
    "use": ("use kgco2e", "use kg co2e", "use phase kgco2e", "use"),
    "transport": ("transport kgco2e", "transport kg co2e", "transport"),
    "end_of_life": ("end of life kgco2e", "end of life kg co2e", "end of life"),
    "document": ("document", "source"),
    "date": ("document date", "date", "report date"),
}
NEEDED = ("model|device_class", "total", "document", "date")
MOST_KG = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class NewFootprint:
    """A document as it is told; kilograms of CO2e, None where it says nothing. `date` is YYYY-MM-DD."""

    kind: SourceKind
    vendor: str
    model: str
    device_class: str
    total_kg: Decimal
    use_kg: Decimal | None
    transport_kg: Decimal | None
    end_of_life_kg: Decimal | None
    date: str

    def __post_init__(self) -> None:
        if self.device_class and self.device_class not in CLASSES:
            raise BadRequest(f"{self.device_class} is no class of devices", f"use one of {', '.join(CLASSES)}")
        if not self.model and (self.kind != "spend" or not self.device_class):
            raise BadRequest("a footprint is of a model", "give it; only spend may be of a class instead")
        parts = sum((one for one in (self.use_kg, self.transport_kg, self.end_of_life_kg) if one), Decimal(0))
        if not parts <= self.total_kg <= MOST_KG:
            raise BadRequest(f"the parts add up to {parts} kg, and the whole is {self.total_kg} kg", "correct them")
        if self.kind == "pcf" and self.use_kg is None:
            raise BadRequest(
                "the document's use phase is missing", "give it: what is not use is embodied; 0 where none is in it"
            )


def documents(connection: Connection, organisation_id: int, *, withdrawn: bool = False) -> Sequence[Row[Any]]:
    """Rows of documents by model; those that stand, or those withdrawn too."""
    columns = product_footprint.c
    query = select(product_footprint).where(columns.organisation_id == organisation_id)
    query = query.order_by(columns.vendor, columns.model, columns.device_class, columns.id)
    return connection.execute(query if withdrawn else query.where(columns.withdrawn_at.is_(None))).all()


def sources(connection: Connection, organisation_id: int) -> Sources:
    """What embodied carbon of the organisation's devices is reckoned by."""
    return Sources(_footprint(row) for row in documents(connection, organisation_id))


def add_footprint(connection: Connection, organisation_id: int, new: NewFootprint, document: Document, who: Who) -> int:
    """Keep a document's figures; their number."""
    values = {
        "organisation_id": organisation_id,
        "kind": new.kind,
        "vendor": new.vendor.strip(),
        "model": new.model.strip(),
        "device_class": new.device_class,
        "total_kg": f"{new.total_kg:f}",
        "use_kg": _text(new.use_kg),
        "transport_kg": _text(new.transport_kg),
        "end_of_life_kg": _text(new.end_of_life_kg),
        "document_date": new.date,
    }
    number = insert_proved(connection, product_footprint, values, document, who)
    detail = {**values, "document": document.name, "sha256": document.sha256}
    audit(connection, who.now, who.actor, "carbon.pcf.add", str(number), detail)
    return number


def same_footprint(connection: Connection, organisation_id: int, new: NewFootprint, sha256: str) -> bool:
    """Whether the same figures of the same file stand already."""
    wanted = (new.kind, new.vendor.strip(), new.model.strip(), new.device_class, new.total_kg, new.date, sha256)
    return any(
        (
            row.kind,
            row.vendor,
            row.model,
            row.device_class,
            Decimal(row.total_kg),
            row.document_date,
            row.document_sha256,
        )
        == wanted
        for row in documents(connection, organisation_id)
    )


def undo_footprint(connection: Connection, organisation_id: int, number: int, reason: str, who: Who) -> None:
    """Let a document count no longer. Raises NotFound."""
    mine = (product_footprint.c.id == number) & (product_footprint.c.organisation_id == organisation_id)
    withdraw_proved(connection, product_footprint, mine, "pcf", number, reason, who)


def read_footprints(path: Path, folder: Path) -> list[tuple[NewFootprint, Path]]:
    """Rows of a file with the document that each names, in `folder`. Raises BadRequest with the cell that is wrong."""
    found = []
    for row in read_rows(path, HEADS, NEEDED, PAGE):
        document = folder / row.needed("document")
        if document.name != row.needed("document") or not document.is_file():
            raise row.refuse(
                "document", f"there is no file {document.name} in {folder}", "give the folder of documents"
            )
        found.append((_of_row(row), document))
    if not found:
        raise BadRequest(f"{path.name} has no rows below its heads", f"see {PAGE}")
    return found


def _of_row(row: TableRow) -> NewFootprint:
    kind = row.text("kind", "pcf").lower()
    if kind not in SOURCE_KINDS:
        raise row.refuse("kind", f"{kind} is no kind of document", f"use one of {', '.join(SOURCE_KINDS)}")
    date = row.date("date")
    if date is None:
        raise row.refuse("date", "the document's date is empty", "fill it")
    parts = (row.number_in("use"), row.number_in("transport"), row.number_in("end_of_life"))
    named = (row.text("vendor"), row.text("model"), row.text("device_class").lower().replace(" ", "_"))
    try:
        return NewFootprint(kind, *named, row.amount("total"), *parts, date.isoformat())
    except BadRequest as error:
        raise row.refuse("total", error.message, error.remedy) from error


def lives(connection: Connection, organisation_id: int) -> Mapping[str, Row[Any]]:
    """Service lives that the organisation set, by class."""
    query = select(service_life).where(service_life.c.organisation_id == organisation_id)
    return {row.device_class: row for row in connection.execute(query)}


def set_life(
    connection: Connection, organisation_id: int, device_class: str, years: Decimal, reason: str, who: Who
) -> None:
    """Say how long devices of a class are kept, in years. Raises BadRequest for a class that there is not."""
    if device_class not in CLASSES:
        raise BadRequest(f"{device_class} is no class of devices", f"use one of {', '.join(CLASSES)}")
    if not Decimal("0.5") <= years <= 30:
        raise BadRequest(f"{years} years is no service life", "it lies between half a year and 30 years")
    key = {"organisation_id": organisation_id, "device_class": device_class}
    values = {"years": f"{years:f}", "reason": reason, "added_at": who.now, "actor": who.actor}
    upsert(connection, service_life, [{**key, **values}], list(values))
    audit(connection, who.now, who.actor, "carbon.life.set", device_class, {"years": f"{years:f}", "reason": reason})


def _footprint(row: Row[Any]) -> ProductFootprint:
    return ProductFootprint(
        id=row.id,
        kind=row.kind,
        vendor=row.vendor,
        model=row.model,
        device_class=row.device_class,
        total_kg=Decimal(row.total_kg),
        use_kg=_number(row.use_kg),
        transport_kg=_number(row.transport_kg),
        end_of_life_kg=_number(row.end_of_life_kg),
        document=row.document,
        document_date=row.document_date,
        sha256=row.document_sha256,
    )


def _text(number: Decimal | None) -> str:
    return "" if number is None else f"{number:f}"


def _number(text: str) -> Decimal | None:
    return Decimal(text) if text else None
