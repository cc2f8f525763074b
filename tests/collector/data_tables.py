"""A workbook laid out as HM Treasury's data tables are: titles, heads over three rows with merged cells, notes below."""

from pathlib import Path

import openpyxl

FIRST_YEAR_CELL = "A6"
YEARS = range(2021, 2031)


def data_tables(path: Path, **cells: object) -> Path:
    """The workbook; `cells` are other values for cells of table 1, such as `G8="n/a"`."""
    book = openpyxl.Workbook()
    contents = book.active
    assert contents is not None
    contents.title = "Contents"
    contents["A1"] = "Green Book supplementary guidance: data tables 1 to 19"
    contents["A2"] = "Updated November 2023"
    one = book.create_sheet("Table 1")
    one["A1"] = "Table 1: Electricity emissions factors to 2100, kgCO2e/kWh"
    heads = {"B3": "Long-run marginal", "F3": "Grid average"}
    heads |= {"B4": "Consumption-based", "E4": "Generation-based", "F4": "Consumption-based", "I4": "Generation-based"}
    heads |= {"A5": "Year"}
    for letter, sector in zip("BCDFGH", ("Domestic", "Commercial/ Public sector", "Industrial") * 2, strict=True):
        heads[f"{letter}5"] = sector
    for address, text in heads.items():
        one[address] = text
    for area in ("B3:E3", "F3:I3", "B4:D4", "F4:H4"):
        one.merge_cells(area)
    for after, year in enumerate(YEARS):
        marginal, average = 0.269022 - after / 100, 0.208868 - after / 100
        one.append([year, 0.3, marginal, 0.24, 0.23, 0.22, average, 0.19, 0.18])
    one["A18"] = "Notes: consumption-based factors include losses of transmission and distribution"
    for address, value in cells.items():
        one[address] = value
    values = book.create_sheet("Table 3")
    values["A1"] = "Table 3: Carbon values and sensitivities 2020-2100 for appraisal, 2022 £/tCO2e"
    for address, text in {"A3": "Year", "B3": "Low series", "C3": "Central series", "D3": "High series"}.items():
        values[address] = text
    for year in range(2025, 2028):
        values.append([year, 136.53, 273.06, 409.60])
    book.save(path)
    return path
