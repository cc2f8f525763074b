"""Rounds of asking a real HTTP service that has every fault which the reference lists."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, insert, select, update

from collector.database.engine import Database
from collector.database.schema import grid_intensity, organisation, site
from collector.errors import TargetUnavailable
from collector.grid_intensity.answers import Slot
from collector.grid_intensity.client import IntensityClient
from collector.grid_intensity.fetching import Fetched, ask, between, due
from collector.grid_intensity.store import intensities, kept, tries
from collector.sites import set_site
from tests.servers.intensity_api import FOURTEEN_DAYS, HALF_HOUR, Api, intensity_api
from tests.servers.process import free_port

NOW = 1_790_006_400 + 600
"""Ten minutes into a half-hour, not in the first one after six hours."""
UNTIL = NOW - 600


@pytest.fixture
def api() -> Iterator[Api]:
    with intensity_api() as served:
        served.now = NOW
        yield served


def place(database: Database, *postcodes: str) -> None:
    """Sites with these postcodes."""
    with database.write() as connection:
        organisation_id = connection.execute(select(organisation.c.id)).scalars().first()
        for number, postcode in enumerate(postcodes):
            made = connection.execute(insert(site).values(organisation_id=organisation_id, name=f"Site {number}"))
            assert made.inserted_primary_key
            set_site(connection, made.inserted_primary_key[0], {"postcode": postcode}, 0, "test", 0)


def run(database: Database, api: Api, now: int = NOW, span: tuple[int, int] | None = None) -> Fetched:
    """A round, or with a span what `fetch` does."""

    def write(handler: object) -> list[Slot]:
        with database.write() as connection:
            return handler(connection)  # type: ignore[no-any-return, operator]  # the kind is `Write`'s

    def told(_connection: Connection, _region: str, _slots: object) -> None:
        """No series."""

    with database.read() as connection:
        wanted = between(connection, *span, now) if span else due(connection, now)
    with IntensityClient(api.url) as client:
        return ask(client, write, wanted, lambda: now, told, ahead=span is None)


def values(database: Database, region: str) -> dict[int, tuple[float | None, float | None]]:
    with database.read() as connection:
        rows = connection.execute(select(grid_intensity).where(grid_intensity.c.region == region)).all()
        return {row.half_hour: (row.forecast, row.actual) for row in rows}


def test_a_round_keeps_two_days_as_they_were_and_two_days_ahead(database: Database, api: Api) -> None:
    place(database, "OX1 1ND")
    done = run(database, api)
    assert (done.calls, done.problems) == (3, [])
    found = values(database, "national")
    assert sorted(found) == list(range(UNTIL - 48 * 3600, UNTIL + 48 * 3600, HALF_HOUR))
    assert found[UNTIL - HALF_HOUR] == (api.forecast(UNTIL - HALF_HOUR), api.actual(UNTIL - HALF_HOUR))
    assert found[UNTIL] == (api.forecast(UNTIL), None)
    region = values(database, "12")
    assert sorted(region) == sorted(found)
    assert {actual for _, actual in region.values()} == {None}
    assert api.asked[0].startswith("/intensity/2026-")
    assert api.asked[2].endswith("/postcode/OX1")


def test_postcodes_of_one_region_are_asked_once_the_region_is_known(sqlite_database: Database, api: Api) -> None:
    place(sqlite_database, "OX1 1ND", "OX2 6AB", "RG10 9AA")
    assert run(sqlite_database, api).calls == 5
    api.asked.clear()
    run(sqlite_database, api, NOW + HALF_HOUR)
    assert [path.rpartition("/")[2] for path in api.asked if "postcode" in path] == ["OX1", "RG10"]


def test_a_forecast_is_overwritten_with_when_it_was_told_and_what_was_measured_stays(
    sqlite_database: Database, api: Api
) -> None:
    place(sqlite_database, "OX1 1ND")
    run(sqlite_database, api)
    before = values(sqlite_database, "national")
    api.raised, api.now = 20, NOW + HALF_HOUR
    run(sqlite_database, api, NOW + HALF_HOUR)
    after = values(sqlite_database, "national")
    assert after[UNTIL - HALF_HOUR] == before[UNTIL - HALF_HOUR]
    assert after[UNTIL] == (api.forecast(UNTIL), api.actual(UNTIL))
    with sqlite_database.read() as connection:
        query = select(grid_intensity.c.retrieved_at).where(
            grid_intensity.c.region == "12", grid_intensity.c.half_hour == UNTIL + HALF_HOUR
        )
        assert connection.execute(query).scalar() == NOW + HALF_HOUR


def test_a_slot_that_comes_again_without_what_was_measured_keeps_it(sqlite_database: Database, api: Api) -> None:
    run(sqlite_database, api)
    measured = api.actual(UNTIL - HALF_HOUR)
    with sqlite_database.write() as connection:
        # One open slot before it has the call reach over it once more.
        connection.execute(
            update(grid_intensity).where(grid_intensity.c.half_hour == UNTIL - 2 * HALF_HOUR).values(actual=None)
        )
    api.now, api.raised = UNTIL - 86_400, 3
    run(sqlite_database, api)
    assert values(sqlite_database, "national")[UNTIL - HALF_HOUR] == (api.forecast(UNTIL - HALF_HOUR), measured)


def test_500_for_hours_loses_nothing_and_is_told(sqlite_database: Database, api: Api) -> None:
    api.broken = True
    done = run(sqlite_database, api)
    assert done.problems == ["national: the Carbon Intensity API answers 500"] * 2
    with sqlite_database.read() as connection:
        assert tries(connection)["national"].problem == "the Carbon Intensity API answers 500"
        assert tries(connection)["national"].answered_at is None
    api.broken = False
    later = NOW + 10 * HALF_HOUR
    api.now = later
    run(sqlite_database, api, later)
    with sqlite_database.read() as connection:
        assert tries(connection)["national"].problem == ""
        assert kept(connection, later)[0].gaps == []
        assert intensities(connection, "national", UNTIL, UNTIL + HALF_HOUR) == {UNTIL: api.actual(UNTIL)}


def test_a_gap_is_shown_and_asked_for_again_until_it_is_filled(sqlite_database: Database, api: Api) -> None:
    api.missing = {UNTIL - 3 * HALF_HOUR, UNTIL - 4 * HALF_HOUR}
    run(sqlite_database, api)
    with sqlite_database.read() as connection:
        assert kept(connection, NOW)[0].gaps == [(UNTIL - 4 * HALF_HOUR, UNTIL - 3 * HALF_HOUR)]
        assert due(connection, NOW)[0].start == UNTIL - 4 * HALF_HOUR
    api.missing = set()
    run(sqlite_database, api)
    with sqlite_database.read() as connection:
        assert kept(connection, NOW)[0].gaps == []


def test_a_long_time_is_asked_for_in_calls_of_14_days_and_nothing_twice(sqlite_database: Database, api: Api) -> None:
    span = (UNTIL - 30 * 86_400, UNTIL)
    done = run(sqlite_database, api, span=span)
    assert (done.calls, done.slots, done.problems) == (3, 30 * 48, [])
    assert run(sqlite_database, api, span=span).calls == 0


def test_a_round_every_six_hours_looks_14_days_back(sqlite_database: Database, api: Api) -> None:
    with sqlite_database.read() as connection:
        sixth = NOW - NOW % 21_600
        assert due(connection, sixth)[0].start == sixth - FOURTEEN_DAYS
        assert due(connection, sixth + HALF_HOUR)[0].start == sixth + HALF_HOUR - 48 * 3600
    del api


def test_two_values_and_rows_of_nonsense_are_counted(sqlite_database: Database, api: Api) -> None:
    api.twice, api.nonsense = {UNTIL - HALF_HOUR}, [{"from": "soon"}, 7]
    run(sqlite_database, api, span=(UNTIL - 86_400, UNTIL))
    with sqlite_database.read() as connection:
        told = tries(connection)["national"]
    assert (told.rows_left_out, told.slots_with_two_values) == (2, 1)
    assert values(sqlite_database, "national")[UNTIL - HALF_HOUR][1] == (api.actual(UNTIL - HALF_HOUR) or 0) + 7


def test_a_postcode_that_the_api_does_not_know_costs_the_others_nothing(sqlite_database: Database, api: Api) -> None:
    place(sqlite_database, "ZZ9 9ZZ", "OX1 1ND")
    done = run(sqlite_database, api)
    assert done.problems == ["ZZ9: the Carbon Intensity API answers 400: please enter a valid outward postcode"]
    assert values(sqlite_database, "12")


def test_what_is_no_api_is_said_in_one_line(api: Api) -> None:
    api.page = True
    with IntensityClient(api.url) as client, pytest.raises(TargetUnavailable, match="no JSON"):
        client.national(UNTIL - HALF_HOUR, UNTIL)
    with (
        IntensityClient(f"http://127.0.0.1:{free_port()}") as client,
        pytest.raises(TargetUnavailable, match="cannot be asked"),
    ):
        client.national(UNTIL - HALF_HOUR, UNTIL)
    with IntensityClient("nonsense") as client, pytest.raises(TargetUnavailable, match="cannot be asked"):
        client.national(UNTIL - HALF_HOUR, UNTIL)
