"""Fixtures of the collector's tests: both databases, real ones, and a collector that takes reports."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.database.engine import Database
from tests.conftest import missing
from tests.servers import influxd as influx_server


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
