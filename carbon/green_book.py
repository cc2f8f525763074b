"""Tables by year of HM Treasury's Green Book: how clean the grid becomes, and what a tonne is worth in appraisal.

Two kinds. *Electricity factors* (table 1) have a grid average, which forecasts a footprint, and a long-run marginal,
which values a saving: never both in one column. They serve as an index on the last actual factor, never as levels:
their basis is another one than the Government's conversion factors. *Carbon values* are pounds per tonne, low, central
and high. Years between two of a table lie on a straight line and are labelled interpolated; there is nothing outside.
Source: carbon reference, section 4.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import cache
from importlib import resources
from typing import Literal, get_args

from carbon.errors import CarbonError

Kind = Literal["electricity_factors", "carbon_values"]
GridColumn = Literal["grid_average", "long_run_marginal"]
ValueColumn = Literal["low", "central", "high"]
COLUMNS: Mapping[Kind, tuple[str, ...]] = {
    "electricity_factors": get_args(GridColumn),
    "carbon_values": get_args(ValueColumn),
}
UNITS: Mapping[Kind, str] = {"electricity_factors": "kgCO2e/kWh", "carbon_values": "GBP/tCO2e"}
_DIGITS = 28


@dataclass(frozen=True, slots=True)
class YearValue:
    """A value of one year, and how it was got: printed in the table, or on the line between two that are."""

    year: int
    value: Decimal
    method: Literal["published", "interpolated"]


@dataclass(frozen=True, slots=True)
class YearTable:
    """One version of a table: values by column and year. `sha256` is the imported file's, "" of a packaged table."""

    kind: Kind
    version: str
    source: str
    unit: str
    columns: Mapping[str, Mapping[int, Decimal]]
    sha256: str = ""

    @property
    def label(self) -> str:
        """How figures name it: `Green Book electricity factors, November 2023`."""
        return f"Green Book {self.kind.replace('_', ' ')}, {self.version}"

    def years(self, column: str) -> range:
        """The years for which a column has a value. Raises CarbonError where there is no such column."""
        values = self._column(column)
        return range(min(values), max(values) + 1)

    def at(self, column: str, year: int) -> YearValue:
        """The value of a year. Raises CarbonError outside of the table's years."""
        values = self._column(column)
        if year in values:
            return YearValue(year, values[year], "published")
        before = max((one for one in values if one < year), default=None)
        after = min((one for one in values if one > year), default=None)
        if before is None or after is None:
            raise CarbonError(
                f"{self.label} has {column.replace('_', ' ')} from {min(values)} to {max(values)}, nothing for {year}: "
                "import a newer table, or choose other years"
            )
        with localcontext() as context:
            context.prec = _DIGITS
            way = Decimal(year - before) / (after - before)
            return YearValue(year, values[before] + (values[after] - values[before]) * way, "interpolated")

    def index(self, from_year: int, to_year: int, column: GridColumn) -> Decimal:
        """A year's factor over another's, by one column.

        Raises CarbonError for other tables, and for years outside of this one.
        """
        if self.kind != "electricity_factors":
            raise CarbonError(f"{self.label} is no table of electricity factors: it makes no index of the grid")
        base = self.at(column, from_year).value
        if not base:
            raise CarbonError(f"{self.label} has 0 for {from_year}: nothing can be told in proportion to it")
        with localcontext() as context:
            context.prec = _DIGITS
            return self.at(column, to_year).value / base

    def _column(self, column: str) -> Mapping[int, Decimal]:
        if not self.columns.get(column):
            raise CarbonError(f"{self.label} has no column {column}: it has {', '.join(self.columns)}")
        return self.columns[column]


@cache
def packaged_tables() -> Mapping[Kind, YearTable]:
    """The tables that come with this release, by kind."""
    data = json.loads((resources.files("carbon") / "data" / "green_book.json").read_text(encoding="utf-8"))
    return {
        row["kind"]: YearTable(row["kind"], row["version"], row["source"], row["unit"], columns_of(row["columns"]))
        for row in data["tables"]
    }


def columns_of(columns: Mapping[str, Mapping[str, str]]) -> dict[str, dict[int, Decimal]]:
    """Columns as JSON has them, with years as numbers and values as Decimal."""
    return {name: {int(year): Decimal(text) for year, text in values.items()} for name, values in columns.items()}


def index(from_year: int, to_year: int, column: GridColumn, table: YearTable | None = None) -> Decimal:
    """The grid's factor in a year over that in another, by the packaged table unless another one is given.

    >>> round(index(2025, 2030, "grid_average"), 4)
    Decimal('0.3760')
    """
    return (table or packaged_tables()["electricity_factors"]).index(from_year, to_year, column)


def grid_index(column: GridColumn, table: YearTable | None = None) -> Callable[[int, int], Decimal]:
    """The index as `carbon.forecast` takes it: from a year to another, by one column alone."""
    return lambda from_year, to_year: index(from_year, to_year, column, table)
