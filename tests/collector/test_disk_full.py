"""A full disk under the collector's database: said clearly, nothing half recorded, and it goes on by itself."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from collector.database.engine import Database, open_database
from collector.database.migrate import migrate
from collector.database.schema import energy_fact, inventory, outbox, report_sequence, report_stream
from collector.errors import CollectorError, DatabaseFull
from collector.outbox import Pump, Trim, trim
from collector.stores.embedded import EmbeddedStore
from tests.collector.hosts import Host, new_host, recent_half_hour
from tests.collector.ingesting import Sender
from tests.collector.small_disk import SmallDisk, small_disk
from tests.servers.process import wait_until


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", 8) as one:
        yield one


@pytest.fixture
def database(disk: SmallDisk) -> Iterator[Database]:
    opened = open_database(disk.path / "ictagent.db")
    migrate(opened)
    yield opened
    opened.close()


@pytest.fixture
def sender(database: Database) -> Iterator[Sender]:
    one = Sender(database)
    yield one
    one.close()


def counts(database: Database) -> list[int]:
    tables = (report_stream, report_sequence, energy_fact, inventory, outbox)
    with database.read() as connection:
        return [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]


def send_until_full(sender: Sender, host: Host) -> tuple[int, DatabaseFull]:
    """Send reports until one is refused; how many were taken, and the refusal."""
    for taken in range(10_000):
        report = host.report(host.sequence * 60, host.sequence * 60 + 50)
        try:
            sender.send(host, report)
        except DatabaseFull as error:
            host.sequence -= 1
            return taken, error
    raise AssertionError("the disk was never full")


def test_a_full_disk_refuses_reports_with_what_to_do_and_takes_them_again_when_there_is_space(
    disk: SmallDisk, database: Database, sender: Sender
) -> None:
    host = new_host(database, recent_half_hour(30))
    sender.send(host, host.report(0, 50))
    disk.fill(leaving=256 * 1024)
    taken, error = send_until_full(sender, host)
    assert (error.status, error.code) == (507, "database_full")
    assert "cannot grow" in error.message
    assert "free space on its disk" in error.remedy
    before = counts(database)
    assert before[1] == taken + 1, "each report taken is whole, and of the refused one nothing is there"
    for _ in range(3):
        with pytest.raises(DatabaseFull):
            sender.send(host, host.report(host.sequence * 60, host.sequence * 60 + 50))
        host.sequence -= 1
    assert counts(database) == before
    disk.make_room()
    for _ in range(20):
        assert not sender.send(host, host.report(host.sequence * 60, host.sequence * 60 + 50)).duplicate
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert connection.execute(select(report_stream.c.low_water)).scalar_one() == taken + 1 + 20


def test_a_new_host_on_a_full_disk_leaves_no_half_of_itself(
    disk: SmallDisk, database: Database, sender: Sender
) -> None:
    host, newcomer = (new_host(database, recent_half_hour(30)) for _ in range(2))
    disk.fill(leaving=256 * 1024)
    send_until_full(sender, host)
    before = counts(database)
    with pytest.raises(CollectorError) as caught:
        sender.send(newcomer, newcomer.report(0, 3000))
    assert caught.value.status == 507
    assert counts(database) == before


def test_the_pump_waits_for_space_and_goes_on_by_itself(
    disk: SmallDisk,
    database: Database,
    sender: Sender,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("collector.outbox.LONGEST_PAUSE_SECONDS", 0.5)
    host = new_host(database, recent_half_hour(30))
    sender.send(host, host.report(0, 50))
    store = EmbeddedStore(disk.path / "points.db")
    disk.fill(leaving=256 * 1024)
    taken, _ = send_until_full(sender, host)
    disk.fill()
    with caplog.at_level(logging.WARNING):
        pump = Pump(database, sender.writer, store, "collector-1")
        wait_until(lambda: pump.state.problem, "the pump to notice")
    assert "space" in pump.state.remedy
    assert "space" in caplog.text
    disk.make_room()
    wait_until(lambda: pump.state.batches >= taken + 1, "the pump to go on")
    points = store.read("system_cpu", 0, 2**62)[0].points
    assert len(points) == 6 * (taken + 1)
    pump.stop()
    finished, dropped = sender.writer.run(trim, Trim("collector-1", ("embedded",), 10**9))
    assert (finished, dropped) == (taken + 1, 0)
