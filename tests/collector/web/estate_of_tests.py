"""A small council's estate for tests and pictures: hosts of every method, silent ones, a guest, and what goes wrong.

Each host reports over HTTP as an agent does, with days of history and a day's curve of use.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from agent.report import (
    Basis,
    Choice,
    Disk,
    Inventory,
    Meter,
    NetworkCard,
    Reading,
    Report,
    Row,
    SampleTime,
    Series,
    SourceState,
)
from collector.estate import Placement, place, retire
from tests.collector.web.served import NS, Enrolled, Served

STEP_SECONDS = 600
PROCESSORS = Meter("cpu", "cpu_time", "utilisation", "processors", "boot-1")
PACKAGES = (
    Meter("rapl/package-0", "rapl", "counter", "package", "boot-1"),
    Meter("rapl/package-1", "rapl", "counter", "package", "boot-1"),
)
PLUG = Meter("acpi/power1", "acpi_meter", "power", "machine_ac", "")
PLATFORM = Meter("rapl/psys", "rapl", "counter", "psys", "boot-1")

_NO_RAPL = SourceState("rapl", "absent", "this kernel or machine has no powercap tree (a virtual machine never has)")
_UNREADABLE = SourceState(
    "rapl",
    "failed",
    "/sys/class/powercap/intel-rapl:0/energy_uj cannot be read: Permission denied",
    "give the service CAP_DAC_READ_SEARCH: ictagent doctor",
)
_NO_BATTERY = SourceState("battery", "absent", "there is no battery")
_NO_ACPI = SourceState("acpi_meter", "absent", "this machine's firmware offers no power meter")


@dataclass(frozen=True)
class Machine:
    """One host of the estate: what it is, where it stands, what it draws idle and busy, and when it fell silent."""

    inventory: Inventory
    basis: Basis = "estimate"
    meters: tuple[Meter, ...] = ()
    idle_watts: float = 0.0
    busy_watts: float = 0.0
    place: Placement = field(default_factory=Placement)
    sources: tuple[SourceState, ...] = (_NO_RAPL, _NO_BATTERY, _NO_ACPI)
    silent_seconds: int = 0
    retired: bool = False
    bad_rows: bool = False

    @property
    def name(self) -> str:
        return self.inventory.host_name


def server(name: str, cpu: str = "Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz", sockets: int = 2) -> Inventory:
    """The inventory of a rack server."""
    return Inventory(
        machine_id=f"machine-of-{name}"[:60],
        host_name=name,
        vendor="Dell Inc.",
        model="PowerEdge R640",
        serial=f"S-{name}"[:60],
        chassis="server",
        cpu_model=cpu,
        cpu_sockets=sockets,
        cpu_cores=20 * sockets,
        cpu_threads=40 * sockets,
        memory_bytes=192 * 2**30 * sockets,
        disks=[Disk("sda", "MZ7LH960", 960 * 10**9, False), Disk("sdb", "MZ7LH960", 960 * 10**9, False)],
        network_cards=[NetworkCard("eno1", "e4:43:4b:00:00:01", 10**10, "i40e")],
        operating_system="Debian GNU/Linux 13 (trixie)",
        kernel="6.12.41+deb13-amd64",
        architecture="x86_64",
        platform="physical",
        boot_unix_ns=time.time_ns() - 30 * 86_400 * NS,
    )


def desktop(name: str) -> Inventory:
    """The inventory of an office computer."""
    return Inventory(
        machine_id=f"machine-of-{name}",
        host_name=name,
        vendor="HP",
        model="EliteDesk 800 G5",
        chassis="desktop",
        cpu_model="Intel(R) Core(TM) i5-9500 CPU @ 3.00GHz",
        cpu_sockets=1,
        cpu_cores=6,
        cpu_threads=6,
        memory_bytes=16 * 2**30,
        disks=[Disk("nvme0n1", "SAMSUNG MZVLB256", 256 * 10**9, False)],
        operating_system="Ubuntu 24.04.2 LTS",
        platform="physical",
    )


def guest(name: str) -> Inventory:
    """The inventory of a virtual machine."""
    return Inventory(
        machine_id=f"machine-of-{name}",
        host_name=name,
        vendor="QEMU",
        cpu_model="Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz",
        cpu_sockets=1,
        cpu_cores=4,
        cpu_threads=4,
        memory_bytes=8 * 2**30,
        operating_system="Debian GNU/Linux 13 (trixie)",
        platform="virtual_machine",
        hypervisor="kvm",
    )


_HALL = Placement("County Hall", "Data room", "data_room", "Infrastructure", "Digital")
_LIBRARY = Placement("Central Library", "Reading room", "office", "Libraries", "Communities")
_DEPOT = Placement("Highways Depot", "Comms cupboard", "cooled_cupboard", "Infrastructure", "Place")

ESTATE = (
    Machine(server("hall-db01"), "package", PACKAGES, 95, 270, _HALL, (SourceState("rapl", "data"), _NO_BATTERY)),
    Machine(server("hall-web01"), "package", PACKAGES, 80, 230, _HALL, (SourceState("rapl", "data"), _NO_BATTERY)),
    Machine(server("hall-hv01"), "machine", (PLUG,), 210, 420, _HALL, (SourceState("acpi_meter", "data"), _UNREADABLE)),
    Machine(server("hall-hv02"), "machine", (PLUG,), 205, 390, _HALL, (SourceState("acpi_meter", "data"), _NO_BATTERY)),
    Machine(server("depot-nas01", sockets=1), "psys", (PLATFORM,), 62, 110, _DEPOT, (SourceState("rapl", "data"),)),
    Machine(desktop("library-pc07"), place=_LIBRARY),
    Machine(desktop("library-pc08"), place=_LIBRARY, silent_seconds=3 * 3600 + 900),
    Machine(guest("crm-vm01"), place=Placement(owner="Customer services", directorate="Resources")),
)
"""What the picture in the README shows."""

TROUBLES = (
    Machine(
        server("planning-gis-archive-and-aerial-photography-server-of-the-former-district-council-02.internal.example"),
        place=Placement(
            "The Old Corn Exchange and Assembly Rooms, Market Place, Much Wenlock", "Strong room", "office"
        ),
        sources=(_UNREADABLE, _NO_BATTERY),
        bad_rows=True,
    ),
    Machine(server("<script>alert('x')</script>&\"quoted\""), place=Placement("<b>Site</b>", owner="O'Neill & Sons")),
    Machine(server("hall-old01"), "machine", (PLUG,), 180, 200, _HALL, retired=True),
)
"""What pages must bear."""


def settle_in(
    served: Served, machines: tuple[Machine, ...], days: float, owners: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Enrolled]:
    """Enrol the machines, place them, send their history of so many days, and write the ledger; hosts by name.

    `owners` are organisations by machine's name, where they are not the first one's.
    """
    hosts = {}
    for machine in machines:
        host = hosts[machine.name] = served.enrol(machine.name, owners.get(machine.name))
        now = int(time.time())
        with served.collector.database.write() as connection:
            if machine.place != Placement():
                place(connection, host.device_id, machine.place, "test", now - int(days * 86_400) - 3600)
        served.collector.seconds_behind = machine.silent_seconds
        answer = host.send(history(machine, now - machine.silent_seconds, days))
        served.collector.seconds_behind = 0
        assert answer.status_code == 200, answer.text
        if machine.retired:
            with served.collector.database.write() as connection:
                retire(connection, host.device_id, "test", now, served.collector.collector_id)
    served.settle()
    return hosts


def history(machine: Machine, end: int, days: float) -> Report:
    """One report with samples every ten minutes up to `end` (Unix seconds)."""
    steps = int(days * 86_400) // STEP_SECONDS
    start = end - steps * STEP_SECONDS
    report = Report("stream-of-tests", 1, "0.1.0", "boot-1", inventory=machine.inventory)
    report.choice = Choice(machine.basis, [meter.name for meter in machine.meters], {})
    report.sources = list(machine.sources)
    report.meters = [PROCESSORS, *machine.meters]
    report.series = [Series("system_cpu", {}, ["busy_ratio"])]
    threads = machine.inventory.cpu_threads or 1
    counts = {meter.name: 0 for meter in machine.meters}
    busy_us = 0
    for step in range(steps + 1):
        at = start + step * STEP_SECONDS
        busy = use_at(at)
        report.samples.append(SampleTime(at * NS, (at - start) * NS + NS))
        report.rows.append(Row(0, at * NS, [busy]))
        interval_ns = STEP_SECONDS * NS if step else 0
        total_us = step * STEP_SECONDS * threads * 10**6
        grown_us = int(STEP_SECONDS * threads * 10**6 * busy) if step else 0
        busy_us += grown_us
        passed = [grown_us, STEP_SECONDS * threads * 10**6] if step else []
        report.readings.append(Reading(0, at * NS, interval_ns, [busy_us, total_us], passed))
        watts = (machine.idle_watts + (machine.busy_watts - machine.idle_watts) * busy) / max(1, len(machine.meters))
        for position, meter in enumerate(machine.meters, 1):
            if meter.kind == "power":
                if step:
                    report.readings.append(Reading(position, at * NS, interval_ns, [round(watts, 3)], []))
                continue
            grown_uj = int(watts * STEP_SECONDS * 10**6) if step else 0
            counts[meter.name] += grown_uj
            report.readings.append(
                Reading(position, at * NS, interval_ns, [counts[meter.name]], [grown_uj] if step else [])
            )
    if machine.bad_rows:
        report.rows += [Row(0, start * NS, [17.5]), Row(0, start * NS, [True]), Row(9, start * NS, [0.1])]
    return report


def use_at(at: int) -> float:
    """How busy a council's machines are at a time of day: little at night, most at eleven."""
    hour = at % 86_400 / 3600
    return round(0.08 + 0.55 * math.exp(-(((hour - 11) / 4) ** 2)), 4)
