"""How a supplier's file is read: as its headers tell, or as a mapping says. Mappings are TOML, by name or in a file."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from collector.errors import BadRequest
from collector.half_hourly.periods import Label
from collector.tables.dates import DateOrder
from collector.tables.toml_file import read_toml

Clock = Literal["local", "GMT"]
Unit = Literal["kWh", "kW", "Wh", "MWh"]
UNIT_FACTORS: dict[str, tuple[int, int]] = {"kWh": (1, 1), "kW": (1, 2), "Wh": (1, 1000), "MWh": (1000, 1)}
"""What a value is multiplied by for kWh in half an hour, as numerator and denominator."""


@dataclass(frozen=True, slots=True)
class SupplierMapping:
    """What a file's headers leave open, or say otherwise. Empty texts and lists: as the headers tell.

    `mpan` is an MPAN of 13 digits, or the header of its column. `first_period` is the header of a day's first half-hour,
    for headers that name no time or number. `first_day` and `last_day` are the headers of a bill's period.
    `active_import` are the words of `channel` for energy that was drawn;
    `estimated` and `missing` those of `flag`. `label` says whether a half-hour goes by its start or its end, `clock`
    whether times are those of the wall (46 and 50 half-hours when clocks change) or GMT all year.
    """

    mpan: str = ""
    date: str = ""
    time: str = ""
    period: str = ""
    value: str = ""
    flag: str = ""
    channel: str = ""
    unit: str = ""
    first_period: str = ""
    first_day: str = ""
    last_day: str = ""
    active_import: tuple[str, ...] = ()
    estimated: tuple[str, ...] = ("e", "est", "estimate", "estimated", "r", "s")
    missing: tuple[str, ...] = ("m", "missing", "n", "u", "null")
    label: Label | Literal[""] = ""
    clock: Clock | Literal[""] = ""
    dates: DateOrder | Literal[""] = ""

    def to_toml(self) -> str:
        """The mapping as a file that people can edit: what differs from a mapping of nothing."""
        nothing = SupplierMapping()
        lines = []
        for name, value in asdict(self).items():
            if value == getattr(nothing, name):
                continue
            text = [str(one) for one in value] if not isinstance(value, str) else value
            lines.append(f"{name} = {msgspec.json.encode(text).decode()}")
        return "\n".join(lines) + "\n"


def read_mapping(path: Path) -> SupplierMapping:
    """A mapping from its file. Raises BadRequest with what is wrong."""
    return from_values(read_toml(path, "docs/half-hourly.md"), path.name)


def from_values(values: Mapping[str, Any], name: str) -> SupplierMapping:
    """A mapping from plain values. Raises BadRequest, which names what is wrong in `name`."""
    known = {one.name: one for one in fields(SupplierMapping)}
    for key, value in values.items():
        if key not in known:
            raise BadRequest(f"{name}: {key!r} is not known", f"use {', '.join(known)}")
        default = getattr(SupplierMapping(), key)
        texts = isinstance(value, list) and all(isinstance(one, str) for one in value)
        if not (texts if isinstance(default, tuple) else isinstance(value, str)):
            kind = "a list of texts" if isinstance(default, tuple) else "a text"
            raise BadRequest(f"{name}: {key} = {value!r}", f"write {kind}")
    for key, choices in (("label", get_args(Label)), ("clock", get_args(Clock)), ("dates", get_args(DateOrder))):
        if values.get(key, choices[0]) not in (*choices, ""):
            raise BadRequest(f"{name}: {key} = {values[key]!r}", f"use {' or '.join(choices)}")
    return msgspec.convert(dict(values), SupplierMapping)
