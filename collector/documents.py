"""Evidence files: their name and SHA-256 go into the database, the file stays where the organisation keeps its papers.

Rows that a document proves are withdrawn, never deleted: a published report may rest on them.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, insert, update

from collector.database.audit import audit
from collector.errors import BadRequest, NotFound
from collector.taking import Who

MOST_BYTES = 200 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Document:
    """A file that proves something: its name without its folder, and the SHA-256 of its bytes."""

    name: str
    sha256: str


def read_document(path: Path) -> Document:
    """The name and hash of an evidence file. Raises BadRequest where it cannot be read, is empty, or is too large."""
    try:
        size = path.stat().st_size
        if not 0 < size <= MOST_BYTES:
            problem = "is empty" if not size else f"has {size // 1024 // 1024} MB"
            raise BadRequest(
                f"{path.name} {problem}", f"give the evidence itself, up to {MOST_BYTES // 1024 // 1024} MB"
            )
        with path.open("rb") as file:
            return Document(path.name, hashlib.file_digest(file, "sha256").hexdigest())
    except OSError as error:
        raise BadRequest(
            f"{path} cannot be read: {error.strerror}", "check the file's name and who may read it"
        ) from error


def insert_proved(connection: Connection, table: Table, values: Mapping[str, Any], document: Document, who: Who) -> int:
    """Insert a row with its document, who and when; its number."""
    written = {"document": document.name, "document_sha256": document.sha256, "added_at": who.now, "actor": who.actor}
    made = connection.execute(insert(table).values(**values, **written)).inserted_primary_key
    assert made is not None  # noqa: S101  # the database numbers its rows
    return int(made[0])


def withdraw_proved(
    connection: Connection, table: Table, wanted: Any, what: str, number: int, reason: str, who: Who
) -> None:
    """Let a row count no longer, and say why in the audit log. Raises NotFound where none of `wanted` stands."""
    values = {"withdrawn_at": who.now, "withdrawn_by": who.actor, "withdrawn_reason": reason}
    mine = wanted & table.c.withdrawn_at.is_(None)
    if not connection.execute(update(table).where(mine).values(**values)).rowcount:
        raise NotFound(f"there is no {what} {number} that stands", "see the list")
    audit(connection, who.now, who.actor, f"carbon.{what}.withdraw", str(number), {"reason": reason})
