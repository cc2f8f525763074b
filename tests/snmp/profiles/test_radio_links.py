"""Radio links: values as their MIBs describe them, and what must be read."""

from collector.snmp.device import evaluate_whole
from collector.snmp.snapshot import Snapshot
from collector.snmp.values import Oid, SnmpValue


def test_an_airfiber_link_tells_its_firmware() -> None:
    description, object_id = "1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.2.0"
    # UBNT-AirFIBER-MIB's text is not among those at hand: the place of the firmware is as the profile has it.
    firmware = "1.3.6.1.4.1.41112.1.3.2.1.40.1"
    told: dict[str, SnmpValue] = {
        description: b"Linux",
        object_id: Oid("1.3.6.1.4.1.10002.1"),
        firmware: b"AF24.v3.2.2",
    }
    read = evaluate_whole(Snapshot(told))
    assert "ubiquiti-airfiber" in read.profiles
    assert (read.identity.kind, read.identity.vendor) == ("radio_link", "Ubiquiti")
    assert read.identity.version == "AF24.v3.2.2"
