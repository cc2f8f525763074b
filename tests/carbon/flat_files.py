"""Flat files of conversion factors as sheets of cells, in the layout of any year, after the carbon reference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from openpyxl import Workbook

from collector.tables.sheets import Cell, Sheet

ELECTRICITY: Mapping[int, tuple[str, str, str, str]] = {
    2017: ("0.35156", "0.03287", "0.05605", "0.00524"),
    2018: ("0.28307", "0.02413", "0.04198", "0.00358"),
    2020: ("0.23314", "0.02005", "0.03217", "0.00277"),
    2024: ("0.20705", "0.01830", "0.04590", "0.00397"),
    2026: ("0.13096", "0.01299", "0.03682", "0.00359"),
}
"""The four lines of sets whose official file is not at hand: carbon reference, section 1."""
_IDS = ("7_400_4000_5_1", "13_402_4000_5_1", "15_917_4000_5_1", "15_918_4000_5_1")


@dataclass
class FlatFile:
    """A flat file of a year. `values` are the four lines of electricity; `more` further rows of names and value."""

    year: int
    values: Sequence[Cell] = ()
    version: Cell = 1.1
    front_year: Cell = None
    more: Sequence[tuple[str, str, str, str, str, str, Cell]] = ()
    leading_rows: int = 3
    end: str = "END"
    values_of: Sequence[Cell] = field(init=False)

    def __post_init__(self) -> None:
        self.values_of = self.values or [float(Decimal(one)) for one in ELECTRICITY[self.year]]

    @property
    def header(self) -> list[Cell]:
        value = f"GHG Conversion Factor {self.year}"
        levels = ["Scope", "Level 1", "Level 2", "Level 3", "Level 4", "Column Text"]
        if self.year < 2018:
            return [*levels, "UOM", "GHG", value]
        if self.year < 2022:
            return [*levels, "UOM (simple)", "UOM", "GHG", "Lookup", value]
        return [*(["ID"] if self.year > 2022 else []), *levels, "UOM", "GHG/Unit", value]

    @property
    def names(self) -> list[tuple[str, str, str, str, str, str]]:
        """Scope, levels 1 to 3, unit and gas of the four lines, as the year names them."""
        wtt = "WTT- UK electricity" if self.year > 2022 else "WTT- UK & overseas elec"
        return [
            ("Scope 2", "UK electricity", "Electricity generated", "Electricity: UK", "kWh", "kg CO2e"),
            ("Scope 3", "Transmission and distribution", "T&D- UK electricity", "Electricity: UK", "kWh", "kg CO2e"),
            ("Scope 3", wtt, "WTT- UK electricity (generation)", "Electricity: UK", "kWh", "kg CO2e"),
            ("Scope 3", wtt, "WTT- UK electricity (T&D)", "Electricity: UK", "kWh", "kg CO2e"),
        ]

    def row(self, names: tuple[str, str, str, str, str, str], value: Cell, row_id: str = "") -> list[Cell]:
        scope, *levels, unit, gas = names
        cells: list[Cell] = [scope, *levels, None, None]
        if self.year < 2018:
            return [*cells, unit, gas, value]
        if self.year < 2022:
            return [*cells, unit, unit, gas, levels[-1], value]
        return [*([row_id] if self.year > 2022 else []), *cells, unit, gas, value]

    @property
    def rows(self) -> list[list[Cell]]:
        gas = {2017: "kg CO2", 2018: "kg CO2", 2020: "kg CO2"}.get(self.year, "kg CO2e of CO2 per unit")
        carbon_dioxide = (*self.names[0][:-1], gas)
        managed = ("Scope 3", "Managed assets- electricity", *self.names[0][2:])
        rows: list[list[Cell]] = [[None]] * self.leading_rows
        rows.append(self.header)
        rows += [self.row(*one) for one in zip(self.names, self.values_of, _IDS, strict=True)]
        rows.append(self.row(carbon_dioxide, 0.1, "7_400_4000_5_2"))
        rows.append(self.row(managed, self.values_of[0], "30_400_4000_5_1"))
        rows += [self.row(names, value, f"1_{at}") for at, (*names, value) in enumerate(self.more)]  # type: ignore[arg-type]  # a slice of a tuple forgets its length
        return [*rows, [None, self.end], self.row(self.names[0], 9.0, "after the end")] if self.end else rows

    @property
    def front(self) -> list[list[Cell]]:
        year = self.year if self.front_year is None else self.front_year
        return [
            ["UK Government GHG Conversion Factors for Company Reporting"],
            ["Next publication date: ", "June 2027", None, "Factor set:", "Flat file"],
            ["Version:", self.version, None, "Year:", year],
            ["Status:", "Final"],
            ["Updated:", "10/06/2026"],
        ]

    @property
    def sheets(self) -> list[Sheet]:
        return [Sheet("Front page", self.front), Sheet("Factors by Category", self.rows)]

    def save(self, path: Path) -> Path:
        """The same as a workbook."""
        book = Workbook()
        book.remove(book.worksheets[0])
        for sheet in self.sheets:
            page = book.create_sheet(sheet.name)
            for row in sheet.rows:
                page.append(list(row))
        book.save(path)
        return path
