"""From an empty database to this release's schema, once; and what is said of a database that cannot be used."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select, text

from collector.database.engine import Database, open_database
from collector.database.migrate import migrate
from collector.database.schema import metadata, organisation, setting
from collector.errors import DatabaseError
from tests.collector.small_disk import small_disk


def everything(database: Database) -> tuple[list[object], list[object], list[object]]:
    with database.read() as connection:
        settings = connection.execute(select(setting).order_by(setting.c.name)).all()
        organisations = connection.execute(select(organisation)).all()
        heads = MigrationContext.configure(connection).get_current_heads()
    return list(settings), list(organisations), list(heads)


def test_the_migrated_schema_is_the_one_the_code_knows(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_migrating_again_changes_nothing(database: Database) -> None:
    before = everything(database)
    assert [len(one) for one in before] == [2, 1, 1]
    migrate(database)
    migrate(database)
    assert everything(database) == before


def test_two_installations_differ(tmp_path: Path) -> None:
    found = []
    for name in ("a.db", "b.db"):
        opened = open_database(tmp_path / name)
        migrate(opened)
        found.append(everything(opened)[0][1])
        opened.close()
    assert found[0] != found[1]


def test_a_database_of_a_newer_release_is_refused_and_left_alone(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError) as caught:
        migrate(database)
    assert "newer release" in caught.value.message
    assert "9999" in caught.value.message
    assert "install that release" in caught.value.remedy
    with database.read() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == ["9999"]


def test_a_database_is_for_its_owner_only(tmp_path: Path) -> None:
    opened = open_database(tmp_path / "deep" / "er" / "ictagent.db")
    migrate(opened)
    assert (tmp_path / "deep" / "er").stat().st_mode & 0o077 == 0
    assert {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "deep" / "er").iterdir()} == {
        "ictagent.db": 0,
        "ictagent.db-shm": 0,
        "ictagent.db-wal": 0,
    }
    opened.close()


def test_sqlite_syncs_every_commit(sqlite_database: Database) -> None:
    with sqlite_database.read() as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert pragmas == ["wal", 2, 1, 10_000]


def test_a_reader_sees_one_moment(database: Database) -> None:
    def version() -> object:
        return reader.execute(select(setting.c.value).where(setting.c.name == "estate_version")).scalar_one()

    with database.read() as reader:
        assert version() == "0"
        with database.write() as connection:
            connection.execute(text("UPDATE setting SET value = '1' WHERE name = 'estate_version'"))
        assert version() == "0"
    with database.read() as reader:
        assert version() == "1"


def test_a_reader_cannot_write_to_postgresql(postgres_database: Database) -> None:
    with pytest.raises(DatabaseError, match="read-only"), postgres_database.read() as connection:
        connection.execute(text("UPDATE setting SET value = '1'"))


def test_a_damaged_file_is_said_to_be_damaged(tmp_path: Path) -> None:
    path = tmp_path / "ictagent.db"
    path.write_bytes(b"this is no database at all, and never was" * 100)
    with pytest.raises(DatabaseError) as caught:
        open_database(path)
    assert "damaged" in caught.value.message
    assert "backup" in caught.value.remedy
    assert path.read_bytes().startswith(b"this is no database"), "what is there may still be worth rescuing"


def test_damaged_pages_are_said_to_be_damaged(tmp_path: Path) -> None:
    path = tmp_path / "ictagent.db"
    opened = open_database(path)
    migrate(opened)
    opened.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (path.stat().st_size - 4096))
    with pytest.raises(DatabaseError, match="damaged"):
        migrate(open_database(path))


def test_a_path_that_is_no_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseError) as caught:
        open_database(tmp_path / "file" / "ictagent.db")
    assert str(tmp_path / "file" / "ictagent.db") in caught.value.message
    assert "writable directory" in caught.value.remedy


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1) as disk:
        disk.remount_read_only()
        with pytest.raises(DatabaseError) as caught:
            open_database(disk.path / "ictagent.db")
        assert str(disk.path) in caught.value.message
        assert "writable directory" in caught.value.remedy


@pytest.mark.parametrize(
    ("where", "words"),
    [("mysql://a@b/c", "not supported"), ("postgresql://host:port/x", "not a database URL"), ("://", "URL")],
)
def test_a_url_that_names_no_usable_database_is_refused(where: str, words: str) -> None:
    with pytest.raises(DatabaseError, match=words) as caught:
        open_database(where)
    assert caught.value.remedy


def test_a_server_that_is_away_is_an_error_of_the_database() -> None:
    opened = open_database("postgresql://ictagent@127.0.0.1:1/none")
    with pytest.raises(DatabaseError, match="connection"):
        migrate(opened)
    opened.close()
