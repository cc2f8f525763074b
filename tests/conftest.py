"""What all tests share: the folder of reference data beside the project, a PostgreSQL, and how a missing part is treated."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import text

from collector.database.engine import Database, open_database
from collector.database.migrate import migrate
from tests.servers.postgres import binaries, postgres

SHARED = Path(__file__).parents[2] / "shared"


def missing(what: str) -> NoReturn:
    """A test needs a part that is not here: a failure on CI, elsewhere a skip with the reason."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and on CI nothing may be")
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The reference data beside the project; a user's clone has none."""
    if not (SHARED / "carbon.md").is_file():
        missing("the folder `shared` beside the checkout")
    return SHARED


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server for this worker, by its URL."""
    if binaries() is None:
        missing("PostgreSQL (Debian package postgresql)")
    with postgres(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """An empty PostgreSQL database: nothing of an earlier test is in it, and nobody of one is connected."""
    opened = open_database(postgres_server)
    others = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with opened.engine.begin() as connection:
        connection.execute(others)
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    opened.close()
    return postgres_server


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[Database]:
    """An empty, migrated PostgreSQL database."""
    opened = open_database(postgres_url)
    migrate(opened)
    yield opened
    opened.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long tests begin first, those with a limit of their own before the others of real processes: quick ones fill the
    end, where workers would otherwise wait for one another."""
    items.sort(key=lambda item: (item.get_closest_marker("timeout") is None, "/tests/system/" not in str(item.path)))
