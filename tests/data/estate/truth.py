"""What is true of the test estate: registered items, devices that are read, spaces, and the faults that were put in.

Plain values and nothing of the product, so that what it makes of the files and readings can be held against them.
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

COUNTY, DISTRICT = "Oxbridge County Council", "Vale District Council"

START = int(datetime.datetime(2026, 3, 26, tzinfo=datetime.UTC).timestamp())
"""Midnight in London of the week's first day, a Thursday; on its Sunday the clock goes forward, and a month ends in it."""
END = START + 7 * 86_400 - 3600
"""Midnight in London after the week's seventh day, 1 April: 334 half-hours later."""
HALF_HOUR = 1800
HALF_HOURS = tuple(range(START, END, HALF_HOUR))
FIRST_DAY, LAST_DAY = datetime.date(2026, 3, 26), datetime.date(2026, 4, 1)
MONTHS = ("2026-03", "2026-04")


@dataclass(frozen=True, slots=True)
class Item:
    """An item of the register, or so many equal ones; "" and None where the register says nothing.

    `device` names the device that is read and that it is. Dates are local days.
    """

    device_class: str
    category: str
    organisation: str = COUNTY
    asset_tag: str = ""
    serial: str = ""
    host_name: str = ""
    vendor: str = ""
    model: str = ""
    status: str = "in_use"
    site: str = ""
    space: str = ""
    directorate: str = ""
    school: bool | None = None
    share: str = "1"
    quantity: int = 1
    acquired: datetime.date | None = None
    disposed: datetime.date | None = None
    device: str = ""


@dataclass(frozen=True, slots=True)
class Device:
    """A device that reports or is polled. `energy_uj` has its microjoules in each half-hour that it was read in.

    `kind`, `platform` and `chassis` are what it tells of itself; `own_class` is what they mean.
    `estimated` says that no power was read and the figure is its model's.
    """

    name: str
    kind: str
    own_class: str
    vendor: str
    model: str
    serial: str
    energy_uj: Mapping[int, int]
    estimated: bool = False
    passes_uj: Mapping[int, int] = field(default_factory=dict)
    """Of a UPS: what it passes on to what it feeds."""
    feeds: tuple[str, ...] = ()
    """Of a UPS: the devices that it is known to feed."""
    guests: tuple[str, ...] = ()
    """UUIDs of a host's virtual machines."""
    ports: tuple[tuple[int, str], ...] = ()
    """Of a switch that is read all the week: milliwatts at its PoE ports, and the class of who is seen there, "" nobody."""


@dataclass(frozen=True, slots=True)
class SeededFault:
    """A fault of the register's file. `severity` is rejected, warning, left out or conflicting, as the import tells it."""

    cell: str
    severity: str
    what: str


@dataclass(frozen=True, slots=True)
class Estate:
    """All of it. `items` are those that the register has in the end, without rows that are no item."""

    spaces: Mapping[tuple[str, str], str]
    """The kind of each space, by site and name."""
    items: Sequence[Item]
    devices: Sequence[Device]
    building_wh: Mapping[int, int]
    """The main building's half-hours by its supply meter, in watt-hours."""


Cell = str | int | float | datetime.date | None
Line = list[Cell]
