"""Hosts that run guests: each guest busy at its own pace, for the stretches that it ran."""

import time
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from agent.report import Guest, Inventory, Meter, Reading, Report
from carbon.calendar import HALF_HOUR_SECONDS
from collector.database.engine import Database
from collector.database.schema import device, guest_energy, guest_host, guest_stay, meter
from collector.ledger import devices_due
from collector.rolling import Due, write_ledger
from tests.collector.hosts import NS, Host

THREADS = 80
UUID = "00112233-4455-6677-8899-aabbccddeeff"
SWAPPED = "33221100-5544-7766-8899-aabbccddeeff"
OTHER = "99999999-1111-4222-8333-444444444444"


@dataclass
class Runs:
    """A guest that uses so many processors from `first` to `last` seconds after its host's start."""

    name: str
    uuid: str = ""
    processors: float = 2.0
    vcpus: float = 4.0
    memory_bytes: int = 16 * 2**30
    first: int = 0
    last: int = 10**9
    epoch: str = "guest-boot-1"
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def guest(self) -> Guest:
        values: dict[str, Any] = {
            "meter": f"guest/{self.uuid or self.name}",
            "name": self.name,
            "system_uuid": self.uuid,
            "kind": "virtual_machine" if self.uuid else "container",
            "manager": "libvirt",
            "vcpus": self.vcpus,
            "memory_bytes": self.memory_bytes,
        }
        return Guest(**{**values, **self.more})


def with_guests(reports: list[Report], guests: list[Runs]) -> list[Report]:
    """The reports with the guests' meters, readings and descriptions, as the agent adds them."""
    start_ns = min(sample.wall_ns for report in reports for sample in report.samples)
    for report in reports:
        wall = {reading.unix_ns: reading.interval_ns // NS for reading in report.readings}
        for one in guests:
            there = [at for at in wall if one.first <= (at - start_ns) // NS <= one.last]
            if not there:
                continue
            guest = one.guest
            report.guests.append(guest)
            report.meters.append(Meter(guest.meter, "guests", "utilisation", "guest", one.epoch))
            for at in there:
                second = (at - start_ns) // NS
                step = wall[at] if second - wall[at] >= one.first else 0
                busy, total = (int(second * 10**6 * each) for each in (one.processors, THREADS))
                grown = [int(step * 10**6 * one.processors), step * 10**6 * THREADS] if step else []
                report.readings.append(Reading(len(report.meters) - 1, at, step * NS, [busy, total], grown))
    return reports


def machine(uuid: str, name: str = "crm-vm01", **changes: Any) -> Inventory:
    """The inventory of a virtual machine with an agent of its own."""
    values: dict[str, Any] = {
        "machine_id": f"m-{name}",
        "host_name": name,
        "system_uuid": uuid,
        "cpu_threads": 4,
        "memory_bytes": 16 * 2**30,
        "platform": "virtual_machine",
        "hypervisor": "kvm",
    }
    return Inventory(**{**values, **changes})


def settle(database: Database, now: int | None = None) -> None:
    """Write all that is due, as the collector's rounds do."""
    at = int(time.time()) if now is None else now
    while True:
        with database.write() as connection:
            due = devices_due(connection, at, 100)
            write_ledger(connection, [Due(one, at, "collector-1") for one in due])
        if not due:
            return


@dataclass
class Attributed:
    """One host's half-hour: its own row, and the guests' rows by name."""

    host: dict[str, Any]
    guests: dict[str, dict[str, Any]]

    def adds_up(self) -> bool:
        """Whether guests, host itself and headroom are the host, in energy and both bounds."""
        return all(
            sum(one[name] for one in self.guests.values()) + self.host[f"itself_{name}"] + self.host[f"headroom_{name}"]
            == self.host[name]
            for name in ("energy_uj", "low_uj", "high_uj")
        )


def attributed(database: Database, host: Host) -> dict[int, Attributed]:
    """What is written of a host's guests, by half-hour: the newest revisions."""
    device_id = host.enrolled.device_id
    found: dict[int, Attributed] = {}
    with database.read() as connection:
        query = select(guest_host).where(guest_host.c.device_id == device_id).order_by(guest_host.c.revision)
        for row in connection.execute(query).mappings():
            values = {name: value for name, value in row.items() if name not in ("device_id", "written_at")}
            found[row["half_hour"]] = Attributed(values, {})
        parts = select(guest_energy, meter.c.name).join(meter, meter.c.id == guest_energy.c.meter_id)
        for part in connection.execute(parts.where(meter.c.device_id == device_id)).mappings():
            whole = found[part["half_hour"]]
            if part["revision"] == whole.host["revision"]:
                values = {name: value for name, value in part.items() if name != "meter_id"}
                values["energy_uj"] = values["idle_uj"] + values["active_uj"]
                whole.guests[part["name"].removeprefix("guest/")] = values
    return found


def stays_of(database: Database, host: Host) -> list[tuple[str, int, int]]:
    """Each guest's stays on a host, in half-hours after the host's start."""
    with database.read() as connection:
        query = select(guest_stay, meter.c.name).join(meter, meter.c.id == guest_stay.c.meter_id)
        rows = connection.execute(query.where(meter.c.device_id == host.enrolled.device_id)).all()
    first = host.start - host.start % HALF_HOUR_SECONDS
    return sorted(
        (
            row.name.removeprefix("guest/"),
            (row.valid_from - first) // HALF_HOUR_SECONDS,
            (row.valid_to - first) // HALF_HOUR_SECONDS,
        )
        for row in rows
    )


def other_organisation(database: Database, host: Host, organisation_id: int) -> None:
    """Put a host into another organisation."""
    with database.write() as connection:
        connection.execute(
            device.update().where(device.c.id == host.enrolled.device_id).values(organisation_id=organisation_id)
        )
