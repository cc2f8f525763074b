"""Lines of a device's interfaces: what line protocol's own writer would write, within the same bounds."""

from agent.names import MEASUREMENTS
from agent.report import Value
from collector.lines import SeriesTemplate, parse_fields, parse_key, split_line
from collector.snmp.interface_points import InterfacePoints, interface_points
from collector.snmp.interfaces import Interface
from collector.snmp.rates import Count

TAGS = {"device_id": "0123", "host_name": "the switch, upstairs", "site": "County Hall", "kind": "switch"}
AT_NS = 1_700_000_000_000_000_000


def interface(index: int = 7, name: str = "Gi1/0/7", **more: int | str | None) -> Interface:
    told = {"alias": 'to "Gary"', "description": "GigabitEthernet1/0/7", "type": 6, "speed_bits": 10**9}
    state = {"admin_up": True, "oper_up": False, "counter_bits": 64, "in_octets": 5000, "out_octets": 700}
    counts = {"in_errors": 1, "out_errors": 2, "in_discards": 3, "out_discards": 4}
    return Interface(index=index, name=name, **(told | state | counts | more))  # type: ignore[arg-type]  # mixed values by name


def test_a_line_is_what_the_general_writer_writes() -> None:
    counters = {(7, "in_octets"): Count(1000, 0.0), (7, "out_octets"): Count(100, 0.0)}
    (line,) = interface_points([interface()], counters, AT_NS, 60.0).lines(TAGS)
    fields: dict[str, Value] = {
        "ifHCInOctets": 5000,
        "ifHCOutOctets": 700,
        "ifInErrors": 1,
        "ifOutErrors": 2,
        "ifInDiscards": 3,
        "ifOutDiscards": 4,
        "ifAdminStatus": 1,
        "ifOperStatus": 2,
        "speed_bits_per_second": 10**9,
        "receive_bytes_per_second": 4000 / 60,
        "transmit_bytes_per_second": 10.0,
        "ifAlias": 'to "Gary"',
        "ifDescr": "GigabitEthernet1/0/7",
    }
    assert fields.keys() == {one.name for one in MEASUREMENTS["interface"].fields}
    template = SeriesTemplate("interface", TAGS | {"ifIndex": "7", "ifName": "Gi1/0/7"}, list(fields))
    assert [line] == template.lines([(AT_NS, list(fields.values()))])


def test_rates_need_a_count_before_and_one_that_is_gone_begins_anew() -> None:
    counters: dict[tuple[int, str], Count] = {}
    first = interface_points([interface()], counters, AT_NS, 0.0)
    interface_points([interface(in_octets=None)], counters, AT_NS, 30.0)
    last = interface_points([interface(in_octets=9000, out_octets=1300)], counters, AT_NS, 60.0)
    assert first.rows[0][1:] == (None, None)
    assert last.rows[0][1:] == (None, 20.0)


def test_what_a_device_does_not_tell_or_tells_beyond_all_bounds_costs_itself_alone() -> None:
    nothing = Interface(3, "", "", "", None, None, None, None, 0)
    wild = interface(1, "x" * 300, in_octets=2**64 - 1, in_errors=2**64 - 1, description="y" * 5000)
    (line,) = InterfacePoints(AT_NS, [(nothing, None, None), (wild, None, None)]).lines(TAGS)
    key, text, at = split_line(line)
    fields = parse_fields(text)
    assert parse_key(key)[1]["ifName"] == "x" * 256
    assert fields["ifHCInOctets"] == 2**63 - 1
    assert "ifInErrors" not in fields
    assert fields["ifDescr"] == "y" * 1024
    assert fields["ifAlias"] == 'to "Gary"'
    assert at == AT_NS


def test_interfaces_that_come_with_a_new_number_each_are_forgotten() -> None:
    counters: dict[tuple[int, str], Count] = {}
    for number in range(1000):
        interface_points([interface(), interface(100 + number)], counters, AT_NS, 300.0 * number)
    assert len(counters) < 50
    (kept, _, _), *_ = interface_points([interface()], counters, AT_NS, 300.0 * 1000).rows
    assert kept.index == 7
    assert (7, "in_octets") in counters
