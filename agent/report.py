"""The report: what an agent sends to the collector, and the contract between the two.

A report is one JSON object, gzip-compressed, "series and rows": every series (measurement, tags, field names) stands
once, then each row names its series by position. It is written with the standard library here and read with
msgspec by the collector, from the same dataclasses.

Two kinds of content travel together:

* **points** (`series`, `rows`): gauges and counters as they go to InfluxDB and the pages;
* **energy readings** (`meters`, `readings`): what the ledger is made of. Each reading covers the interval since the
  meter's previous reading and carries the difference over it, so that one report stands by itself and a lost one
  loses no energy: the next cumulative value holds it.

Identity is (key, `stream_id`, `sequence`): the same number is counted once, whatever happens on the way.
"""

import gzip
import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, NamedTuple

FORMAT_VERSION = 1

CONTENT_TYPE = "application/json"
WALL_CLOCK_HEADER = "X-Ictagent-Wall-Ns"
"""The sender's wall clock (Unix time, nanoseconds) at the moment of sending."""
BOOT_CLOCK_HEADER = "X-Ictagent-Boot-Ns"
"""The sender's time since boot (nanoseconds, counting suspend) at the moment of sending."""
BOOT_ID_HEADER = "X-Ictagent-Boot-Id"
"""The boot in which it is sent: samples of another boot cannot be re-timed by the boot clock."""
MACHINE_HEADER = "X-Ictagent-Machine"
"""Evidence of the machine that sends, or "-", and its host name, percent-encoded (`agent.machine`)."""

Value = float | int | bool | str | None
"""A field's value; None where it is missing. Never NaN or infinite."""

MeterKind = Literal["counter", "power", "utilisation"]
"""What a meter's readings hold:

* `counter`: `[energy_uj]`, a monotonic count of microjoules within one epoch;
* `power`: `[watts]`, the mean over the interval;
* `utilisation`: `[busy_us, total_us]`, cumulative processor microseconds within one epoch, the input of the
  collector's estimate. `total_us` counts every processor, so busy / total is the mean utilisation. A guest's meter
  (`covers` is `guest`) holds what the guest used of the host: busy / total is its share of the host's processors.
"""

Covers = Literal[
    "machine_ac",
    "machine_dc",
    "ups_output",
    "psys",
    "package",
    "core",
    "dram",
    "gpu",
    "battery",
    "component",
    "processors",
    "guest",
    "feeds",
]
"""What part of the host a meter sees. `machine_ac` is the whole machine at the plug, `machine_dc` behind its power
supply (a battery's discharge is `battery`), `ups_output` whatever a UPS feeds, `psys` the platform, `processors` the
utilisation meter's subject, `guest` what one guest uses of them (see `Guest`), `feeds` what passes through an outlet or
another place of a UPS, PDU or switch to other devices. The last two are never part of a choice."""

OutcomeName = Literal["data", "absent", "failed", "off"]
Basis = Literal["machine", "psys", "package", "estimate"]
GuestKind = Literal["virtual_machine", "container"]
GuestManager = Literal["libvirt", "proxmox", "qemu"]
"""Who runs a guest; `qemu` is one started by hand, or by a manager that is not known here."""


class SampleTime(NamedTuple):
    """One sample's time on both clocks. Every row and reading of the sample has exactly this `wall_ns`."""

    wall_ns: int
    boot_ns: int


class Series(NamedTuple):
    """A measurement with its tags and the names of its fields, in the order of the rows' values."""

    measurement: str
    tags: dict[str, str]
    fields: list[str]


class Row(NamedTuple):
    """One point: position in `series`, Unix time in nanoseconds, one value for each field."""

    series: int
    unix_ns: int
    values: list[Value]


class Meter(NamedTuple):
    """A source of energy readings at one place of the host.

    `name` is unique and stable on the host (`rapl/package-0`), `epoch` changes whenever continuity of its cumulative
    values cannot be proved (reset, reboot, a restart longer than the counter's wrap time); it is empty for `power`.
    `parent` names the meter that already contains this one (a package contains its core), or is empty.
    """

    name: str
    source: str
    kind: MeterKind
    covers: Covers
    epoch: str
    parent: str = ""


class Reading(NamedTuple):
    """What a meter read at `unix_ns`, and what changed over the `interval_ns` before it.

    `interval_ns` is 0 for the first reading of an epoch; `differences` is then empty. For cumulative kinds
    `differences` holds the change of each value over the interval, so the reading at its start is known too.
    A `power` reading always has an interval (its mean is over it) and no differences.
    """

    meter: int
    unix_ns: int
    interval_ns: int
    values: list[int | float]
    differences: list[int]


@dataclass(slots=True)
class SourceState:
    """What one energy source came to on this host: `off` when the configuration switches it off.

    The `reason` of `data` names a part that is missing, and is empty where all is there.
    """

    source: str
    outcome: OutcomeName
    reason: str = ""
    remedy: str = ""


@dataclass(slots=True)
class Choice:
    """Which meters stand for the whole host, and why no better one does.

    `basis` is the rung of the ladder; `meters` are added together (two package zones and their dram); with `package`
    the collector adds the estimated rest, with `estimate` it estimates all. `why_not` gives a reason for each rung
    above the chosen one.
    """

    basis: Basis
    meters: list[str] = field(default_factory=list)
    why_not: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Event:
    """Something that happened on the host that a person may ask about later: `spool_dropped`, `clock_step`, ..."""

    unix_ns: int
    code: str
    detail: str


@dataclass(slots=True)
class Disk:
    name: str
    model: str = ""
    size_bytes: int | None = None
    rotational: bool | None = None


@dataclass(slots=True)
class NetworkCard:
    name: str
    mac_address: str = ""
    speed_bits_per_second: int | None = None
    driver: str = ""


@dataclass(slots=True)
class Inventory:
    """What the host is. An empty text or None means "not known", never zero.

    `platform` is `physical`, `virtual_machine` or `container`; `hypervisor` names it (`kvm`, `vmware`, `hyperv`,
    `xen`, `docker`, ...) and `cloud` the provider where DMI gives it away (`aws`, `azure`, `gcp`, ...).
    `asset_tag` is the owner's number as the firmware keeps it, of physical machines alone: hypervisors write there what
    they like. `chassis` is `server`, `desktop`, `laptop`, `other` or empty, from the DMI chassis type. `system_uuid` is the
    machine's UUID as its firmware has it, in lower case; a hypervisor gives each guest one of its own, by which host
    and guest can be told to belong together (`agent.inventory.uuids` knows the other byte order). `end_user_device`
    says that half-hour means are all it sends (`agent.half_hours`). `host_of_guest` is the name of the machine that a
    guest runs on, where its hypervisor tells it (Hyper-V does): evidence, not proof.
    """

    machine_id: str = ""
    host_name: str = ""
    vendor: str = ""
    model: str = ""
    serial: str = ""
    asset_tag: str = ""
    system_uuid: str = ""
    chassis: str = ""
    cpu_model: str = ""
    cpu_sockets: int | None = None
    cpu_cores: int | None = None
    cpu_threads: int | None = None
    memory_bytes: int | None = None
    disks: list[Disk] = field(default_factory=list)
    network_cards: list[NetworkCard] = field(default_factory=list)
    operating_system: str = ""
    kernel: str = ""
    architecture: str = ""
    platform: str = ""
    hypervisor: str = ""
    cloud: str = ""
    host_of_guest: str = ""
    boot_unix_ns: int | None = None
    end_user_device: bool = False


@dataclass(slots=True)
class Guest:
    """A virtual machine or system container running on this host, with its configured size.

    `meter` names the meter of its CPU time: `guest/<uuid>`, or `guest/<manager>-<id>` where it has no UUID, the same
    over reboots of host and guest. `name` is the hypervisor's name for it. `system_uuid` is lower case, as the guest
    sees it in its DMI, and empty where it has none (containers). `vcpus` and `memory_bytes` are what it was given, a
    container's limit; 0 where no limit is set.
    """

    meter: str
    name: str
    system_uuid: str
    kind: GuestKind
    manager: GuestManager
    vcpus: float
    memory_bytes: int


@dataclass(slots=True)
class Report:
    """One report. `inventory` is sent first in a stream, daily, and whenever it changed; None otherwise.

    `guests` holds every guest that the report has a reading of, so that each report stands by itself.
    """

    stream_id: str
    sequence: int
    agent_version: str
    boot_id: str
    samples: list[SampleTime] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    meters: list[Meter] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    sources: list[SourceState] = field(default_factory=list)
    choice: Choice = field(default_factory=lambda: Choice("estimate"))
    inventory: Inventory | None = None
    guests: list[Guest] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    version: int = FORMAT_VERSION


def encode(report: Report) -> bytes:
    """The report as gzip-compressed UTF-8 JSON, the same bytes for the same report.

    Raises ValueError if a value is NaN or infinite: such a value is a defect of the source that gave it.
    """
    text = json.dumps(asdict(report), allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    return gzip.compress(text.encode(), compresslevel=6, mtime=0)


def jsonable(report: Report) -> dict[str, Any]:
    """The report as plain dictionaries and lists, for `ictagent sample --output json`."""
    plain: dict[str, Any] = asdict(report)
    return plain
