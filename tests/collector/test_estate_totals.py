"""The estate's totals: readings, profiles, unexplained energy, overheads and homes, each kilowatt-hour once, by any key."""

import datetime
import itertools
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from agent.report import Choice, Inventory
from carbon.class_profiles import month_energy, packaged_profiles
from carbon.spaces import ASSUMED
from collector.database.engine import Database
from collector.device_energy import rules_of
from collector.estate import Placement, place
from collector.estate_coverage import CoverageRow, estate_coverage
from collector.estate_totals import KEYS, EstateTotal, EstateTotals, estate_totals
from collector.organisation import set_boundary
from collector.register.reading import read_register
from collector.register_import import apply
from collector.register_plan import plan
from collector.rolling import Due, write_ledger
from collector.taking import Acting
from collector.totals import month_totals, sum_totals
from tests.collector.hosts import Host, deliver, new_host, recent_half_hour

NOW = int(time.time())
MONTH = f"{datetime.datetime.fromtimestamp(recent_half_hour(), datetime.UTC):%Y-%m}"
LAST_MONTH = f"{datetime.date.fromisoformat(f'{MONTH}-01') - datetime.timedelta(days=1):%Y-%m}"
HEADERS = ["Asset No", "Serial", "Name", "Model", "Type", "Status", "Building", "Room", "Dept", "School", "Share"]
SERVER = ["1", "", "web01", "PowerEdge R640", "Server", "Live", "Town Hall", "Server room", "Digital", "", ""]
LAPTOP = ["2", "", "", "Latitude", "Laptop", "In use", "Town Hall", "Office 1", "Digital", "", ""]
PUPIL = ["3", "", "", "Latitude", "Laptop", "In use", "School", "", "Education", "yes", ""]
SHARED = ["4", "", "", "OptiPlex", "Desktop", "In use", "Depot", "", "Digital", "", "40%"]
SPARE = ["5", "", "", "OptiPlex", "Desktop", "Spare", "Depot", "", "Digital", "", ""]
SWITCH = ["6", "FOC1", "", "Catalyst", "Switch", "In use", "Depot", "", "Digital", "", ""]

Register = Callable[..., None]


@pytest.fixture
def registered(database: Database, tmp_path: Path) -> Register:
    """Imports lines as a register that was so since long before the months under test."""

    def registered(*lines: Sequence[str]) -> None:
        path = tmp_path / "register.csv"
        path.write_text("\n".join(",".join(line) for line in [HEADERS, *lines]), encoding="utf-8")
        file = read_register(path, None, datetime.date(2026, 11, 24))
        with database.read() as connection:
            planned = plan(connection, file, 1, datetime.date(2025, 1, 1), "Europe/London")
        apply(database, planned, Acting("test", NOW, "collector-1"))

    return registered


def server(database: Database) -> Host:
    """A server, measured as a whole, with a written half-hour in a data room."""
    host = new_host(database, recent_half_hour())
    host.choice = Choice("machine", ["rapl/package-0"], {})
    host.inventory = Inventory(host_name="web01", model="PowerEdge R640", platform="physical", chassis="server")
    deliver(database, host, *host.reports(1800, every=600))
    with database.write() as connection:
        place(
            connection,
            host.enrolled.device_id,
            Placement("Town Hall", "Server room", "data_room", directorate="Digital"),
            "test",
            host.start,
        )
        write_ledger(connection, [Due(host.enrolled.device_id, NOW, "collector-1")])
    return host


def totals(database: Database, first: str = MONTH, last: str = MONTH) -> EstateTotals:
    with database.read() as connection:
        return estate_totals(connection, first, last, NOW)


def whole(found: EstateTotals) -> EstateTotal:
    total = EstateTotal()
    for one in found.rows.values():
        total += one
    return total


def month_of(name: str, month: str, devices: int = 1) -> int:
    """What a packaged profile says of devices all through a month that is over, at the council's places."""
    first = datetime.date.fromisoformat(f"{month}-01")
    days = ((first + datetime.timedelta(days=32)).replace(day=1) - first).days
    return month_energy(packaged_profiles()[name], month, devices * days).office_uj


def test_readings_are_those_of_the_ledger_where_no_tree_is_drawn(database: Database) -> None:
    server(database)
    with database.read() as connection:
        first = datetime.date.fromisoformat(f"{MONTH}-01")
        last = datetime.datetime.fromtimestamp(NOW, datetime.UTC).date()
        expected = sum_totals(month_totals(connection, rules_of(connection), first, last, NOW).values())
    found = whole(totals(database))
    assert (found.measured_uj, found.estimated_uj) == (expected.energy.measured_uj, expected.energy.estimated_uj)
    assert found.measured_uj > 0


def test_a_class_without_readings_has_its_profile_at_its_place(database: Database, registered: Register) -> None:
    registered(LAPTOP, SPARE)
    found = totals(database, LAST_MONTH, LAST_MONTH).by("site", "space", "device_class")
    assert set(found) == {("Town Hall", "Office 1", "laptop")}
    [total] = found.values()
    assert total.profile_uj == month_of("laptop", LAST_MONTH)
    assert total.home_uj > 0
    assert total.it_uj == total.profile_uj


def test_a_shared_device_counts_with_the_councils_share(database: Database, registered: Register) -> None:
    registered(SHARED)
    [total] = totals(database, LAST_MONTH, LAST_MONTH).rows.values()
    assert total.profile_uj == pytest.approx(month_of("desktop", LAST_MONTH) * 0.4, abs=1)


def test_schools_are_left_out_where_the_boundary_says_so_and_are_still_shown(
    database: Database, registered: Register
) -> None:
    registered(LAPTOP, PUPIL)
    before = whole(totals(database, LAST_MONTH, LAST_MONTH))
    with database.write() as connection:
        set_boundary(connection, 1, "out", "they report for themselves", 0, "test", NOW)
    found = totals(database, LAST_MONTH, LAST_MONTH)
    assert whole(found).profile_uj + sum(one.profile_uj for one in found.left_out.values()) == before.profile_uj
    assert {key.site for key in found.left_out} == {"School"}
    assert {key.site for key in found.rows} == {"Town Hall"}


def test_a_registered_device_with_readings_has_them_and_the_registers_class(
    database: Database, registered: Register
) -> None:
    server(database)
    registered(SERVER)
    found = totals(database).by("site", "space", "directorate", "device_class", "service_category")
    [(key, total)] = found.items()
    assert key == ("Town Hall", "Server room", "Digital", "server", "servers")
    assert total.measured_uj > 0


def test_a_data_rooms_overhead_is_its_pues(database: Database) -> None:
    server(database)
    found = whole(totals(database))
    pue = Decimal(str(ASSUMED["data_room"].value))
    assert found.overhead_uj == int((Decimal(found.it_uj) * (pue - 1)).to_integral_value())


def test_any_sum_by_any_key_is_the_same_whole(database: Database, registered: Register) -> None:
    server(database)
    registered(SERVER, LAPTOP, PUPIL, SHARED, SWITCH)
    found = totals(database, LAST_MONTH, MONTH)
    expected = whole(found)
    for count in (1, 2):
        for names in itertools.combinations(KEYS, count):
            total = EstateTotal()
            for one in found.by(*names).values():
                total += one
            assert total == expected, names
    months = EstateTotal()
    for month in (LAST_MONTH, MONTH):
        months += whole(totals(database, month, month))
    assert months == expected


def test_coverage_says_of_every_registered_device_how_it_is_known(database: Database, registered: Register) -> None:
    server(database)
    new_host(database, recent_half_hour())
    registered(SERVER, LAPTOP, PUPIL, SWITCH, SPARE)
    with database.read() as connection:
        rows = {one.device_class: one for one in estate_coverage(connection, MONTH, NOW)}
    name = rows["server"].organisation
    assert rows["server"] == CoverageRow(name, "server", measured=1, seen_not_registered=1)
    assert rows["laptop"] == CoverageRow(name, "laptop", profile=2)
    assert rows["switch"] == CoverageRow(name, "switch", absent=1)
    assert "desktop" not in rows
    assert (rows["laptop"].known, rows["switch"].known) == (1.0, 0.0)


def test_an_organisation_has_its_own_totals_alone(database: Database) -> None:
    server(database)
    with database.read() as connection:
        assert not estate_totals(connection, MONTH, MONTH, NOW, frozenset()).rows
        assert estate_totals(connection, MONTH, MONTH, NOW, frozenset({1})).rows
