"""Diagnoses: what a person should know of a device, and what to do; one that is known already counts up."""

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from collector.database.schema import diagnosis


def diagnose(connection: Connection, device_id: str, code: str, detail: str, remedy: str, at: int) -> None:
    """Note a diagnosis of a device; one that is known already counts up."""
    insert_ = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert_(diagnosis).values(
        device_id=device_id, code=code, detail=detail, remedy=remedy, first_at=at, last_at=at, count=1
    )
    changes = {
        "count": diagnosis.c.count + 1,
        "last_at": statement.excluded.last_at,
        "detail": statement.excluded.detail,
        "remedy": statement.excluded.remedy,
    }
    connection.execute(statement.on_conflict_do_update(index_elements=["device_id", "code"], set_=changes))
