"""The detailed export has the reference's columns, and its rows add up to the report by whatever they are divided."""

import dataclasses
import re
from decimal import Decimal
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon.activity import Supply
from carbon.export_columns import COLUMNS
from carbon.export_rows import BY, Cell, cells, export_rows, kwh_cell
from carbon.footprint_rows import FootprintRow, Grams
from carbon.report import Report
from carbon.row_ranges import energy_range, grams_range
from tests.carbon.reports import KWH, ROOM, report, row

_SUPPLIES: list[Supply] = ["own", "landlord", "home"]


def _named(of: Report, by: tuple[str, ...] = ("directorate", "site", "category", "class")) -> list[dict[str, Cell]]:
    return [dict(zip(COLUMNS, one, strict=True)) for one in cells(of, export_rows(of, by), by)]


def test_the_columns_are_the_references_in_their_order(shared: Path) -> None:
    text = (shared / "carbon.md").read_text(encoding="utf-8")
    listed = re.search(r"Columns of the detailed export: (.*?)\.\n", text, re.DOTALL)
    assert listed
    assert list(COLUMNS) == re.split(r",\s+", listed[1])


def test_a_row_says_where_it_was_whose_it_is_and_by_which_factors() -> None:
    homes, depot, _, room = _named(report())
    assert (room["site"], room["count"], room["activity_kwh"]) == ("County Hall", Decimal("0.333333"), Decimal(1356))
    assert (room["pue_applied"], room["data_quality_tier"]) == (Decimal("1.8"), "measured")
    assert (room["time_coverage_pct"], room["estate_coverage_pct"]) == (Decimal("96.67"), Decimal("66.67"))
    assert room["lb_s2_gen_kgco2e"] == Decimal("280.758")
    assert room["mb_s2_kgco2e"] == Decimal("139.414")
    assert (room["factor_set"], room["factor_version"], room["year_rule"]) == ("2024", "1.1", "majority")
    assert str(room["factor_row_id"]).count("; ") == 3
    assert (homes["ghg_scope"], homes["scope3_category"]) == ("3", "7")
    assert homes["within_corporate_inventory"] == "no"
    assert (depot["ghg_scope"], depot["scope3_category"], depot["estate_coverage_pct"]) == ("3", "8", None)


def test_a_period_is_of_the_organisations_days_and_no_longer_than_the_report() -> None:
    part = dataclasses.replace(report(), first_month="2024-06", last_month="2024-07")
    year, month = _named(part)[0], _named(part, ("month",))[-1]
    assert (year["period_start_utc"], year["period_end_utc"]) == ("2024-05-31T23:00:00Z", "2024-07-31T23:00:00Z")
    assert year["count"] == Decimal(1)
    assert (month["period_start_utc"], month["period_end_utc"]) == ("2024-06-30T23:00:00Z", "2024-07-31T23:00:00Z")


def test_what_differs_in_pue_set_or_inventory_stands_in_rows_of_its_own() -> None:
    rows = [row(), row("d2", pue=ROOM), row("d3", "2025-04", year=2025), row("d4", supply="home")]
    of = dataclasses.replace(report(rows), last_month="2026-03")
    assert len(export_rows(of, ())) == 4


@pytest.mark.parametrize("size", range(len(BY) + 1))
def test_rows_add_up_to_the_report_to_the_gram_by_whatever_they_are_divided(size: int) -> None:
    whole = report()
    for by in combinations(BY, size):
        total = Grams()
        for one in export_rows(whole, by):
            total += one.grams
        assert total == whole.grams
        assert sum(one.activity_uj for one in export_rows(whole, by)) == 3502 * KWH


_ATOMS = st.lists(
    st.builds(
        row,
        device=st.sampled_from(["d1", "d2"]),
        month=st.sampled_from(["2024-04", "2024-12", "2025-03"]),
        site=st.sampled_from(["", "=Depot", "County Hall"]),
        category=st.sampled_from(["servers", "networks"]),
        supply=st.sampled_from(_SUPPLIES),
        kwh=st.integers(0, 10**9),
        filled_kwh=st.integers(0, 10**6),
    ),
    max_size=12,
)


@given(_ATOMS, st.sets(st.sampled_from(BY)))
@settings(max_examples=40)
def test_any_atoms_add_up(rows: list[FootprintRow], by: set[str]) -> None:
    of = report(rows)
    made = _named(of, tuple(by))
    lines = ("lb_s2_gen_kgco2e", "s3_td_kgco2e", "s3_wtt_gen_kgco2e", "s3_wtt_td_kgco2e")
    kilograms = sum((Decimal(str(one[name])) for one in made for name in lines), Decimal(0))
    assert kilograms * 1000 == of.grams.total


@given(st.integers(-(10**18), 10**18))
def test_a_microjoule_can_be_had_again_from_kilowatt_hours(energy_uj: int) -> None:
    assert round(kwh_cell(energy_uj) * KWH) == energy_uj


def test_ranges_add_up_within_a_group_and_scale_with_the_factor() -> None:
    rows = [row("d1", kwh=100), row("d2", kwh=300)]
    assert energy_range(rows) == (320 * KWH, 480 * KWH)
    low, high = grams_range(rows)
    whole = sum(one.grams.total for one in rows)
    # 80 kWh either way, and what the factor adds in quadrature.
    alone = 80 * 1000 * rows[0].applied.factors.total
    assert alone <= whole - low == high - whole < alone + whole // 20


def test_an_empty_report_has_no_rows() -> None:
    assert export_rows(report([])) == []
    assert grams_range([]) == (0, 0)
