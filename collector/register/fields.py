"""The fields of a register, the headers under which councils keep them, and how a file's columns are told apart.

A header is known by its words, whatever their case, spelling of plural or punctuation: `Serial No.`, `SERIAL NUMBER`
and `S/N` are one. What is not known is left out and said.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

FIELDS: dict[str, tuple[str, ...]] = {
    "asset_tag": (
        "asset tag", "asset number", "asset no", "asset id", "asset", "tag", "barcode", "bar code", "inventory number",
        "ict ref", "asset ref", "asset reference", "council number", "equipment number", "ci number",
    ),
    "serial": ("serial number", "serial no", "serial", "s n", "sn", "service tag", "serial num", "manufacturer serial"),
    "host_name": (
        "host name", "hostname", "computer name", "device name", "machine name", "name", "netbios name", "pc name",
        "server name", "system name", "dns name", "fqdn", "ci name",
    ),
    "vendor": ("manufacturer", "vendor", "make", "brand", "mfr"),
    "model": (
        "model", "model name", "model description", "product", "product name", "model number", "hardware model", "item",
        "make model", "make and model", "mdl",
    ),
    "device_class": (
        "class", "type", "device type", "asset type", "category", "asset category", "equipment type", "asset class",
        "hardware type", "device class", "kind", "ci type", "sub category", "subcategory", "chassis type", "kit type", "kit",
    ),
    "status": (
        "status", "state", "asset status", "lifecycle", "life cycle", "lifecycle status", "in use", "condition",
        "asset state", "deployment status",
    ),
    "site": (
        "site", "site name", "building", "location", "office", "premises", "establishment", "location name", "site building",
        "whereabouts",
    ),
    "address": ("address", "site address", "street", "building address"),
    "postcode": ("postcode", "post code", "postal code", "zip", "site postcode"),
    "uprn": ("uprn", "unique property reference number", "property reference"),
    "space": ("space", "room", "room name", "comms room", "floor room", "cabinet",
         "rack location", "sub location", "area", "room number"),
    "space_kind": ("space kind", "room type", "room kind", "space type"),
    "organisation": ("organisation", "organization", "council", "authority", "tenant organisation"),
    "directorate": ("directorate", "department", "dept", "service area", "division", "business unit", "cost centre name"),
    "owner": (
        "owner", "assigned to", "user", "custodian", "owned by", "used by", "team", "responsible", "contact", "asset owner",
    ),
    "tenure": ("tenure", "ownership", "owned leased", "lease", "procurement type", "own or lease"),
    "service_category": ("service category", "service", "ict service", "report category"),
    "school": ("school", "schools", "is school", "in school", "school asset"),
    "share": ("share", "share of joint service", "our share", "apportionment", "percentage share", "council share"),
    "share_key": ("share key", "basis of share", "apportionment key", "apportionment basis", "share basis"),
    "acquired_on": (
        "purchase date", "date purchased", "date of purchase", "purchased", "acquired", "acquired on", "date acquired",
        "acquisition date", "install date", "installed", "in service date", "date in service", "delivery date", "order date",
        "commissioned", "date commissioned", "bought",
    ),
    "disposed_on": (
        "disposal date", "date disposed", "disposed", "disposed on", "retired", "retired date", "date retired",
        "decommission date", "decommissioned", "date of disposal", "weee date", "end date",
    ),
    "quantity": ("quantity", "qty", "count", "number", "no of devices", "number of devices", "units"),
    "notes": ("notes", "comments", "comment", "remarks", "note"),
}  # fmt: skip
"""Each field with the headers that mean it, best first, as `words` gives them."""

_HEADERS = frozenset(name for names in FIELDS.values() for name in names)
IDENTITY = ("serial", "asset_tag", "host_name")
"""By these, in this order, a row is matched with a device."""


def words(header: object) -> str:
    """A header by its words alone.

    >>> words("Serial No. (S/N)"), words("Date_of  Purchase:"), words("AssetTag")
    ('serial no s n', 'date of purchase', 'asset tag')
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", str(header))
    return " ".join(re.findall(r"[a-z0-9]+", spaced.lower()))


@dataclass(frozen=True, slots=True)
class Guess:
    """A column's field, and how sure: 3 the header itself, 2 its words with a remark, 1 its words among others."""

    field: str
    column: int
    sureness: int
    rank: int


def proposed(headers: Sequence[object]) -> dict[str, int]:
    """The column of each field that a header tells of. No column has two fields, no field two columns."""
    guesses = [guess for column, header in enumerate(headers) if header for guess in _guesses(header, column)]
    guesses.sort(key=lambda one: (-one.sureness, one.rank, one.column))
    found: dict[str, int] = {}
    for one in guesses:
        if one.field not in found and one.column not in found.values():
            found[one.field] = one.column
    return found


def _guesses(header: object, column: int) -> list[Guess]:
    whole = words(header)
    bare = words(re.sub(r"\(.*?\)|\[.*?\]|:.*$", " ", str(header)))
    found = []
    for field, names in FIELDS.items():
        for rank, name in enumerate(names):
            if name == whole:
                found.append(Guess(field, column, 3, rank))
            elif name == bare:
                found.append(Guess(field, column, 2, rank))
            elif len(name) > 4 and re.search(rf"\b{name}\b", whole):
                found.append(Guess(field, column, 1, rank))
            else:
                continue
            break
    return found


def is_headers(cells: Sequence[object], besides: Collection[str] = ()) -> bool:
    """Whether a line holds several texts, and each is a header that is known, or one of some others."""
    texts = [cell for cell in cells if cell is not None]
    return len(texts) > 1 and all(
        isinstance(cell, str) and (words(cell) in _HEADERS or words(cell) in besides) for cell in texts
    )


def header_row(rows: Sequence[Sequence[object]], most: int = 40) -> int | None:
    """Which row holds the headers: the first of those that tell most fields, two at least; None where none does.

    Above it may stand titles, dates and empty rows, and a row of the groups of its columns right before it. Below a row
    that holds nothing but headers, and rows of devices, another one is a section's.
    """
    best, found = 1, None
    for number, row in enumerate(rows[:most]):
        texts = [cell for cell in row if isinstance(cell, str)]
        if len(texts) < 2 or max(map(len, texts)) > 80:
            continue
        told = len(proposed(row))
        if found is not None and is_headers(rows[found]) and any(any(between) for between in rows[found + 1 : number]):
            break
        if told > best:
            best, found = told, number
    return found
