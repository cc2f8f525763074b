"""Telephones and access points at PoE ports of a switch that is read lie in its reading: no profile stands for them."""

import datetime
import json
from collections.abc import Sequence
from fractions import Fraction

import pytest
from click.testing import CliRunner
from sqlalchemy import insert

from agent.cli import main
from carbon.class_profiles import month_energy, packaged_profiles
from carbon.poe_ports import FED_CLASSES
from collector.class_energy import ClassEnergy, by_month
from collector.database.engine import Database
from collector.database.neighbourhood import poe_day
from collector.database.schema import device_feed, device_placement, meter, meter_edge, site, space
from collector.estate_coverage import estate_coverage
from collector.poe_fed import FedDays, fed_by_month
from collector.poe_ports import set_poe_rule
from tests.collector.registers import ZONE, Item, metered, midnight, register, seen

NOW = midnight("2026-03-11") + 43_200
DAY = 86_400
HALL, DEPOT, HOME = 1, 2, 1


@pytest.fixture
def estate(sqlite_database: Database) -> Database:
    """Two sites, one of them with a room that stands for homes; a switch at the first."""
    with sqlite_database.write() as connection:
        for number, name in ((HALL, "Hall"), (DEPOT, "Depot")):
            connection.execute(insert(site).values(id=number, organisation_id=1, name=name))
        connection.execute(insert(space).values(id=HOME, site_id=HALL, name="At home", kind="home"))
        seen(connection, "sw-1", "switch")
        _place(connection, "sw-1", HALL)
    return sqlite_database


def _place(connection: object, device_id: str, site_id: int) -> None:
    where = {"site_id": site_id, "space_id": None, "directorate": "", "owner": "", "actor": "test"}
    connection.execute(  # type: ignore[attr-defined]  # a connection
        insert(device_placement).values(device_id=device_id, **where, valid_from=0, valid_to=None)
    )


def ports(
    estate: Database,
    watts: Sequence[float],
    day: str = "2026-03-10",
    seconds: int = DAY,
    names: Sequence[tuple[str, str]] = (),
) -> None:
    """What the switch gave at its ports on a day, and who is seen at the first of them."""
    told = [[round(each * seconds * 1000), *(names[number] if number < len(names) else ("", ""))]
            for number, each in enumerate(watts)]  # fmt: skip
    body = json.dumps({f"poe_port/1.{number}": each for number, each in enumerate(told, 1)})
    with estate.write() as connection:
        connection.execute(insert(poe_day).values(switch_id="sw-1", local_day=day, seconds=seconds, ports=body))


def items(estate: Database, *found: Item) -> None:
    with estate.write() as connection:
        register(connection, found)


def march(estate: Database) -> list[ClassEnergy]:
    with estate.read() as connection:
        return by_month(connection, 1, "2026-03", "2026-03", NOW)


def days(estate: Database) -> dict[str, Fraction]:
    """Profiled device-days of the ten days of March that are over."""
    found = dict.fromkeys(FED_CLASSES, Fraction(0))
    for one in march(estate):
        found[one.device_class] += one.device_days
    return found


def fed(estate: Database) -> list[FedDays]:
    with estate.read() as connection:
        return fed_by_month(connection, 1, ZONE, datetime.date(2026, 3, 1), datetime.date(2026, 3, 10))


def test_devices_without_a_link_are_not_profiled_on_days_on_which_so_many_ports_give_power(estate: Database) -> None:
    items(estate, Item("access_point", quantity=3, site_id=HALL), Item("desk_phone", quantity=5, site_id=HALL))
    ports(estate, [9, 8, 2, 2, 0.2])
    assert days(estate) == {"access_point": 30 - 2, "desk_phone": 50 - 2}
    assert [(one.device_class, one.site_id, one.device_days) for one in fed(estate)] == [
        ("access_point", HALL, Fraction(2)),
        ("desk_phone", HALL, Fraction(2)),
    ]
    profile = packaged_profiles()["access_point"]
    assert next(one.energy for one in march(estate) if one.device_class == "access_point") == month_energy(
        profile, "2026-03", 28
    )


def test_the_part_is_the_same_of_each_directorate_and_of_shared_devices(estate: Database) -> None:
    items(
        estate,
        Item("desk_phone", quantity=6, site_id=HALL, directorate="Adults"),
        Item("desk_phone", quantity=2, share=0.5, site_id=HALL, directorate="Housing"),
    )
    ports(estate, [2, 2, 2, 2])
    assert {one.directorate: one.device_days for one in march(estate)} == {
        "Adults": 60 - 3,
        "Housing": 10 - Fraction(1, 2),
    }
    assert sum(one.device_days for one in fed(estate)) == 4


def test_other_sites_homes_and_other_classes_are_left_alone(estate: Database) -> None:
    items(
        estate,
        Item("desk_phone", site_id=DEPOT),
        Item("desk_phone", site_id=HALL, space_id=HOME),
        Item("desk_phone"),
        Item("laptop", site_id=HALL),
    )
    before = march(estate)
    ports(estate, [9, 9, 9, 9])
    assert march(estate) == before
    assert not fed(estate)


def test_ports_that_were_read_for_less_than_nine_tenths_of_a_day_count_for_none(estate: Database) -> None:
    items(estate, Item("desk_phone", quantity=5, site_id=HALL))
    ports(estate, [2], "2026-03-09", seconds=DAY * 9 // 10 - 1)
    assert days(estate)["desk_phone"] == 50
    ports(estate, [2], "2026-03-10", seconds=DAY * 9 // 10)
    assert days(estate)["desk_phone"] == 49


def test_ports_of_devices_that_are_known_are_not_counted_again(estate: Database) -> None:
    """One is seen at its port, of one only the switch is known, one was linked, one is read and nobody knows its port."""
    with estate.write() as connection:
        for device_id in ("ap-1", "ap-2", "ap-3", "ap-4"):
            seen(connection, device_id, "access_point")
            _place(connection, device_id, HALL)
        for device_id, port in (("ap-1", "Gi1/0/2"), ("ap-2", "")):
            feed = {"device_id": device_id, "switch_id": "sw-1", "port": port, "valid_from": 0, "valid_to": None}
            connection.execute(insert(device_feed).values(**feed))
        values = {"device_id": "sw-1", "name": "poe_port/1.3", "source": "snmp_poe", "kind": "power", "covers": "feeds"}
        made = connection.execute(insert(meter).values(**values, parent="", created_at=0).returning(meter.c.id))
        link = {"parent_meter_id": made.scalar_one(), "child_device_id": "ap-3", "valid_from": 0, "valid_to": None}
        connection.execute(insert(meter_edge).values(**link))
        metered(connection, "ap-4", "2026-03-05")
    items(estate, Item("access_point", quantity=9, site_id=HALL))
    ports(estate, [9, 5, 9, 9, 6], names=[("", ""), ("Gi1/0/2", "access_point")])
    # 9 W is ap-2's, 5 W ap-1's, 9 W ap-3's; of 9 and 6 W one is ap-4's.
    assert days(estate)["access_point"] == 90 - 1


def test_devices_that_are_matched_and_read_are_no_candidates(estate: Database) -> None:
    with estate.write() as connection:
        seen(connection, "ap-1", "access_point")
        _place(connection, "ap-1", HALL)
        metered(connection, "ap-1", "2026-03-05")
    items(estate, Item("access_point", site_id=HALL, device_id="ap-1"))
    ports(estate, [9, 9, 9])
    assert days(estate)["access_point"] == 0
    assert not fed(estate)


def test_they_are_measured_in_the_coverage_and_the_page_says_how_many(estate: Database) -> None:
    items(estate, Item("access_point", quantity=3, site_id=HALL), Item("desk_phone", quantity=2, site_id=HALL))
    ports(estate, [9, 8, 2])
    with estate.read() as connection:
        rows = {one.device_class: one for one in estate_coverage(connection, "2026-03", NOW)}
    points, phones = rows["access_point"], rows["desk_phone"]
    assert (points.registered, points.measured, points.fed, points.profile) == (3, 2, 2, 1)
    assert (phones.registered, phones.measured, phones.fed, phones.profile) == (2, 1, 1, 1)


def test_the_organisation_switches_the_rule_off_from_a_day_on(estate: Database) -> None:
    items(estate, Item("desk_phone", quantity=5, site_id=HALL))
    for day in ("2026-03-08", "2026-03-09", "2026-03-10"):
        ports(estate, [2, 2], day)
    assert days(estate)["desk_phone"] == 50 - 6
    with estate.write() as connection:
        set_poe_rule(connection, 1, "off", "most ports feed cameras", midnight("2026-03-09"), "cli:test", NOW)
    assert days(estate)["desk_phone"] == 50 - 2


def test_the_rule_is_a_setting_with_a_reason(estate: Database) -> None:
    state = ["--state-directory", str(estate.path.parent) if estate.path else ""]
    command = ["estate", "organisation", "--poe-rule", "off", *state]
    assert "needs its --reason" in CliRunner().invoke(main, command).output
    result = CliRunner().invoke(main, [*command, "--reason", "cameras", "--output", "json"])
    assert json.loads(result.stdout)["poe_rule"] == "off"
