"""A workbook opens in LibreOffice, and its formulas, reckoned there, are the product's totals."""

import csv
import io
import re
import shutil
import subprocess
import zipfile
from decimal import Decimal
from pathlib import Path

from openpyxl import load_workbook
from python_calamine import CalamineWorkbook

from carbon.export_rows import BY, cells, export_rows
from carbon.footprint_groups import by_scope
from carbon.units import UJ_PER_KWH
from collector.reports.workbook import workbook
from tests.carbon.reports import report
from tests.collector.reporting.made import ODD_NAMES, empty_report, odd_report
from tests.conftest import missing

_ALWAYS_RECKON = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry"><item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item></oor:items>"""


def _without_values(made: bytes) -> bytes:
    """The workbook with nothing where values of formulas stood: whoever shows any has reckoned them."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(made)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.startswith("xl/worksheets/sheet"):
                content = re.sub(rb"</f><v>[^<]*</v>", b"</f>", content)
            new.writestr(name, content)
    return out.getvalue()


def _reckoned(made: bytes, folder: Path) -> dict[str, list[str]]:
    """The rows of the summary sheet by their first cell, as LibreOffice reckons them."""
    program = shutil.which("soffice")
    if program is None:
        missing("LibreOffice (Debian package libreoffice-calc)")
    profile = folder / "profile"
    (profile / "user").mkdir(parents=True)
    (profile / "user/registrymodifications.xcu").write_text(_ALWAYS_RECKON, encoding="utf-8")
    (folder / "report.xlsx").write_bytes(_without_values(made))
    subprocess.run(
        [
            *(program, "--headless", f"-env:UserInstallation={profile.as_uri()}"),
            *("--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,1"),
            *("--outdir", str(folder)),
            str(folder / "report.xlsx"),
        ],
        check=True,
        capture_output=True,
        timeout=180,
    )
    with (folder / "report-summary.csv").open(encoding="utf-8", newline="") as file:
        return {line[0]: line[1:] for line in csv.reader(file) if line and line[0]}


def test_formulas_give_the_products_totals_in_libreoffice_whatever_sites_are_called(tmp_path: Path) -> None:
    of = odd_report()
    found = _reckoned(workbook(of, BY), tmp_path)

    def kilograms(name: str) -> Decimal:
        return round(Decimal(found[name][0]), 3)

    scopes = by_scope(of)
    own = [one.grams for one in of.rows if one.scope == "2"]
    assert kilograms("All, location-based") * 1000 == of.total_g
    assert kilograms("Scope 2: electricity, location-based") * 1000 == scopes["2", ""]
    assert kilograms("Scope 3, category 3: losses and well-to-tank") * 1000 == scopes["3", "3"]
    assert kilograms("Scope 3, category 7: electricity of homes") * 1000 == scopes["3", "7"]
    assert kilograms("Scope 3, category 8: electricity of leased space") * 1000 == scopes["3", "8"]
    assert kilograms("Scope 1: other lines") * 1000 == scopes["1", ""]
    assert kilograms("Scope 2: electricity, market-based") * 1000 == sum(one.s2_market for one in own)
    assert kilograms("All, market-based") * 1000 == of.total_g + sum(one.s2_market - one.s2_generation for one in own)
    energy = sum(one.activity.activity_uj for one in of.rows)
    assert abs(Decimal(found["activity: with what PUE adds"][0]) - Decimal(energy) / UJ_PER_KWH) < Decimal("0.000001")
    sites = of.by(lambda one: "(homes of staff)" if one.scope_3_category == "7" else one.activity.subject.site)
    assert len(sites) == len(ODD_NAMES) + 3
    for site, rows in sites.items():
        kwh, _, _, grams = found[site or "(not known)"]
        assert round(Decimal(grams), 3) * 1000 == sum(one.grams.total for one in rows), site
        energy = sum(one.activity.activity_uj for one in rows)
        assert round(Decimal(kwh), 6) == round(Decimal(energy) / UJ_PER_KWH, 6), site


def test_texts_that_look_like_formulas_are_texts_and_stay_so_when_edited() -> None:
    book = load_workbook(io.BytesIO(workbook(odd_report(), BY)))
    looks = [
        cell
        for sheet in book
        for line in sheet.iter_rows()
        for cell in line
        if str(cell.value)[:1] in "=+-@" and cell.value
    ]
    texts = [cell for cell in looks if cell.data_type == "s"]
    assert {"=1+1", "+44 1865", "@SUM(A1)", "+Payroll", "@evidence.pdf", "-d2"} <= {str(cell.value) for cell in texts}
    assert all(cell.quotePrefix for cell in texts)
    formulas = {str(cell.value) for cell in looks if cell.data_type == "f"}
    assert formulas
    assert all(re.match(r"=(ROUND|SUM|SUMPRODUCT)\(", one) for one in formulas)
    assert [cell.hyperlink for sheet in book for line in sheet.iter_rows() for cell in line if cell.hyperlink] == []


def test_the_data_sheet_has_the_rows_of_the_export_and_its_names_hold_all_of_them() -> None:
    of = odd_report()
    book = CalamineWorkbook.from_filelike(io.BytesIO(workbook(of, BY)))
    assert book.sheet_names == ["summary", "data", "lines", "method", "evidence"]
    header, *lines = book.get_sheet_by_name("data").to_python()
    expected = cells(of, export_rows(of, BY), BY)
    assert len(lines) == len(expected) > len(ODD_NAMES)
    kilograms = header.index("lb_s2_gen_kgco2e")
    assert [round(Decimal(str(line[kilograms])), 3) for line in lines] == [one[kilograms] for one in expected]
    names = load_workbook(io.BytesIO(workbook(of, BY))).defined_names
    assert names["data_site"].attr_text == f"data!$F$2:$F${len(lines) + 1}"


def test_values_stand_beside_formulas_for_those_who_only_look() -> None:
    shown = (
        CalamineWorkbook.from_filelike(io.BytesIO(workbook(report(), ("site",))))
        .get_sheet_by_name("summary")
        .to_python()
    )
    totals = {str(line[0]): line[1] for line in shown}
    assert totals["All, location-based"] == float(Decimal(report().total_g) / 1000)


def test_there_are_charts_with_words_for_them() -> None:
    with zipfile.ZipFile(io.BytesIO(workbook(report(), BY))) as book:
        charts = [name for name in book.namelist() if name.startswith("xl/charts/chart")]
        drawing = book.read("xl/drawings/drawing1.xml").decode()
    assert len(charts) == len(BY)
    assert drawing.count('descr="Stacked ') == len(BY)


def test_an_empty_report_is_a_workbook_of_zeros() -> None:
    shown = (
        CalamineWorkbook.from_filelike(io.BytesIO(workbook(empty_report(), BY)))
        .get_sheet_by_name("summary")
        .to_python()
    )
    totals = {str(line[0]): line[1] for line in shown}
    assert totals["All, location-based"] == 0.0
