"""Suppliers' files in the ledger: the newest counts, the same again changes nothing, and what is taken back leaves no trace."""

import datetime
import json
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from carbon.calendar import half_hours_of_day, local_day
from collector.database.engine import Database
from collector.database.metadata import metadata
from collector.database.schema import (
    audit_log,
    device,
    ledger,
    ledger_day,
    meter,
    meter_file,
    meter_file_reading,
    meter_place,
    sealed_period,
    site,
)
from collector.errors import BadRequest
from collector.half_hourly.mapping import from_values
from collector.half_hourly.reading import read_half_hours
from collector.ledger import AMOUNTS, current
from collector.meter_file_list import files
from collector.meter_files import FilePlan, apply, plan, undo
from collector.register_gaps import gaps
from collector.register_queries import reconciliation
from collector.supply_meters import NewMeter
from collector.taking import Who
from tests.collector.half_hourly.layouts import MPAN, OTHER_MPAN

DAY = datetime.date(2026, 10, 24)
HALF_HOURS = [
    *half_hours_of_day(DAY, "Europe/London"),
    *half_hours_of_day(datetime.date(2026, 10, 25), "Europe/London"),
]
UJ = 3_600_000_000_000
WHO = Who("cli:test", int(time.time()))
AT_TOWN_HALL = NewMeter("Town Hall", "whole_building")
_CONTENT = ("ledger", "ledger_day", "meter", "device", "meter_place", "device_placement", "inventory", "site")

Values = Mapping[int, str]
Take = Callable[..., int]


def lines(values: Values, mpan: str = MPAN) -> list[str]:
    """A row a half-hour in UTC; a value that ends in E is estimated."""
    found = []
    for at, kwh in values.items():
        start = f"{datetime.datetime.fromtimestamp(at, datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"
        found.append(f"{mpan},{start},{kwh.rstrip('E')},{'E' if kwh.endswith('E') else 'A'}")
    return found


def planned(database: Database, directory: Path, *rows: str) -> FilePlan:
    path = directory / "supplier.csv"
    path.write_text("\n".join(["MPAN,Start (UTC),kWh,Flag", *rows]), encoding="utf-8")
    with database.read() as connection:
        return plan(connection, read_half_hours(path, from_values({"label": "start"}, "map")), 1)


@pytest.fixture
def take(database: Database, tmp_path: Path) -> Take:
    """Takes values by half-hour over, in a file of their own."""

    def take(values: Values, mpan: str = MPAN) -> int:
        return apply(database, planned(database, tmp_path, *lines(values, mpan)), AT_TOWN_HALL, WHO)

    return take


def content(database: Database) -> dict[str, list[dict[str, Any]]]:
    with database.read() as connection:
        return {
            name: sorted(
                (dict(row) for row in connection.execute(select(metadata.tables[name])).mappings()),
                key=lambda row: json.dumps(row, default=str),
            )
            for name in _CONTENT
        }


def standing(database: Database) -> dict[int, tuple[int, int]]:
    """Measured and estimated energy by half-hour, as the ledger has them."""
    query = select(ledger.c.half_hour, ledger.c.measured_uj, ledger.c.estimated_uj).where(current())
    with database.read() as connection:
        return {row.half_hour: (row.measured_uj, row.estimated_uj) for row in connection.execute(query)}


def require_days(database: Database) -> None:
    """The ledger's days are the sums of its half-hours."""
    with database.read() as connection:
        days = {(r.meter_id, r.local_day): r for r in connection.execute(select(ledger_day))}
        sums: dict[tuple[int, str], list[int]] = {}
        for row in connection.execute(select(ledger).where(current())):
            key = (row.meter_id, local_day(row.half_hour, "Europe/London").isoformat())
            amounts = [*(getattr(row, name) for name in AMOUNTS), 1]
            sums[key] = [a + b for a, b in zip(sums.get(key, [0] * len(amounts)), amounts, strict=True)]
    assert {key: [getattr(row, name) for name in (*AMOUNTS, "half_hours")] for key, row in days.items()} == sums


def test_a_file_is_in_the_ledger_to_the_microjoule_with_its_cells(database: Database, take: Take) -> None:
    file_id = take({at: f"{place}.123456" for place, at in enumerate(HALF_HOURS)})
    assert standing(database) == {at: (int(Decimal(f"{place}.123456") * UJ), 0) for place, at in enumerate(HALF_HOURS)}
    require_days(database)
    with database.read() as connection:
        first = connection.execute(select(ledger).order_by(ledger.c.half_hour)).first()
        assert first is not None
        assert json.loads(first.evidence) == {"file": file_id, "cell": "C2"}
        assert (first.method, first.covered_seconds, first.revision) == ("measured", 1800, 1)
        days = connection.execute(select(ledger_day.c.half_hours).order_by(ledger_day.c.local_day)).scalars()
        assert list(days) == [48, 50]


def test_a_supply_meter_is_a_device_that_feeds_a_building_at_its_site(database: Database, take: Take) -> None:
    take({HALF_HOURS[0]: "1"})
    with database.read() as connection:
        assert connection.execute(select(device.c.kind)).scalars().all() == ["meter"]
        row = connection.execute(select(meter)).one()
        assert (row.name, row.source, row.covers) == (f"mpan/{MPAN}", "supplier", "feeds")
        assert connection.execute(select(meter_place.c.purpose)).scalars().all() == ["whole_building"]
        assert connection.execute(select(site.c.name)).scalars().all() == ["Town Hall"]


def test_a_supply_meter_is_nothing_that_a_register_of_ict_lacks(database: Database, take: Take) -> None:
    take({HALF_HOURS[0]: "1"})
    with database.read() as connection:
        assert reconciliation(connection, 1, WHO.now).seen_not_registered == []
        assert gaps(connection, None, WHO.now).seen_not_registered == 0


def test_what_the_supplier_estimated_is_estimated_with_a_wider_band(database: Database, take: Take) -> None:
    take({HALF_HOURS[0]: "10", HALF_HOURS[1]: "10E"})
    assert list(standing(database).values()) == [(10 * UJ, 0), (0, 10 * UJ)]
    with database.read() as connection:
        bands = connection.execute(select(ledger.c.low_uj, ledger.c.high_uj).order_by(ledger.c.half_hour)).all()
    assert [tuple(one) for one in bands] == [(98 * UJ // 10, 102 * UJ // 10), (5 * UJ, 15 * UJ)]


def test_a_later_file_supersedes_and_the_old_value_is_kept(database: Database, take: Take) -> None:
    first = take({HALF_HOURS[0]: "1E", HALF_HOURS[1]: "2"})
    second = take({HALF_HOURS[0]: "3", HALF_HOURS[2]: "4"})
    assert standing(database) == {HALF_HOURS[0]: (3 * UJ, 0), HALF_HOURS[1]: (2 * UJ, 0), HALF_HOURS[2]: (4 * UJ, 0)}
    require_days(database)
    with database.read() as connection:
        query = select(meter_file_reading).where(meter_file_reading.c.half_hour == HALF_HOURS[0])
        kept = {row.file_id: row.energy_uj for row in connection.execute(query)}
        assert kept == {first: UJ, second: 3 * UJ}
        assert {one.id: one.superseded for one in files(connection, 1)} == {first: 1, second: 0}


def test_the_same_file_again_changes_nothing(database: Database, tmp_path: Path, take: Take) -> None:
    values = dict.fromkeys(HALF_HOURS[:4], "1")
    first = take(values)
    again = planned(database, tmp_path, *lines(values))
    assert again.same_as == first
    assert [(one.new, one.changed, one.unchanged) for one in again.meters] == [(0, 0, 4)]


def test_the_same_file_read_in_another_way_is_refused_until_it_is_taken_back(
    database: Database, tmp_path: Path, take: Take
) -> None:
    first = take({HALF_HOURS[0]: "1"})
    other = read_half_hours(tmp_path / "supplier.csv", from_values({"label": "end"}, "map"))
    with database.read() as connection, pytest.raises(BadRequest, match=f"import {first}, and read in another way"):
        plan(connection, other, 1)
    undo(database, first, WHO)
    with database.read() as connection:
        assert plan(connection, other, 1).same_as is None


def test_another_file_that_says_the_same_changes_no_row(database: Database, take: Take) -> None:
    take(dict.fromkeys(HALF_HOURS[:4], "1"))
    before = content(database)
    take(dict.fromkeys(HALF_HOURS[1:3], "1"))
    assert content(database) == before


def test_taking_back_the_only_file_leaves_no_trace(database: Database, take: Take) -> None:
    before = content(database)
    undo(database, take(dict.fromkeys(HALF_HOURS, "1")), WHO)
    assert content(database) == before


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_files_are_taken_back_in_any_order(database: Database, take: Take, order: tuple[int, int]) -> None:
    before = content(database)
    taken = [take({HALF_HOURS[0]: "1", HALF_HOURS[1]: "2"}), take({HALF_HOURS[0]: "3"})]
    undo(database, taken[order[0]], WHO)
    left = {HALF_HOURS[0]: (3 * UJ, 0)} if order[0] == 0 else {HALF_HOURS[0]: (UJ, 0), HALF_HOURS[1]: (2 * UJ, 0)}
    assert standing(database) == left
    require_days(database)
    undo(database, taken[order[1]], WHO)
    assert content(database) == before
    with pytest.raises(BadRequest, match="taken back already"):
        undo(database, taken[0], WHO)


def test_a_published_half_hour_keeps_its_row_and_gets_a_higher_revision(database: Database, take: Take) -> None:
    first = take({HALF_HOURS[0]: "1", HALF_HOURS[1]: "2"})
    with database.write() as connection:
        row = {"period_from": HALF_HOURS[0], "period_to": HALF_HOURS[1], "sealed_at": 1, "actor": "test"}
        connection.execute(insert(sealed_period).values(**row))
    second = take({HALF_HOURS[0]: "5", HALF_HOURS[1]: "6"})
    undo(database, second, WHO)
    undo(database, first, WHO)
    with database.read() as connection:
        rows = connection.execute(select(ledger).order_by(ledger.c.half_hour, ledger.c.revision)).all()
    assert [(row.half_hour, row.revision, row.measured_uj // UJ, row.covered_seconds) for row in rows] == [
        (HALF_HOURS[0], 1, 1, 1800),
        (HALF_HOURS[0], 2, 5, 1800),
        (HALF_HOURS[0], 3, 1, 1800),
        (HALF_HOURS[0], 4, 0, 0),
    ]
    require_days(database)


def test_nothing_of_a_file_is_read_before_all_of_it_and_what_was_cut_off_is_taken_back_by_the_next(
    database: Database, tmp_path: Path, take: Take
) -> None:
    take({HALF_HOURS[0]: "1"})
    before = standing(database)
    months = [HALF_HOURS[0] - 1800 * place for place in range(1200)]
    file = planned(database, tmp_path, *lines(dict.fromkeys(months, "7")))

    def cut_off(done: int, steps: int) -> None:
        assert standing(database) == before
        if done == steps:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply(database, file, AT_TOWN_HALL, WHO, cut_off)
    take({HALF_HOURS[1]: "2"})
    assert standing(database) == before | {HALF_HOURS[1]: (2 * UJ, 0)}
    require_days(database)
    with database.read() as connection:
        states = connection.execute(select(meter_file.c.state).order_by(meter_file.c.id)).scalars().all()
    assert states == ["visible", "undone", "visible"]


def test_a_file_that_is_taken_back_holds_until_nothing_of_it_does(
    database: Database, tmp_path: Path, take: Take
) -> None:
    file_id = take(dict.fromkeys(HALF_HOURS, "7"))
    whole = standing(database)
    undo(database, file_id, WHO, lambda _done, _steps: require_equal(standing(database), whole))
    assert standing(database) == {}
    require_days(database)


def require_equal(found: object, wanted: object) -> None:
    assert found == wanted


def test_a_meter_of_another_organisation_is_refused(database: Database, tmp_path: Path, take: Take) -> None:
    take({HALF_HOURS[0]: "1"})
    with database.write() as connection:
        first = connection.execute(select(metadata.tables["organisation"])).mappings().one()
        values = {**first, "id": 2, "name": "Other Council"}
        connection.execute(insert(metadata.tables["organisation"]).values(**values))
        connection.execute(update(device).values(organisation_id=2))
    with pytest.raises(BadRequest, match="another organisation"):
        planned(database, tmp_path, *lines({HALF_HOURS[0]: "1"}))


def test_imports_and_undoings_are_audited(database: Database, take: Take) -> None:
    file_id = take({HALF_HOURS[0]: "1"}, OTHER_MPAN)
    undo(database, file_id, WHO)
    with database.read() as connection:
        acts = connection.execute(select(audit_log.c.action, audit_log.c.object).order_by(audit_log.c.id)).all()
    assert [tuple(one) for one in acts] == [("ledger.import", str(file_id)), ("ledger.undo", str(file_id))]


_FILES = st.lists(
    st.dictionaries(st.sampled_from(HALF_HOURS[44:54]), st.sampled_from(["1", "2", "2E"]), min_size=1),
    min_size=1,
    max_size=4,
)


@settings(max_examples=15, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=_FILES, undone=st.sets(st.integers(0, 3)), sealed=st.booleans())
def test_the_ledger_is_what_the_files_that_hold_say_whatever_was_taken_back(
    sqlite_database: Database, tmp_path: Path, told: list[dict[int, str]], undone: set[int], *, sealed: bool
) -> None:
    database = sqlite_database
    with database.write() as connection:
        connection.execute(sealed_period.delete())
    taken = []
    for place, values in enumerate(told):
        salt = (
            f"{OTHER_MPAN},{datetime.datetime.fromtimestamp(HALF_HOURS[0], datetime.UTC):%Y-%m-%dT%H:%M:%SZ},{place},A"
        )
        taken.append(apply(database, planned(database, tmp_path, *lines(values), salt), AT_TOWN_HALL, WHO))
        if sealed and place == 0:
            with database.write() as connection:
                row = {"period_from": HALF_HOURS[44], "period_to": HALF_HOURS[50], "sealed_at": 1, "actor": "test"}
                connection.execute(insert(sealed_period).values(**row))
    for place in undone & set(range(len(told))):
        undo(database, taken[place], WHO)
    expected: dict[int, str] = {}
    for place, values in enumerate(told):
        if place not in undone:
            expected |= values
    with database.read() as connection:
        query = (
            select(ledger).join(meter).where(current(), ledger.c.covered_seconds > 0, meter.c.name == f"mpan/{MPAN}")
        )
        found = {
            row.half_hour: f"{(row.measured_uj + row.estimated_uj) // UJ}{'E' if row.estimated_uj else ''}"
            for row in connection.execute(query)
        }
    assert found == expected
    require_days(database)
    for place in set(range(len(told))) - undone:
        undo(database, taken[place], WHO)
