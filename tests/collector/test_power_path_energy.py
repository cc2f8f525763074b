"""What passes through a PDU's places has half-hours in the ledger like every meter, and enters no total."""

import pytest
from sqlalchemy import func, select

from collector.database.engine import Database
from collector.database.schema import device_status, energy_fact, ledger, ledger_due, meter
from collector.ledger import METERS_AT_ONCE, current, provisional, roll
from collector.power_path import WantedLink, make_link
from collector.running_totals import TotalsCache
from collector.snmp.device import DeviceReading
from collector.snmp.places import Place
from tests.collector.hosts import recent_half_hour
from tests.snmp.power_path_of_tests import Polled, device_reading, reading


def pdu(database: Database, start: int) -> Polled:
    """A PDU with a counted and an uncounted outlet, 80 W each, under an inlet of 160 W."""

    def read(second: int) -> DeviceReading:
        energy = 100 + 80 * second / 3.6e6
        return device_reading(
            "pdu",
            [
                reading("inlet", "1", "Inlet", 160),
                reading("outlet", "1", "web01 A", 80),
                reading("outlet", "1", "web01 A", energy, "energy", step=1e-6),
                reading("outlet", "2", "web01 B", 80),
                reading("outlet", "3", "spare", 0.0, "current"),
            ],
            "pdu-1",
        )

    return Polled(database, start, read)


def test_outlets_have_half_hours_in_the_ledger_and_are_in_no_total(database: Database) -> None:
    start = recent_half_hour(4)
    one = pdu(database, start)
    one.run(range(0, 5401, 60))
    with database.read() as connection:
        live = provisional(connection, one.device_id)
    one.roll()
    with database.read() as connection:
        rows = connection.execute(
            select(meter.c.name, meter.c.source, ledger)
            .join(ledger, ledger.c.meter_id == meter.c.id)
            .where(current(), ledger.c.half_hour == start + 1800)
        ).all()
        made = set(connection.execute(select(meter.c.name)).scalars())
        own = connection.execute(select(meter.c.id).where(meter.c.covers != "feeds")).scalars()
        assert set(live) <= set(own)
        assert connection.execute(select(device_status.c.power_watts)).scalar_one() == 10.0
    assert made == {"snmp_catalogue/power", "whole", "inlet/1", "outlet/1", "outlet/2"}
    by_name = {row.name: row for row in rows}
    for name, watts in (("outlet/1", 80), ("outlet/2", 80), ("inlet/1", 160), ("whole", 160)):
        assert by_name[name].measured_uj == pytest.approx(watts * 1800 * 1e6, rel=1e-9)
        assert by_name[name].covered_seconds == 1800
    assert by_name["outlet/1"].source == "snmp_counter"
    assert '"counters"' in by_name["outlet/1"].evidence
    assert by_name["outlet/2"].source == "snmp_watts"
    # The totals are the PDU's own estimate of 10 W over an hour and a half, and nothing that it feeds.
    totals = TotalsCache(database).get()
    assert totals.year_of(one.device_id).energy.total_uj == pytest.approx(10 * 5400 * 1e6, rel=0.02)


def test_a_pdu_of_48_outlets_writes_few_rows_and_its_ledger_quickly(sqlite_database: Database) -> None:
    start = recent_half_hour(4)
    readings = [reading("outlet", str(number), f"Outlet {number}", 50) for number in range(1, 49)]
    one = Polled(sqlite_database, start, lambda _: device_reading("pdu", readings, "pdu-1"))
    one.run(range(0, 1801, 60))
    with sqlite_database.read() as connection:
        facts = connection.execute(
            select(func.count()).select_from(energy_fact).join(meter).where(meter.c.covers == "feeds")
        )
        assert facts.scalar_one() == 48 * 6
    with sqlite_database.write() as connection:
        roll(connection, one.device_id, start + 3600)
    with sqlite_database.read() as connection:
        names = set(connection.execute(select(meter.c.name).join(ledger).where(current())).scalars())
    assert "snmp_catalogue/power" in names, "its own comes first"
    assert len(names) == METERS_AT_ONCE, "one transaction writes some of it"
    one.roll()
    with sqlite_database.read() as connection:
        waiting = select(func.count()).select_from(ledger_due).where(ledger_due.c.half_hour <= start)
        assert connection.execute(waiting).scalar_one() == 0
        rows = select(func.count()).select_from(ledger).where(ledger.c.half_hour == start)
        assert connection.execute(rows).scalar_one() == 49


def test_an_outlet_that_was_linked_before_it_was_read_is_counted_by_its_counter(database: Database) -> None:
    start = recent_half_hour(4)
    one = pdu(database, start)
    fed = Polled(database, start, lambda _: device_reading("server", [], "web01"), name="web01")
    with database.write() as connection:
        wanted = WantedLink(one.device_id, Place("outlet/1", "outlet", "web01 A"), fed.device_id, start)
        make_link(connection, wanted, "user:pat")
    one.run(range(0, 1861, 60))
    one.roll()
    with database.read() as connection:
        query = select(meter.c.kind, meter.c.source, ledger.c.measured_uj).join(ledger)
        row = connection.execute(
            query.where(meter.c.name == "outlet/1", ledger.c.half_hour == start, current())
        ).one_or_none()
    assert row is not None, "its readings were left out"
    assert (row.kind, row.source) == ("counter", "snmp_counter")
    assert row.measured_uj == pytest.approx(80 * 1800 * 1e6, rel=1e-9)


@pytest.mark.parametrize("fine_first", [True, False])
def test_an_inlet_whose_counter_becomes_finer_or_coarser_loses_no_half_hour(
    database: Database, *, fine_first: bool
) -> None:
    start = recent_half_hour(6)

    def read(second: int) -> DeviceReading:
        step = 0.001 if (second < 2700) == fine_first else 0.1
        energy = reading("inlet", "1", "Inlet", 100 + 5 * second / 3600, "energy", step=step)
        return device_reading("pdu", [reading("inlet", "1", "Inlet", 5000), energy], "pdu-1")

    one = Polled(database, start, read)
    one.run(range(0, 7261, 60))
    one.roll()
    with database.read() as connection:
        query = select(ledger.c.half_hour, ledger.c.measured_uj, ledger.c.covered_seconds).join(meter)
        query = query.where(current(), meter.c.name == "inlet/1", ledger.c.half_hour < start + 7200)
        rows = {row.half_hour - start: row for row in connection.execute(query)}
    assert sorted(rows) == [0, 1800, 3600, 5400]
    for row in rows.values():
        assert row.covered_seconds >= 1440, "what was added up when it changed is lost, as coverage"
        assert row.measured_uj <= 5000 * 1800 * 1e6 * 1.0001
        assert row.measured_uj >= 5000 * 1440 * 1e6
