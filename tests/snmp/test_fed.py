"""What a switch feeds over Ethernet: its figure and the fed device's say the same, whatever is known."""

import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest

from carbon.network_power import typical_power
from carbon.poe import PSE_EFFICIENCY
from collector.snmp.device import DeviceReading
from collector.snmp.device_power import DevicePower, device_power
from collector.snmp.estimate import estimated_power, own_estimate
from collector.snmp.fed import LinkedPort, PoePort
from collector.snmp.identity import DeviceIdentity
from collector.snmp.neighbours import Neighbour
from collector.snmp.polled import own_power
from collector.snmp.readings import Reading

MODELS = ("CBS350-48P-4X", "CBS350-24T-4X", "")
"""One that says by its name that it feeds, one that feeds nobody, one that is not known."""
PORT_WATTS = (None, 0.0, 7.5)
POE_TOTALS = (None, 0.0, 30.0)
TABLES: tuple[tuple[PoePort, ...] | None, ...] = (
    None,
    (PoePort("1.7", 4), PoePort("1.8", 2)),
    (PoePort("1.7", None), PoePort("1.8", 2)),
    (PoePort("1.7", None), PoePort("1.8", None)),
)
NEIGHBOURS: tuple[tuple[Neighbour, ...], ...] = (
    (),
    *(
        (Neighbour("lldp", 7, "Gi1/0/7", "mac", "00:1b:2c:00:00:01", capabilities=capabilities, asked_watts=asked),)
        for capabilities in (("access_point", "bridge"), ("station",), ())
        for asked in (None, 12.95)
    ),
)


def a_reading(oid: str, role: str, value: float, name: str) -> Reading:
    return Reading(oid, "power", "W", value, role, name, "test", index=oid)  # type: ignore[arg-type]  # a role by its word


def every_switch() -> Iterator[DeviceReading]:
    """All that may be known of a switch and of who stands at its port 7."""
    for model, measured, watts, total, table, seen, linked in itertools.product(
        MODELS, (None, 80.0), PORT_WATTS, POE_TOTALS, TABLES, NEIGHBOURS, (False, True)
    ):
        found = [] if measured is None else [a_reading("1", "device", measured, "inlet")]
        found += [] if total is None else [a_reading("2", "poe_total", total, "all ports")]
        found += [] if watts is None else [a_reading("1.7", "poe_port", watts, "Gi1/0/7")]
        if watts and total == 0.0:
            continue  # no switch gives at a port what it does not give at all
        yield DeviceReading(
            DeviceIdentity("switch", "", model),
            device_power(found, "switch"),
            found,
            [],
            [],
            (),
            neighbours=seen,
            poe_ports=table,
            linked=(LinkedPort("poe_port/1.7", "camera"),) if linked else (),
        )


def test_energy_of_what_stands_at_a_port_is_in_exactly_one_place_whatever_is_known() -> None:
    count = 0
    for switch in every_switch():
        count += 1
        fed = switch.fed
        assert len(fed) <= 1, "a port feeds one device"
        nobody = replace(switch, neighbours=(), linked=())
        added = own_power(switch, own_estimate(switch)).watts - own_power(nobody, own_estimate(nobody)).watts
        power = switch.power
        if power.watts is not None or power.poe_watts is not None or switch.poe_ports is not None:
            # The figure is what it is, whoever is seen.
            assert added == 0
            holds = power.watts is not None or bool(power.poe_watts) or bool(switch.powered_classes)
            if fed and fed[0].neighbour is not None:
                assert holds, "a device that is left out of totals is in the switch's figure"
        else:
            # The estimate holds the device if, and only if, the device is left out.
            assert (added > 0) == bool(fed)
    assert count > 2000


def test_a_device_with_a_supply_of_its_own_counts_for_itself() -> None:
    for switch in every_switch():
        watts = next((one.value for one in switch.readings if one.role == "poe_port"), None)
        off = watts == 0.0 or (watts is None and switch.poe_ports is not None and switch.poe_ports[0].poe_class is None)
        if off and not switch.linked:
            assert switch.fed == []


def test_what_a_port_that_is_read_feeds_is_never_counted_beside_its_switch() -> None:
    for switch in every_switch():
        gives = any(one.role == "poe_port" and one.value for one in switch.readings)
        powered = switch.poe_ports is not None and switch.poe_ports[0].poe_class is not None
        told_off = any(one.role == "poe_port" and not one.value for one in switch.readings)
        if switch.neighbours and (gives or (powered and not told_off)):
            assert len(switch.fed) == 1


def test_an_access_point_is_never_counted_beside_a_switch_that_is_measured_or_reads_its_poe() -> None:
    for switch in every_switch():
        usual = [one for one in switch.neighbours if one.kind in ("access_point", "phone")]
        untold = switch.poe_ports is None and not any(one.role == "poe_port" for one in switch.readings)
        if usual and untold and (switch.power.poe_watts or (switch.power.watts and switch.power.poe_watts is None)):
            assert len(switch.fed) == 1


def a_switch(*neighbours: Neighbour, linked: tuple[LinkedPort, ...] = (), **changes: object) -> DeviceReading:
    plain = DeviceReading(DeviceIdentity("switch", "", "CBS350-48P-4X"), DevicePower(), [], [], [], ())
    return replace(plain, neighbours=neighbours, linked=linked, **changes)  # type: ignore[arg-type]  # fields by name


def at_port(port: int, name: str, *capabilities: str) -> Neighbour:
    return Neighbour("lldp", port, name, "mac", f"00:1b:2c:00:00:0{port}", capabilities=capabilities)


def test_a_computer_behind_a_telephone_has_a_supply_of_its_own() -> None:
    phone, computer = at_port(7, "7", "telephone"), replace(at_port(7, "7", "station"), chassis_id="00:1b:2c:00:00:99")
    read = [a_reading("1.7", "poe_port", 3.5, "7")]
    for seen in ((phone, computer), (computer, phone)):
        switch = a_switch(*seen, readings=read, power=device_power(read, "switch"))
        assert [(one.neighbour, one.watts) for one in switch.fed] == [(phone, 3.5)]


def test_rows_of_a_stacks_poe_table_are_ports_by_unit_and_number() -> None:
    table = (PoePort("1.7", None), PoePort("2.7", 4))
    names = [
        [one.port for one in a_switch(at_port(107, name, "access_point"), poe_ports=table).fed]
        for name in ("Gi1/0/7", "Gi2/0/7")
    ]
    assert names == [[], ["Gi2/0/7"]]


@pytest.mark.parametrize("kind", ["access_point", "camera"])
def test_what_a_person_linked_is_in_the_estimate_once_though_it_is_seen_too(kind: str) -> None:
    linked = (LinkedPort("poe_port/1.7", kind),)
    plain, given = estimated_power(a_switch()).watts, typical_power(kind, "").watts / PSE_EFFICIENCY
    assert estimated_power(a_switch(linked=linked)).watts == pytest.approx(plain + given, abs=0.01)
    seen = a_switch(at_port(7, "Gi1/0/7", "access_point"), linked=linked)
    assert estimated_power(seen).watts == pytest.approx(plain + given, abs=0.01)
    other = a_switch(at_port(8, "Gi1/0/8", "access_point"), linked=linked)
    assert len(other.fed) == 2
