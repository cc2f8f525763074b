"""Keys of a collector from before keys had an end go on, and end a year after the upgrade."""

import time
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from collector.database.engine import Database, open_database
from collector.database.migrate import MIGRATIONS, migrate
from collector.enrolment import EnrolRequest, enrol
from collector.keys import Issued, find_key, hashed, proved


@pytest.fixture(params=["sqlite", "postgresql"])
def earlier(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """A database as the first schema has it, with a host, its key, its stream and a token."""
    if request.param == "postgresql":
        database: Database = request.getfixturevalue("postgres_database")
        with database.engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    else:
        database = open_database(tmp_path / "earlier.db")
        request.addfinalizer(database.close)
    configuration = Config()
    configuration.set_main_option("script_location", str(MIGRATIONS))
    with database.write() as connection:
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "0001")
        for statement in (
            "INSERT INTO organisation (name, time_zone, year_rule, count_host_missing)"
            " VALUES ('Council', 'Europe/London', 'majority', false)",
            "INSERT INTO device (id, organisation_id, kind, created_at) SELECT 'd1', id, 'host', 1 FROM organisation",
            "INSERT INTO agent_key (id, sha256, device_id, created_at) VALUES ('k1', :key, 'd1', 1)",
            "INSERT INTO report_stream (key_id, stream_id, low_water) VALUES ('k1', 'stream-0001', 7)",
            "INSERT INTO enrolment_token (id, sha256, label, site, created_at, expires_at, uses_left)"
            " VALUES ('t1', :token, 'old', 'Hall', 1, 1099511627776, 3)",
        ):
            secrets = {"key": hashed("secret"), "token": hashed("token")}
            bound = {name: value for name, value in secrets.items() if f":{name}" in statement}
            connection.execute(text(statement), bound)
    return database


def test_an_upgrade_keeps_keys_streams_and_tokens(earlier: Database) -> None:
    now = int(time.time())
    migrate(earlier)
    with earlier.read() as connection:
        key = find_key(connection, "k1")
        streams = connection.execute(text("SELECT key_id, low_water FROM report_stream")).all()
    assert key is not None
    assert proved(key, "secret", now) == key.sha256
    assert abs(key.expires_at - now - 365 * 86_400) < 60
    assert [tuple(row) for row in streams] == [("k1", 7)]
    with earlier.write() as connection:
        [issued] = enrol(connection, [EnrolRequest("t1.token", "web01", "host")])
    assert isinstance(issued, Issued)
