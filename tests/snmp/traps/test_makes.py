"""What the notifications of makers that councils have most mean: one wrong about the mains is worse than none."""

import pytest

from collector.snmp.traps.codes import EVENT_CODES
from collector.snmp.traps.meaning import event_files, meaning_of

EATON, RIELLO = "1.3.6.1.4.1.534.6.6.7", "1.3.6.1.4.1.5491.10"
MEANINGS = (
    ("cyberpower", "powerRestored", "ups_on_line"),
    ("cyberpower", "upsTurnedOn", "ups_output_on"),
    ("cyberpower", "upsTurnoffStarted", "ups_shutdown_soon"),
    ("cyberpower", "upsDischarged", "ups_battery_low"),
    ("cyberpower", "upsRemainRuntimeLowThanThreshold", "ups_battery_low"),
    ("cyberpower", "upsBypassOverload", "ups_overload"),
    ("cyberpower", "envHighHumidityBack", "humidity_normal"),
    ("tripp-lite", "tlpNotificationsDeviceTransferToLine", "ups_on_line"),
    ("tripp-lite", "tlpNotificationsUpsTransferToOnline", "ups_on_line"),
    ("tripp-lite", "tlpNotificationsUpsOnBatteryTimeoutShutdown", "ups_output_off"),
    ("tripp-lite", "tlpNotificationsDeviceEpo", "ups_output_off"),
    ("tripp-lite", "tlpNotificationsDeviceAcFailure", "power_lost"),
    ("tripp-lite", "tlpNotificationsUpsChargerAcceptanceToFloat", "ups_battery_normal"),
    ("tripp-lite", "tlpNotificationsDeviceOverloadRelease", "ups_overload_ended"),
    ("tripp-lite", "tlpNotificationsAlarmEntryRemoved", "alarm_ended"),
    ("apc", "upsOnBatteryDueToFault", "ups_on_battery"),
    ("apc", "forcedBypassSwitchReleased", "ups_off_bypass"),
    ("apc", "temporaryBypass", "ups_on_bypass"),
    ("apc", "aruRedundantPowerLostAlarm", "redundancy_lost"),
    ("apc", "abnormalConditionCleared", "alarm_ended"),
    ("apc", "upsOutletGroupTurnedOff", "outlet_off"),
    ("apc", "envMinTempThresholdViolation", "temperature_low"),
    ("apc", "xATSGeneratorLowBatteryVolt", "alarm"),
    ("hp-servers", "cpqHe3ThermalSystemFanFailed", "fan_failed"),
    ("hp-servers", "cpqHe3ThermalSystemFanOk", "fan_restored"),
    ("hp-servers", "cpqRackPowerSubsystemNotRedundant", "redundancy_lost"),
    ("hp-servers", "cpqHeThermalTempFailed", "temperature_critical"),
    ("hp-servers", "cpqRackPowerSubsystemOverloadConditionRepaired", "pdu_load_normal"),
    ("dell-servers", "alertFanInformation", "fan_restored"),
    ("dell-servers", "alertRedundancyInformation", "redundancy_restored"),
    ("dell-servers", "alertACPowerCordFailure", "power_lost"),
    ("dell-servers", "alertBatteryFailure", "hardware_fault"),
    ("dell-servers", "alertCoolingDeviceFailure", "fan_failed"),
    ("dell-servers", "alertThermalShutdown", "temperature_critical"),
    ("dell-ups-pdu", "trapReturnFromEmergencyPowerOff", "ups_output_on"),
    ("dell-ups-pdu", "trapShutdownImminentOver", "ups_shutdown_cancelled"),
    ("dell-ups-pdu", "outletTurnOff", "outlet_off"),
    ("dell-ups-pdu", "trapBatteryReplacementDone", "ups_battery_good"),
    ("dell-ups-pdu", "deviceOverLoadSet", "pdu_overload"),
    ("dell-switches", "dellNetSysAlarmRpmUp", "alarm_ended"),
    ("dell-switches", "chAlarmTaskSuspend", "alarm"),
    ("huawei", "hwSystemMemoryOverload", "alarm"),
    ("huawei", "hwTempFallingAlarm", "temperature_low"),
    ("geist-vertiv", "tempSensorAvailNOTIFY", "communication_lost"),
    ("eaton-xups", "xupstdAmbientTempBad", "sensor_threshold"),
    ("eaton-xups", "xupstdOnInverter", "ups_on_line"),
)


@pytest.mark.parametrize(("file", "name", "code"), MEANINGS, ids=[one[1] for one in MEANINGS])
def test_a_makers_notification_means_what_its_mib_says(file: str, name: str, code: str) -> None:
    oids = {one.oid for one in event_files()[file].event if one.object == name}
    assert {meaning_of(oid, []).code for oid in oids} == {code}


@pytest.mark.parametrize(
    ("oid", "variable", "value", "code"),
    [
        (f"{EATON}.0.23", f"{EATON}.5.1.1.5.0.1", 1, "breaker_closed"),
        (f"{EATON}.0.23", f"{EATON}.5.1.1.5.0.1", 2, "breaker_open"),
        (f"{EATON}.0.41", f"{EATON}.7.1.1.5.0.1", 0, "temperature_normal"),
        (f"{EATON}.0.41", f"{EATON}.7.1.1.5.0.1", 1, "temperature_low"),
        (f"{EATON}.0.41", f"{EATON}.7.1.1.5.0.1", 4, "temperature_high"),
        (f"{EATON}.0.11", f"{EATON}.3.2.1.4.0.1.1", 0, "power_quality_normal"),
        (f"{EATON}.0.51", f"{EATON}.1.2.1.30.0", 0, "communication_restored"),
        (f"{RIELLO}.2.0.3", f"{RIELLO}.1.6.2.1.2.1", f"{RIELLO}.1.6.3.2", "ups_on_battery"),
        (f"{RIELLO}.2.0.4", f"{RIELLO}.1.6.2.1.2.1", f"{RIELLO}.1.6.3.2", "ups_on_line"),
        (f"{RIELLO}.2.0.3", f"{RIELLO}.1.6.2.1.2.1", f"{RIELLO}.1.6.3.3", "ups_battery_low"),
        (f"{RIELLO}.2.0.4", f"{RIELLO}.1.6.2.1.2.1", f"{RIELLO}.1.6.3.8", "ups_overload_ended"),
    ],
)
def test_a_status_that_changes_means_what_it_is_now(oid: str, variable: str, value: int | str, code: str) -> None:
    assert meaning_of(oid, [(variable, value)]).code == code


def test_what_is_called_an_end_is_no_fault_and_what_is_called_on_battery_never_on_line() -> None:
    for file in event_files().values():
        for rule in file.event:
            name = rule.object.lower()
            if name.endswith(("cleared", "clear", "resume", "restored", "recovered")):
                assert EVENT_CODES[rule.code].severity == "info", rule.object
            if name.endswith("onbattery"):
                assert rule.code == "ups_on_battery", rule.object
