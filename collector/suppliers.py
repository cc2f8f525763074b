"""The register of suppliers: contract, carbon plan, target, product footprints, evidence, and what is next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from collector.database.audit import audit
from collector.database.schema import supplier, supplier_vendor
from collector.documents import Document
from collector.errors import BadRequest, NotFound
from collector.taking import Who

FIELDS = (
    *(
        "supplies",
        "contract",
        "contract_end",
        "carbon_plan",
        "target_year",
        "pcf_state",
        "pcf_date",
        "next_date",
        "note",
    ),
)
DEFAULTS = {**dict.fromkeys(FIELDS, ""), "supplies": "goods", "pcf_state": "not asked"}


@dataclass(frozen=True, slots=True)
class Supplier:
    """A supplier as it stands, with the makers whose devices it sells."""

    row: Row[Any]
    vendors: Sequence[str]


def suppliers(connection: Connection, organisation_id: int) -> list[Supplier]:
    """An organisation's suppliers by name."""
    query = select(supplier).where(supplier.c.organisation_id == organisation_id).order_by(supplier.c.name)
    vendors: dict[int, list[str]] = {}
    for row in connection.execute(select(supplier_vendor).order_by(supplier_vendor.c.vendor)):
        vendors.setdefault(row.supplier_id, []).append(row.vendor)
    return [Supplier(row, vendors.get(row.id, [])) for row in connection.execute(query)]


def find_supplier(connection: Connection, organisation_id: int, name: str) -> Supplier:
    """The supplier of this name. Raises NotFound."""
    for one in suppliers(connection, organisation_id):
        if one.row.name == name:
            return one
    raise NotFound(f"there is no supplier {name}", "see `ictagent carbon supplier list`")


def set_supplier(
    connection: Connection,
    organisation_id: int,
    name: str,
    changes: Mapping[str, str],
    vendors: Sequence[str] | None,
    document: Document | None,
    who: Who,
) -> None:
    """Add a supplier, or say what is new of it; what is not among the changes stays. `vendors` None: as they are.

    Raises BadRequest where another supplier sells one of the makers already.
    """
    if not name.strip():
        raise BadRequest("a supplier needs a name", "give it")
    standing = {one.row.name: one for one in suppliers(connection, organisation_id)}
    values: dict[str, Any] = {**changes, "added_at": who.now, "actor": who.actor}
    if document is not None:
        values |= {"document": document.name, "document_sha256": document.sha256}
    before = standing.get(name)
    if before is None:
        empty = {**DEFAULTS, "document": "", "document_sha256": ""}
        made = connection.execute(
            insert(supplier).values(organisation_id=organisation_id, name=name, **{**empty, **values})
        )
        supplier_id = int((made.inserted_primary_key or (0,))[0])
    else:
        supplier_id = before.row.id
        connection.execute(update(supplier).where(supplier.c.id == supplier_id).values(**values))
    if vendors is not None:
        _set_vendors(connection, standing.values(), supplier_id, vendors)
    old = {} if before is None else {key: getattr(before.row, key) for key in changes}
    detail = {"name": name, **changes, "before": old, "vendors": None if vendors is None else list(vendors)}
    audit(connection, who.now, who.actor, "carbon.supplier.set", str(supplier_id), detail)


def vendor_key(vendor: str) -> str:
    """A maker's name as it is compared: case and spaces change from row to row."""
    return " ".join(vendor.casefold().split())


def by_vendor(standing: Sequence[Supplier]) -> dict[str, str]:
    """The supplier's name by each maker's key; a supplier sells what has its own name."""
    found = {vendor_key(one.row.name): str(one.row.name) for one in standing}
    return found | {vendor_key(vendor): str(one.row.name) for one in standing for vendor in one.vendors}


def _set_vendors(connection: Connection, standing: Any, supplier_id: int, vendors: Sequence[str]) -> None:
    wanted = {vendor_key(one): one.strip() for one in vendors if one.strip()}
    for other in standing:
        taken = {vendor_key(one) for one in other.vendors} & set(wanted)
        if other.row.id != supplier_id and taken:
            raise BadRequest(
                f"{other.row.name} sells {', '.join(sorted(taken))} already",
                "a maker's devices are one supplier's: take it from that one first",
            )
    connection.execute(delete(supplier_vendor).where(supplier_vendor.c.supplier_id == supplier_id))
    if wanted:
        rows = [{"supplier_id": supplier_id, "vendor": vendor} for vendor in wanted.values()]
        connection.execute(insert(supplier_vendor), rows)
