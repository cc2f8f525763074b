"""Watts among the sensors of a management controller that has no DCMI power reading, or one that does not measure.

Understands the tables of `ipmitool sdr list`, `sdr elist`, `sdr type` and `sensor list`. What a sensor sees is known by
its name alone, so only names that makers give to the whole machine count: `Pwr Consumption` and `System Level` (Dell),
`Power Meter` (HP), `Total Power` (Fujitsu), `Sys Power` (Lenovo), `Total_Power` (Inspur), `Power` (Huawei),
`POWER_USAGE` (Cisco). Else the inputs of all power supplies together, where each that is there tells its own. An
enclosure's sensor is none of the machine.
Source: ipmitool's lib/ipmi_sdr.c and lib/ipmi_sensor.c; the makers' sensor tables.
"""

import re

_WHOLE = re.compile(
    r"pwr consumption|power consumption|system level|power meter|power usage|power|avg power|total (power|pwr)"
    r"|(sys|system|server|node) (total |input )?(power|pwr)( consumption)?|sys ?total power|input power"
)
_SUPPLY_INPUT = re.compile(
    r"((ps|psu|pwr supply|power supply) ?\d+) ?((ac )?(power|pwr) ?in(put)?|in(put)? ?(power|pwr)|pin|input)"
)
_CELL_WITH_UNIT = re.compile(r"(-?\d+(?:\.\d+)?)\s*W(?:atts?)?(?:,.*)?", re.I)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_NOT_THERE = re.compile(r"no reading|na|n/a|ns|disabled|not readable", re.I)


def whole_machine(table: str) -> tuple[str, float] | None:
    """The name of the sensor (or sensors) and the watts, or None where none sees the whole machine."""
    sensors = list(_power_sensors(table))
    # A name that says "total" more plainly stands before one that may be a part on some board.
    for name, watts in sorted(sensors, key=lambda one: one[0] in ("power", "input power")):
        if _WHOLE.fullmatch(name) and watts:
            return name, watts
    supplies = {found[1]: watts for name, watts in sensors if (found := _SUPPLY_INPUT.fullmatch(name))}
    if supplies and all(watts is not None for watts in supplies.values()):
        total = sum(watts or 0.0 for watts in supplies.values())
        return ("supplies", total) if total > 0 else None
    return None


def _power_sensors(table: str) -> list[tuple[str, float | None]]:
    """Each power sensor that is there, by a plain name. None: it is there and gives no watts now."""
    found: list[tuple[str, float | None]] = []
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) < 3:
            continue
        name = re.sub(r"[\W_]+", " ", cells[0].lower()).strip()
        watts = _watts(cells[1:])
        if watts is not None:
            found.append((name, watts))
        elif _SUPPLY_INPUT.fullmatch(name) and not any(_NOT_THERE.fullmatch(cell) for cell in cells[1:]):
            found.append((name, None))
    return found


def _watts(cells: list[str]) -> float | None:
    for number, cell in enumerate(cells):
        if match := _CELL_WITH_UNIT.fullmatch(cell):
            return float(match[1])
        following = cells[number + 1] if number + 1 < len(cells) else ""
        if _NUMBER.fullmatch(cell) and following.lower() in ("watts", "watt", "w"):
            return float(cell)
    return None
