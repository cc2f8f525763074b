"""The test estate taken into the product by its doors: hosts' reports, polls' reports, the ledger's round, registers' files."""

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from sqlalchemy import select

from agent.report import Choice, Guest, Inventory, Meter, Reading, Report, SampleTime, encode
from carbon.calendar import day_bounds
from collector.claim import Identity
from collector.clocks import Sent
from collector.database.engine import Database
from collector.database.schema import agent_key
from collector.device_context import load_context
from collector.enrolment import EnrolRequest, TokenRequest, create_tokens, enrol
from collector.guest_energy import attribute
from collector.keys import Issued
from collector.ledger import devices_due, roll
from collector.prepare import prepare
from collector.record import Incoming, record
from collector.snmp.devices import NewDevice, add_device
from collector.snmp.poe_tally import PoeTold, PortTold, note_poe
from collector.snmp.polled import received_of
from collector.wire import Received, receive
from tests.data.estate.truth import END, FIRST_DAY, HALF_HOUR, HALF_HOURS, START, Device

NS = 10**9
COLLECTOR = "collector-1"
BOOT = "boot-1"
_PART = HALF_HOUR // 3
COUNTER = Meter("redfish/power", "redfish", "counter", "machine_ac", "epoch-1")


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sender:
    """A device as the product knows it."""

    device_id: str
    key_id: str


def load_readings(database: Database, devices: Sequence[Device]) -> dict[str, Sender]:
    """Have all devices report their week, and write the ledger; who they are by name."""
    senders = _enrolled(database, [one for one in devices if one.kind == "host"])
    senders |= _added(database, [one for one in devices if one.kind != "host"])
    for some in _some(devices, 20):
        _record(database, ((senders[one.name], received) for one in some for received in _reports(one)))
    write_all(database, END + HALF_HOUR)
    with database.write() as connection:
        for one in devices:
            for day in (FIRST_DAY + datetime.timedelta(number) for number in range(7 if one.ports else 0)):
                begins, ends = day_bounds(day, "Europe/London")
                ports = {
                    f"poe_port/1.{number}": PortTold(milliwatts * (ends - begins), "", seen)
                    for number, (milliwatts, seen) in enumerate(one.ports, 1)
                }
                note_poe(connection, senders[one.name].device_id, PoeTold(ends - begins, ports), ends)
    return senders


def write_all(database: Database, now: int) -> None:
    """The ledger's rounds until nothing is due, without their series; `now` in Unix seconds."""
    while True:
        with database.read() as connection:
            due = devices_due(connection, now, 1000)
        if not due:
            return
        for some in _some(due, 20):
            with database.write() as connection:
                for one in some:
                    attribute(connection, one, roll(connection, one, now).touched, now)


def _enrolled(database: Database, hosts: Sequence[Device]) -> dict[str, Sender]:
    found = {}
    with database.write() as connection:
        [token] = create_tokens(connection, [TokenRequest("estate", len(hosts), 2**33, "", "test")])
        for one, issued in zip(
            hosts, enrol(connection, [EnrolRequest(token, one.name, "host") for one in hosts]), strict=True
        ):
            assert isinstance(issued, Issued)
            found[one.name] = Sender(issued.device_id, issued.key_id)
    return found


def _added(database: Database, devices: Sequence[Device]) -> dict[str, Sender]:
    found = {}
    with database.write() as connection:
        for number, one in enumerate(devices):
            new = NewDevice(f"127.9.{number // 250}.{number % 250}", name=one.name, kind=one.kind)
            device_id = add_device(connection, new, "test")
            key = select(agent_key.c.id).where(agent_key.c.device_id == device_id)
            found[one.name] = Sender(device_id, connection.execute(key).scalar_one())
    return found


def _record(database: Database, reports: Iterable[tuple[Sender, Received]]) -> None:
    with database.write() as connection:
        for sender, received in reports:
            sent_ns = max(sample.wall_ns for sample in received.report.samples)
            sent = Sent(sent_ns, sent_ns - START * NS + NS, BOOT, sent_ns)
            recording = prepare(received, load_context(connection, sender.device_id), sent)
            assert not recording.refused.count, recording.refused.reasons
            identity = Identity(sender.key_id, received.report.stream_id, received.report.sequence, received.sha256)
            [result] = record(connection, [Incoming(identity, recording, COLLECTOR)])
            assert not isinstance(result, Exception), result


def _reports(one: Device) -> Iterator[Received]:
    """A host sends a report a day; what polls found of a device in the week is one report."""
    if one.kind == "host":
        counted = 0
        for number, some in enumerate(_some(HALF_HOURS, 48)):
            report = _report(one, number + 1, some[0] if not number else some[0] + _PART, some[-1] + HALF_HOUR)
            report.choice = Choice("machine", [COUNTER.name], {})
            report.meters = [COUNTER]
            if not number:
                report.readings.append(Reading(0, START * NS, 0, [0], []))
            for at in some:
                # Every ten minutes: across a longer time a counter's difference is energy, and no coverage.
                for part, energy in enumerate(_thirds(one.energy_uj[at]), 1):
                    counted += energy
                    unix_ns = (at + part * _PART) * NS
                    report.readings.append(Reading(0, unix_ns, _PART * NS, [counted], [energy]))
            if some[-1] == HALF_HOURS[-1]:
                _add_guests(report, one, some[-6:])
            yield receive(encode(report), "gzip")
        return
    source = "snmp_catalogue" if one.estimated else "snmp"
    report = _report(one, 1, min(one.energy_uj), max(one.energy_uj) + HALF_HOUR)
    own = Meter(f"{source}/power", source, "power", "machine_ac", "")
    report.choice = Choice("machine", [own.name], {})
    report.meters = [own]
    if one.passes_uj:
        report.meters.append(Meter("whole", "snmp_watts", "power", "feeds", ""))
    for number, energies in enumerate((one.energy_uj, one.passes_uj)):
        for at, energy in energies.items():
            watts = energy / (HALF_HOUR * 10**6)
            report.readings.append(Reading(number, (at + HALF_HOUR) * NS, HALF_HOUR * NS, [watts], []))
    yield received_of(report, _NoPoints())


class _NoPoints:
    """No points beside the report's."""

    def lines(self, tags: Mapping[str, str]) -> list[str]:
        del tags
        return []


def _thirds(energy_uj: int) -> list[int]:
    return [energy_uj * (part + 1) // 3 - energy_uj * part // 3 for part in range(3)]


def _some(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def _report(one: Device, sequence: int, first: int, last: int) -> Report:
    """A report with a sample each half-hour, and who the device is in its first."""
    report = Report("stream-of-estate", sequence, "0.1.0" if one.kind == "host" else "snmp", BOOT)
    report.samples = [SampleTime(at * NS, (at - START) * NS + NS) for at in range(first, last + 1, _PART)]
    if sequence == 1:
        chassis = "server" if one.kind == "host" else "other"
        report.inventory = Inventory(
            host_name=one.name, vendor=one.vendor, model=one.model, serial=one.serial, chassis=chassis, platform="physical",
            cpu_threads=64, cpu_cores=32, memory_bytes=2**38,
        )  # fmt: skip
    return report


def _add_guests(report: Report, one: Device, half_hours: Sequence[int]) -> None:
    """What the host's virtual machines used of its processors, half-hour by half-hour."""
    for number, uuid in enumerate(one.guests):
        name = f"guest/{uuid}"
        report.guests.append(Guest(name, f"vm-{uuid[:6]}", uuid, "virtual_machine", "libvirt", 4.0, 2**34))
        report.meters.append(Meter(name, "guests", "utilisation", "guest", "guest-boot-1"))
        place = len(report.meters) - 1
        step = (HALF_HOUR * 10**6 * (1 + number % 3), HALF_HOUR * 10**6 * 64)
        for past, at in enumerate(half_hours, 1):
            values, grown = [past * each for each in step], [*step]
            report.readings.append(Reading(place, (at + HALF_HOUR) * NS, HALF_HOUR * NS, [*values], grown))
