"""Bringing a database to this release's schema, and making its first rows."""

import secrets
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, select

from collector.database.engine import Database
from collector.database.schema import organisation, setting
from collector.errors import DatabaseError

MIGRATIONS = Path(__file__).parent / "migrations"
DEFAULT_ORGANISATION = {
    "name": "This organisation",
    "time_zone": "Europe/London",
    "year_rule": "majority",
    "count_host_missing": False,
}


def migrate(database: Database) -> None:
    """Run what migrations are missing, in one transaction, and make the first organisation.

    Raises DatabaseError if a newer release has migrated the database: an old program would misread it.
    """
    configuration = Config()
    configuration.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(configuration)
    with database.write() as connection:
        if not database.is_sqlite:
            # Two collectors that start together: one migrates, the other waits and finds nothing to do.
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(4242001)")
        known = {script.revision for script in scripts.walk_revisions()}
        found = set(MigrationContext.configure(connection).get_current_heads())
        if found - known:
            raise DatabaseError(
                f"the database was migrated by a newer release (revision {min(found - known)})",
                "install that release of ictagent, or restore the backup made before",
            )
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "head")
        _first_rows(connection)


def _first_rows(connection: Connection) -> None:
    if connection.execute(select(organisation.c.id)).first() is None:
        connection.execute(insert(organisation).values(DEFAULT_ORGANISATION))
    for name, value in (("estate_version", "0"), ("installation_id", secrets.token_urlsafe(12))):
        if connection.execute(select(setting.c.value).where(setting.c.name == name)).first() is None:
            connection.execute(insert(setting).values(name=name, value=value))
