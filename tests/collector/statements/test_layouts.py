"""Providers' statements: each layout as its provider documents it, read to the last figure, or refused with the cell."""

import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from collector.errors import BadRequest
from collector.statements.figure import Figure
from collector.statements.layouts import Statement, read_statement

AWS_HEADS = (
    "last_refresh_timestamp,location,model_version,payer_account_id,product_code,region_code,"
    "total_lbm_emissions_unit,total_lbm_emissions_value,total_mbm_emissions_unit,total_mbm_emissions_value,"
    "total_scope_1_emissions_unit,total_scope_1_emissions_value,total_scope_2_lbm_emissions_unit,"
    "total_scope_2_lbm_emissions_value,total_scope_2_mbm_emissions_unit,total_scope_2_mbm_emissions_value,"
    "total_scope_3_lbm_emissions_unit,total_scope_3_lbm_emissions_value,total_scope_3_mbm_emissions_unit,"
    "total_scope_3_mbm_emissions_value,usage_account_id,usage_period_end,usage_period_start"
)
GOOGLE_HEADS = (
    "usage_month,billing_account_id,project.number,project.id,service.id,service.description,location.region,"
    "carbon_model_version,carbon_footprint_kgCO2e.scope1,carbon_footprint_kgCO2e.scope2.location_based,"
    "carbon_footprint_kgCO2e.scope2.market_based,carbon_footprint_kgCO2e.scope3,carbon_footprint_kgCO2e.after_offsets,"
    "carbon_footprint_total_kgCO2e.location_based,carbon_footprint_total_kgCO2e.market_based,carbon_offsets_kgCO2e"
)


def read(path: Path, layout: str, *lines: str, accounts: tuple[str, ...] = ()) -> Statement:
    file = path / f"{layout}.csv"
    file.write_text("\n".join(lines), encoding="utf-8")
    return read_statement(file, layout, accounts)


def told(figures: tuple[Figure, ...] | list[Figure]) -> list[tuple[str, str, str, str, Decimal, bool]]:
    return [(one.month, one.name, one.scope, one.basis, one.amount, one.counts) for one in figures]


def test_microsoft_by_scope_in_rows_is_added_up_over_regions(tmp_path: Path) -> None:
    heads = "Enrollment ID,Usage Year,Usage Month,Subscription ID,Service,Region,Scope,Carbon Emission (mtCO2e)"
    rows = ("1,2025,4,s1,Storage,uksouth,Scope 2,0.05", "1,2025,4,s2,Storage,ukwest,Scope 2,0.0003")
    whole = read(tmp_path, "microsoft", heads, *rows, "1,2025,5,s1,Storage,ukwest,Scope 3,0.12")
    assert told(list(whole.figures)) == [
        ("2025-04", "Storage", "2", "market-based", Decimal("50.3"), True),
        ("2025-05", "Storage", "3", "", Decimal(120), True),
    ]
    mine = read(tmp_path, "microsoft", heads, *rows, accounts=("s2",))
    assert ([one.amount for one in mine.figures], mine.figures_of_others) == ([Decimal("0.3")], 1)
    with pytest.raises(BadRequest, match="no account s3"):
        read(tmp_path, "microsoft", heads, *rows, accounts=("s3",))


def test_microsoft_by_the_interface_names_unit_and_month_otherwise(tmp_path: Path) -> None:
    heads = "dateKey,enrollmentId,subscriptionId,azureServiceName,azureRegionName,scope,co2eUom,totalEmissions"
    found = read(tmp_path, "microsoft", heads, "202504,1,s1,Virtual Machines,uksouth,Scope1,MTCO2E,0.002")
    assert told(list(found.figures)) == [("2025-04", "Virtual Machines", "1", "", Decimal(2), True)]
    with pytest.raises(BadRequest, match=r"microsoft.csv, G2: lb is no unit"):
        read(tmp_path, "microsoft", heads, "202504,1,s1,Virtual Machines,uksouth,Scope1,lb,0.002")


def test_aws_counts_its_location_based_figures_once(tmp_path: Path) -> None:
    row = "t,GB,v3.0.0,1,AmazonEC2,eu-west-2,{0},0.0085,{0},0.0005,{0},0.0001,{0},0.008,{0},0,{0},0.0004,{0},0.0004,7,e,{1}"
    found = read(tmp_path, "aws", AWS_HEADS, row.format("MTCO2e", "2025-04-01T00:00:00Z"))
    assert [(one.scope, one.basis, one.amount) for one in found.figures if one.counts] == [
        ("1", "", Decimal("0.1")),
        ("2", "location-based", Decimal(8)),
        ("3", "location-based", Decimal("0.4")),
    ]
    assert [(one.scope, one.amount) for one in found.figures if not one.counts] == [
        ("2", Decimal(0)),
        ("3", Decimal("0.4")),
    ]
    assert sum(one.amount for one in found.figures if one.counts) == Decimal("8.5")
    assert found.method == "AWS's, model v3.0.0"


def test_google_by_its_export_leaves_offsets_alone(tmp_path: Path) -> None:
    row = "2025-04-01,b,12,p1,s,Compute Engine,europe-west2,11,0.01,12.3,0.5,4.5,0,16.81,5.01,5.01"
    found = read(tmp_path, "google", GOOGLE_HEADS, row)
    assert sum(one.amount for one in found.figures if one.counts) == Decimal("16.81")
    assert [one.amount for one in found.figures if not one.counts] == [Decimal("0.5")]
    with pytest.raises(BadRequest, match=r"I2: the row has no emissions: that is not available, and not 0"):
        read(tmp_path, "google", GOOGLE_HEADS, "2025-04-01,b,12,p1,s,Compute Engine,europe-west2,11,,,,,,,,")


def test_an_invoice_over_the_turn_of_a_month_is_divided_by_days_and_nothing_is_lost(tmp_path: Path) -> None:
    found = read(tmp_path, "colocation", "From,To,kWh,PUE", "15/04/2025,14/05/2025,1000,1.4")
    assert [(one.first_day.isoformat(), one.last_day.isoformat()) for one in found.figures] == [
        ("2025-04-15", "2025-04-30"),
        ("2025-05-01", "2025-05-14"),
    ]
    assert sum(one.amount for one in found.figures) == Decimal(1400)
    assert found.figures[0].first_day == datetime.date(2025, 4, 15)
    assert {one.unit for one in found.figures} == {"kWh"}
    with pytest.raises(BadRequest, match=r"C2: 0.9 is no PUE"):
        read(tmp_path, "colocation", "Month,kWh,PUE", "2025-04,1000,0.9")
    with pytest.raises(BadRequest, match=r"C2: pue is empty: that is not available, and not 0"):
        read(tmp_path, "colocation", "Month,kWh,PUE", "2025-04,1000,")


def test_a_declaration_needs_its_method_and_a_year_is_divided_among_months(tmp_path: Path) -> None:
    heads = "from,to,tCO2e,scope,method,basis"
    found = read(tmp_path, "declaration", heads, "2025-04-01,2026-03-31,1.5,Scope 3,ISO 14064,location-based")
    assert len({one.month for one in found.figures}) == 12
    assert sum(one.amount for one in found.figures) == Decimal(1500)
    with pytest.raises(BadRequest, match=r"E2: method is empty"):
        read(tmp_path, "declaration", heads, "2025-04-01,2026-03-31,1.5,3,,")


@pytest.mark.parametrize(
    ("layout", "lines", "words"),
    [
        ("spend", ("month,pounds", "2025,10"), "A2: 2025 is a year and no month"),
        ("spend", ("month,pounds", "Total,10"), "A2: 'Total' is no date"),
        ("spend", ("month,pounds", "2025-04,-10"), "B2: -10 is no number of 0 or more"),
        ("spend", ("month,pounds", "2025-04,ten"), "B2: 'ten' is no number"),
        ("google", ("month,kg", "2025-04,1"), "has no row of heads with the columns month, scope 1 or"),
        ("colocation", ("from,to,kwh,pue", "2025-05-01,2025-04-01,1,1"), "B2: 2025-04-01 lies before 2025-05-01"),
    ],
)
def test_what_cannot_be_taken_refuses_the_file_with_the_cell(
    layout: str, lines: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    with pytest.raises(BadRequest, match=words):
        read(tmp_path, layout, *lines)
