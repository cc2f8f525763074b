"""Members of stacks: units as their MIBs describe them, and which of them are counted."""

from collector.snmp.device import evaluate_whole
from collector.snmp.snapshot import Snapshot
from collector.snmp.values import Oid, SnmpValue

OK, NOT_PRESENT = 1, 6
"""dellNetStackUnitStatus."""


def test_a_stack_of_os9_has_the_units_that_are_present() -> None:
    status = "1.3.6.1.4.1.6027.3.26.1.3.4.1.8"
    told: dict[str, SnmpValue] = {
        "1.3.6.1.2.1.1.1.0": b"Dell Networking OS",
        "1.3.6.1.2.1.1.2.0": Oid("1.3.6.1.4.1.6027.1.3.20"),
        f"{status}.1": OK,
        f"{status}.2": OK,
        f"{status}.3": NOT_PRESENT,
    }
    read = evaluate_whole(Snapshot(told))
    assert "dell-stack" in read.profiles
    assert len(read.identity.members) == 2
