"""A register in the database: matched, changed, taken back as a whole, and seen by nobody before it is all there."""

import datetime
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

import collector.register_import as writing
from agent.report import Inventory
from collector.database.engine import Database
from collector.database.metadata import metadata
from collector.database.schema import device_placement, register_import, register_state, site
from collector.errors import BadRequest
from collector.estate import Placement, place
from collector.register.reading import read_register
from collector.register_export import as_csv, as_workbook, register_table
from collector.register_facts import State, states
from collector.register_import import apply, undo
from collector.register_plan import Plan, plan
from collector.register_queries import reconciliation
from collector.sites import detail_at, sites
from collector.taking import Acting
from tests.collector.hosts import Host, deliver, new_host

HEADERS = [
    "Asset No",
    "Serial",
    "Name",
    "Make",
    "Model",
    "Type",
    "Status",
    "Building",
    "Room",
    "Purchase date",
    "Disposal date",
]
LAPTOP = ["100", "SN00000100", "", "HP", "EliteBook 840", "Laptop", "In use", "Town Hall", "", "01/03/2024", ""]
SPARE = ["101", "SN00000101", "", "HP", "EliteBook 840", "Laptop", "Spare", "Town Hall", "Store 1", "", ""]
SERVER = ["102", "", "web01", "Dell", "PowerEdge R640", "Server", "Live", "Depot", "Server room", "", ""]
AS_AT = datetime.date(2026, 10, 1)
WHO = Acting("cli:test", int(time.time()), "collector-1")
_CONTENT = (
    "site",
    "space",
    "register_item",
    "register_state",
    "register_placement",
    "device_placement",
    "space_pue",
    "site_detail",
)

Import = Callable[..., int]


def planned(database: Database, directory: Path, lines: Sequence[Sequence[str]], as_at: datetime.date = AS_AT) -> Plan:
    path = directory / "register.csv"
    path.write_text("\n".join(",".join(line) for line in lines), encoding="utf-8")
    file = read_register(path, None, datetime.date(2026, 11, 24))
    with database.read() as connection:
        return plan(connection, file, 1, as_at, "Europe/London")


def take_register(
    database: Database, directory: Path, lines: Sequence[Sequence[str]], as_at: datetime.date = AS_AT
) -> int:
    """Import lines, the first of which are headers."""
    return apply(database, planned(database, directory, lines, as_at), WHO)


@pytest.fixture
def taken(database: Database, tmp_path: Path) -> Import:
    """Imports lines below the usual headers."""

    def taken(*lines: Sequence[str], as_at: datetime.date = AS_AT) -> int:
        return take_register(database, tmp_path, [HEADERS, *lines], as_at)

    return taken


def standing(database: Database, at: int | None = None) -> dict[str, State]:
    with database.read() as connection:
        return {one.facts["asset_tag"]: one for one in states(connection, 1, at)}


def content(database: Database) -> dict[str, list[Any]]:
    """All rows that an import may touch."""
    with database.read() as connection:
        tables = [metadata.tables[name] for name in _CONTENT]
        return {table.name: sorted(map(tuple, connection.execute(select(table))), key=str) for table in tables}


def day(year: int, month: int, date: int) -> int:
    return int(datetime.datetime(year, month, date, tzinfo=datetime.UTC).timestamp())


def test_what_a_register_says_is_known_from_the_day_a_device_was_acquired(database: Database, taken: Import) -> None:
    taken(LAPTOP, SPARE)
    found = standing(database)
    assert found["100"].valid_from == day(2024, 3, 1)
    assert found["101"].valid_from == day(2026, 9, 30) + 23 * 3600  # midnight of summer time
    assert [found[tag].facts["status"] for tag in ("100", "101")] == ["in_use", "spare"]
    assert found["101"].facts["space"] == "Store 1"


def test_the_same_file_again_has_nothing_to_write(database: Database, taken: Import, tmp_path: Path) -> None:
    taken(LAPTOP, SPARE, SERVER)
    again = planned(database, tmp_path, [HEADERS, LAPTOP, SPARE, SERVER])
    assert [one.outcome for one in again.rows] == ["unchanged"] * 3
    assert not again.writes


def test_a_change_holds_from_the_registers_day_and_the_past_stays(database: Database, taken: Import) -> None:
    taken(LAPTOP, as_at=datetime.date(2026, 4, 1))
    moved = [*LAPTOP[:7], "Depot", *LAPTOP[8:]]
    taken(moved, as_at=datetime.date(2026, 9, 1))
    assert standing(database)["100"].facts["site"] == "Depot"
    assert standing(database, day(2026, 8, 1))["100"].facts["site"] == "Town Hall"


def test_an_older_file_changes_nothing_of_what_a_later_one_said(
    database: Database, taken: Import, tmp_path: Path
) -> None:
    moved = [*LAPTOP[:7], "Depot", *LAPTOP[8:]]
    taken(moved, as_at=datetime.date(2026, 9, 1))
    older = planned(database, tmp_path, [HEADERS, LAPTOP, SERVER], as_at=datetime.date(2026, 4, 1))
    assert [one.outcome for one in older.rows] == ["conflicting", "new"]
    assert "2026-09-01" in older.rows[0].problem
    apply(database, older, WHO)
    assert standing(database)["100"].facts["site"] == "Depot"


def test_what_was_disposed_of_was_in_use_until_that_day(database: Database, taken: Import) -> None:
    taken([*LAPTOP[:6], "Disposed", *LAPTOP[7:10], "01/06/2026"])
    assert standing(database, day(2026, 5, 1))["100"].facts["status"] == "in_use"
    assert standing(database, day(2026, 7, 1))["100"].facts["status"] == "disposed"


def test_what_was_disposed_of_before_an_import_moved_it_is_in_use_nowhere_from_then_on(
    database: Database, taken: Import
) -> None:
    taken(LAPTOP, as_at=datetime.date(2026, 4, 1))
    taken([*LAPTOP[:7], "Depot", *LAPTOP[8:]], as_at=datetime.date(2026, 8, 1))
    taken([*LAPTOP[:7], "Library", *LAPTOP[8:]], as_at=datetime.date(2026, 9, 1))
    before = content(database)
    gone = taken([*LAPTOP[:6], "Disposed", *LAPTOP[7:10], "01/06/2026"], as_at=datetime.date(2026, 10, 1))
    told = [standing(database, day(2026, month, 15))["100"].facts["status"] for month in (5, 6, 7, 8, 9, 10)]
    assert told == ["in_use", *["disposed"] * 5]
    once = content(database)
    earlier = taken([*LAPTOP[:6], "Disposed", *LAPTOP[7:10], "01/05/2026"], as_at=datetime.date(2026, 10, 2))
    assert standing(database, day(2026, 5, 15))["100"].facts["status"] == "disposed"
    undo(database, earlier, WHO)
    assert content(database) == once
    undo(database, gone, WHO)
    assert content(database) == before


@pytest.mark.parametrize("imports", [1, 2])
def test_an_import_taken_back_leaves_everything_as_it_was(database: Database, taken: Import, imports: int) -> None:
    host = new_host(database, day(2026, 10, 20))
    report(database, host)
    if imports == 2:
        taken(LAPTOP, SPARE, as_at=datetime.date(2026, 4, 1))
    before = content(database)
    last = taken([*LAPTOP[:7], "Depot", *LAPTOP[8:]], SERVER)
    assert content(database) != before
    undo(database, last, WHO)
    assert content(database) == before


def test_an_import_that_a_later_one_builds_on_is_not_taken_back_before_it(database: Database, taken: Import) -> None:
    first = taken(LAPTOP, as_at=datetime.date(2026, 4, 1))
    second = taken([*LAPTOP[:7], "Depot", *LAPTOP[8:]])
    with pytest.raises(BadRequest, match=f"import {second} builds on import {first}"):
        undo(database, first, WHO)
    undo(database, second, WHO)
    undo(database, first, WHO)
    assert not standing(database)
    with pytest.raises(BadRequest, match="is undone"):
        undo(database, first, WHO)


def test_nobody_reads_an_import_that_was_cut_off_and_the_next_one_clears_it(
    database: Database, taken: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(database)
    with monkeypatch.context() as broken:

        def cut_off(*_: object) -> None:
            raise KeyboardInterrupt

        broken.setattr(writing, "_show", cut_off)
        with pytest.raises(KeyboardInterrupt):
            taken(LAPTOP, SPARE)
    assert not standing(database)
    last = taken(LAPTOP)
    assert set(standing(database)) == {"100"}
    undo(database, last, WHO)
    assert content(database) == before


def test_what_a_file_says_of_sites_is_kept_and_taken_back(database: Database, tmp_path: Path) -> None:
    headers = ["Serial", "Type", "Building", "Address", "Postcode", "UPRN"]
    first = [headers, ["SN1", "Laptop", "Town Hall", "1 High Street", "ex1 1aa", "100023336956"]]
    moved = [headers, ["SN1", "Laptop", "Town Hall", "2 High Street", "EX1 1AA", ""]]
    apply(database, planned(database, tmp_path, first, datetime.date(2026, 4, 1)), WHO)
    before = content(database)
    again = planned(database, tmp_path, moved)
    assert again.sites == {"Town Hall": {"address": "2 High Street"}}
    last = apply(database, again, WHO)
    with database.read() as connection:
        [now] = sites(connection, WHO.now)
        then, _ = detail_at(connection, now.id, day(2026, 5, 1))
    assert (then.address, now.detail.address) == ("1 High Street", "2 High Street")
    assert (now.detail.postcode, now.detail.uprn) == ("EX1 1AA", "100023336956")
    undo(database, last, WHO)
    assert content(database) == before


def report(database: Database, host: Host, name: str = "web01", serial: str = "") -> None:
    """Have a host tell of itself."""
    host.inventory = Inventory(
        host_name=name, serial=serial, vendor="Dell Inc.", model="PowerEdge R640", platform="physical"
    )
    deliver(database, host, host.report(0, 60))


def test_a_seen_device_is_matched_placed_and_put_back(database: Database, taken: Import) -> None:
    host = new_host(database, day(2026, 10, 20))
    report(database, host)
    device_id = host.enrolled.device_id
    last = taken(SERVER)
    assert standing(database)["102"].device_id == device_id
    assert placed(database, device_id) == "Depot"
    undo(database, last, WHO)
    assert placed(database, device_id) is None


def test_a_device_that_was_moved_since_stays_where_it_was_put(database: Database, taken: Import) -> None:
    host = new_host(database, day(2026, 10, 20))
    report(database, host)
    last = taken(SERVER)
    with database.write() as connection:
        place(connection, host.enrolled.device_id, Placement(site="Library"), "cli:test", int(time.time()))
    undo(database, last, WHO)
    assert placed(database, host.enrolled.device_id) == "Library"


def placed(database: Database, device_id: str) -> str | None:
    with database.read() as connection:
        query = select(site.c.name).join(device_placement, device_placement.c.site_id == site.c.id)
        return connection.execute(
            query.where(device_placement.c.device_id == device_id, device_placement.c.valid_to.is_(None))
        ).scalar()


def test_a_serial_decides_before_a_name(database: Database, tmp_path: Path) -> None:
    first, second = new_host(database, day(2026, 10, 20)), new_host(database, day(2026, 10, 20))
    report(database, first, "web01", "SERIAL-ONE")
    report(database, second, "web02", "SERIAL-TWO")
    row = ["7", "serial-two", "", "Dell", "PowerEdge R640", "Server", "Live", "Depot", "", "", ""]
    (one,) = planned(database, tmp_path, [HEADERS, row]).rows
    assert (one.device_id, one.matched_by) == (second.enrolled.device_id, "serial")
    quarrel = ["7", "SERIAL-TWO", "web01", *row[3:]]
    (one,) = planned(database, tmp_path, [HEADERS, quarrel]).rows
    assert (one.outcome, one.device_id) == ("new", second.enrolled.device_id)


def test_two_rows_of_one_seen_device_are_conflicts(database: Database, tmp_path: Path) -> None:
    host = new_host(database, day(2026, 10, 20))
    report(database, host)
    rows = [[str(tag), "", "web01", "Dell", "PowerEdge R640", "Server", "Live", "Depot", "", "", ""] for tag in (1, 2)]
    plan_of_both = planned(database, tmp_path, [HEADERS, *rows])
    assert [one.outcome for one in plan_of_both.rows] == ["conflicting", "conflicting"]
    assert [one.cell for one in plan_of_both.rows] == ["C2", "C3"]


def test_another_serial_under_a_known_tag_is_a_conflict_at_its_cell(
    database: Database, taken: Import, tmp_path: Path
) -> None:
    taken(LAPTOP)
    before = content(database)
    other = [LAPTOP[0], "SN99999999", *LAPTOP[2:]]
    conflict = planned(database, tmp_path, [HEADERS, other])
    assert [(one.outcome, one.cell) for one in conflict.rows] == [("conflicting", "B2")]
    apply(database, conflict, WHO)
    after = content(database)
    assert after == before


def test_columns_that_a_file_has_not_leave_the_register_as_it_was(
    database: Database, taken: Import, tmp_path: Path
) -> None:
    taken(LAPTOP)
    few = planned(database, tmp_path, [["Serial", "Status"], ["SN00000100", "Spare"]])
    assert [dict(one.changes) for one in few.rows] == [{"status": ("in_use", "spare")}]


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_an_export_read_again_changes_nothing(database: Database, taken: Import, tmp_path: Path, suffix: str) -> None:
    taken(LAPTOP, SPARE, SERVER, ["103", "=cmd|1", "", "-", "", "Phone", "Disposed", "", "", "", ""])
    with database.read() as connection:
        headers, rows = register_table(connection, 1)
    path = tmp_path / f"out{suffix}"
    path.write_bytes(as_csv(headers, rows).encode() if suffix == ".csv" else as_workbook(headers, rows))
    file = read_register(path, None, datetime.date(2026, 11, 24))
    with database.read() as connection:
        again = plan(connection, file, 1, AS_AT, "Europe/London")
    assert [(one.outcome, one.changes) for one in again.rows] == [("unchanged", {})] * 4
    assert not file.faults


def test_what_only_one_side_has_is_listed(database: Database, taken: Import) -> None:
    stranger, old = new_host(database, day(2026, 5, 1)), new_host(database, day(2026, 5, 1))
    report(database, stranger, "unknown01", "SERIAL-A")
    report(database, old, "web01", "SERIAL-B")
    taken(LAPTOP, SERVER, ["104", "SN00000104", "", "", "", "Monitor", "In use", "", "", "", ""])
    now = int(time.time()) + 91 * 86_400
    with database.read() as connection:
        found = reconciliation(connection, 1, now)
    assert [one.host_name for one in found.seen_not_registered] == ["unknown01"]
    assert [seen.host_name for _, seen in found.unseen] == ["web01"]
    assert found.never_seen == {"laptop": 1, "monitor": 1}
    assert [one.facts["asset_tag"] for one in found.model_unknown] == ["104"]
    assert [one.facts["asset_tag"] for one in found.no_site] == ["104"]


def test_an_import_of_many_rows_holds_no_transaction_for_long(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths: list[float] = []
    write = database.write

    @contextmanager
    def timed() -> Iterator[Connection]:
        with write() as connection:
            begun = time.perf_counter()
            yield connection
            lengths.append(time.perf_counter() - begun)

    monkeypatch.setattr(database, "write", timed)
    lines = [[f"{tag}", f"SN{tag:08}", *LAPTOP[2:]] for tag in range(2000)]
    apply(database, planned(database, tmp_path, [HEADERS, *lines]), WHO)
    assert len(lengths) >= 2000 / writing.CHUNK
    assert len(standing(database)) == 2000


def test_the_state_of_an_import_says_what_became_of_it(database: Database, taken: Import) -> None:
    last = taken(LAPTOP)
    with database.write() as connection:
        assert connection.execute(select(register_import.c.state)).scalars().all() == ["visible"]
        connection.execute(update(register_state).values(notes="kept"))
    undo(database, last, WHO)
    with database.read() as connection:
        assert connection.execute(select(register_import.c.state)).scalars().all() == ["undone"]
