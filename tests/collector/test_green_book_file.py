"""HM Treasury's workbook and plain tables of years, read by their content; whatever is wrong is refused with its cell."""

from decimal import Decimal
from pathlib import Path

import pytest

from collector.errors import BadRequest
from collector.green_book_file import read_green_book
from tests.collector.data_tables import data_tables


def test_table_1_is_found_by_its_content_and_read_at_the_consumer_in_the_public_sector(tmp_path: Path) -> None:
    table = read_green_book(data_tables(tmp_path / "tables.xlsx"), "electricity_factors")
    assert (table.version, table.unit) == ("November 2023", "kgCO2e/kWh")
    assert table.source == "tables.xlsx, Table 1!A5"
    assert table.columns["grid_average"][2021] == Decimal("0.208868")
    assert table.columns["long_run_marginal"][2030] == Decimal("0.179022")
    assert table.years("grid_average") == range(2021, 2031)
    assert len(table.sha256) == 64


def test_carbon_values_are_read_from_the_same_workbook_with_their_price_base(tmp_path: Path) -> None:
    table = read_green_book(data_tables(tmp_path / "tables.xlsx"), "carbon_values")
    assert table.unit == "GBP (2022 prices)/tCO2e"
    assert {name: values[2025] for name, values in table.columns.items()} == {
        "low": Decimal("136.53"),
        "central": Decimal("273.06"),
        "high": Decimal("409.6"),
    }


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"G8": "n/a"}, "Table 1!G8: 'n/a' is no number"),
        ({"G8": -0.1}, "Table 1!G8: -0.1 is out of range"),
        ({"G8": None}, "Table 1!G8: grid average of 2023 is empty: that is not available, and not 0"),
        ({"C9": 123.4}, "Table 1!C9: 123.4 is out of range: 0 to 2 kgCO2e/kWh"),
        ({"A7": 2021}, "Table 1!A7: 2021 stands in row 6 already"),
        ({"A7": "20x2"}, "Table 1!A7: '20x2' is no year"),
        ({"F3": "Mean of the grid"}, "no table with a column Year and the columns grid average, long run marginal"),
    ],
)
def test_a_wrong_cell_refuses_the_file_and_is_named(cells: dict[str, object], told: str, tmp_path: Path) -> None:
    with pytest.raises(BadRequest) as refused:
        read_green_book(data_tables(tmp_path / "tables.xlsx", **cells), "electricity_factors")
    assert told in refused.value.message


def test_a_plain_table_needs_its_version_said(tmp_path: Path) -> None:
    path = tmp_path / "index.csv"
    path.write_text("year,grid_average,long_run_marginal\n2025,0.12,0.20\n2030,0.05,0.09\n")
    with pytest.raises(BadRequest, match="of which month"):
        read_green_book(path, "electricity_factors")
    table = read_green_book(path, "electricity_factors", "May 2026")
    assert table.at("grid_average", 2026).method == "interpolated"
    assert table.columns["long_run_marginal"] == {2025: Decimal("0.20"), 2030: Decimal("0.09")}


def test_a_column_may_begin_later_than_the_other_but_has_no_hole(tmp_path: Path) -> None:
    path = tmp_path / "index.csv"
    path.write_text("year,grid_average,long_run_marginal\n2024,0.13,\n2025,0.12,0.20\n2026,0.11,0.19\n")
    table = read_green_book(path, "electricity_factors", "v")
    assert table.years("long_run_marginal") == range(2025, 2027)
    path.write_text("year,grid_average,long_run_marginal\n2024,0.13,0.21\n2025,0.12,\n2026,0.11,0.19\n")
    with pytest.raises(BadRequest, match="C3: long run marginal of 2025 is empty"):
        read_green_book(path, "electricity_factors", "v")
