"""Devices that nobody reads: how many there were on each day, less those that are read, times their class's profile."""

import calendar
import datetime
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select

from agent.report import Inventory
from carbon.class_profiles import month_energy, packaged_profiles, year_by_month
from collector.class_counts import CountKey, set_count, undo_count
from collector.class_energy import ClassEnergy, by_month
from collector.class_profiles import reset_profile, set_profile, undo_profile
from collector.database.engine import Database, open_database
from collector.database.migrate import migrate
from collector.database.schema import (
    class_count,
    class_profile,
    device,
    device_feed,
    ledger_day,
    meter,
    meter_edge,
    meter_place,
    register_import,
    register_item,
    register_state,
    site,
    space,
)
from collector.rolling import Due, write_ledger
from tests.collector.hosts import deliver, new_host
from tests.collector.registers import Item, metered, midnight, register, seen

LAPTOP = packaged_profiles()["laptop"]
NOW = int(datetime.datetime(2027, 1, 15, tzinfo=datetime.UTC).timestamp())


_CONTENT = (
    ledger_day,
    meter_edge,
    meter_place,
    meter,
    device_feed,
    class_profile,
    class_count,
    register_state,
    register_item,
    register_import,
    device,
    space,
    site,
)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One database for all tests that leave only what `empty` takes away."""
    opened = open_database(tmp_path_factory.mktemp("estate") / "ictagent.db")
    migrate(opened)
    yield opened
    opened.close()


@pytest.fixture
def estate(kept: Database) -> Database:
    """An empty database of the quicker kind: what needs both kinds asks for `database`."""
    empty(kept)
    return kept


def empty(database: Database) -> None:
    with database.write() as connection:
        for table in _CONTENT:
            connection.execute(delete(table))


def rows(database: Database, first: str = "2026-01", last: str = "2026-12", now: int = NOW) -> list[ClassEnergy]:
    with database.read() as connection:
        return by_month(connection, 1, first, last, now)


def days(database: Database, first: str = "2026-01", last: str = "2026-12") -> dict[str, Fraction]:
    """Device-days by month."""
    found: dict[str, Fraction] = defaultdict(Fraction)
    for one in rows(database, first, last):
        found[one.month] += one.device_days
    return dict(found)


def whole_uj(found: Sequence[ClassEnergy]) -> int:
    return sum(one.energy.office_uj + one.energy.home_uj for one in found)


def test_a_years_months_add_up_to_the_years_energy_of_each_device(database: Database) -> None:
    with database.write() as connection:
        register(connection, [Item(quantity=7)])
    found = rows(database)
    assert [one.month for one in found] == [f"2026-{month:02}" for month in range(1, 13)]
    assert whole_uj(found) == 7 * sum(year_by_month(LAPTOP, 2026))


def test_only_what_is_in_use_counts_on_the_days_on_which_it_was(estate: Database) -> None:
    with estate.write() as connection:
        register(
            connection,
            [
                Item(since="2026-03-10", until="2026-03-20"),
                Item(since="2026-03-30", status="on_loan", until="2026-04-02"),
                Item(status="spare"),
                Item(status="disposed"),
            ],
        )
        register(connection, [Item(quantity=900)], state="writing")
        register(connection, [Item(quantity=900)], state="undone")
    assert days(estate) == {"2026-03": 10 + 2, "2026-04": 1}


def test_days_to_come_do_not_count(estate: Database) -> None:
    with estate.write() as connection:
        register(connection, [Item()])
    noon = midnight("2026-03-11") + 43_200
    found = {one.month: one.device_days for one in rows(estate, "2026-02", "2026-12", noon)}
    assert found == {"2026-02": Fraction(28), "2026-03": Fraction(10)}
    assert rows(estate, "2026-04", "2026-12", noon) == []


def test_a_share_of_a_joint_service_is_that_part_of_it(estate: Database) -> None:
    with estate.write() as connection:
        register(connection, [Item(quantity=3, share=0.35)])
    [june] = rows(estate, "2026-06", "2026-06")
    assert june.device_days == Fraction("0.35") * 3 * 30
    assert june.energy == month_energy(LAPTOP, "2026-06", Fraction("31.5"))


def test_places_directorates_schools_and_categories_stay_apart(estate: Database) -> None:
    with estate.write() as connection:
        hall = connection.execute(insert(site).values(organisation_id=1, name="Hall").returning(site.c.id)).scalar_one()
        register(
            connection,
            [
                Item(site_id=hall),
                Item(site_id=hall, directorate="Housing"),
                Item(school=True),
                Item(device_class="monitor", service_category="audio_visual"),
                Item(device_class="monitor"),
            ],
        )
    found = {
        (one.device_class, one.site_id, one.directorate, one.service_category, one.school)
        for one in rows(estate, "2026-06", "2026-06")
    }
    assert found == {
        ("laptop", hall, "", "end_users", False),
        ("laptop", hall, "Housing", "end_users", False),
        ("laptop", None, "", "end_users", True),
        ("monitor", None, "", "audio_visual", False),
        ("monitor", None, "", "end_users", False),
    }


def test_what_stands_at_home_is_the_homes_alone(estate: Database) -> None:
    with estate.write() as connection:
        place = connection.execute(insert(site).values(organisation_id=1, name="Staff").returning(site.c.id))
        made = insert(space).values(site_id=place.scalar_one(), name="At home", kind="home").returning(space.c.id)
        register(connection, [Item(space_id=connection.execute(made).scalar_one())])
    [june] = rows(estate, "2026-06", "2026-06")
    assert june.energy.office_uj == 0
    assert june.energy.home_uj == year_by_month(LAPTOP, 2026)[5]


def test_a_class_without_a_profile_is_not_guessed(estate: Database) -> None:
    with estate.write() as connection:
        register(connection, [Item(device_class="switch"), Item(device_class="server")])
    assert rows(estate) == []
    figures = dict.fromkeys(("watts_active", "watts_idle", "watts_asleep", "watts_off"), 10)
    figures |= {"hours_active": 24, "hours_idle": 0, "hours_asleep": 0, "working_days": 365, "home_share": 0}
    band = {"other_days": "idle", "low_factor": 0.8, "high_factor": 1.2, "source": "our survey"}
    with estate.write() as connection:
        set_profile(connection, 1, "switch", {**figures, **band}, midnight("2026-07-01"), "cli:test", NOW)
    found = rows(estate)
    assert {one.device_class for one in found} == {"switch"}
    assert found[0].month == "2026-07"
    assert whole_uj(found) == 184 * 240 * 3_600_000_000


def test_a_profile_holds_from_its_day_on_and_the_past_keeps_its_own(database: Database) -> None:
    with database.write() as connection:
        register(connection, [Item(quantity=2)])
    before = rows(database, "2026-05", "2026-05")
    with database.write() as connection:
        set_profile(
            connection, 1, "laptop", {"hours_active": 5.0, "source": "our survey"}, midnight("2026-06-11"), "cli:x", NOW
        )
    survey = replace(LAPTOP, hours_active=5.0, source="our survey")
    assert rows(database, "2026-05", "2026-05") == before
    assert {(one.source, one.device_days, one.energy) for one in rows(database, "2026-06", "2026-06")} == {
        (LAPTOP.source, Fraction(20), month_energy(LAPTOP, "2026-06", 20)),
        ("our survey", Fraction(40), month_energy(survey, "2026-06", 40)),
    }
    with database.write() as connection:
        reset_profile(connection, 1, "laptop", midnight("2026-08-01"), "cli:x", NOW)
    assert [one.source for one in rows(database, "2026-07", "2026-08")] == ["our survey", LAPTOP.source]
    with database.write() as connection:
        undo_profile(connection, 1, "laptop", midnight("2026-08-01"), "cli:x", NOW)
    assert [one.source for one in rows(database, "2026-07", "2026-08")] == ["our survey", "our survey"]


def test_setting_anew_from_the_same_day_and_undoing_it_brings_back_what_was_set_first(estate: Database) -> None:
    with estate.write() as connection:
        register(connection, [Item()])
        for source in ("first", "second"):
            set_profile(connection, 1, "laptop", {"source": source}, midnight("2026-06-01"), "cli:x", NOW)
    assert [one.source for one in rows(estate, "2026-05", "2026-06")] == [LAPTOP.source, "second"]
    with estate.write() as connection:
        undo_profile(connection, 1, "laptop", midnight("2026-06-01"), "cli:x", NOW)
    assert [one.source for one in rows(estate, "2026-05", "2026-06")] == [LAPTOP.source, "first"]
    with estate.write() as connection:
        undo_profile(connection, 1, "laptop", midnight("2026-06-01"), "cli:x", NOW)
    assert [one.source for one in rows(estate, "2026-05", "2026-06")] == [LAPTOP.source] * 2


def count(connection: Connection, devices: int, since: str, key: CountKey = CountKey(1, "laptop")) -> None:  # noqa: B008  # frozen
    set_count(connection, key, devices, "service desk", midnight(since), "cli:test", NOW)


def test_a_number_counts_until_the_register_has_the_class(database: Database) -> None:
    with database.write() as connection:
        count(connection, 100, "2026-01-01")
        count(connection, 120, "2026-02-11")
        register(connection, [Item(quantity=5, since="2020-01-01")], as_at="2026-03-01")
        register(connection, [Item("monitor", quantity=5, since="2020-01-01")], as_at="2026-03-01")
    with database.read() as connection:
        found = {
            (one.month, one.device_class): one.device_days for one in by_month(connection, 1, "2026-01", "2026-03", NOW)
        }
    assert found["2026-01", "laptop"] == 3100
    assert found["2026-02", "laptop"] == 10 * 100 + 18 * 120
    assert found["2026-03", "laptop"] == 5 * 31
    assert found["2026-01", "monitor"] == 5 * 31


def test_a_day_belongs_to_what_holds_at_its_beginning(estate: Database) -> None:
    with estate.write() as connection:
        count(connection, 10, "2026-03-01")
        noon = midnight("2026-03-10") + 43_200
        set_count(connection, CountKey(1, "laptop"), 20, "x", noon, "cli:test", NOW)
    assert days(estate, "2026-03", "2026-03") == {"2026-03": 10 * 10 + 21 * 20}


def test_a_number_is_taken_back(estate: Database) -> None:
    with estate.write() as connection:
        count(connection, 100, "2026-01-01")
        count(connection, 0, "2026-02-01")
    assert days(estate) == {"2026-01": 3100}
    with estate.write() as connection:
        undo_count(connection, CountKey(1, "laptop"), midnight("2026-02-01"), "cli:test", NOW)
    assert len(days(estate)) == 12


def test_a_device_with_readings_has_no_profile_in_their_month(estate: Database) -> None:
    with estate.write() as connection:
        seen(connection, "d-1")
        metered(connection, "d-1", "2026-03-15")
        metered(connection, "d-1", "2026-05-15", covers="feeds", name="outlet")
        register(connection, [Item(device_id="d-1"), Item()])
    assert days(estate, "2026-02", "2026-05") == {"2026-02": 56, "2026-03": 31, "2026-04": 60, "2026-05": 62}
    on_the_15th = rows(estate, "2026-03", "2026-03", midnight("2026-03-15") + 3600)
    assert sum(one.device_days for one in on_the_15th) == 14  # of the other one: a month is read or profiled as a whole


def test_one_of_several_equal_devices_that_is_read_leaves_the_others(estate: Database) -> None:
    with estate.write() as connection:
        seen(connection, "d-1")
        metered(connection, "d-1", "2026-03-15")
        register(connection, [Item(device_id="d-1", quantity=10, share=0.5)])
    assert days(estate, "2026-02", "2026-03") == {"2026-02": 140, "2026-03": Fraction(9 * 31, 2)}


def test_a_laptop_whose_agent_reports_is_read_and_not_profiled(sqlite_database: Database) -> None:
    """The ledger's own days, by an agent's reports, in place of rows that a test wrote."""
    half_hour = int(time.time()) // 1800 * 1800 - 4 * 1800
    host = new_host(sqlite_database, half_hour)
    host.inventory = Inventory(host_name="nb01", platform="physical", chassis="laptop", cpu_model="i5", cpu_cores=4)
    deliver(sqlite_database, host, *host.reports(1800, every=600))
    device_id, month = host.enrolled.device_id, f"{datetime.datetime.now(datetime.UTC):%Y-%m}"
    with sqlite_database.write() as connection:
        register(connection, [Item(since="2020-01-01", device_id=device_id)], as_at="2020-01-01")
    later = int(time.time()) + 40 * 86_400
    assert whole_uj(rows(sqlite_database, month, month, later)) > 0
    with sqlite_database.write() as connection:
        write_ledger(connection, [Due(device_id, int(time.time()), "collector-1")])
        read = set(connection.execute(select(ledger_day.c.local_day)).scalars())
    found = {one.month for one in rows(sqlite_database, "2020-01", month, later)}
    assert not found & {day[:7] for day in read}
    assert "2020-01" in found


def test_a_device_that_a_switch_feeds_is_in_the_switchs_reading(estate: Database) -> None:
    with estate.write() as connection:
        for device_id in ("ap-1", "sw-1"):
            seen(connection, device_id)
        stretch = {"valid_from": midnight("2026-02-10"), "valid_to": midnight("2026-03-05")}
        connection.execute(insert(device_feed).values(device_id="ap-1", switch_id="sw-1", port="1", **stretch))
        register(connection, [Item("access_point", device_id="ap-1")])
    assert sorted(days(estate, "2026-01", "2026-04")) == ["2026-01", "2026-04"]


@pytest.mark.parametrize("purpose", ["ict", "whole_building"])
def test_a_device_below_a_meter_of_ict_is_in_that_meters_reading(database: Database, purpose: str) -> None:
    with database.write() as connection:
        for device_id in ("screen-1", "pdu-1", "ups-1"):
            seen(connection, device_id)
        above = metered(connection, "ups-1", "2026-03-15", covers="feeds")
        below = metered(connection, "pdu-1", covers="feeds")
        for child in ({"child_meter_id": below}, {"child_device_id": "screen-1"}):
            parent = above if "child_meter_id" in child else below
            connection.execute(insert(meter_edge).values(parent_meter_id=parent, **child, valid_from=0))
        place = {"reading_point": "it", "accounting": "auto", "reason": "", "actor": "x", "valid_from": 0}
        connection.execute(insert(meter_place).values(meter_id=above, purpose=purpose, **place))
        register(connection, [Item("meeting_room_screen", device_id="screen-1")])
    assert ("2026-03" in days(database)) == (purpose == "whole_building")
    assert "2026-04" in days(database)


def test_devices_that_are_read_are_among_a_number_at_the_place_where_they_stand(estate: Database) -> None:
    with estate.write() as connection:
        hall = connection.execute(insert(site).values(organisation_id=1, name="Hall").returning(site.c.id)).scalar_one()
        count(connection, 10, "2026-01-01")
        count(connection, 1, "2026-01-01", CountKey(1, "laptop", hall))
        for number in (1, 2):
            seen(connection, f"nb-{number}")
            metered(connection, f"nb-{number}", "2026-03-15")
    assert days(estate, "2026-03", "2026-03") == {"2026-03": 11 * 31}  # they tell no chassis: servers
    with estate.write() as connection:
        register(connection, [Item(device_id=f"nb-{number}", status="spare") for number in (1, 2)], as_at="2027-01-01")
    assert days(estate, "2026-02", "2026-03") == {"2026-02": 11 * 28, "2026-03": 9 * 31}


MONTH_DAYS = st.integers(0, 120).map(lambda day: str(datetime.date(2026, 1, 1) + datetime.timedelta(day)))


@st.composite
def an_item(draw: st.DrawFn) -> Item:
    since, until = sorted(draw(st.tuples(MONTH_DAYS, MONTH_DAYS)))
    return Item(
        draw(st.sampled_from(["laptop", "monitor"])),
        since,
        draw(st.sampled_from([until, ""])) if until > since else "",
        draw(st.integers(1, 5)),
        draw(st.sampled_from([1.0, 0.25, 0.1])),
        draw(st.sampled_from(["in_use", "spare", "unknown"])),
        draw(st.sampled_from([None, None, "d-1"])),
        directorate=draw(st.sampled_from(["", "Housing"])),
    )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(an_item(), max_size=6), st.sets(MONTH_DAYS, max_size=3), st.lists(MONTH_DAYS, max_size=2, unique=True))
def test_energy_is_that_of_each_device_on_each_day_on_which_nobody_read_it(
    kept: Database, items: list[Item], read: set[str], changes: list[str]
) -> None:
    """Against a count by hand: day by day, item by item, in fractions of a microjoule."""
    empty(kept)
    with kept.write() as connection:
        seen(connection, "d-1")
        register(connection, items)
        metered(connection, "d-1", *sorted(read))
        for change in changes:
            figures = {"watts_idle": 7.0 + len(change), "source": change}
            set_profile(connection, 1, "laptop", figures, midnight(change), "cli:test", NOW)
    profiles = {name: [("", packaged_profiles()[name])] for name in ("laptop", "monitor")}
    profiles["laptop"] += sorted(
        (change, replace(LAPTOP, watts_idle=7.0 + len(change), source=change)) for change in changes
    )
    expected: dict[tuple[str, str, str, str], Fraction] = defaultdict(Fraction)
    day = datetime.date(2026, 1, 1)
    while day < datetime.date(2026, 6, 1):
        date, month = str(day), str(day)[:7]
        for one in items:
            if one.since <= date and (not one.until or date < one.until) and one.status != "spare":
                devices = one.quantity - (one.device_id is not None and month in {each[:7] for each in read})
                source = [made.source for since, made in profiles[one.device_class] if since <= date][-1]
                expected[month, one.device_class, one.directorate, source] += Fraction(str(one.share)) * devices
        day += datetime.timedelta(1)
    found = {
        (one.month, one.device_class, one.directorate, one.source): one for one in rows(kept, "2026-01", "2026-05")
    }
    assert {key: one.device_days for key, one in found.items()} == {key: sum_ for key, sum_ in expected.items() if sum_}
    for (month, device_class, _, source), row in found.items():
        profile = next(made for _, made in profiles[device_class] if made.source == source)
        number = int(month[5:])
        exact = year_by_month(profile, 2026)[number - 1] * row.device_days / calendar.monthrange(2026, number)[1]
        assert row.energy.office_uj + row.energy.home_uj == round(exact)
