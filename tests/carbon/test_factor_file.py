"""Flat files of every layout: the lines are found by their names, and what is wrong is named by its cell."""

import re
from decimal import Decimal

import pytest

from carbon.errors import FactorFileError
from carbon.factor_file import factor_of, read_factor_file
from carbon.factor_lines import ELECTRICITY as KEYS
from carbon.factor_lines import FACTOR_LINES
from collector.tables.sheets import Sheet
from tests.carbon.flat_files import ELECTRICITY, FlatFile


@pytest.mark.parametrize("year", ELECTRICITY)
def test_the_four_lines_are_read_in_the_layout_of_each_year(year: int) -> None:
    file = read_factor_file(FlatFile(year).sheets)
    assert (file.year, file.version, file.final, file.managed_assets) == (year, "1.1", True, 1)
    assert [file.lines[key].value for key in KEYS] == [Decimal(one).normalize() for one in ELECTRICITY[year]]
    assert not any("Managed assets" in row.levels[0] for row in file.rows)
    assert len(file.rows) == 5


def test_next_years_file_is_read_where_only_the_year_changed_and_rows_moved() -> None:
    file = read_factor_file(FlatFile(2031, values=(0.05, 0.004, 0.01, 0.001), leading_rows=17, end="").sheets)
    assert file.year == 2031
    assert file.lines["s2_generation"].cell == "Factors by Category!J19"
    assert file.lines["s2_generation"].id == "7_400_4000_5_1"


@pytest.mark.parametrize("words", [1.2, "1.2", "v1.2", "Version 1.2", "1.2 (June 2026)"])
def test_a_version_is_read_however_it_is_written(words: float | str) -> None:
    assert read_factor_file(FlatFile(2026, version=words).sheets).version == "1.2"


def test_before_2023_a_row_is_known_by_its_names() -> None:
    file = read_factor_file(FlatFile(2018).sheets)
    named = "Scope 3|Transmission and distribution|T&D- UK electricity|Electricity: UK|kWh|kg CO2e"
    assert file.lines["s3_td"].id == named
    assert len({row.id for row in file.rows}) == len(file.rows)


def test_an_empty_cell_is_not_available_and_never_nought() -> None:
    names = ("Scope 3", "Waste disposal", "Electrical items", "WEEE - mixed", "tonnes", "kg CO2e")
    diesel = ("Scope 1", "Fuels", "Liquid fuels", "Diesel (average biofuel blend)", "litres", "kg CO2e")
    file = read_factor_file(FlatFile(2024, more=[(*names, 4.0), (*diesel, None)]).sheets)
    assert file.lines["diesel"].value is None
    assert "weee_landfill" in file.missing
    assert "diesel" not in file.missing


def test_a_text_in_a_row_that_nobody_needs_is_told_and_kept_as_not_available() -> None:
    names = ("Scope 1", "Refrigerant & other", "Other products", "R1234yf*", "kg", "kg CO2e")
    file = read_factor_file(FlatFile(2024, more=[(*names, "< 1")]).sheets)
    assert file.unreadable == ["Factors by Category!J11"]
    assert file.rows[-1].value is None


def test_of_a_refrigerants_three_rows_the_total_counts() -> None:
    flat = FlatFile(2024)
    rows = flat.rows[:-2]
    texts = ("Emissions including only Kyoto products", "Emissions including only non-Kyoto products")
    for text, value in ((texts[0], 677.0), (texts[1], None), ("Total emissions including non-Kyoto products", 678.0)):
        names = ("Scope 1", "Refrigerant & other", "Kyoto protocol products", "HFC-32", "kg", "kg CO2e")
        row = flat.row(names, value, text)
        row[6] = text
        rows.append(row)
    file = read_factor_file([flat.sheets[0], Sheet("Factors by Category", rows)])
    assert file.lines["refrigerant_r32"].value == 678


def test_float_noise_goes_and_twelve_figures_stay() -> None:
    assert factor_of(0.41204999999999997) == Decimal("0.41205")
    assert factor_of(0.20707428859060403) == Decimal("0.207074288591")
    assert str(factor_of(3814400.0)) == "3814400"


DIESEL = ("Scope 1", "Fuels", "Liquid fuels", "Diesel (average biofuel blend)", "litres", "kg CO2e")


@pytest.mark.parametrize(
    ("flat", "words"),
    [
        (FlatFile(2024, values=("0,2", 0.1, 0.1, 0.1)), r"Factors by Category!J5: '0,2' is no number"),
        (FlatFile(2024, values=("#N/A", 0.1, 0.1, 0.1)), r"Factors by Category!J5: '#N/A' is no number"),
        (FlatFile(2024, values=(True, 0.1, 0.1, 0.1)), r"Factors by Category!J5: 'True' is no number"),
        (FlatFile(2018, values=(0.2, -0.1, 0.1, 0.1)), r"Factors by Category!K6: .* is negative, -0.1"),
        (FlatFile(2017, values=(0.2, 0.1, None, 0.1)), r"Factors by Category!I7: the factor of .* is empty"),
        (FlatFile(2024, more=[(*DIESEL, -2.5)]), r"Factors by Category!J11: the factor of Diesel.* is negative"),
        (FlatFile(2024, more=[(*DIESEL, 2.5), (*DIESEL, 2.6)]), r"J12: Diesel.* 2.6 here and 2.5 in .*J11"),
        (FlatFile(2024, front_year=2023), r"Front page!E3: the front page says 2023, the factors' header 2024"),
        (FlatFile(2024, version="final"), r"Front page!B3: final is no version"),
    ],
)
def test_what_is_wrong_is_refused_with_its_cell(flat: FlatFile, words: str) -> None:
    with pytest.raises(FactorFileError, match=words):
        read_factor_file(flat.sheets)


def test_a_file_without_a_sheet_a_row_or_a_column_is_refused() -> None:
    flat = FlatFile(2024)
    with pytest.raises(FactorFileError, match="no sheet Factors by Category among Front page"):
        read_factor_file(flat.sheets[:1])
    with pytest.raises(FactorFileError, match="no sheet Front page"):
        read_factor_file(flat.sheets[1:])
    for at, key in enumerate(KEYS):
        rows = [row for place, row in enumerate(flat.rows) if place != flat.leading_rows + 1 + at and place < 12]
        lost = re.escape(FACTOR_LINES[key].name)
        with pytest.raises(FactorFileError, match=f"Factors by Category!J4: no row below this header is {lost} "):
            read_factor_file([flat.sheets[0], Sheet("Factors by Category", rows[:-2])])
    nameless = [[cell for cell in row if cell != "UOM"] for row in flat.rows]
    with pytest.raises(FactorFileError, match="Factors by Category!B4: the header has no column uom"):
        read_factor_file([flat.sheets[0], Sheet("Factors by Category", nameless)])
    with pytest.raises(FactorFileError, match="no header says Scope"):
        read_factor_file([flat.sheets[0], Sheet("Factors by Category", [["Site", "Rack"]] * 100)])


def test_another_set_of_the_same_publisher_is_no_flat_file() -> None:
    front = [[*row[:-1], "Full set"] if "Flat file" in row else row for row in FlatFile(2024).front]
    with pytest.raises(FactorFileError, match="this is the factor set Full set"):
        read_factor_file([Sheet("Front page", front), FlatFile(2024).sheets[1]])
