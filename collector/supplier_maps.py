"""How suppliers' files are read, kept by a name: `--map npower` for every file of that supplier."""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from collector.database.audit import audit
from collector.database.schema import supplier_mapping
from collector.database.upsert import upsert
from collector.errors import BadRequest, NotFound
from collector.half_hourly.mapping import SupplierMapping, from_values, read_mapping


@dataclass(frozen=True, slots=True)
class SavedMapping:
    """`saved_at` in Unix seconds."""

    name: str
    mapping: SupplierMapping
    actor: str
    saved_at: int


def find_mapping(connection: Connection, name: str | None) -> SupplierMapping | None:
    """The mapping that is saved by a name, else that of a file; None without a name. Raises NotFound, or BadRequest."""
    if name is None:
        return None
    saved = {one.name: one for one in saved_mappings(connection)}
    if name in saved:
        return saved[name].mapping
    if name.lower().endswith(".toml") or Path(name).is_file():
        return read_mapping(Path(name))
    known = ", ".join(saved) or "none is saved"
    raise NotFound(f"there is no mapping {name} ({known})", "save one: ictagent ledger map save NAME FILE.toml")


def saved_mappings(connection: Connection) -> list[SavedMapping]:
    """All that are saved, by name."""
    rows = connection.execute(select(supplier_mapping).order_by(supplier_mapping.c.name))
    return [
        SavedMapping(row.name, from_values(json.loads(row.mapping), row.name), row.actor, row.saved_at) for row in rows
    ]


def save_mapping(connection: Connection, name: str, mapping: SupplierMapping, actor: str, now: int) -> None:
    """Keep a mapping by a name, in place of one that was there; the audit log has both."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", name):
        raise BadRequest(f"{name!r} is no name of a mapping", "use letters, digits, - and _")
    before = connection.execute(select(supplier_mapping.c.mapping).where(supplier_mapping.c.name == name)).scalar()
    values = {key: value for key, value in asdict(mapping).items() if value != getattr(SupplierMapping(), key)}
    row = {"name": name, "mapping": json.dumps(values, sort_keys=True), "actor": actor, "saved_at": now}
    upsert(connection, supplier_mapping, [row], ("mapping", "actor", "saved_at"))
    audit(connection, now, actor, "ledger.map", name, {"mapping": values, "before": json.loads(before or "{}")})
