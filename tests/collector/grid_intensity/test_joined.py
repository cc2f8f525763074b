"""Sites' half-hours with the grid's intensity, recomputed here from the rows alone."""

from decimal import Decimal
from fractions import Fraction

from sqlalchemy import insert, update

from collector.database.engine import Database
from collector.database.schema import grid_intensity, grid_region, ledger
from collector.grid_intensity.joined import by_half_hour, site_months
from collector.sites import set_site
from tests.collector.estate_of_tests import HALF_HOUR, KWH, MIDNIGHT, EstateOfTests

DAY = 86_400
END = MIDNIGHT + 2 * DAY
NOW = END + 3 * DAY


def grams_of(at: int) -> int:
    return 100 + at // HALF_HOUR % 83


def settle(database: Database) -> None:
    """Two servers in a data room (PUE 1.8), one in an office elsewhere, one at home; national slots but for the second day's
    last ten, regional ones of the first site."""
    with database.write() as connection:
        estate = EstateOfTests(connection)
        hall, depot, home = (
            estate.room("Hall", "Room"),
            estate.room("Depot", "Desk", "office"),
            estate.room("Flat", "At home", "home"),
        )
        for name, room in (("web", hall), ("db", hall), ("pc", depot), ("laptop", home)):
            estate.device(name, room=room)
            estate.measure(estate.own_meter(name), MIDNIGHT, END, lambda at: KWH // 3 + at % 7919)
        set_site(connection, hall[0], {"postcode": "OX1 1ND"}, MIDNIGHT - DAY, "test", MIDNIGHT)
        connection.execute(insert(grid_region).values(outward="OX1", region_id=12, name="South England", told_at=0))
        slots = range(MIDNIGHT, END, HALF_HOUR)
        rows = [
            {
                "region": region,
                "half_hour": at,
                "forecast": grams_of(at) + 5,
                "actual": actual,
                "level": "",
                "retrieved_at": NOW,
            }
            for at in slots
            for region, actual in (("national", None if at >= END - 10 * HALF_HOUR else grams_of(at)), ("12", None))
        ]
        connection.execute(insert(grid_intensity), rows)


def exact(uj: int, grams: int) -> Fraction:
    return Fraction(uj * grams, KWH)


def test_months_are_the_half_hours_times_their_intensity_with_the_pue_and_the_coverage(database: Database) -> None:
    settle(database)
    with database.read() as connection:
        depot, hall = site_months(connection, 1, "2026-06", "2026-06", NOW)
    slots = list(range(MIDNIGHT, END, HALF_HOUR))
    uj = {at: KWH // 3 + at % 7919 for at in slots}
    room = {at: round(2 * energy * Fraction(18, 10)) for at, energy in uj.items()}
    measured = slots[:-10]
    assert (hall.site, hall.month, hall.region) == ("Hall", "2026-06", "South England")
    assert hall.national.energy_uj == sum(room.values())
    assert hall.national.grams == round(sum((exact(room[at], grams_of(at)) for at in measured), Fraction(0)))
    assert hall.national.coverage == Decimal(86) / 96
    assert hall.regional.grams == round(sum((exact(room[at], grams_of(at) + 5) for at in slots), Fraction(0)))
    assert hall.regional.coverage == 1
    assert (depot.site, depot.region, depot.regional.coverage, depot.regional.grams) == ("Depot", "", Decimal(0), 0)
    assert depot.national.grams == round(sum((exact(uj[at], grams_of(at)) for at in measured), Fraction(0)))


def test_half_hours_add_up_to_their_month_and_a_new_revision_takes_the_place_of_the_old(
    sqlite_database: Database,
) -> None:
    settle(sqlite_database)
    with sqlite_database.write() as connection:
        row = {
            "half_hour": MIDNIGHT,
            "revision": 2,
            "estimated_uj": 0,
            "low_uj": 0,
            "high_uj": 0,
            "covered_seconds": 1800,
        }
        more = {"spread_seconds": 0, "method": "measured", "model_version": "", "evidence": "{}", "written_at": 1}
        connection.execute(insert(ledger).values(meter_id=3, measured_uj=7 * KWH, **row, **more))
    with sqlite_database.read() as connection:
        found = by_half_hour(connection, 1, MIDNIGHT, END, NOW, "national")
        months = {one.site: one for one in site_months(connection, 1, "2026-06", "2026-06", NOW)}
    [depot] = [rows for (_, name), rows in found.items() if name == "Depot"]
    assert depot[MIDNIGHT].grams == 7 * grams_of(MIDNIGHT)
    assert sum(one.weighted for one in depot.values()) == months["Depot"].national.weighted
    assert len(depot) == 96


def test_a_region_that_a_person_names_goes_before_the_postcode(sqlite_database: Database) -> None:
    settle(sqlite_database)
    with sqlite_database.write() as connection:
        connection.execute(update(grid_region).values(outward="RG10"))
    with sqlite_database.read() as connection:
        assert {one.region for one in site_months(connection, 1, "2026-06", "2026-06", NOW)} == {""}
    with sqlite_database.write() as connection:
        set_site(connection, 1, {"grid_region": "RG10"}, MIDNIGHT, "test", MIDNIGHT)
    with sqlite_database.read() as connection:
        hall = next(one for one in site_months(connection, 1, "2026-06", "2026-06", NOW) if one.site == "Hall")
    assert (hall.region, hall.regional.coverage) == ("South England", Decimal(1))
