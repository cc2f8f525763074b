"""One host that sends nonsense about a meter keeps no other host out of the ledger."""

import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import insert, select

from agent.report import Reading
from collector.database.engine import Database
from collector.database.schema import energy_fact, meter, rejected_rows
from collector.database.writer import Writer
from collector.errors import CollectorError, DatabaseFull
from collector.record import Recorded
from collector.rolling import write_round
from tests.collector.hosts import Host, deliver, ledger_sums, new_host, recent_half_hour


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    one = Writer(database)
    yield one
    one.close()


def write_ledger_of_all(database: Database, writer: Writer) -> int:
    return write_round(database, writer, "collector-1", int(time.time()), threading.Event())


def whole_host(database: Database) -> Host:
    host = new_host(database, recent_half_hour(6))
    deliver(database, host, *host.reports(3600, every=300))
    return host


def test_a_meter_that_changes_its_kind_is_counted_as_what_it_was(database: Database, writer: Writer) -> None:
    host, other = new_host(database, recent_half_hour(6)), whole_host(database)
    good, spoiled, last = host.report(0, 600), host.report(610, 660), host.report(670, 3600)
    counter, processors = spoiled.meters
    spoiled.meters = [counter._replace(kind="utilisation"), processors]
    own = [one for one in spoiled.readings if one.meter == 1]
    spoiled.readings = [Reading(0, spoiled.samples[0].wall_ns, 0, [5, 6], []), *own]
    assert deliver(database, host, good, spoiled, last) == [Recorded(False, 0), Recorded(False, 1), Recorded(False, 0)]
    assert write_ledger_of_all(database, writer) > 0
    sums = ledger_sums(database)
    assert sums == {one.enrolled.device_id: 3600 * 100 * 10**6 for one in (host, other)}
    with database.read() as connection:
        reasons = connection.execute(select(rejected_rows.c.reason, rejected_rows.c.count)).all()
    assert [tuple(row) for row in reasons] == [("energy of a meter that was of another kind before", 1)]


def test_a_device_that_cannot_be_written_is_said_and_holds_up_no_other(database: Database, writer: Writer) -> None:
    hosts = [whole_host(database) for _ in range(3)]
    with database.write() as connection:
        query = select(meter.c.id).where(meter.c.device_id == hosts[1].enrolled.device_id, meter.c.kind == "counter")
        values = {"meter_id": connection.execute(query).scalar_one(), "half_hour": hosts[1].start, "epoch": "epoch-1"}
        connection.execute(insert(energy_fact).values(**values, part="spoiled", body="?"))
    with pytest.raises(CollectorError, match="an energy fact in the database cannot be read"):
        write_ledger_of_all(database, writer)
    sums = ledger_sums(database)
    assert [sums[one.enrolled.device_id] for one in hosts] == [3600 * 100 * 10**6, 0, 3600 * 100 * 10**6]
    with database.write() as connection:
        connection.execute(energy_fact.delete().where(energy_fact.c.part == "spoiled"))
    write_ledger_of_all(database, writer)
    assert ledger_sums(database)[hosts[1].enrolled.device_id] == 3600 * 100 * 10**6


def test_a_condition_of_the_database_ends_the_round_at_once(
    database: Database, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        whole_host(database)
    asked = []

    def full(*_: object) -> int:
        asked.append(1)
        raise DatabaseFull("the database cannot grow", "free space")

    monkeypatch.setattr(writer, "run", full)
    with pytest.raises(DatabaseFull):
        write_ledger_of_all(database, writer)
    assert len(asked) == 1
