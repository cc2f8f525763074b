"""The shape of a profile: what one MIB or device family can tell, and where.

A profile is a TOML file in `profiles/`. docs/snmp-profiles.md explains it with examples; this module is its schema, which
`profile_files` checks at start. OIDs are texts without a leading dot. One that ends in `.0` is one value, every other a
column, of which all instances are read.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Quantity = Literal[
    "power",
    "energy",
    "current",
    "voltage",
    "frequency",
    "load",
    "power_factor",
    "temperature",
    "charge",
    "runtime",
    "apparent_power",
    "reactive_power",
]
UNITS: dict[Quantity, str] = {
    "power": "W",
    "energy": "kWh",
    "current": "A",
    "voltage": "V",
    "frequency": "Hz",
    "load": "percent",
    "power_factor": "ratio",
    "temperature": "C",
    "charge": "percent",
    "runtime": "min",
    "apparent_power": "VA",
    "reactive_power": "var",
}
Role = Literal[
    "device",
    "inlet",
    "phase",
    "branch",
    "outlet",
    "psu_input",
    "psu_output",
    "ups_input",
    "ups_output",
    "ups_bypass",
    "ups_battery",
    "poe_total",
    "poe_port",
    "module",
    "rating",
    "statistic",
    "optical",
]
"""Where in the power path a reading was taken. `rating` holds ratings, limits and budgets, `statistic` means, minima
and maxima over a time, `optical` optical and radio power: none of the three is ever counted as consumption."""

Kind = Literal[
    "",
    "switch",
    "router",
    "firewall",
    "wireless_controller",
    "access_point",
    "ups",
    "pdu",
    "meter",
    "server_bmc",
    "server",
    "storage",
    "printer",
    "phone",
    "camera",
    "environment",
    "dc_plant",
    "radio_link",
    "appliance",
]

OidText = Annotated[str, Meta(pattern=r"^([0-2]|@(-[1-9])?)(\.(0|[1-9][0-9]{0,9}))+$")]
"""Or, with `@` in front, one that begins at the device's sysObjectID (`collector.snmp.relative`)."""
Key = str | int


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the file: a name that is not known is an error."""


class Column(_Table, frozen=True, kw_only=True):
    """Another value that belongs to a row: of the same index, or of part of it.

    `index` takes arcs of the row's index as Python's slices do (`[0, 2]`: the first two; `[-1, 0]`: the last, an end of 0
    meaning to the end); `prefix` and `suffix` are put around it (with their dots); an OID ending in `.0` is one value for
    all rows. `pointer` goes one further: the value found is itself an index, of the column named there.
    """

    oid: OidText
    index: tuple[int, int] | None = None
    prefix: str = ""
    suffix: str = ""
    pointer: OidText | None = None
    map: dict[str, str | float] = {}
    """Values (as text) and what they mean; one that is not there means nothing."""


class Condition(_Table, frozen=True, kw_only=True):
    """What a row must meet: the value of a column is, is not, matches (regular expression), or lies above or below.

    A column that is missing meets no condition, unless `missing` says that this is fine. One of the conditions in
    `instead` is enough as well. `within` is a column with the index of the row that this one is part of: then it is
    enough that one of the rows around it meets the condition (a sensor that is in a power supply).
    """

    oid: OidText
    index: tuple[int, int] | None = None
    prefix: str = ""
    suffix: str = ""
    pointer: OidText | None = None
    any_of: list[Key] = []
    none_of: list[Key] = []
    matches: str = ""
    above: float | None = None
    below: float | None = None
    missing: bool = False
    instead: list["Condition"] = []
    within: OidText | None = None


class ReadingRule(_Table, frozen=True, kw_only=True):
    """Readings of one quantity and role from a column or value."""

    quantity: Quantity
    role: Role
    oid: OidText
    object: str = ""
    """The MIB's name for it."""
    scale: float = 1.0
    """The raw number times this is in the quantity's unit (`UNITS`)."""
    offset: float = 0.0
    """Added after scaling (kelvin to Celsius)."""
    scale_by: list[Column] = []
    """Columns that multiply too: their number, or what their `map` makes of it."""
    decimals: Column | None = None
    """A column with the number of decimal digits: the raw number is divided by ten to its power."""
    index: str = ""
    """A regular expression that a row's index must match in full."""
    where: list[Condition] = []
    unavailable: list[float] = []
    """Raw numbers that mean "not known", beside those that always do (`readings.NEVER`)."""
    signed: bool = False
    """Whether the raw number may be negative."""
    highest: float | None = None
    """A figure above this, in the unit, is none."""
    text: Literal["first", "last"] = "first"
    """Which number counts where the value is a text."""
    pattern: str = ""
    """Or the regular expression whose first group is the number in the text."""
    name: str = ""
    """`{name}` is the first of `names` that is not empty, `{index}` the index, `{1}` its first arc, `{-1}` its last,
    `{text}` what its arcs spell."""
    names: list[Column] = []
    counted: bool = True
    """False where it must not be added with others of its role (a sum that the rows beside it make up)."""
    estimated: bool = False
    """The device computes the figure (from a rating, from current and a nominal voltage) and does not measure it."""
    unless: list[Quantity] = []
    """Left out where this profile has a reading of such a quantity and the same role, index by index not compared."""


class TextRule(_Table, frozen=True, kw_only=True):
    """A text of the device: hardware, version or serial. The first rule that gives one holds.

    Of a stack's members and of the ports that feed others over Ethernet every row counts, of the first rule that finds any.

    `oid` may be a column: then the first row that meets `where` counts. `pattern` takes its first group; `map` translates
    what was found; `format` puts it and `more` texts together: `{0}` is the first. A pattern of several groups gives
    `{0}`, `{1}` and so on, and those of `more` follow.
    """

    oid: OidText
    index: str = ""
    """A regular expression that the row's index must match in full."""
    more: list[Column] = []
    where: list[Condition] = []
    pattern: str = ""
    map: dict[str, str] = {}
    format: str = "{0}"
    hex: bool = False
    """The octets are numbers, written in hexadecimal (a MAC address as serial number)."""
    upper: bool = False
    """What was found is written in capitals (a model that the device's description has in small letters)."""


class ProcessorRule(_Table, frozen=True, kw_only=True):
    """Load of processors: percent after division by `divide`; `idle` where the value is the idle share."""

    oid: OidText
    divide: float = 1.0
    idle: bool = False
    index: str = ""
    where: list[Condition] = []
    pattern: str = ""
    name: str = ""
    names: list[Column] = []
    mean: bool = False
    """The rows are cores of one processor: their mean is one entry, under the first row's OID."""
    adds: bool = False
    """The rows stand beside those of the rules before, and not only where these found none."""


class MemoryRule(_Table, frozen=True, kw_only=True):
    """A memory pool by row: two of used, free and total, or the percentage alone."""

    used: Column | None = None
    free: Column | None = None
    total: Column | None = None
    percent: Column | None = None
    percent_free: bool = False
    """The percentage is that of free memory."""
    rows: OidText
    """The column whose rows are the pools."""
    unit_bytes: float = 1.0
    unit: Column | None = None
    index: str = ""
    where: list[Condition] = []
    name: str = ""
    names: list[Column] = []
    total_unit_bytes: float | None = None
    """The total's unit, where it is not that of the other columns."""
    beside: list[Column] = []
    """These are free too (buffers, cache), if not more than what is called used."""
    adds: bool = False
    """The pools stand beside those of the rules before, and not only where these found none."""


class ManagedRule(_Table, frozen=True, kw_only=True):
    """Devices that this one manages and that answer no SNMP of their own: each row is one."""

    rows: OidText
    """The column whose rows are the devices."""
    kind: Kind = "access_point"
    name: Column | None = None
    model: Column | None = None
    model_format: str = "{0}"
    serial: Column | None = None
    mac: Column | None = None
    """Of its Ethernet port, by which a switch sees it."""
    mac_in_index: bool = False
    """The last six arcs of the row's index are a MAC address: taken where the column gives none."""
    address: Column | None = None
    version: Column | None = None
    state: Column | None = None
    online: list[Key] = []
    """Values of `state` at which it works."""
    clients: Column | None = None
    where: list[Condition] = []


class Select(_Table, frozen=True, kw_only=True):
    """When a profile holds: all that is given must. One of the `probe` subtrees has a value; the sysObjectID lies below
    one of `sys_object_id` and below none of `not_sys_object_id`; sysDescr matches a regular expression."""

    probe: list[OidText] = []
    sys_object_id: list[OidText] = []
    not_sys_object_id: list[OidText] = []
    sys_description: str = ""
    where: list[Condition] = []
    """Conditions on values (OIDs ending in `.0`)."""


class Profile(_Table, frozen=True, kw_only=True):
    """One MIB or device family. `priority`: where two profiles tell the same, the higher one counts (a family's own MIB
    100, a standard MIB 50, what is better than nothing 10)."""

    name: str = ""
    """The file's name; not written in it."""
    title: str
    mib: list[str] = []
    """The modules that it was written after."""
    kind: Kind = ""
    vendor: str = ""
    priority: Annotated[int, Meta(ge=0, le=1000)] = 100
    select: Select
    each_reading: dict[str, Any] = {}
    """What all readings of the file have in common: what one gives itself comes first, conditions are added."""
    replaces: list[str] = []
    """Profiles that do not hold beside this one: they would tell the same supplies again, or tell them wrongly."""
    reading: list[ReadingRule] = []
    hardware: list[TextRule] = []
    version: list[TextRule] = []
    serial: list[TextRule] = []
    member: list[TextRule] = []
    """Each row is a member of a stack, its text the member's model; an empty one is like the device."""
    powered_port: list[TextRule] = []
    """Each row is a port that feeds something over Ethernet, its text the class (0 to 8) of what it feeds."""
    processor: list[ProcessorRule] = []
    memory: list[MemoryRule] = []
    managed: list[ManagedRule] = []
