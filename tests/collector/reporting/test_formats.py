"""CSV and JSON hold exact figures, of a hundred thousand rows too, and nothing in them acts in a spreadsheet."""

import csv
import dataclasses
import io
import json
from decimal import Decimal

import pytest

from carbon.export_columns import COLUMNS
from carbon.export_rows import DEFAULT_BY
from carbon.export_tables import ExactTable, electricity
from carbon.footprint_rows import FootprintRow
from collector.reports.formats import FORMATS, RETURNS, ROWS, Format, csv_bytes, file_of, return_of
from tests.carbon.reports import report, row
from tests.collector.reporting.made import ODD_NAMES, empty_report, odd_report

_LINES = ("lb_s2_gen_kgco2e", "s3_td_kgco2e", "s3_wtt_gen_kgco2e", "s3_wtt_td_kgco2e")


def _read(made: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(made.decode(), newline="")))


def _grams(rows: list[dict[str, str]]) -> Decimal:
    return sum((Decimal(one[name]) for one in rows for name in _LINES), Decimal(0)) * 1000


def test_a_csv_adds_up_to_the_gram_and_no_name_acts_as_a_formula() -> None:
    of = odd_report()
    rows = _read(file_of(of, "csv", DEFAULT_BY))
    assert list(rows[0]) == list(COLUMNS)
    assert _grams(rows) == of.grams.total
    names = {one["site"] for one in rows}
    assert {f"'{name}" for name in ODD_NAMES if name[:1] in ("=", "+", "-", "@", "\t")} <= {*names}
    assert 'Quote "Hall", second\nline' in names
    for table in ROWS:
        for one in _read(file_of(of, "csv", DEFAULT_BY, table)):
            for cell in one.values():
                assert cell[:1] not in ("=", "+", "@", "\t", "\r")
                if cell.startswith("-"):
                    Decimal(cell)  # a number below nothing is a number


def test_a_hundred_thousand_atoms_and_a_hundred_thousand_rows_are_added_up_and_written_whole() -> None:
    one = row(kwh=1)
    many: list[FootprintRow] = [one] * 100_000
    [only] = _read(file_of(report(many), "csv", ("site",)))
    assert only["activity_kwh"] == "100000"
    assert _grams([only]) == 100_000 * one.grams.total
    cells = list(electricity(report([one]), ("site",)).rows) * 100_000
    lines = csv_bytes(ExactTable(tuple(COLUMNS), cells)).splitlines()
    assert len(lines) == 100_001
    assert len(set(lines)) == 2


def test_json_is_all_of_the_report_and_exact() -> None:
    of = report()
    made = json.loads(file_of(of, "json", DEFAULT_BY))
    assert made["totals"]["total_g"] == of.total_g
    assert made["totals"]["electricity_low_g"] < made["totals"]["electricity_g"] < made["totals"]["electricity_high_g"]
    assert _grams(made["rows"]) == of.grams.total
    assert [one["name"] for one in made["lines"] if one["memo"] == "yes"] == ["travel avoided"]
    assert made["not_reported"] == [{"service": "Payroll as a service", "statement": "not reported"}]
    assert [one["method"] for one in made["fills"]] == ["same weekday and half-hour"]
    assert {one["factor_row_id"] for one in made["factors"]} >= {"7_400_4000_5_1"}


@pytest.mark.parametrize("form", [one for one in FORMATS if one != "pdf"])
def test_an_empty_report_can_be_made_in_every_format(form: Format) -> None:
    assert file_of(empty_report(), form, DEFAULT_BY)
    for name in RETURNS:
        assert return_of(empty_report(), name, form if form == "xlsx" else "csv")


def test_the_state_stands_in_every_output() -> None:
    restated = dataclasses.replace(report(), state="restated", restated_from="2024-1")
    for form in ("html", "json"):
        assert "Restated: it takes the place of report 2024-1" in file_of(restated, form, DEFAULT_BY).decode()
    provisional = dataclasses.replace(report([row("d1", "2024-06", year=2026)]), state="provisional")
    told = file_of(provisional, "html", DEFAULT_BY).decode()
    assert "Provisional: the Government&#39;s factors of 2026 are not final" in told
    assert "period is not over" not in told
    assert {one["restated_from"] for one in _read(file_of(restated, "csv", DEFAULT_BY))} == {"2024-1"}
