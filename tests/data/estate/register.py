"""The council's register as it is kept: three sheets with headers of their own, dates in every way, and faults among them."""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from tests.data.estate.truth import COUNTY, Cell, Estate, Item, Line, SeededFault

LAPTOP_HEADERS = (
    "Asset No", "Serial Number", "Make", "Model", "Device Type", "Status", "Building", "Room", "Directorate",
    "Purchase Date", "Disposal Date", "Our share", "School", "Service category", "Tenure", "Notes",
)  # fmt: skip
SCREEN_HEADERS = ("Make", "Model", "Type", "Qty", "Site", "Dept", "Remarks")
INFRASTRUCTURE_HEADERS = (
    "Asset ref", "S/N", "Host name", "Manufacturer", "Model", "Type", "State", "Location", "Address", "Postcode", "UPRN",
    "Comms room", "Room type", "Directorate", "Commissioned", "Our share", "School",
)  # fmt: skip
WORDS = {
    "server": "Server", "switch": "Network switch", "access_point": "Access point", "ups": "UPS", "laptop": "Laptop",
    "monitor": "Monitor", "multifunction": "MFD", "in_use": "In use", "spare": "Spare", "on_loan": "On loan",
    "disposed": "Disposed", "data_room": "Data room", "cooled_cupboard": "Cooled cupboard",
    "passive_cupboard": "Passive cupboard",
}  # fmt: skip


@dataclass(slots=True)
class Sheet:
    """A sheet as it grows, with the faults in it."""

    name: str
    headers: Sequence[str]
    lines: list[Sequence[Cell]] = field(default_factory=list)
    faults: list[SeededFault] = field(default_factory=list)

    def add(self, line: Sequence[Cell], fault: tuple[str, str, str] | None = None) -> None:
        """A line; with a fault, its header, severity and what it is."""
        self.lines.append(line)
        if fault is not None:
            header, severity, what = fault
            column = get_column_letter(self.headers.index(header) + 1) if header else "A"
            self.faults.append(SeededFault(f"{self.name}!{column}{len(self.lines)}", severity, what))


@dataclass(frozen=True, slots=True)
class Register:
    """The workbook's sheets, the faults in them, and the items that they hold in the end."""

    sheets: Sequence[Sheet]
    faults: Sequence[SeededFault]
    items: Sequence[Item]

    def workbook(self) -> Workbook:
        book = Workbook(write_only=True)
        for sheet in self.sheets:
            page = book.create_sheet(sheet.name)
            for line in sheet.lines:
                page.append(list(line))
        page = book.create_sheet("Lookups")
        for word in ("Yes", "No"):
            page.append([word])
        return book


def register(estate: Estate) -> Register:
    """The county's register."""
    county = [one for one in estate.items if one.organisation == COUNTY]
    laptops, more = _laptops(
        [one for one in county if one.device_class in ("laptop", "multifunction") and one.quantity == 1]
    )
    screens = _screens([one for one in county if one.quantity > 1])
    infrastructure, lost = _infrastructure(estate, [one for one in county if one.host_name])
    sheets = (laptops, screens, infrastructure)
    items = [replace(one, device="") if one.asset_tag in lost else one for one in county]
    return Register(
        sheets,
        [fault for sheet in sheets for fault in sheet.faults],
        [one for one in [*items, *more] if one.asset_tag not in lost],
    )


def dated(date: datetime.date | None, number: int) -> Cell:
    """A date as people write it, each row another way."""
    if date is None:
        return (None, "n/a", "unknown")[number % 3]
    spreadsheet = (date - datetime.date(1899, 12, 30)).days
    short, long = f"{date.day}-{date:%b}-{date:%y}", f"{date.day} {date:%B} {date.year}"
    forms: tuple[Cell, ...] = (date, f"{date:%d/%m/%Y}", short, date.isoformat(), spreadsheet, long)
    return forms[number % len(forms)]


def laptop_line(one: Item, number: int) -> Line:
    """A line of the laptops' sheet."""
    share: Cell = None if one.share == "1" else f"{float(one.share):.0%}" if number % 2 else float(one.share)
    return [
        one.asset_tag, one.serial or None, one.vendor, one.model, WORDS[one.device_class], WORDS[one.status],
        one.site or None, one.space or None, one.directorate, dated(one.acquired, number), dated(one.disposed, 1), share,
        "Yes" if one.school else None, None, None, None,
    ]  # fmt: skip


def _laptops(items: Sequence[Item]) -> tuple[Sheet, list[Item]]:
    sheet = Sheet("Laptops", LAPTOP_HEADERS)
    sheet.add([f"{COUNTY}: end user devices"])
    sheet.add([])
    sheet.add(LAPTOP_HEADERS)
    more: list[Item] = []
    faults = _laptop_faults(items, more)
    for number, item in enumerate(items):
        if number % 150 == 149 and (fault := next(faults, None)) is not None:
            sheet.add(*fault)
        sheet.add(laptop_line(item, number))
    for fault in faults:
        sheet.add(*fault)
    return sheet, more


def _laptop_faults(items: Sequence[Item], more: list[Item]) -> Iterator[tuple[Line, tuple[str, str, str]]]:
    """Faulty lines; the items that they are in spite of it go into `more`."""
    base = Item(
        "laptop", "end_users", vendor="Dell", model="Latitude 5440", site="Depot", directorate="Resources",
        acquired=datetime.date(2023, 4, 1),
    )  # fmt: skip
    column = {name: place for place, name in enumerate(LAPTOP_HEADERS)}
    numbers = iter(range(1, 1000))

    def kept(header: str, cell: Cell, what: str, **as_item: object) -> tuple[Line, tuple[str, str, str]]:
        """A line that is taken without one of its cells."""
        number = next(numbers)
        item = replace(base, asset_tag=f"FLT{number:04}", serial=f"FAULTY{number:04}")
        line = laptop_line(item, 1)
        line[column[header]] = cell
        more.append(replace(item, **as_item))  # type: ignore[arg-type]  # fields of an item, each by its name
        return line, (header, "warning", what)

    def lost(header: str, severity: str, what: str, **cells: Cell) -> tuple[Line, tuple[str, str, str]]:
        number = next(numbers)
        line = laptop_line(replace(base, asset_tag=f"LST{number:04}", serial=f"LOST{number:06}"), 1)
        for name, cell in cells.items():
            line[column[name.replace("_", " ")]] = cell
        return line, (header, severity, what)

    yield kept("Serial Number", "1.23457E+11", "digits lost to a spreadsheet", serial="")
    yield kept("Serial Number", 1.2345678901234567e16, "digits beyond the fifteenth lost", serial="")
    yield kept("Serial Number", datetime.date(2021, 3, 4), "turned into a date", serial="")
    yield kept("Serial Number", "#REF!", "a formula that failed", serial="")
    yield lost("Serial Number", "rejected", "its only number was damaged", Serial_Number="4.5E+10", Asset_No=None)
    yield list(laptop_line(items[5], 5)), ("Serial Number", "left out", "the same row once more")
    twin = laptop_line(items[6], 6)
    yield [*twin[:6], "Museum", *twin[7:]], ("Serial Number", "rejected", "one serial number at two sites")
    yield lost("Asset No", "rejected", "one asset tag, two serial numbers", Asset_No=items[7].asset_tag)
    nothing: Line = [None] * len(LAPTOP_HEADERS)
    nothing[column["Device Type"]], nothing[column["Building"]] = "Laptop", "Depot"
    yield nothing, ("Device Type", "rejected", "nothing says which device it is")
    yield kept("Purchase Date", "31/02/2024", "no day of the calendar", acquired=None)
    yield kept("Purchase Date", "soon", "no date", acquired=None)
    yield kept("Purchase Date", "01/01/2049", "in the future", acquired=None)
    yield kept("Purchase Date", datetime.date(1974, 4, 1), "before there were any", acquired=None)
    yield kept("Disposal Date", "01/02/2020", "disposed of before it was acquired")
    disposed, told = kept(
        "Disposal Date", "01/06/2025", "in use, and disposed of", status="disposed", disposed=datetime.date(2025, 6, 1)
    )
    yield disposed, ("Status", *told[1:])
    yield kept("Status", "Purple", "no known state", status="unknown")
    yield kept("Device Type", "Gizmo", "no known kind, told by its model")
    other, told = kept("Device Type", "Gizmo", "no known kind at all", model="Thing 9", device_class="other")
    other[column["Model"]] = "Thing 9"
    yield other, told
    yield lost("Our share", "rejected", "a share in words", Our_share="half")
    yield lost("Our share", "rejected", "a share over the whole", Our_share="150%")
    yield lost("Our share", "rejected", "a negative share", Our_share=-0.2)
    yield kept("Directorate", "#N/A", "a look-up that found nothing", directorate="")
    yield kept("Service category", "Misc", "no service category")
    yield kept("Tenure", "Perhaps", "whose it is is not said")
    homeless, told = kept("Building", None, "a room of no building", site="")
    homeless[column["Room"]] = "Room 12"
    yield homeless, ("Room", *told[1:])
    yield list(LAPTOP_HEADERS), ("", "left out", "the headers once more")
    yield ["Total laptops"], ("", "left out", "a sum")
    yield ["Please ask the service desk before changing this list"], ("", "left out", "a remark")
    yield kept("Model", "Latitude 5440 " + "x" * 600, "a text without end", model=("Latitude 5440 " + "x" * 600)[:500])


def _screens(items: Sequence[Item]) -> Sheet:
    sheet = Sheet("Screens", SCREEN_HEADERS)
    sheet.add(SCREEN_HEADERS)
    for one in items:
        sheet.add([one.vendor, one.model, WORDS[one.device_class], one.quantity, one.site, one.directorate, None])
    for cell, what in (("lots", "a number in words"), (0, "none at all"), (2.5, "half a device")):
        sheet.add(["Dell", "P2422H", "Monitor", cell, "Depot", "Adults", None], ("Qty", "rejected", what))
    sheet.add(
        ["Grand total", None, None, sum(one.quantity for one in items), None, None, None], ("", "left out", "a sum")
    )
    return sheet


def _infrastructure(estate: Estate, items: Sequence[Item]) -> tuple[Sheet, set[str]]:
    """The sheet, and the asset tags of what conflicts: in it, and not taken over."""
    sheet = Sheet("Infrastructure", INFRASTRUCTURE_HEADERS)
    sheet.add(["Infrastructure register", None, "as at March 2026"])
    sheet.add(INFRASTRUCTURE_HEADERS)
    told: set[str] = set()
    for number, one in enumerate(items):
        line = [
            one.asset_tag, one.serial or None, one.host_name, one.vendor, one.model, WORDS[one.device_class], "Live", one.site,
            None, None, None, one.space or None, WORDS[estate.spaces[one.site, one.space]] if one.space else None,
            one.directorate, dated(one.acquired, number), None if one.share == "1" else float(one.share),
            "Yes" if one.school else None,
        ]  # fmt: skip
        if one.site not in told:
            line[8:11] = [f"{len(told) + 1} High Street", f"OX{len(told) + 1} 1AA", 100_120_000_000 + len(told)]
            told.add(one.site)
        sheet.add(line, None)
    lost: set[str] = set()
    twins = [one for one in items if one.device and not one.serial and one.device_class == "switch"][1:2]
    for one in twins:  # its own row is a conflict as well: two rows, one device that was seen
        line = [None] * len(INFRASTRUCTURE_HEADERS)
        line[:7] = ["TWIN1", None, one.host_name, one.vendor, one.model, "Network switch", "Live"]
        sheet.add(line, ("Host name", "conflicting", "a second row of a device that was seen"))
        row = next(place for place, other in enumerate(sheet.lines, 1) if other and other[0] == one.asset_tag)
        sheet.faults.append(SeededFault(f"{sheet.name}!C{row}", "conflicting", "a row with a second one"))
        lost.add(one.asset_tag)
    first = next(
        place for place, other in enumerate(sheet.lines) if place > 1 and other[7] == "Day Centre" and other[8] is None
    )
    faulty = list(sheet.lines[first])
    faulty[9], faulty[10], faulty[12] = "OXFORD", "ABC", "Tower"
    sheet.lines[first] = faulty
    for letter, what in (("J", "no postcode"), ("K", "no UPRN"), ("M", "no kind of room, told by its name")):
        sheet.faults.append(SeededFault(f"{sheet.name}!{letter}{first + 1}", "warning", what))
    return sheet, lost
