"""What all tests share: the folder of reference data beside the project, empty databases, and how a missing part is treated."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from collector.database.engine import Database, open_database
from collector.database.migrate import migrate
from tests.servers.postgres import binaries, new_database, postgres

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
    return new_database(postgres_server, "test")


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """The name of an empty, migrated PostgreSQL database, to be copied."""
    _migrated(new_database(postgres_server, "migrated"))
    return "migrated"


@pytest.fixture
def postgres_database(postgres_server: str, postgres_url: str, postgres_template: str) -> Iterator[Database]:
    """An empty, migrated PostgreSQL database."""
    del postgres_url  # the same database, while it had no tables
    opened = open_database(new_database(postgres_server, "test", postgres_template))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an empty, migrated SQLite database, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "ictagent.db"
    _migrated(path)
    assert [one.name for one in path.parent.iterdir() if one.name.endswith("-wal")] == [], "not all is in the file yet"
    return path


@pytest.fixture
def sqlite_database(tmp_path: Path, sqlite_template: Path) -> Iterator[Database]:
    """An empty, migrated SQLite database, where a collector with the state directory `tmp_path` has it."""
    shutil.copyfile(sqlite_template, tmp_path / "ictagent.db")
    opened = open_database(tmp_path / "ictagent.db")
    yield opened
    opened.close()


def _migrated(where: str | Path) -> None:
    opened = open_database(where)
    migrate(opened)
    opened.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long tests begin first, those with a limit of their own before the others of real processes: quick ones fill the
    end, where workers would otherwise wait for one another."""
    items.sort(key=lambda item: (item.get_closest_marker("timeout") is None, "/tests/system/" not in str(item.path)))
