"""The official flat files import; a copy of each with one thing wrong is refused, the cell named."""

import re
import zipfile
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from carbon.factor_lines import ELECTRICITY
from carbon.factors import packaged_sets
from collector.errors import BadRequest
from collector.factor_files import ReadFile, read_file
from tests.carbon.flat_files import FlatFile
from tests.collector import factor_copies

REFERENCE = {
    2016: ("0.41205", "0.03727", "0.06188", "0.00560"),
    2019: ("0.25560", "0.02170", "0.03565", "0.00303"),
    2021: ("0.21233", "0.01879", "0.05529", "0.00489"),
    2022: ("0.19338", "0.01769", "0.04625", "0.00423"),
    2023: ("0.20707428859", "0.01791511141", "0.04590", "0.00397"),
    2025: ("0.17700", "0.01853", "0.04590", "0.00397"),
}
"""The four lines of electricity: carbon reference, section 1."""


def official_path(shared: Path, year: int) -> Path:
    [path] = (shared / "factors").glob(f"{year}-flat-file.xls*")
    return path


@cache
def read_once(path: Path) -> ReadFile:
    return read_file(path)


@pytest.mark.parametrize("year", REFERENCE)
def test_the_official_file_gives_the_references_four_lines_at_its_printed_precision(year: int, shared: Path) -> None:
    read = read_once(official_path(shared, year))
    assert read.factors.year == year
    assert read.factors.final
    for key, printed in zip(ELECTRICITY, REFERENCE[year], strict=True):
        value = read.factors.lines[key].value
        assert value is not None
        assert value.quantize(Decimal(printed)) == Decimal(printed), key
    assert read.factors.missing == []


@pytest.mark.parametrize("year", REFERENCE)
def test_the_packaged_set_is_the_official_file_to_the_last_figure_and_cell(year: int, shared: Path) -> None:
    read = read_once(official_path(shared, year))
    packaged = next(one for one in packaged_sets() if one.year == year)
    assert (packaged.version, packaged.sha256) == (read.factors.version, read.sha256)
    found = {line.key: (line.value, line.row_id, line.cell) for line in packaged.lines}
    assert found == {key: (row.value, row.id, row.cell) for key, row in read.factors.lines.items()}


@pytest.mark.parametrize("year", REFERENCE)
def test_a_copy_of_the_official_file_with_one_thing_wrong_is_refused(year: int, shared: Path, tmp_path: Path) -> None:
    path = official_path(shared, year)
    lines = read_once(path).factors.lines
    wrong = tmp_path / path.name
    with pytest.raises(BadRequest, match="there is no sheet Factors by Category among Front page"):
        read_file(factor_copies.without_sheet(path, wrong))
    place = {key: lines[key].cell.partition("!")[2] for key in ELECTRICITY}
    header = re.escape(f"{path.name}, Factors by Category!{place['s3_td'][0]}{'6' if year > 2022 else '5'}: no row")
    with pytest.raises(BadRequest, match=f"{header} below this header is Electricity, transmission"):
        read_file(factor_copies.without_row(path, wrong, place["s3_td"]))
    with pytest.raises(BadRequest, match=f"Category!{place['s3_wtt_generation']}: '.*' is no number"):
        read_file(factor_copies.with_text(path, wrong, place["s3_wtt_generation"]))
    with pytest.raises(BadRequest, match=f"Category!{place['s2_generation']}: .* is negative, -0.[0-9]+"):
        read_file(factor_copies.negative(path, wrong, place["s2_generation"]))
    cut = path.read_bytes()[: path.stat().st_size * 2 // 3]
    wrong.write_bytes(cut)
    with pytest.raises(BadRequest, match=re.escape(path.name)):
        read_file(wrong)


def test_formulas_of_2020_are_read_by_their_last_value(tmp_path: Path) -> None:
    flat = FlatFile(2020, values=("=0.2+0.03314", "=0.02005", "=0.03217", "=0.00277"))
    saved = flat.save(tmp_path / "formulas.xlsx")
    values = iter((b"0.23314", b"0.02005", b"0.03217", b"0.00277", b"0.23314", b"9"))
    path = tmp_path / "2020.xlsx"
    with zipfile.ZipFile(saved) as packed, zipfile.ZipFile(path, "w") as copy:
        for one in packed.namelist():
            data = packed.read(one)
            if one.endswith("sheet2.xml"):
                data = re.sub(rb"</f>(<v ?/>|<v></v>)", lambda _: b"</f><v>%s</v>" % next(values), data)
            copy.writestr(one, data)
    lines = read_file(path).factors.lines
    assert [str(lines[key].value) for key in ELECTRICITY] == ["0.23314", "0.02005", "0.03217", "0.00277"]


def test_a_file_that_never_was_calculated_is_refused_at_its_formula(tmp_path: Path) -> None:
    saved = FlatFile(2020, values=("=0.2+0.03314", 0.02, 0.03, 0.002)).save(tmp_path / "2020.xlsx")
    with pytest.raises(BadRequest, match=r"2020\.xlsx, Factors by Category!K5: the factor of .* is empty"):
        read_file(saved)


def test_what_is_no_workbook_or_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "factors.csv"
    table.write_text("Scope,Level 1\n")
    with pytest.raises(BadRequest, match=r"factors\.csv is no workbook"):
        read_file(table)
    text = tmp_path / "factors.xlsx"
    text.write_text("<html>Sign in to download</html>")
    with pytest.raises(BadRequest, match=r"factors\.xlsx cannot be read as a workbook"):
        read_file(text)
    bomb = FlatFile(2024).save(tmp_path / "bomb.xlsx")
    with zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        packed.writestr("xl/media/nothing.bin", bytes(101 * 1024 * 1024))
    with pytest.raises(BadRequest, match=r"bomb\.xlsx would take 101 MB"):
        read_file(bomb)
    with pytest.raises(BadRequest, match="cannot be read: No such file"):
        read_file(tmp_path / "nowhere.xlsx")
