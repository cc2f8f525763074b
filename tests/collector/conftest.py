"""Fixtures of the collector's tests: both databases, real ones, and a collector that takes reports."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from collector.database.engine import Database, open_database
from collector.database.migrate import migrate
from tests.conftest import missing
from tests.servers import influxd as influx_server
from tests.servers.postgres import binaries, postgres


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server for this worker."""
    if binaries() is None:
        missing("PostgreSQL (Debian package postgresql)")
    with postgres(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[Database]:
    """An empty, migrated PostgreSQL database."""
    opened = open_database(postgres_url)
    with opened.engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    migrate(opened)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_database(tmp_path: Path) -> Iterator[Database]:
    """An empty, migrated SQLite database."""
    opened = open_database(tmp_path / "ictagent.db")
    migrate(opened)
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """An empty, migrated database of either kind."""
    name = "sqlite_database" if request.param == "sqlite" else "postgres_database"
    opened: Database = request.getfixturevalue(name)
    return opened


@pytest.fixture
def influx(tmp_path: Path) -> Iterator[influx_server.Influxd]:
    """A real InfluxDB behind nginx."""
    if absent := influx_server.missing_program():
        missing(f"{absent} (Debian packages influxdb and nginx-light)")
    with influx_server.influxd(tmp_path / "influxd") as server:
        yield server
