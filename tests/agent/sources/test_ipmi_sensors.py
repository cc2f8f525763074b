"""Controllers without a DCMI reading: their sensors, in the tables of several makes and versions of ipmitool."""

from pathlib import Path

import pytest

from agent.outcome import Data
from agent.sources import ipmi_dcmi
from agent.sources.ipmi_dcmi import Asking
from agent.sources.ipmi_sensors import whole_machine
from tests.agent.sources.outcomes import data, failure, reason

DELL = """\
Fan1 RPM         | 5640 RPM          | ok
Current 1        | 0.40 Amps         | ok
Voltage 1        | 230 Volts         | ok
Pwr Consumption  | 182 Watts         | ok
VCORE PG         | 0x01              | ok
"""
SUPERMICRO = """\
CPU Temp         | 41.000     | degrees C  | ok    | 0.000     | 0.000     | 0.000     | 87.000    | 92.000    | 92.000
PS1 Status       | 0x1        | discrete   | 0x0100| na        | na        | na        | na        | na        | na
PSU1 Input Power | 104.000    | Watts      | ok    | na        | na        | na        | na        | na        | na
PSU2 Input Power | 98.500     | Watts      | ok    | na        | na        | na        | na        | na        | na
"""
HP = """\
Power Supply 1   | 25h | ok  | 10.1 | 95 Watts, Presence detected
Power Meter      | 2Bh | ok  |  7.1 | 190 Watts
Power Supply 2   | 26h | ok  | 10.2 | 90 Watts, Presence detected
"""


@pytest.mark.parametrize(
    ("table", "found"),
    [
        (DELL, ("pwr consumption", 182.0)),
        ("System Level     | 98 Watts          | ok\nVCORE | 9 Watts | ok\n", ("system level", 98.0)),
        (SUPERMICRO, ("supplies", 202.5)),
        (HP, ("power meter", 190.0)),
        (
            "Total Power      | E1h | ok  | 29.0 | 108 Watts\r\nPSU1 Power       | E2h | ok  | 10.0 | 56 Watts\r\n",
            ("total power", 108.0),
        ),
        (
            "Sys Power        | 164 Watts         | ok\nCPU Power        | 71 Watts          | ok\n",
            ("sys power", 164.0),
        ),
        ("POWER_USAGE      | 262 Watts         | ok\n", ("power usage", 262.0)),
        ("Power            | 140 Watts         | ok\n", ("power", 140.0)),
        ("Power            | 40 Watts | ok\nTotal_Power      | 340 Watts | ok\n", ("total power", 340.0)),
        ("PS1 Input Power  | 176 Watts | ok\nPS2 Input Power  | no reading        | ns\n", ("supplies", 176.0)),
        ("PSU1_PIN | 176 Watts | ok\nPSU2_PIN | 0x00 | cr\n", None),
        ("Chassis Power    | 1850 Watts        | ok\nCPU1 Power | 60 Watts | ok\n", None),
        ("Power Supply 1   | 95 Watts          | ok\n", None),
        ("Total Power      | no reading        | ns\n", None),
        ("Total Power      | 0 Watts           | ok\n", None),
        ("Get SDR 0000 command failed: Invalid command\n", None),
        ("", None),
    ],
)
def test_the_sensor_of_the_whole_machine_is_known_by_its_makers_name(
    table: str, found: tuple[str, float] | None
) -> None:
    assert whole_machine(table) == found


class Controller:
    """Programs that print what is in two files, as `ipmitool` does, and count how often the sensors were read."""

    def __init__(self, folder: Path) -> None:
        self.dcmi, self.sensors, self._times = folder / "dcmi", folder / "sensors", folder / "times"
        self.sensors.write_text(DELL)
        count = f"echo >> {self._times}; cat {self.sensors}"
        self.asking = Asking(("/bin/cat", str(self.dcmi)), folder, sensors=("/bin/sh", "-c", count))

    @property
    def times(self) -> int:
        return len(self._times.read_text()) if self._times.exists() else 0


@pytest.fixture
def bmc(tmp_path: Path) -> Controller:
    return Controller(tmp_path)


@pytest.mark.parametrize(
    "said",
    [
        "DCMI request failed because: Invalid command (c1)\n",
        "    DCMI request failed because: Invalid command\n",
        "A valid DCMI command was not returned! (df)\n",
        "Invalid command: dcmi\n",
        "    Instantaneous power reading:                     0 Watts\n    Power reading state is:  activated\n",
        "    Instantaneous power reading:                 65535 Watts\n    Power reading state is:  activated\n",
        "    Instantaneous power reading:                   220 Watts\n    Power reading state is:  deactivated\n",
    ],
)
def test_without_a_dcmi_reading_the_sensor_is_read_once_a_minute_and_each_reading_is_dated(
    said: str, bmc: Controller
) -> None:
    bmc.dcmi.write_text(said)
    outcome = bmc.asking.read()
    [one] = data(outcome).values()
    assert (one.name, one.covers, one.value) == ("ipmi_dcmi/pwr_consumption", "machine_ac", 182.0)
    assert isinstance(outcome, Data)
    assert outcome.note == "by its sensor 'pwr consumption', not by DCMI"
    bmc.sensors.write_text("Pwr Consumption  | 190 Watts         | ok\n")
    assert bmc.asking.read() == outcome
    assert bmc.times == 1


def test_a_dcmi_reading_needs_no_sensor(bmc: Controller) -> None:
    bmc.dcmi.write_text("    Instantaneous power reading:                   220 Watts\n")
    assert list(data(bmc.asking.read())) == ["ipmi_dcmi/system"]
    assert bmc.times == 0


def test_a_controller_without_either_says_what_dcmi_said_and_its_table_is_not_read_again_within_the_hour(
    bmc: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ipmi_dcmi, "SENSORS_EVERY_SECONDS", 0.0)
    bmc.dcmi.write_text("DCMI request failed because: Invalid command (c1)\n")
    bmc.sensors.write_text("CPU1 Power | 60 Watts | ok\n")
    for _ in range(3):
        assert reason(bmc.asking.read()) == (
            "the management controller offers no power reading (DCMI: Invalid command)"
        )
    assert bmc.times == 1


def test_a_controller_that_cannot_be_opened_is_not_asked_for_sensors(bmc: Controller) -> None:
    bmc.dcmi.write_text("Could not open device at /dev/ipmi0 or /dev/ipmi/0: Permission denied\n")
    assert "not allowed" in failure(bmc.asking.read())[0]
    assert bmc.times == 0


def test_a_sensor_that_is_silent_once_has_failed_and_is_not_replaced(
    bmc: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ipmi_dcmi, "SENSORS_EVERY_SECONDS", 0.0)
    bmc.dcmi.write_text("DCMI request failed because: Invalid command (c1)\n")
    assert data(bmc.asking.read())
    bmc.sensors.write_text("Power            | 40 Watts          | ok\n")
    assert "'pwr consumption' gives nothing now" in failure(bmc.asking.read())[0]
    bmc.sensors.write_text("Pwr Consumption  | 0 Watts           | ok\nPower | 40 Watts | ok\n")
    assert "gives nothing now" in failure(bmc.asking.read())[0]
    bmc.sensors.write_text("Pwr Consumption  | 40000 Watts       | ok\n")
    assert "does not measure: it reads 40000 W" in failure(bmc.asking.read())[0]
    bmc.sensors.write_text(DELL)
    assert data(bmc.asking.read())
