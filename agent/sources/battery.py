"""A laptop's battery while it discharges: the whole machine's watts, behind its power supply.

Class `power_supply`: `power_now` in microwatts, or `current_now` (microamperes) times `voltage_now` (microvolts). On
mains power a battery tells only what charges it, which is nothing about the machine; one that discharges beside a
charger that is too weak tells a part.
"""

from pathlib import Path

from agent.files import names_in, number_or_none, text_or_empty
from agent.outcome import Absent, Data, Failed, Outcome
from agent.sources.needs import NOTHING, Needs
from agent.sources.reading import RawReading

NAME = "battery"


def read(root: Path) -> Outcome[list[RawReading]]:
    """The discharge of each of the machine's own batteries."""
    tree = root / "sys/class/power_supply"
    names = names_in(tree)
    # A mouse's or headset's battery has the scope Device.
    batteries = [
        tree / name
        for name in names
        if text_or_empty(tree / name / "type") == "Battery" and text_or_empty(tree / name / "scope") != "Device"
    ]
    if not batteries:
        return Absent("there is no battery")
    discharging = [battery for battery in batteries if text_or_empty(battery / "status") == "Discharging"]
    if not discharging:
        return Absent("on mains power, where a battery shows only its own charge")
    plugged = [
        name
        for name in names
        if text_or_empty(tree / name / "type") in ("Mains", "USB")
        and text_or_empty(tree / name / "scope") != "Device"
        and (number_or_none(tree / name / "online") or 0) > 0
    ]
    if plugged:
        return Absent(f"the battery discharges while {plugged[0]} supplies the machine too: it shows a part")
    readings = []
    for battery in discharging:
        watts = _watts(battery)
        if watts is None or watts <= 0:
            return Failed(
                f"{battery.name} discharges and gives neither power nor current",
                "nothing can be done here: its firmware does not measure",
            )
        readings.append(RawReading(f"{NAME}/{battery.name}", "power", "battery", watts))
    return Data(readings)


def _watts(battery: Path) -> float | None:
    """Some firmware gives discharge as a negative number."""
    power = number_or_none(battery / "power_now")
    if power:
        return abs(power) / 1e6
    current, voltage = number_or_none(battery / "current_now"), number_or_none(battery / "voltage_now")
    return abs(current) * voltage / 1e12 if current and voltage else None


def needs(_root: Path) -> Needs:
    """Everybody may read it."""
    return NOTHING
