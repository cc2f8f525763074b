"""What notifications can mean: event codes. Public API, listed in docs/snmp-events.md (a test compares)."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["info", "warning", "critical"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")


@dataclass(frozen=True, slots=True)
class EventCode:
    """How serious an event is, what it means in words, whether the device is polled at once, and whether it is kept."""

    severity: Severity
    words: str
    polls: bool = True
    kept: bool = True


EVENT_CODES: dict[str, EventCode] = {
    "ups_on_battery": EventCode("critical", "the UPS runs on its battery"),
    "ups_on_line": EventCode("info", "the UPS runs on the mains again"),
    "ups_battery_low": EventCode("critical", "the UPS's battery is nearly empty"),
    "ups_battery_normal": EventCode("info", "the UPS's battery is charged again"),
    "ups_battery_bad": EventCode("warning", "the UPS's battery is bad, missing or to be replaced"),
    "ups_battery_good": EventCode("info", "the UPS's battery is good again"),
    "ups_overload": EventCode("critical", "the UPS is overloaded"),
    "ups_overload_ended": EventCode("info", "the UPS is overloaded no longer"),
    "ups_on_bypass": EventCode("warning", "the load runs on the bypass, unprotected"),
    "ups_off_bypass": EventCode("info", "the UPS feeds the load again, not its bypass"),
    "ups_output_off": EventCode("critical", "the UPS's output is off"),
    "ups_output_on": EventCode("info", "the UPS's output is on"),
    "ups_shutdown_soon": EventCode("critical", "the UPS is about to switch its output off"),
    "ups_shutdown_cancelled": EventCode("info", "the UPS leaves its output on after all"),
    "ups_fault": EventCode("critical", "the UPS has a fault"),
    "ups_fault_ended": EventCode("info", "the UPS's fault has ended"),
    "ups_test_failed": EventCode("warning", "the UPS failed its test"),
    "ups_test_passed": EventCode("info", "the UPS passed its test"),
    "power_lost": EventCode("critical", "an input has no power"),
    "power_restored": EventCode("info", "an input has power again"),
    "power_quality": EventCode("warning", "voltage or frequency of an input is out of range"),
    "power_quality_normal": EventCode("info", "voltage and frequency of an input are in range again"),
    "transferred": EventCode("warning", "the load was switched to another source"),
    "redundancy_lost": EventCode("warning", "the power supply is redundant no longer"),
    "redundancy_restored": EventCode("info", "the power supply is redundant again"),
    "psu_failed": EventCode("critical", "a power supply failed, or has no input"),
    "psu_restored": EventCode("info", "a power supply works again"),
    "psu_removed": EventCode("warning", "a power supply was taken out"),
    "psu_inserted": EventCode("info", "a power supply was put in"),
    "fan_failed": EventCode("warning", "a fan failed"),
    "fan_restored": EventCode("info", "a fan works again"),
    "temperature_high": EventCode("warning", "it is too warm"),
    "temperature_critical": EventCode("critical", "it is so warm that the device may switch itself off"),
    "temperature_low": EventCode("warning", "it is too cold"),
    "temperature_normal": EventCode("info", "the temperature is in range again"),
    "humidity_out_of_range": EventCode("warning", "it is too humid, or too dry"),
    "humidity_normal": EventCode("info", "the humidity is in range again"),
    "water_detected": EventCode("critical", "a leak sensor reports water"),
    "pdu_load_high": EventCode("warning", "the load of a PDU, a phase, a bank or an outlet is high"),
    "pdu_overload": EventCode("critical", "a PDU, a phase, a bank or an outlet is overloaded"),
    "pdu_load_low": EventCode("warning", "the load of a PDU, a phase, a bank or an outlet is unusually low"),
    "pdu_load_normal": EventCode("info", "the load is in range again"),
    "breaker_open": EventCode("critical", "a breaker or fuse is open"),
    "breaker_closed": EventCode("info", "a breaker or fuse is closed again"),
    "outlet_on": EventCode("info", "an outlet was switched on"),
    "outlet_off": EventCode("warning", "an outlet was switched off"),
    "poe_load_high": EventCode("warning", "Power over Ethernet is near its limit"),
    "poe_load_normal": EventCode("info", "Power over Ethernet is below its limit again"),
    "poe_port_changed": EventCode("info", "a port began or ended to give power", kept=False),
    "poe_fault": EventCode("warning", "Power over Ethernet has a fault"),
    "sensor_threshold": EventCode("warning", "a sensor passed one of its thresholds"),
    "sensor_normal": EventCode("info", "a sensor is in range again"),
    "hardware_fault": EventCode("warning", "a part of the device has a fault"),
    "hardware_fault_ended": EventCode("info", "a part of the device works again"),
    "hardware_changed": EventCode("info", "a part was put in, taken out or changed"),
    "communication_lost": EventCode("warning", "the management card cannot speak to its device"),
    "communication_restored": EventCode("info", "the management card speaks to its device again"),
    "cold_start": EventCode("info", "the device started"),
    "warm_start": EventCode("info", "the device's SNMP agent started again"),
    "agent_stopped": EventCode("info", "the device's SNMP agent ends", polls=False),
    "link_down": EventCode("info", "a link went down", polls=False, kept=False),
    "link_up": EventCode("info", "a link came up", polls=False, kept=False),
    "authentication_failure": EventCode(
        "info", "somebody asked the device with a wrong community or user", polls=False
    ),
    "alarm": EventCode("warning", "the device raised an alarm"),
    "alarm_ended": EventCode("info", "an alarm of the device has ended"),
    "notification": EventCode("info", "the device sent a notification that is not known here", polls=False),
}
LINK_EVENTS = frozenset({"link_down", "link_up"})
"""Kept with the setting `snmp_link_events`, which triggers no poll either."""
