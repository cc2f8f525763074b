"""Each kilowatt-hour of the estate once: devices by their best source, rests of meters, for any tree and any change."""

import datetime
from collections.abc import Iterator

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from carbon.footprint import Energy
from collector.database.engine import Database, open_database
from collector.database.migrate import migrate
from collector.database.schema import device
from collector.device_energy import rules_of
from collector.errors import BadRequest, NotFound
from collector.metering import Accounted, Metering, metering
from collector.metering_branch import NOT_ALL_LINKED
from collector.power_path import WantedLink, end_link, find_link, make_link, take_up_link, withdraw_link
from collector.snmp.places import Place
from collector.totals import month_totals
from tests.collector.estate_of_tests import HALF_HOUR, KWH, MIDNIGHT, EstateOfTests

DAY = 24 * 3600
FIRST, LAST = datetime.date(2026, 6, 1), datetime.date(2026, 6, 2)
END = MIDNIGHT + 2 * DAY
NOW = END + 7200


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened = open_database(tmp_path_factory.mktemp("metering") / "ictagent.db")
    migrate(opened)
    yield opened
    opened.close()


@pytest.fixture
def estate(migrated: Database) -> Iterator[EstateOfTests]:
    """Undone after each test."""
    with migrated.write() as connection:
        yield EstateOfTests(connection)
        connection.rollback()


@pytest.fixture
def anywhere(database: Database) -> Iterator[EstateOfTests]:
    """The same on each database."""
    with database.write() as connection:
        yield EstateOfTests(connection)


def metered(estate: EstateOfTests, now: int = NOW) -> Metering:
    return metering(estate.connection, FIRST, LAST, now)


def total(rows: list[Accounted]) -> int:
    return sum(one.energy.total_uj for one in rows)


def server(estate: EstateOfTests, name: str, kwh: float, room: tuple[int, int] | None = None, **more: str) -> str:
    """A server that uses so much a day."""
    estate.device(name, room=room, **more)
    estate.measure(estate.own_meter(name), MIDNIGHT, END, round(kwh * KWH / 48))
    return name


def feeding(
    estate: EstateOfTests, name: str, kwh: float, room: tuple[int, int] | None = None, kind: str = "ups", own: float = 0
) -> int:
    """A UPS or PDU through which so much passes a day, and which uses `own` itself; the number of its meter."""
    estate.device(name, kind, "snmp", room)
    estate.measure(estate.own_meter(name), MIDNIGHT, END, round(own * KWH / 48))
    number = estate.meter(name, "whole")
    estate.measure(number, MIDNIGHT, END, round(kwh * KWH / 48))
    return number


def rests(found: Metering) -> dict[int | None, float]:
    """Kilowatt-hours a day."""
    return {one.meter_id: round(one.energy.total_uj / KWH / 2, 6) for one in found.rows if one.kind == "rest"}


def test_without_a_tree_the_rows_are_the_month_totals_to_the_microjoule(anywhere: EstateOfTests) -> None:
    estate = anywhere
    room, other = estate.room("County Hall", "Room 2"), estate.room("County Hall", "Room 3")
    for number in range(3):
        server(estate, f"web{number}", 1.37 + number, room)
    server(estate, "nowhere", 2)
    feeding(estate, "ups-1", 12, room, own=0.3)
    estate.place("web1", other, MIDNIGHT + 11 * HALF_HOUR)
    found = metered(estate)
    expected = month_totals(estate.connection, rules_of(estate.connection), FIRST, LAST, NOW)
    by_device: dict[tuple[str, str], Energy] = {}
    for one in found.rows:
        key = (one.month, one.device_id)
        by_device[key] = by_device.get(key, Energy()) + one.energy
    assert by_device == {key: one.energy for key, one in expected.items()}
    assert sum(one.covered_seconds for one in found.rows) == sum(one.covered_seconds for one in expected.values())
    assert sum(one.possible_seconds for one in found.rows) == sum(one.possible_seconds for one in expected.values())
    moved = [one for one in found.rows if one.device_id == "web1"]
    assert [(one.space_id, one.start, one.end) for one in moved] == [
        (room[1], MIDNIGHT, MIDNIGHT + 11 * HALF_HOUR),
        (other[1], MIDNIGHT + 11 * HALF_HOUR, END),
    ]
    assert {one.device_id: one.overhead for one in found.rows}["ups-1"] == "ups_loss"


def test_what_a_ups_measures_beyond_its_servers_is_a_rest_where_it_stands(estate: EstateOfTests) -> None:
    room = estate.room("County Hall", "Room 2")
    ups = feeding(estate, "ups-1", 10, room, own=0.5)
    for name in "ab":
        estate.edge(ups, server(estate, name, 2, room))
    found = metered(estate)
    assert rests(found) == {ups: 6}
    assert total(found.rows) == 2 * 10.5 * KWH
    [rest] = [one for one in found.rows if one.kind == "rest"]
    assert (rest.site_id, rest.space_id, rest.device_id, rest.overhead) == (*room, "ups-1", "whole")
    assert (rest.start, rest.end, rest.covered_seconds) == (MIDNIGHT, END, 2 * DAY)
    assert found.meters["2026-06", ups].parts.total_uj == 8 * KWH


def test_a_rest_is_withheld_while_a_device_beside_it_is_linked_to_nothing(estate: EstateOfTests) -> None:
    room = estate.room("County Hall", "Room 2")
    ups = feeding(estate, "ups-1", 10, room)
    estate.edge(ups, server(estate, "linked", 2, room))
    server(estate, "loose", 3, room)
    found = metered(estate)
    assert total(found.rows) == 2 * 5 * KWH
    month = found.meters["2026-06", ups]
    assert (month.withheld.total_uj, month.why) == (2 * 8 * KWH, NOT_ALL_LINKED)
    estate.say(ups, accounting="always", reason="the loose one is on the mains")
    assert total(metered(estate).rows) == 2 * 13 * KWH


def test_a_link_holds_from_its_half_hour_on(estate: EstateOfTests) -> None:
    room = estate.room("County Hall", "Room 2")
    ups = feeding(estate, "ups-1", 9.6, room)
    estate.edge(ups, server(estate, "a", 2.4, room), MIDNIGHT + 10 * HALF_HOUR, MIDNIGHT + 60 * HALF_HOUR)
    found = metered(estate)
    assert sum(one.energy.total_uj for one in found.rows if one.kind == "rest") == 50 * 72 * KWH // 480
    assert sum(one.energy.total_uj for one in found.rows if one.kind == "device") == 48 * KWH // 10


def test_outlets_tell_a_servers_energy_better_than_an_estimate(estate: EstateOfTests) -> None:
    pdu = estate.device("pdu-1", "pdu", None)
    whole = estate.meter(pdu, "whole")
    outlets = [estate.meter(pdu, f"outlet/{number}") for number in (1, 2)]
    estate.measure(whole, MIDNIGHT, END, 5 * KWH // 48)
    for number, outlet in enumerate(outlets):
        estate.measure(outlet, MIDNIGHT, END, (number + 1) * KWH // 48)
    web = server(estate, "web", 9, source="snmp_catalogue")
    for outlet in outlets:
        estate.edge(outlet, web, share=1.0)
    found = metered(estate)
    [row] = [one for one in found.rows if one.kind == "device"]
    assert (row.rank, row.energy.total_uj, row.covered_seconds) == ("outlet", 2 * 3 * KWH, 2 * DAY)
    assert row.reason == "metered outlets, before an estimate"
    assert rests(found)[whole] == 2


def test_a_device_without_any_source_is_told_by_its_outlet(estate: EstateOfTests) -> None:
    pdu = estate.device("pdu-1", "pdu", None)
    outlet = estate.meter(pdu, "outlet/1")
    estate.measure(outlet, MIDNIGHT, END, KWH // 48)
    estate.edge(outlet, estate.device("appliance", "other", None), share=1.0)
    [row] = [one for one in metered(estate).rows if one.energy.total_uj]
    assert (row.device_id, row.rank, row.energy.total_uj) == ("appliance", "outlet", 2 * KWH // 48 * 48)


def test_a_device_without_a_source_moves_at_its_half_hour_with_its_outlets_energy(estate: EstateOfTests) -> None:
    rooms = [estate.room("County Hall", f"Room {number}") for number in (2, 3)]
    outlet = estate.meter(estate.device("pdu-1", "pdu", None), "outlet/1")
    estate.measure(outlet, MIDNIGHT, END, KWH // 48)
    estate.edge(outlet, estate.device("appliance", "other", None, rooms[0]), share=1.0)
    estate.place("appliance", rooms[1], MIDNIGHT + 60 * HALF_HOUR)
    found = [one for one in metered(estate).rows if one.energy.total_uj]
    assert [(one.space_id, one.energy.total_uj, one.start, one.end) for one in found] == [
        (rooms[0][1], 60 * (KWH // 48), MIDNIGHT, MIDNIGHT + 60 * HALF_HOUR),
        (rooms[1][1], 36 * (KWH // 48), MIDNIGHT + 60 * HALF_HOUR, END),
    ]


def test_what_a_room_incomer_holds_gets_no_overhead(anywhere: EstateOfTests) -> None:
    estate = anywhere
    room = estate.room("County Hall", "Room 2")
    incomer = estate.meter(estate.device("meter-1", "meter", None, room), "whole")
    estate.measure(incomer, MIDNIGHT, END, 20 * KWH // 48)
    ups = feeding(estate, "ups-1", 10, room, own=1)
    estate.edge(ups, server(estate, "a", 4, room))
    estate.edge(incomer, "ups-1")
    estate.say(incomer, reading_point="room_incomer")
    found = metered(estate)
    assert {one.overhead for one in found.rows} == {"held"}
    assert rests(found) == {incomer: 9, ups: 6}
    assert total(found.rows) == 2 * 20 * KWH // 48 * 48


def test_a_reading_at_a_ups_input_holds_the_upss_own_loss(estate: EstateOfTests) -> None:
    ups = estate.device("ups-1", "ups")
    estate.measure(estate.own_meter(ups), MIDNIGHT, END, KWH // 48)
    into = estate.meter(ups, "ups_input/1")
    estate.measure(into, MIDNIGHT, END, 10 * KWH // 48)
    estate.edge(into, server(estate, "a", 4))
    found = metered(estate)
    assert rests(found) == {into: 5}
    assert total(found.rows) == 2 * (10 * KWH // 48) * 48
    assert {one.device_id: one.overhead for one in found.rows if one.kind == "device"} == {
        "a": "whole",
        "ups-1": "ups_loss",
    }


def test_meters_that_feed_meters_over_three_levels_count_each_kilowatt_hour_once(estate: EstateOfTests) -> None:
    room = estate.room("County Hall", "Room 2")
    incomer = feeding(estate, "incomer", 20, room)
    estate.say(incomer, accounting="always", reason="all of it is drawn")
    ups, pdu = (estate.device(name, name, "snmp", room) for name in ("ups", "pdu"))
    inputs = {ups: estate.meter(ups, "whole"), pdu: estate.meter(pdu, "inlet/1")}
    for number, kwh in zip(inputs.values(), (16, 12), strict=True):
        estate.measure(number, MIDNIGHT, END, kwh * KWH // 48)
    for one in (ups, pdu):
        estate.measure(estate.own_meter(one), MIDNIGHT, END, 0)
    links = [
        make_link(
            estate.connection, WantedLink(parent, Place(place, "", ""), child, MIDNIGHT, child_place=into), "test"
        )
        for parent, place, child, into in (
            ("incomer", "whole", ups, Place("whole", "whole", "")),
            (ups, "whole", pdu, Place("inlet/1", "inlet", "")),
            (pdu, "inlet/1", server(estate, "a", 4, room), None),
            (pdu, "inlet/1", server(estate, "b", 5, room), None),
        )
    ]
    found = metered(estate)
    assert rests(found) == {incomer: 4, inputs[ups]: 4, inputs[pdu]: 3}
    assert total(found.rows) == 2 * 20 * KWH // 48 * 48
    assert find_link(estate.connection, links[1]).child_place == "inlet/1"
    with pytest.raises(BadRequest, match="circle"):
        into = Place("whole", "whole", "")
        make_link(estate.connection, WantedLink(pdu, Place("inlet/1", "", ""), ups, MIDNIGHT, child_place=into), "test")
    end_link(estate.connection, links[1], MIDNIGHT + 1800, "test")
    assert total(metered(estate).rows) > total(found.rows)
    take_up_link(estate.connection, links[1], "test")
    assert rests(metered(estate)) == rests(found)
    withdraw_link(estate.connection, links[1], "test")
    with pytest.raises(NotFound):
        find_link(estate.connection, links[1])


def test_a_building_and_generation_enter_no_total(estate: EstateOfTests) -> None:
    supply = estate.device("supply", "meter", None)
    building, panels = estate.meter(supply, "mpan/1012345678901"), estate.meter(supply, "mpan/pv")
    estate.measure(building, MIDNIGHT, END, 100 * KWH // 48)
    estate.measure(panels, MIDNIGHT, END, 30 * KWH // 48)
    estate.say(building, purpose="whole_building", reading_point="building")
    estate.say(panels, purpose="generation")
    estate.edge(building, server(estate, "a", 4))
    found = metered(estate)
    assert total(found.rows) == 2 * 4 * KWH
    assert round(found.meters["2026-06", building].not_ict.total_uj / KWH) == 2 * 96
    assert round(found.generation["2026-06", panels].total_uj / KWH) == 60


def test_a_device_linked_to_a_poe_port_is_no_entry_beside_its_switch(anywhere: EstateOfTests) -> None:
    estate = anywhere
    server(estate, "switch", 5)
    server(estate, "phone", 0.1)
    port = estate.meter("switch", "poe_port/1.7", "snmp_poe")
    estate.measure(port, MIDNIGHT, END, KWH // 480)
    estate.edge(port, "phone", share=1.0)
    assert total(metered(estate).rows) == 2 * 5 * KWH
    estate.connection.execute(update(device).where(device.c.id == "switch").values(retired_at=MIDNIGHT + DAY))
    assert total(metered(estate).rows) == round(5.1 * KWH)


def test_parts_beyond_their_meter_are_an_alarm_of_that_day(estate: EstateOfTests) -> None:
    ups = feeding(estate, "ups-1", 3)
    estate.edge(ups, server(estate, "a", 8))
    found = metered(estate)
    assert total(found.rows) == 2 * 8 * KWH
    assert [(one.meter_id, one.start, one.end) for one in found.alarms] == [
        (ups, MIDNIGHT, MIDNIGHT + DAY),
        (ups, MIDNIGHT + DAY, END),
    ]


def test_a_meter_that_always_accounts_counts_though_nothing_below_it_is_known(estate: EstateOfTests) -> None:
    ups = feeding(estate, "ups-1", 3)
    assert not total(metered(estate).rows)
    estate.say(ups, accounting="always", reason="a cupboard that nobody has drawn")
    assert total(metered(estate).rows) == 2 * 3 * KWH


def test_a_silent_meter_does_not_account_though_a_person_said_always(estate: EstateOfTests) -> None:
    room = estate.room("County Hall", "Room 2")
    estate.device("ups-1", "ups", None, room)
    ups = estate.meter("ups-1", "whole")
    estate.measure(ups, MIDNIGHT, MIDNIGHT + DAY, 10 * KWH // 48)
    estate.say(ups, accounting="always", reason="all of it")
    estate.edge(ups, server(estate, "a", 2, room))
    found = metered(estate)
    assert total(found.rows) == 10 * KWH // 48 * 48 + 2 * KWH
    assert found.meters["2026-06", ups].why == "it was read for 0% of the time only"


@settings(
    max_examples=12,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(st.data())
def test_no_branch_counts_twice_for_any_tree_and_any_change(migrated: Database, data: st.DataObject) -> None:
    """Three levels, whose links, places and devices change at any half-hour; by hand half-hour by half-hour."""
    with migrated.write() as connection:
        hand = ByHand(EstateOfTests(connection), data)
        found = metering(connection, FIRST, LAST, NOW)
        assert not found.alarms
        assert total(found.rows) == hand.total()
        for (_, meter_id), one in found.meters.items():
            assert one.rest.total_uj + one.withheld.total_uj == one.energy.total_uj - one.parts.total_uj, meter_id
        connection.rollback()


class ByHand:
    """Draws an estate, and adds up each half-hour by going down from what nothing feeds, in plain numbers."""

    def __init__(self, estate: EstateOfTests, data: st.DataObject) -> None:
        self.estate = estate
        draw = data.draw
        rooms = [estate.room("County Hall", f"Room {number}") for number in range(2)]
        self.servers = [f"s{number}" for number in range(draw(st.integers(1, 4)))]
        self.passing = dict.fromkeys(("pdu-1", "pdu-2", "ups-1"), 0)
        times = st.integers(0, 95).map(lambda at: MIDNIGHT + at * HALF_HOUR)
        self.edges: list[tuple[str, str, int, int]] = []
        self.moves: dict[str, list[tuple[int, tuple[int, int]]]] = {}
        for name in self.servers:
            estate.device(name)
            self.moves[name] = [(0, draw(st.sampled_from(rooms)))]
            estate.place(name, self.moves[name][0][1])
            if draw(st.booleans()):
                self.moves[name].append((draw(times), draw(st.sampled_from(rooms))))
                estate.place(name, self.moves[name][1][1], self.moves[name][1][0])
            estate.measure(estate.own_meter(name), MIDNIGHT, END, draw(st.integers(0, 10**6)))
        for name in self.passing:
            estate.device(name, "ups" if name == "ups-1" else "pdu")
            estate.place(name, rooms[0])
            self.moves[name] = [(0, rooms[0])]
            estate.measure(estate.own_meter(name), MIDNIGHT, END, draw(st.integers(0, 10**4)))
            self.passing[name] = estate.meter(name, "whole")
        for parent, children in (
            ("pdu-1", self.servers[:2]),
            ("pdu-2", self.servers[2:]),
            ("ups-1", ["pdu-1", "pdu-2"]),
        ):
            for child in children:
                begins, ends = sorted((draw(times), draw(times)))
                if draw(st.booleans()):
                    begins = MIDNIGHT - HALF_HOUR
                if begins < ends:
                    self.edges.append((parent, child, begins, ends))
                    estate.edge(self.passing[parent], child, begins, ends)
        for parent, number in self.passing.items():
            # At least what is below it, whoever accounts there.
            spare = draw(st.integers(0, 10**5))
            needed = {at: self.need(parent, at) + spare for at in range(MIDNIGHT, END, HALF_HOUR)}
            estate.measure(number, MIDNIGHT, END, needed.__getitem__)

    def below(self, parent: str, at: int) -> list[str]:
        return [child for one, child, begins, ends in self.edges if one == parent and begins <= at < ends]

    def uj(self, name: str, at: int) -> int:
        return self.estate.amounts[self.estate.own_meter(name), at]

    def need(self, name: str, at: int) -> int:
        """At least as much as can be counted below."""
        return sum(
            self.uj(child, at) + (self.estate.amounts.get((self.passing[child], at), 0) if child in self.passing else 0)
            for child in self.below(name, at)
        )

    def place(self, name: str, at: int) -> tuple[int, int]:
        return [where for since, where in self.moves[name] if since <= at][-1]

    def accounts(self, name: str, at: int) -> bool:
        """No server that nothing feeds stands where the meter or anything below it stands."""
        below, waiting = set(), [name]
        while waiting:
            found = self.below(waiting.pop(), at)
            below |= set(found)
            waiting += found
        places = {self.place(one, at) for one in below | {name}}
        fed = {child for _, child, begins, ends in self.edges if begins <= at < ends}
        return not any(self.place(one, at) in places for one in self.servers if one not in fed)

    def branch(self, name: str, at: int) -> int:
        found = self.uj(name, at)
        if name in self.passing and self.below(name, at):
            if self.accounts(name, at):
                return found + self.estate.amounts[self.passing[name], at]
            return found + sum(self.branch(child, at) for child in self.below(name, at))
        return found

    def total(self) -> int:
        whole = 0
        for at in range(MIDNIGHT, END, HALF_HOUR):
            fed = {child for _, child, begins, ends in self.edges if begins <= at < ends}
            whole += sum(self.branch(name, at) for name in (*self.servers, *self.passing) if name not in fed)
        return whole
