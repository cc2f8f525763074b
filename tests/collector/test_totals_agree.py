"""The first page, the coverage page's totals and the tree say the same of a linked estate, to the microjoule."""

from random import Random

import pytest

from carbon.calendar import day_bounds
from carbon.footprint import footprint
from carbon.spaces import Pue
from collector.database.engine import Database
from collector.device_energy import rules_of
from collector.estate_totals import EstateTotal, estate_totals
from collector.estate_version import touch
from collector.metered_totals import ClosedDays
from collector.metering_view import estate_tree
from collector.running_totals import RunningTotals, running_totals
from tests.collector.estate_of_tests import HALF_HOUR, KWH, MIDNIGHT, EstateOfTests

DAY = 48 * HALF_HOUR
DAYS = 40
END = MIDNIGHT + DAYS * DAY
"""10 July 2026 in London: June is over."""
NOW = END + 14 * HALF_HOUR
PAST = MIDNIGHT - 30 * DAY


def filled(estate: EstateOfTests, seed: int) -> None:
    """Servers on UPSs and PDUs' outlets in two rooms; links begin and end within days, and some servers move."""
    random = Random(seed)  # a test estate, no secret
    rooms = [estate.room("County Hall", "Room 2"), estate.room("Depot", "Cupboard", "cooled_cupboard")]
    parents = []
    for number, room in enumerate(rooms):
        estate.device(f"ups-{number}", "ups", "snmp", room)
        own = estate.own_meter(f"ups-{number}")
        estate.measure(own, MIDNIGHT, NOW, lambda _: random.randrange(KWH // 20))
        parents.append(estate.meter(f"ups-{number}", "whole"))
        estate.measure(parents[-1], MIDNIGHT, NOW, lambda _: 3 * KWH + random.randrange(KWH))
    for number in range(6):
        name = f"server-{number}"
        estate.device(name, room=rooms[number % 2])
        estate.measure(estate.own_meter(name), MIDNIGHT, NOW, lambda _: random.randrange(KWH))
        begins = MIDNIGHT + random.randrange(DAYS * 48) * HALF_HOUR
        if number != 1:
            estate.edge(parents[number % 2], name, begins, random.choice([None, begins + 7 * DAY]))
        if number > 3:
            estate.place(name, rooms[1 - number % 2], MIDNIGHT + random.randrange(DAYS * 48) * HALF_HOUR)
    estate.say(parents[1], accounting="always", reason="the loose one is on the mains")


def of_estate(estate: EstateOfTests, first: str, last: str, now: int) -> EstateTotal:
    [whole] = estate_totals(estate.connection, first, last, now).by("organisation").values()
    return whole


def amounts(running: RunningTotals) -> tuple[int, int, int, tuple[int, int]]:
    energy, rest = running.year.energy, running.year_unexplained.energy
    return (
        energy.measured_uj + energy.estimated_uj - rest.total_uj,
        rest.total_uj,
        running.year.covered_seconds,
        energy.range_uj,
    )


@pytest.mark.parametrize("seed", range(3))
def test_the_first_page_is_the_estates_totals_to_the_microjoule(sqlite_database: Database, seed: int) -> None:
    with sqlite_database.write() as connection:
        estate = EstateOfTests(connection)
        filled(estate, seed)
        running = running_totals(connection, NOW)
        told = of_estate(estate, "2026-04", "2026-07", NOW)
        wanted = told.measured_uj + told.estimated_uj, told.unexplained_uj, told.covered_seconds, told.range_uj("ict")
        assert amounts(running) == wanted
        assert told.unexplained_uj != 0
        for month in ("2026-06", "2026-07"):
            of_month = of_estate(estate, month, month, NOW)
            assert running.month(month).energy.total_uj == of_month.it_uj
            shares = estate_tree(connection, month, NOW).shares
            assert (shares.total_uj, shares.low_uj, shares.high_uj) == (of_month.it_uj, *of_month.range_uj("ict"))
        start = day_bounds(rules_of(connection).day(NOW), "Europe/London")[0]
        before = of_estate(estate, "2026-07", "2026-07", NOW).it_uj - running.whole_today.energy.total_uj
        assert start == END
        assert before == of_estate(estate, "2026-07", "2026-07", END - 1).it_uj, "the days before today"


def test_days_that_are_over_are_kept_until_the_estate_or_the_ledger_changes(sqlite_database: Database) -> None:
    with sqlite_database.write() as connection:
        estate = EstateOfTests(connection)
        filled(estate, 7)
        closed = ClosedDays()
        first = running_totals(connection, NOW, closed)
        assert amounts(running_totals(connection, NOW, closed)) == amounts(first)
        late = estate.device("late")
        estate.measure(estate.own_meter(late), MIDNIGHT, MIDNIGHT + DAY, KWH)
        again = running_totals(connection, NOW, closed)
        assert again.year.energy.total_uj == first.year.energy.total_uj + 48 * KWH, "a late day"
        estate.edge(estate.meter("ups-0", "outlet/1"), late, PAST)
        touch(connection)
        linked = running_totals(connection, NOW, closed)
        assert amounts(linked) == amounts(running_totals(connection, NOW)), "a link of the past"
        assert first.year.energy.total_uj != again.year.energy.total_uj


def test_a_devices_row_leaves_unexplained_energy_to_the_whole(sqlite_database: Database) -> None:
    with sqlite_database.write() as connection:
        filled(EstateOfTests(connection), 1)
        running = running_totals(connection, NOW)
    rows = sum(one.energy.total_uj for one in running.years().values())
    assert rows + running.year_unexplained.energy.total_uj == running.year.energy.total_uj
    mine = running.of(frozenset({"ups-0"}))
    assert set(mine.years()) == {"ups-0"}
    assert {device_id for _, device_id in mine.rests_by_month} <= {"ups-0"}


def test_what_lies_below_a_meter_of_the_whole_room_has_no_overhead_in_carbon(sqlite_database: Database) -> None:
    """The room's meter holds the cooling: its parts and its rest have the carbon of what it measured, and no more."""
    with sqlite_database.write() as connection:
        estate = EstateOfTests(connection)
        room = estate.room("County Hall", "Room 2")
        estate.device("incomer", "meter", None, room)
        whole = estate.meter("incomer", "whole")
        estate.measure(whole, MIDNIGHT, MIDNIGHT + DAY, KWH)
        estate.say(whole, reading_point="room_incomer")
        estate.edge(whole, estate.device("a", room=room))
        estate.measure(estate.own_meter("a"), MIDNIGHT, MIDNIGHT + DAY, KWH // 2)
        running = running_totals(connection, NOW)
    factors = running.rules.factors(running.rules.day(MIDNIGHT)).factors
    wanted = footprint(running.year.energy, factors, Pue(1.0, 1.0, 1.0, "none"))
    assert running.year.footprint.total_kg == wanted.total_kg
    assert running.year.footprint.facility_kwh == 0
