"""The measurements: their tags, fields, units and bounds. Public API, listed in `docs/metrics.md` (a test compares).

Everything that is written to a store is named here, whether an agent sends it or the collector derives it. A field
never changes type. Bounds are what is physically or technically thinkable: a value outside is refused at the
collector's door, row by row.
"""

from dataclasses import dataclass
from typing import Literal

FieldType = Literal["float", "integer", "boolean", "string"]

COMMON_TAGS = ("device_id", "host_name", "site", "kind")
"""Carried by every measurement about a device; the collector adds them."""

UNBOUNDED = float("inf")


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its type, its unit (OpenTelemetry's words), what it means, and the bounds a value must keep."""

    name: str
    unit: str
    description: str
    type: FieldType = "float"
    low: float = -UNBOUNDED
    high: float = UNBOUNDED


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measurement: `tags` beside the common ones, its fields, and who writes it."""

    name: str
    description: str
    tags: tuple[str, ...]
    fields: tuple[Field, ...]
    sent_by_agents: bool = False
    about_a_device: bool = True


def _ratio(name: str, description: str) -> Field:
    # Half a per cent above 1 allows for counters that were not read in the same instant.
    return Field(name, "ratio 0..1", description, low=0.0, high=1.005)


def _amount(name: str, unit: str, description: str) -> Field:
    return Field(name, unit, description, low=0.0, high=float(2**63))


def _count(name: str, unit: str, description: str) -> Field:
    return Field(name, unit, description, type="integer")


_POWER = Field("power_watts", "W", "mean power over the interval", low=0.0, high=1e7)
_ENERGY = _amount("energy_joules", "J", "energy counted since the meter's epoch began")
_LOW = Field("power_low_watts", "W", "lower bound of the power", low=0.0, high=1e7)
_HIGH = Field("power_high_watts", "W", "upper bound of the power", low=0.0, high=1e7)
_METHOD = Field("method", "", "measured, estimated or mixed", type="string")
_SOURCE = Field("source", "", "the energy source the figure came from", type="string")

_ALL = (
    Measurement(
        "hw_host",
        "Power of a whole device: exactly one series a device, from its accounting source.",
        (),
        (_POWER, _LOW, _HIGH, _ENERGY, _SOURCE, _METHOD),
    ),
    Measurement(
        "hw_component",
        "Power of a part of a device (processor package, memory, graphics card).",
        ("hw_id", "hw_type", "hw_parent"),
        (_POWER, _ENERGY),
    ),
    Measurement(
        "power_meter",
        "A meter that sees a whole machine or what it feeds, chosen or not; of a network device each place of its power "
        "path that it reads.",
        ("meter_id", "role"),
        (
            _POWER,
            _ENERGY,
            _amount("current_amperes", "A", "current"),
            _amount("voltage_volts", "V", "voltage"),
            _amount("frequency_hertz", "Hz", "frequency"),
            Field("load_ratio", "ratio 0..1", "load by the device's own reckoning", low=0.0, high=10.0),
            Field("power_factor_ratio", "ratio -1..1", "real power over apparent power", low=-1.0, high=1.005),
            _amount("runtime_seconds", "s", "how long a UPS's battery lasts at this load"),
            _ratio("charge_ratio", "charge of a UPS's battery"),
        ),
        sent_by_agents=True,
    ),
    Measurement(
        "network_device",
        "A device that is polled over SNMP.",
        (),
        (
            _ratio("cpu_busy_ratio", "mean load of its processors"),
            _ratio("memory_used_ratio", "the fullest of its memory pools"),
            Field("poe_watts", "W", "power that it gives to others over Ethernet", low=0.0, high=1e6),
            _amount("uptime_seconds", "s", "time since it started"),
            _amount("poll_seconds", "s", "how long the last poll took"),
        ),
        sent_by_agents=True,
    ),
    Measurement(
        "interface",
        "Each interface of a device that is polled over SNMP, named as Telegraf names it.",
        ("ifIndex", "ifName"),
        (
            _count("ifHCInOctets", "By", "octets received since the counter began"),
            _count("ifHCOutOctets", "By", "octets sent since the counter began"),
            _count("ifInErrors", "{packet}", "packets received with errors since the counter began"),
            _count("ifOutErrors", "{packet}", "packets that could not be sent since the counter began"),
            _count("ifInDiscards", "{packet}", "packets received and dropped since the counter began"),
            _count("ifOutDiscards", "{packet}", "packets dropped before sending since the counter began"),
            _count("ifAdminStatus", "", "1 up, 2 down, 3 testing: what is wanted"),
            _count("ifOperStatus", "", "1 up, 2 down, and what else RFC 2863 knows"),
            _amount("speed_bits_per_second", "bit/s", "its speed"),
            _amount("receive_bytes_per_second", "By/s", "octets received, mean over the interval"),
            _amount("transmit_bytes_per_second", "By/s", "octets sent, mean over the interval"),
            Field("ifAlias", "", "the name that a person gave it", type="string"),
            Field("ifDescr", "", "the name that the device gives it", type="string"),
        ),
        sent_by_agents=True,
    ),
    Measurement(
        "hw_temperature",
        "Temperature sensors of a device.",
        ("hw_id", "hw_type"),
        (Field("temperature_celsius", "Cel", "temperature at the time", low=-80.0, high=250.0),),
        sent_by_agents=True,
    ),
    Measurement(
        "system_cpu",
        "How busy the processors were, as means over the interval.",
        (),
        (
            _ratio("user_ratio", "time in user programs, niced ones included"),
            _ratio("system_ratio", "time in the kernel"),
            _ratio("iowait_ratio", "idle time with a disk request outstanding"),
            _ratio("interrupt_ratio", "time serving hardware and software interrupts"),
            _ratio("steal_ratio", "time the hypervisor gave to others"),
            _ratio("idle_ratio", "idle time, without waiting for disks"),
            _ratio("busy_ratio", "all time but idle, iowait and steal"),
            _amount("busy_seconds", "s", "processor seconds busy since boot, all processors together"),
            _amount("total_seconds", "s", "processor seconds passed since boot, all processors together"),
            _amount("load_1m", "{process}", "load average over 1 minute"),
            _amount("load_5m", "{process}", "load average over 5 minutes"),
            _amount("load_15m", "{process}", "load average over 15 minutes"),
        ),
        sent_by_agents=True,
    ),
    Measurement(
        "system_memory",
        "Memory and swap.",
        (),
        (
            _amount("total_bytes", "By", "memory installed"),
            _amount("used_bytes", "By", "memory in use by programs"),
            _amount("available_bytes", "By", "memory that programs could get without swapping"),
            _ratio("used_ratio", "1 - available / total"),
            _amount("swap_total_bytes", "By", "swap space"),
            _amount("swap_used_bytes", "By", "swap space in use"),
            _amount("swap_in_bytes_per_second", "By/s", "mean rate of pages read from swap"),
            _amount("swap_out_bytes_per_second", "By/s", "mean rate of pages written to swap"),
        ),
        sent_by_agents=True,
    ),
    Measurement(
        "system_filesystem",
        "Each mounted file system that holds data.",
        ("mount_point",),
        (
            _amount("total_bytes", "By", "size"),
            _amount("used_bytes", "By", "space in use"),
            _amount("free_bytes", "By", "space free to unprivileged users"),
            _ratio("used_ratio", "used / (used + free)"),
        ),
        sent_by_agents=True,
    ),
    Measurement(
        "system_disk",
        "Each disk's traffic, as means over the interval.",
        ("disk",),
        (
            _amount("read_bytes_per_second", "By/s", "bytes read"),
            _amount("write_bytes_per_second", "By/s", "bytes written"),
            _amount("reads_per_second", "{operation}/s", "read operations"),
            _amount("writes_per_second", "{operation}/s", "write operations"),
            _ratio("busy_ratio", "share of the interval with a request outstanding"),
        ),
        sent_by_agents=True,
    ),
    Measurement(
        "system_network",
        "Each network card's traffic, as means over the interval.",
        ("interface",),
        (
            _amount("receive_bytes_per_second", "By/s", "bytes received"),
            _amount("transmit_bytes_per_second", "By/s", "bytes sent"),
            _amount("receive_packets_per_second", "{packet}/s", "packets received"),
            _amount("transmit_packets_per_second", "{packet}/s", "packets sent"),
            _amount("receive_errors_per_second", "{error}/s", "packets received with errors"),
            _amount("transmit_errors_per_second", "{error}/s", "packets that could not be sent"),
            _amount("drops_per_second", "{packet}/s", "packets dropped, both ways"),
        ),
        sent_by_agents=True,
    ),
    Measurement(
        "system_guest",
        "Each virtual machine or system container that runs on a host, as the host sees it.",
        ("guest",),
        (
            Field("name", "", "the hypervisor's name for it", type="string"),
            _amount("cpu_seconds", "s", "processor seconds of the host that it used since it started"),
            _ratio("busy_ratio", "its share of the time of all the host's processors"),
            _amount(
                "vcpu_busy_ratio",
                "ratio",
                "time it used / time of its configured processors; its emulator's work is in it, so it may exceed 1",
            ),
            _amount("vcpus", "{cpu}", "configured processors; missing where a container has no limit"),
            _amount("memory_bytes", "By", "configured memory; missing where a container has no limit"),
        ),
        sent_by_agents=True,
    ),
    Measurement(
        "ictagent_agent",
        "The agent itself.",
        (),
        (
            _amount("resident_bytes", "By", "the agent's resident memory"),
            _amount("cpu_seconds", "s", "processor seconds the agent has used since it started"),
            _amount("spool_reports", "{report}", "reports waiting to be sent"),
            _amount("spool_bytes", "By", "disk space of the spool"),
            _amount("dropped_reports", "{report}", "reports dropped since the stream began: the spool was full"),
            _amount("rejected_reports", "{report}", "reports the collector refused"),
            _amount("sample_seconds", "s", "how long the last sample took"),
        ),
        sent_by_agents=True,
    ),
    Measurement(
        "ictagent_source",
        "What each energy source of a host came to, written when it changes and daily.",
        ("source",),
        (
            Field("outcome", "", "data, absent, failed or off", type="string"),
            Field("reason", "", "why it is not data", type="string"),
        ),
    ),
    Measurement(
        "ictagent_event",
        "Events on a device: enrolment, clock step, spool overflow; of a network device what it told by a trap.",
        ("code",),
        (
            Field("detail", "", "what happened, in words", type="string"),
            Field("severity", "", "info, warning or critical; of what a network device told", type="string"),
        ),
    ),
    Measurement(
        "ictagent_collector",
        "The collector itself.",
        ("collector",),
        (
            _amount("reports_accepted", "{report}", "reports accepted since start"),
            _amount("reports_refused", "{report}", "reports refused since start"),
            _amount("rows_rejected", "{row}", "rows rejected since start"),
            _amount("outbox_batches", "{batch}", "batches waiting for the slowest target"),
            _amount("outbox_bytes", "By", "their size"),
            _amount("resident_bytes", "By", "resident memory"),
            _amount("cpu_seconds", "s", "processor seconds since start"),
        ),
        about_a_device=False,
    ),
    *(
        Measurement(
            f"energy_{span}",
            f"Energy of a device over one {words}, from the ledger.",
            (),
            (
                _amount("energy_kwh", "kWh", "energy"),
                _amount("low_kwh", "kWh", "lower bound"),
                _amount("high_kwh", "kWh", "upper bound"),
                _ratio("measured_ratio", "share of the energy that was measured"),
                _ratio("coverage_ratio", "share of the time with a reading"),
                _METHOD,
            ),
        )
        for span, words in (("half_hour", "UTC half-hour"), ("day", "local day"))
    ),
    *(
        Measurement(
            f"carbon_{span}",
            f"Carbon of a device over one {words}: ledger energy x PUE x factor set.",
            (),
            (
                _amount("s2_location_kg", "kg", "Scope 2, location-based: generation"),
                _amount("s3_td_kg", "kg", "Scope 3: transmission and distribution losses"),
                _amount("s3_wtt_gen_kg", "kg", "Scope 3: well-to-tank of generation"),
                _amount("s3_wtt_td_kg", "kg", "Scope 3: well-to-tank of transmission and distribution losses"),
                _amount("low_kg", "kg", "lower bound of the four lines together"),
                _amount("high_kg", "kg", "upper bound of the four lines together"),
                Field("factor_set", "", "the factor set, with `provisional` where it is", type="string"),
            ),
        )
        for span, words in (("half_hour", "UTC half-hour"), ("day", "local day"))
    ),
    Measurement(
        "grid_intensity",
        "How much CO2 a kilowatt-hour of the grid makes in a half-hour, by NESO: of Great Britain, or of a region.",
        ("region",),
        (
            Field("forecast_grams_per_kwh", "g/kWh", "as forecast, by the newest forecast", low=0.0, high=2000.0),
            Field("actual_grams_per_kwh", "g/kWh", "as it was; of Great Britain alone", low=0.0, high=2000.0),
            Field("index", "", "NESO's word: very low, low, moderate, high or very high", type="string"),
        ),
        about_a_device=False,
    ),
)

MEASUREMENTS: dict[str, Measurement] = {measurement.name: measurement for measurement in _ALL}
