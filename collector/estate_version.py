"""The estate's version: counted up by every edit, so that each collector reads its devices anew with their next report."""

from sqlalchemy import Connection, Integer, Text, cast, select, update

from collector.database.schema import setting

_NAME = "estate_version"
_VERSION = select(setting.c.value).where(setting.c.name == _NAME)


def estate_version(connection: Connection) -> str:
    """Changes whenever anything about the estate is edited."""
    version: str = connection.execute(_VERSION).scalar_one()
    return version


def touch(connection: Connection) -> None:
    """Count it up, in the transaction of the edit."""
    counted = cast(cast(setting.c.value, Integer) + 1, Text)
    connection.execute(update(setting).where(setting.c.name == _NAME).values(value=counted))
