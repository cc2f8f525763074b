"""From the cells of one line to a row: every field by its own rules, every fault at its cell."""

import datetime
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

from carbon.device_classes import CLASSES
from collector.register.fields import IDENTITY, words
from collector.register.mapping import RegisterMapping
from collector.register.meanings import (
    category_of,
    class_of_model,
    class_of_words,
    is_accessory,
    space_kind_of,
    status_of,
    tenure_of,
    yes_or_no,
)
from collector.register.rows import Fault, RegisterRow, Severity
from collector.register.serials import damaged, failed, identifier
from collector.tables.dates import DateProblem, read_date
from collector.tables.sheets import Cell, Sheet

_POSTCODE = re.compile(r"(GIR ?0AA|[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2})", re.IGNORECASE)
LONGEST_TEXT = 500
MOST_OF_ONE_ROW = 100_000
_RETYPE = "type it again as text: format the column as text first, or put an apostrophe before it"
_OF_A_KIND = 'say what it is in the mapping: [values.device_class] "their word" = "laptop"'
_PLAIN = ("vendor", "model", "organisation", "site", "address", "space", "directorate", "owner", "share_key", "notes")


class LineReader:
    """Reads the lines of one sheet by its columns. Faults are collected in `faults`."""

    def __init__(
        self, sheet: Sheet, columns: Mapping[str, int], mapping: RegisterMapping, today: datetime.date
    ) -> None:
        self.faults: list[Fault] = []
        self._sheet, self._columns, self._mapping, self._today = sheet, columns, mapping, today
        self._told = frozenset(columns)
        self._line = 0
        self._rejected = False

    def turn_to(self, columns: Mapping[str, int]) -> None:
        """Read the lines that follow by other columns: a sheet may have its headers again, in another order."""
        self._columns, self._told = columns, frozenset(columns)

    def read(self, line: int) -> RegisterRow | None:
        """The row of a line, which counts from 0; None where it was rejected or left out."""
        cells = self._sheet.rows[line]
        self._line, self._rejected = line, False
        row = RegisterRow(self._sheet.name, line + 1, told=self._told)
        given = {name: cells[column] if column < len(cells) else None for name, column in self._columns.items()}
        row.cells = {
            name: self._sheet.address(line, self._columns[name]) for name, cell in given.items() if cell is not None
        }
        hurt = {name: problem for name in IDENTITY if (problem := _damage(given.get(name)))}
        for name in IDENTITY:
            if name not in hurt:
                setattr(row, name, self._text(name, given.get(name)))
        for name, problem in hurt.items():
            # A device that is known by something else is not lost for it.
            known = any(getattr(row, other) for other in IDENTITY)
            self._fault(name, problem, _RETYPE, "warning" if known else "rejected")
        for name, cell in given.items():
            if name not in IDENTITY and (problem := failed(cell)):
                self._fault(name, problem, "mend the formula, or type what it should give", "warning")
                given[name] = None
        for name in _PLAIN:
            setattr(row, name, self._text(name, given.get(name)))
        if not self._class(row, given.get("device_class")):
            return None
        self._states(row, given)
        self._place(row, given)
        self._amounts(row, given)
        self._dates(row, given)
        if (
            not self._rejected
            and row.quantity == 1
            and not any(getattr(row, name) for name in IDENTITY)
            and not row.model
        ):
            self._fault(
                self._first_field(given),
                "nothing says which device this is",
                "give a serial number, an asset tag or a name",
            )
        return None if self._rejected else row

    def _first_field(self, given: Mapping[str, Cell]) -> str:
        return next((name for name, cell in given.items() if cell is not None), next(iter(self._columns)))

    def _fault(self, field: str, problem: str, remedy: str, severity: Severity = "rejected") -> None:
        column = self._columns.get(field, 0)
        row = self._sheet.rows[self._line]
        value = row[column] if column < len(row) else None
        shown = "" if value is None else str(value)[:100]
        where = self._sheet.address(self._line, column)
        self.faults.append(Fault(where, field, shown, problem, remedy, severity, self._sheet.name, self._line + 1))
        self._rejected = self._rejected or severity != "warning"

    def _text(self, field: str, cell: Cell) -> str:
        if isinstance(cell, datetime.datetime):
            cell = cell.date().isoformat()
        return self._bounded(field, identifier(cell))

    def _bounded(self, field: str, text: str) -> str:
        if len(text) > LONGEST_TEXT:
            self._fault(field, f"{len(text)} characters; {LONGEST_TEXT} are kept", "shorten it", "warning")
        return text[:LONGEST_TEXT]

    def _class(self, row: RegisterRow, cell: Cell) -> bool:
        """Set the class; whether the row is taken at all."""
        own = self._mapping.values.get("device_class", {})
        found = own.get(words(row.model), "") if cell is None else class_of_words(cell, own)
        if found == "ignore":
            self._fault("device_class", "the mapping leaves this kind out", "", "left out")
            return False
        kind = row.model if cell is None else cell
        if words(kind) not in own and is_accessory(kind):
            self._fault(
                "model" if cell is None else "device_class", "an accessory, which is no device", _OF_A_KIND, "left out"
            )
            return False
        by_model = class_of_model(row.vendor, row.model) if not found else ""
        row.device_class = found or by_model or "other"
        if found:
            return True
        where = "device_class" if cell is not None else "model" if "model" in self._columns else self._identity(row)
        known = f"taken for {CLASSES[by_model].words} by its model" if by_model else "taken for other ICT"
        if cell is not None or not by_model:
            what = f"{cell!s} is no known kind of equipment" if cell is not None else "no kind of equipment"
            self._fault(
                where,
                f"{what}: {known}",
                _OF_A_KIND,
                "warning",
            )
        return True

    def _identity(self, row: RegisterRow) -> str:
        """The field by which a row's device is known."""
        return next((name for name in IDENTITY if getattr(row, name)), self._first_field({}))

    def _states(self, row: RegisterRow, given: Mapping[str, Cell]) -> None:
        values = self._mapping.values
        if (cell := given.get("status")) is not None:
            row.status = status_of(cell, values.get("status", {})) or "unknown"
            if row.status == "unknown" and not status_of(cell, {}):
                remedy = 'say what it means in the mapping: [values.status] "their word" = "in_use"'
                self._fault("status", f"{cell!s} is no known state: taken for unknown", remedy, "warning")
        if (cell := given.get("tenure")) is not None:
            row.tenure = tenure_of(cell, values.get("tenure", {})) or "own"
            if not tenure_of(cell, values.get("tenure", {})):
                remedy = 'say what it means in the mapping: [values.tenure] "their word" = "leased"'
                self._fault("tenure", f"{cell!s} does not say whose it is: taken for own", remedy, "warning")
        row.service_category = CLASSES[row.device_class].category
        if (cell := given.get("service_category")) is not None:
            own = category_of(cell)
            row.service_category = own or row.service_category
            if not own:
                remedy = "use servers, networks, telephony, imaging, audio_visual, end_users or power"
                self._fault(
                    "service_category",
                    f"{cell!s} is no service category: that of its class is taken",
                    remedy,
                    "warning",
                )
        if (cell := given.get("school")) is not None:
            said = yes_or_no(cell)
            row.school = None if not said else said == "yes"
            if not said and identifier(cell):
                # A column `School` with the school's name in it says that it is one.
                row.school = True

    def _place(self, row: RegisterRow, given: Mapping[str, Cell]) -> None:
        if text := self._text("postcode", given.get("postcode")):
            compact = text.upper().replace(" ", "")
            if _POSTCODE.fullmatch(compact):
                row.postcode = f"{compact[:-3]} {compact[-3:]}"
            else:
                self._fault(
                    "postcode", f"{text} is no UK postcode", "correct it: the grid region follows from it", "warning"
                )
        if text := self._text("uprn", given.get("uprn")):
            if re.fullmatch(r"\d{1,12}", text):
                row.uprn = text
            else:
                self._fault("uprn", f"{text} is no UPRN, which has up to 12 digits", "correct it", "warning")
        if row.space and not row.site:
            self._fault("space", f"space {row.space} of no site", "give the site", "warning")
            row.space = ""
        cell = given.get("space_kind")
        row.space_kind = (
            (space_kind_of(cell) if cell is not None else "") or space_kind_of(row.space) if row.space else ""
        )
        if cell is not None and row.space and not space_kind_of(cell):
            self._fault(
                "space_kind",
                f"{cell!s} is no kind of space",
                "use data_room, cooled_cupboard, passive_cupboard, office ...",
                "warning",
            )

    def _amounts(self, row: RegisterRow, given: Mapping[str, Cell]) -> None:
        if (cell := given.get("quantity")) is not None and (text := identifier(cell) or str(cell)):
            number = _number(text)
            if number is None or number != int(number) or not 1 <= number <= MOST_OF_ONE_ROW:
                self._fault(
                    "quantity", f"{text} is no number of devices", f"give a whole number from 1 to {MOST_OF_ONE_ROW:,}"
                )
            else:
                row.quantity = int(number)
        if (cell := given.get("share")) is not None and (text := identifier(cell) or str(cell)):
            share = _share(cell, text)
            if share is None:
                self._fault("share", f"{text} is no share", "give a share from 0 to 1, or per cent: 40%")
            else:
                row.share = share

    def _dates(self, row: RegisterRow, given: Mapping[str, Cell]) -> None:
        for name in ("acquired_on", "disposed_on"):
            found = read_date(given.get(name), self._mapping.dates, self._today, ahead=name == "disposed_on")
            if isinstance(found, DateProblem):
                self._fault(name, found.problem, found.remedy, "warning")
            else:
                setattr(row, name, found)
        if row.acquired_on and row.disposed_on and row.disposed_on < row.acquired_on:
            self._fault(
                "disposed_on", f"disposed on {row.disposed_on}, acquired on {row.acquired_on}", "correct one", "warning"
            )
            row.disposed_on = None
        if (
            row.disposed_on
            and row.disposed_on <= self._today
            and row.status in ("in_use", "unknown", "on_loan", "spare")
        ):
            if "status" in row.cells and row.status == "in_use":
                self._fault(
                    "status",
                    f"in use, and disposed of on {row.disposed_on}: taken for disposed",
                    "correct one of the two",
                    "warning",
                )
            row.status = "disposed"


def _damage(cell: Cell) -> str:
    """What a spreadsheet did to an identifier; "" where nothing is seen."""
    if isinstance(cell, datetime.date):
        return f"a spreadsheet turned it into the date {cell:%d/%m/%Y}"
    return damaged(cell)


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.replace(",", ""))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _share(cell: Cell, text: str) -> float | None:
    """A share of 0 to 1. Per cent are known by their sign, or by being above 1."""
    number = _number(text.rstrip("% "))
    if number is None:
        return None
    if "%" in text or (number > 1 and not isinstance(cell, bool)):
        number /= 100
    return float(number) if 0 <= number <= 1 else None


def is_empty(cells: Sequence[Cell]) -> bool:
    """Whether a line holds nothing."""
    return not any(cell is not None and str(cell).strip() for cell in cells)
