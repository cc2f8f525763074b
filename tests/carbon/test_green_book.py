"""Tables by year: published and interpolated values, and the index of the grid."""

from decimal import Decimal

import pytest

from carbon.errors import CarbonError
from carbon.forecast import Year, forecast
from carbon.green_book import YearTable, grid_index, index, packaged_tables

GRID = packaged_tables()["electricity_factors"]
VALUES = packaged_tables()["carbon_values"]


def test_a_printed_year_is_published_and_a_year_between_lies_on_the_line() -> None:
    assert GRID.at("grid_average", 2025).value == Decimal("0.126655")
    assert GRID.at("grid_average", 2025).method == "published"
    between = GRID.at("grid_average", 2027)
    assert between.method == "interpolated"
    assert between.value == Decimal("0.126655") + (Decimal("0.047623") - Decimal("0.126655")) * 2 / 5


@pytest.mark.parametrize("year", [2020, 2051])
def test_nothing_is_told_outside_of_the_table(year: int) -> None:
    with pytest.raises(CarbonError, match=rf"from 2021 to 2050, nothing for {year}"):
        GRID.at("grid_average", year)


def test_the_index_is_one_year_over_another_by_one_column() -> None:
    assert index(2025, 2025, "grid_average") == 1
    assert index(2025, 2030, "grid_average") == pytest.approx(Decimal("0.047623") / Decimal("0.126655"))
    assert index(2025, 2030, "long_run_marginal") == pytest.approx(Decimal("0.089693") / Decimal("0.203331"))


def test_an_index_of_an_imported_table_is_by_that_table() -> None:
    columns = {"grid_average": {2025: Decimal(4), 2027: Decimal(2)}, "long_run_marginal": {2025: Decimal(1)}}
    table = YearTable("electricity_factors", "May 2026", "a file", "kgCO2e/kWh", columns, "ab")
    assert index(2025, 2026, "grid_average", table) == Decimal("0.75")
    assert grid_index("grid_average", table)(2025, 2027) == Decimal("0.5")


def test_carbon_values_are_no_index_of_the_grid() -> None:
    assert VALUES.at("central", 2026).value == Decimal("277.22")
    with pytest.raises(CarbonError, match="no table of electricity factors"):
        VALUES.index(2025, 2026, "grid_average")
    with pytest.raises(CarbonError, match="no column grid_average"):
        VALUES.at("grid_average", 2026)


def test_a_factor_of_nothing_makes_no_index() -> None:
    table = YearTable("electricity_factors", "v", "s", "u", {"grid_average": {2025: Decimal(0), 2026: Decimal(1)}})
    with pytest.raises(CarbonError, match="0 for 2025"):
        table.index(2025, 2026, "grid_average")


def test_a_forecast_goes_by_the_index_and_not_by_the_tables_level() -> None:
    last = Year(2025, 1_000_000, 1_000_000)
    assert forecast(last, None, 2030, grid_index("grid_average"))[2030].electricity_g == 376_006
