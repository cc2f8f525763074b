"""Which packets count, by a clock of the test's own."""

import asyncio
import json
from pathlib import Path

import pytest

from collector.snmp.ber import OCTETS, SEQUENCE, Broken, Reader, integer_part, oid_part, part
from collector.snmp.client import Credential
from collector.snmp.traps.asking import Asking
from collector.snmp.traps.engine import FILE, next_start
from collector.snmp.traps.notification import SNMP_TRAP_OID, TRAP_V2
from collector.snmp.traps.receiver import PACKETS_AT_ONCE, REMEMBERED_SECONDS, Receiver, Sender
from collector.snmp.traps.user_security import Clocks, OwnEngine, Refused, SecureMessage


def trap(number: int, community: str = "public") -> bytes:
    variable = part(SEQUENCE, oid_part(SNMP_TRAP_OID), oid_part("1.3.6.1.2.1.33.2.1"))
    pdu = part(TRAP_V2, integer_part(number), integer_part(0), integer_part(0), part(SEQUENCE, variable))
    return part(SEQUENCE, integer_part(1), part(OCTETS, community.encode()), pdu)


@pytest.fixture
def receiver() -> Receiver:
    one = Receiver(OwnEngine(b"\x80\0\0\0\x05own", 1, 0.0))
    one.know([Sender("ups", "10.0.0.1", 161, Credential("", "v2c", "public"))])
    return one


def test_a_doubled_trap_counts_once_and_much_later_again(receiver: Receiver) -> None:
    assert receiver.take(trap(1), "10.0.0.1", 0.0).taken is not None
    assert receiver.take(trap(1), "10.0.0.1", 1.0).taken is None
    assert receiver.take(trap(2), "10.0.0.1", 1.0).taken is not None
    assert receiver.take(trap(1), "10.0.0.1", REMEMBERED_SECONDS + 2).taken is not None
    assert not receiver.refused


def test_one_address_is_heard_at_a_bounded_rate(receiver: Receiver) -> None:
    taken = [receiver.take(trap(number), "10.0.0.1", 0.0).taken for number in range(PACKETS_AT_ONCE + 50)]
    assert sum(one is not None for one in taken) == PACKETS_AT_ONCE
    assert receiver.refused == {"too_fast": 50}
    assert receiver.take(trap(9999), "10.0.0.1", 1.0).taken is not None


def test_two_devices_at_one_address_are_told_apart_by_their_communities(receiver: Receiver) -> None:
    first = Sender("switch", "10.0.0.9", 161, Credential("", "v2c", "one"))
    receiver.know([Sender("ups", "10.0.0.9", 162, Credential("", "v1", "two")), first])
    told = [receiver.take(trap(1, community), "10.0.0.9", 0.0).taken for community in ("one", "two")]
    assert [one.device_id if one else "" for one in told] == ["switch", "ups"]


def test_every_cut_and_every_flipped_octet_of_a_trap_is_borne(receiver: Receiver) -> None:
    whole = trap(77)
    broken = [whole[:cut] for cut in range(len(whole))]
    broken += [whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :] for at in range(len(whole))]
    for number, packet in enumerate(broken):
        result = receiver.take(packet, "10.0.0.1", float(number))
        assert result.reason or result.taken
    assert receiver.refused["not_snmp"] > len(whole)


def test_an_old_message_of_v3_is_not_taken_again() -> None:
    def message(boots: int, time: int) -> SecureMessage:
        return SecureMessage(b"", 1, 1, b"engine", boots, time, b"", b"", 0, b"", Reader(b""))

    clocks = Clocks()
    clocks.take(message(3, 1000), "ups", 50.0)
    clocks.take(message(3, 990), "ups", 55.0)
    clocks.take(message(3, 500), "another with the same engine id", 55.0)
    clocks.take(message(4, 1), "ups", 60.0)
    for late in (message(3, 2000), message(4, 1)):
        with pytest.raises(Refused, match="not_in_time"):
            clocks.take(late, "ups", 300.0)


def test_integers_and_lengths_that_cannot_be_are_refused() -> None:
    for octets in (b"\x02\x00", b"\x02\x0a" + b"\x01" * 10, b"\x02\x85\x01\x01\x01\x01\x01\x01", b"\x04\x01a"):
        with pytest.raises(Broken):
            Reader(octets).integer()
    assert Reader(integer_part(-(2**63))).integer() == -(2**63)


def test_each_start_is_counted_and_the_engine_id_stays(tmp_path: Path) -> None:
    engine_id, boots = next_start(tmp_path)
    assert next_start(tmp_path) == (engine_id, boots + 1)
    (tmp_path / FILE).write_text(json.dumps({"engine_id": "no hexadecimal", "boots": 7}))
    other, first = next_start(tmp_path)
    assert (other != engine_id, first, len(bytes.fromhex(other))) == (True, 1, 13)


def test_polls_are_asked_for_at_once_and_then_once_at_the_end_of_a_pause() -> None:
    asked: list[str] = []

    async def told() -> None:
        asking = Asking(asked.append, least_seconds=0.05)
        for _ in range(5):
            asking.ask("ups")
        asking.ask("switch")
        assert asked == ["ups", "switch"]
        async with asyncio.timeout(20):
            while len(asked) < 3:
                await asyncio.sleep(0.005)
        asking.close()

    asyncio.run(told())
    assert asked == ["ups", "switch", "ups"]
