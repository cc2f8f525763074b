"""What is said of a polled device's power where it tells none: its members, what it feeds, its own use as a UPS."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from carbon.network_power import typical_power
from carbon.poe import CLASS_TYPICAL_WATTS, PSE_EFFICIENCY
from collector.snmp.device import DeviceReading, evaluate_whole
from collector.snmp.device_power import DevicePower, device_power
from collector.snmp.estimate import estimated_power, own_estimate, ups_rating, with_estimate
from collector.snmp.fed import PoePort
from collector.snmp.identity import DeviceIdentity
from collector.snmp.neighbours import Neighbour
from collector.snmp.poll_plan import wanted
from collector.snmp.profile_files import profiles
from collector.snmp.readings import Reading
from collector.snmp.snapshot import Snapshot
from collector.snmp.values import Oid, SnmpValue
from tests.servers.hostile_snmp import Hostile, dotted, integer, object_id, octets, responder
from tests.snmp.test_read_command import quick

ENTITY, POE = "1.3.6.1.2.1.47.1.1.1.1", "1.3.6.1.2.1.105.1.1.1"
ENTERPRISES = "1.3.6.1.4.1"
MODEL_WATTS = 61.53
"""Of a CBS350-48P-4X, by its datasheet."""


TWO_FED = (PoePort("1.1", 4), PoePort("1.2", 1))


def read(values: dict[str, SnmpValue]) -> DeviceReading:
    return evaluate_whole(Snapshot(values))


def a_reading(kind: str = "switch", hardware: str = "CBS350-48P-4X", **changes: Any) -> DeviceReading:
    power = changes.pop("power", DevicePower())
    return DeviceReading(DeviceIdentity(kind, "", hardware), power, changes.pop("readings", []), [], [], (), **changes)


def a_stack() -> dict[str, SnmpValue]:
    """A Cisco stack after ENTITY-MIB and CISCO-STACKWISE-MIB: two members that are there, one that is provisioned."""
    found: dict[str, SnmpValue] = {
        "1.3.6.1.2.1.1.1.0": b"Cisco IOS Software, Catalyst L3 Switch Software",
        "1.3.6.1.2.1.1.2.0": Oid(f"{ENTERPRISES}.9.1.2694"),
        f"{ENTITY}.5.1": 11,
        f"{ENTITY}.4.1": 0,
        f"{ENTITY}.13.1": b"C9200L Stack",
    }
    for number, (model, state) in enumerate(((b"C9200L-48P-4G", 4), (b"C9200L-24T-4G", 4), (b"C9200L-24T-4G", 9)), 1):
        index = 1000 * number
        found |= {
            f"{ENTITY}.5.{index}": 3,
            f"{ENTITY}.4.{index}": 1,
            f"{ENTITY}.13.{index}": model,
            f"{ENTERPRISES}.9.9.500.1.2.1.1.6.{index}": state,
        }
    return found


def test_a_ciscos_stack_counts_the_members_that_are_there_by_their_own_models() -> None:
    found = read(a_stack())
    assert found.identity.members == ("C9200L-48P-4G", "C9200L-24T-4G")
    each = sum(typical_power("switch", one, "Cisco").watts for one in found.identity.members)
    assert estimated_power(found).watts == pytest.approx(each)


def test_a_stack_by_the_entity_table_alone_counts_what_stands_in_it() -> None:
    values = {oid: value for oid, value in a_stack().items() if not oid.startswith(f"{ENTERPRISES}.9.9.500")}
    # A card with a chassis of its own stands in a member, and is none.
    values |= {f"{ENTITY}.5.1100": 3, f"{ENTITY}.4.1100": 1000, f"{ENTITY}.13.1100": b"NM-4X"}
    assert read(values).identity.members == ("C9200L-48P-4G", "C9200L-24T-4G", "C9200L-24T-4G")


@pytest.mark.parametrize(
    ("values", "members"),
    [
        (
            {f"{ENTERPRISES}.2636.3.40.1.4.1.1.1.8.{member}": b"ex3400-48t" for member in (0, 1)},
            ("ex3400-48t", "ex3400-48t"),
        ),
        (
            {f"{ENTERPRISES}.2011.5.25.183.1.20.1.5.{member}": b"S5720-28P" for member in (1, 2, 3)},
            ("S5720-28P", "S5720-28P", "S5720-28P"),
        ),
        (
            {
                f"{ENTERPRISES}.47196.4.1.1.3.15.1.2.1.{column}.{member}": value
                for member, state in ((1, b"ready"), (2, b"not_present"))
                for column, value in ((3, state), (4, b"JL658A"))
            },
            ("JL658A",),
        ),
        ({f"{ENTERPRISES}.6027.3.26.1.3.4.1.8.{unit}": state for unit, state in ((1, 1), (2, 1), (3, 6))}, ("", "")),
        (
            {
                f"{ENTERPRISES}.6027.3.10.1.2.2.1.{column}.{unit}": value
                for unit, status in ((1, 1), (2, 6))
                for column, value in ((7, b"S50N"), (8, status))
            },
            ("S50N",),
        ),
    ],
    ids=["Juniper", "Huawei", "Aruba CX", "Dell OS9", "Force10"],
)
def test_makers_stacks_tell_their_members(values: dict[str, SnmpValue], members: tuple[str, ...]) -> None:
    assert read(values).identity.members == members


def poe_switch(statuses: dict[int, int], classes: dict[int, int]) -> dict[str, SnmpValue]:
    """Ports after POWER-ETHERNET-MIB (RFC 3621), without a measured total."""
    found: dict[str, SnmpValue] = {"1.3.6.1.2.1.1.1.0": b"", "1.3.6.1.2.1.1.2.0": Oid(f"{ENTERPRISES}.99999.1")}
    found |= {f"{POE}.6.1.{port}": status for port, status in statuses.items()}
    return found | {f"{POE}.10.1.{port}": poe_class for port, poe_class in classes.items()}


def test_ports_that_deliver_tell_the_class_of_what_they_feed() -> None:
    searching, delivering, fault = 2, 3, 4
    statuses = {1: delivering, 2: delivering, 3: searching, 4: fault, 5: delivering}
    # class4 is 5 in the MIB, class1 is 2; the class of port 5 is not told.
    assert read(poe_switch(statuses, {1: 5, 2: 2, 3: 5, 4: 5})).powered_classes == (4, 1, 0)


def test_what_is_fed_is_estimated_by_class_where_no_watts_are_told() -> None:
    given = sum(CLASS_TYPICAL_WATTS[one][0] for one in (4, 1)) / PSE_EFFICIENCY
    found = estimated_power(a_reading(poe_ports=TWO_FED))
    assert found.watts == pytest.approx(MODEL_WATTS + given, abs=0.01)
    assert found.basis == "datasheet of CBS350-48P-4X, and 2 PoE ports by their class"
    measured = a_reading(poe_ports=TWO_FED, power=DevicePower(poe_watts=18.0))
    assert estimated_power(measured).watts == pytest.approx(MODEL_WATTS + 20, abs=0.01)


def a_neighbour(port: int, capability: str, asked: float | None = None) -> Neighbour:
    return Neighbour("lldp", port, f"gi{port}", capabilities=(capability,), asked_watts=asked)


def test_known_devices_at_the_ports_are_its_children_where_nothing_of_poe_can_be_read() -> None:
    phones = tuple(a_neighbour(port, "telephone") for port in (1, 2))
    two = typical_power("phone", "").watts * 2 / PSE_EFFICIENCY
    found = estimated_power(a_reading(neighbours=(*phones, a_neighbour(3, "bridge"))))
    assert found.watts == pytest.approx(MODEL_WATTS + two, abs=0.01)
    assert found.basis.endswith("PoE of the devices known at its ports")
    # A phone that two protocols tell of stands at one port, and is one.
    again = estimated_power(a_reading(neighbours=(*phones, *phones)))
    assert again.watts == found.watts


def test_a_child_takes_no_more_than_it_asks_for_and_none_from_a_switch_that_feeds_nobody() -> None:
    asking = (a_neighbour(1, "access_point", asked=5.0),)
    assert estimated_power(a_reading(neighbours=asking)).watts == pytest.approx(
        MODEL_WATTS + 5 / PSE_EFFICIENCY, abs=0.01
    )
    plain = estimated_power(a_reading(hardware="CBS350-24T-4X"))
    assert estimated_power(a_reading(hardware="CBS350-24T-4X", neighbours=(a_neighbour(1, "access_point"),))) == plain


def test_each_estimate_has_the_source_of_how_near_it_is() -> None:
    assert own_estimate(a_reading()).source == "snmp_catalogue"
    assert own_estimate(a_reading(hardware="CBS350-99ZZ")).source == "snmp_family"
    assert own_estimate(a_reading(hardware="")).source == "snmp_kind"


def rating(quantity: Any, value: float) -> Reading:
    return Reading("1.3", quantity, "W" if quantity == "power" else "VA", value, "rating", "", "")


def test_a_ups_itself_uses_a_share_of_its_rating() -> None:
    told = a_reading("ups", "", readings=[rating("power", 2700.0), rating("apparent_power", 3000.0)])
    assert ups_rating(told) == 2700
    assert ups_rating(a_reading("ups", "", readings=[rating("apparent_power", 3000.0)])) == pytest.approx(2400)
    assert ups_rating(a_reading("ups", "UPS2000 6kVA")) == pytest.approx(4800)
    assert ups_rating(a_reading("ups", "Smart-UPS 1000 UPS 16.0 (ID1047)")) == pytest.approx(800)
    assert ups_rating(a_reading("ups", "CS121")) is None
    found = estimated_power(told)
    assert 30 < found.watts < 120
    assert found.low < found.watts < found.high


def test_a_load_alone_is_a_share_of_the_rating_in_watts_else_in_volt_amperes() -> None:
    def load(role: Any) -> Reading:
        return Reading("1.3", "load", "percent", 40.0, role, "", "")

    watts, apparent = rating("power", 2700.0), rating("apparent_power", 3000.0)
    for kind, role in (("ups", "ups_output"), ("pdu", "inlet"), ("meter", "device")):
        by_watts = device_power([load(role), watts, apparent], kind)
        assert (by_watts.watts, by_watts.basis, by_watts.estimated) == (1080.0, "load", True)
        assert device_power([load(role), apparent], kind).watts == pytest.approx(0.4 * 0.8 * 3000)
        assert device_power([load(role)], kind).watts is None
    assert device_power([load("device"), watts], "switch").watts is None


def test_what_passes_through_a_ups_or_pdu_is_not_guessed() -> None:
    for kind in ("ups", "pdu", "meter", "dc_plant"):
        assert with_estimate(a_reading(kind, "Smart-UPS 1000")).power == DevicePower()


def test_a_reading_is_never_replaced_by_an_estimate() -> None:
    told = a_reading(power=DevicePower(40.0, "psu_inputs"))
    assert with_estimate(told) is told


def test_members_are_asked_at_the_inventory_and_classes_with_the_utilisation() -> None:
    held = [profiles()[name] for name in ("entity", "power-ethernet")]
    assert f"{ENTITY}.13" in wanted("inventory", held).columns
    assert f"{POE}.10" in wanted("utilisation", held).columns
    assert f"{POE}.10" not in wanted("power", held).columns


@pytest.fixture
def switch() -> Iterator[int]:
    values = {
        "1.3.6.1.2.1.1.1.0": octets("SG350-10 10-Port Gigabit Managed Switch"),
        "1.3.6.1.2.1.1.2.0": object_id(dotted(f"{ENTERPRISES}.9.6.1.95.10.1")),
        f"{ENTITY}.5.1": integer(3),
        f"{ENTITY}.4.1": integer(0),
        f"{ENTITY}.13.1": octets("SG350-10"),
    }
    with responder(Hostile({dotted(oid): value for oid, value in values.items()})) as port:
        yield port


def test_the_command_shows_the_estimate_of_a_device_that_tells_no_power(switch: int) -> None:
    power = json.loads(quick(switch, "--output", "json").stdout)["power"]
    assert (power["watts"], power["basis"]) == (9.0, "estimate: datasheet of SG350-10")
    assert (power["estimated"], power["low_watts"], power["high_watts"], power["poe_watts"]) == (True, 4.5, 13.5, None)
    shown = " ".join(quick(switch).stdout.split())
    assert "power 9 W (estimate: datasheet of SG350-10)" in shown
    assert "between 4.5 and 13.5 W" in shown


def test_common_council_makes_are_estimated_by_more_than_their_kind(shared: Path) -> None:
    """Of the switches, routers and firewalls among the recordings that tell a model, two in three."""
    from tests.servers.recordings import recording  # noqa: PLC0415  # its files are not everywhere

    levels = []
    for path in sorted((shared / "snmp" / "snmprec").glob("*.snmprec"))[::4]:
        device = evaluate_whole(recording(path))
        if device.identity.kind in ("switch", "router", "firewall") and device.identity.hardware:
            levels.append("no model known" not in estimated_power(device).basis and estimated_power(device).level)
    assert len(levels) >= 15
    assert sum(map(bool, levels)) / len(levels) >= 2 / 3
