"""Registers as councils keep them, read whole: files, headers, cells, and what is twice."""

import datetime
from collections.abc import Callable, Sequence
from pathlib import Path

import openpyxl
import pytest

from collector.errors import BadRequest
from collector.register.mapping import RegisterMapping, from_values, read_mapping
from collector.register.reading import read_register
from collector.register.rows import RegisterFile

TODAY = datetime.date(2026, 11, 24)
HEADERS = ["Asset No.", "Serial Number", "Make", "Model", "Type", "Status", "Building", "Purchase Date", "Qty"]
SOUND = ["10045", "5CG1234ABC", "HP", "EliteBook 840 G8", "Laptop", "In use", "Town Hall", "04/03/2021", "1"]

Lines = Sequence[Sequence[object]]
Read = Callable[..., RegisterFile]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads sheets of lines as a workbook."""

    def read(*sheets: Lines, mapping: RegisterMapping | None = None) -> RegisterFile:
        book = openpyxl.Workbook()
        book.remove(book.worksheets[0])
        for number, lines in enumerate(sheets, 1):
            sheet = book.create_sheet(f"Sheet {number}")
            for line in lines:
                sheet.append(list(line))
        book.save(tmp_path / "register.xlsx")
        return read_register(tmp_path / "register.xlsx", mapping, TODAY)

    return read


def with_cell(header: str, value: object) -> list[object]:
    """A sound line with one cell changed."""
    line: list[object] = list(SOUND)
    line[HEADERS.index(header)] = value
    return line


def told(file: RegisterFile) -> list[tuple[str, str]]:
    return [(one.cell, one.severity) for one in file.faults]


def test_titles_above_the_headers_and_empty_lines_are_passed_over(read: Read) -> None:
    file = read([["Borough of Example: ICT assets"], ["printed 1/11/2026"], [], HEADERS, SOUND, [None]])
    (row,) = file.rows
    assert (row.serial, row.asset_tag, row.device_class, row.status) == ("5CG1234ABC", "10045", "laptop", "in_use")
    assert row.cells["serial"] == "B5"
    assert file.proposed
    assert not file.faults


def test_sheets_with_headers_of_their_own_are_read_and_lists_of_codes_are_not(read: Read) -> None:
    network = [["Hostname", "S/N", "Equipment type", "Location"], ["SW-01", "FOC1234X0AB", "Switch", "Depot"]]
    file = read([HEADERS, SOUND], network, [["Code", "Meaning"], ["1", "Town Hall"]])
    assert [(row.sheet, row.device_class) for row in file.rows] == [("Sheet 1", "laptop"), ("Sheet 2", "switch")]
    assert set(file.left_out_sheets) == {"Sheet 3"}
    assert file.mapping.columns["serial"] == ["Serial Number", "S/N"]


@pytest.mark.parametrize(
    "text",
    [
        "04/03/2021", "4-3-21", "4 March 2021", "04-Mar-2021", "2021-03-04", "2021-03-04 00:00:00", "Thu 4 Mar 2021",
        "March 4, 2021", "4th March 2021", 44259, 44259.5, datetime.date(2021, 3, 4), "44259",
    ],
)  # fmt: skip
def test_a_date_is_read_however_it_was_typed(read: Read, text: object) -> None:
    (row,) = read([HEADERS, with_cell("Purchase Date", text)]).rows
    assert row.acquired_on == datetime.date(2021, 3, 4)


def test_month_first_is_read_where_the_mapping_says_so(read: Read) -> None:
    mapping = from_values(
        {"dates": "month first", "columns": {"serial": "Serial Number", "acquired_on": "Purchase Date"}}, "map"
    )
    (row,) = read([HEADERS, with_cell("Purchase Date", "03/04/2021")], mapping=mapping).rows
    assert row.acquired_on == datetime.date(2021, 3, 4)


@pytest.mark.parametrize(
    ("header", "value", "severity"),
    [
        ("Purchase Date", "31/02/2021", "warning"),
        ("Purchase Date", "soon", "warning"),
        ("Purchase Date", datetime.date(2031, 1, 1), "warning"),
        ("Purchase Date", "01/01/1066", "warning"),
        ("Type", "Widget", "warning"),
        ("Status", "gone fishing", "warning"),
        ("Qty", "two", "rejected"),
        ("Qty", 0, "rejected"),
        ("Qty", -3, "rejected"),
        ("Qty", 1.5, "rejected"),
        ("Serial Number", 1.23457e17, "warning"),
        ("Serial Number", "1.23457E+11", "warning"),
        ("Serial Number", datetime.date(2021, 3, 1), "warning"),
        ("Model", "x" * 501, "warning"),
    ],
)
def test_a_fault_is_told_at_its_cell(read: Read, header: str, value: object, severity: str) -> None:
    file = read([HEADERS, with_cell(header, value)])
    column = "ABCDEFGHI"[HEADERS.index(header)]
    assert told(file) == [(f"{column}2", severity)]
    assert len(file.rows) == (severity == "warning")
    assert file.faults[0].problem
    assert file.faults[0].remedy


def test_a_device_known_by_nothing_but_a_damaged_serial_is_rejected(read: Read) -> None:
    file = read([["Serial Number", "Type"], ["1.23457E+11", "Laptop"]])
    assert told(file) == [("A2", "rejected")]
    assert not file.rows


def test_a_serial_of_digits_stays_the_number_that_was_typed(read: Read) -> None:
    (row,) = read([HEADERS, with_cell("Serial Number", 20459817)]).rows
    assert row.serial == "20459817"


def test_the_same_line_twice_is_one_device_and_another_with_its_serial_is_rejected(read: Read) -> None:
    file = read([HEADERS, SOUND, SOUND, with_cell("Building", "Depot")])
    assert len(file.rows) == 1
    assert [one.severity for one in file.faults] == ["left out", "rejected"]
    assert "with another site" in file.faults[1].problem


def test_repeated_headers_sums_and_remarks_are_no_devices(read: Read) -> None:
    remark = ["the following were moved from the depot in 2024"]
    file = read([HEADERS, SOUND, HEADERS, remark, ["Total", 1]])
    assert len(file.rows) == 1
    assert {one.severity for one in file.faults} == {"left out"}
    assert file.read_rows == len(file.rows) + len(file.faults)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Live", "in_use"), ("Spare", "spare"), ("In stock", "spare"), ("Not in use", "spare"), ("Disposed - WEEE", "disposed"),
        ("On loan to school", "on_loan"), ("Decommissioned", "disposed"), ("?", "unknown"),
    ],
)  # fmt: skip
def test_usual_words_for_a_state_are_known(read: Read, word: str, status: str) -> None:
    (row,) = read([HEADERS, with_cell("Status", word)]).rows
    assert row.status == status


def test_a_councils_own_words_come_before_the_usual_ones(read: Read) -> None:
    mapping = from_values(
        {
            "columns": {"serial": "Serial Number", "device_class": "Type", "status": "Status"},
            "values": {"device_class": {"Widget": "thin_client"}, "status": {"gone fishing": "spare"}},
        },
        "map",
    )
    line = with_cell("Type", "WIDGET")
    line[HEADERS.index("Status")] = "Gone Fishing"
    file = read([HEADERS, line], mapping=mapping)
    assert [(row.device_class, row.status) for row in file.rows] == [("thin_client", "spare")]
    assert not file.faults


def test_what_was_disposed_of_is_not_in_use(read: Read) -> None:
    file = read([[*HEADERS, "Disposal date"], [*SOUND, "01/02/2024"]])
    assert file.rows[0].status == "disposed"
    assert told(file) == [("F2", "warning")]


@pytest.mark.parametrize(("cell", "share"), [("40%", 0.4), (0.4, 0.4), (40, 0.4), ("1", 1.0)])
def test_a_share_of_a_joint_service_is_read_as_part_or_per_cent(read: Read, cell: object, share: float) -> None:
    (row,) = read([[*HEADERS, "Our share"], [*SOUND, cell]]).rows
    assert row.share == pytest.approx(share)


def test_a_share_above_the_whole_is_rejected(read: Read) -> None:
    assert told(read([[*HEADERS, "Our share"], [*SOUND, "140%"]])) == [("J2", "rejected")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_text_files_are_read_in_the_encodings_and_with_the_delimiters_of_spreadsheets(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    path = tmp_path / "register.csv"
    lines = (
        delimiter.join(HEADERS),
        delimiter.join([*SOUND[:6], "Café, Hay", *SOUND[7:]]).replace("Café, Hay", '"Café, Hay"'),
    )
    path.write_text("\r\n".join(lines), encoding=encoding, newline="")
    (row,) = read_register(path, None, TODAY).rows
    assert row.site == "Café, Hay"


def test_a_proposed_mapping_saved_and_given_reads_the_same(read: Read, tmp_path: Path) -> None:
    first = read([HEADERS, SOUND])
    path = tmp_path / "map.toml"
    path.write_text(first.mapping.to_toml(), encoding="utf-8")
    again = read([HEADERS, SOUND], mapping=read_mapping(path))
    assert (again.rows, again.faults, again.proposed) == (first.rows, first.faults, False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("columns = 3", "columns is no table"),
        ('[columns]\nserail = "S/N"', "'serail' is not known"),
        ('[values.status]\nLive = "alive"', "'Live' = 'alive'"),
        ('dates = "year first"', "year first"),
        ("[columns", "is no TOML"),
    ],
)
def test_a_wrong_mapping_is_refused_by_name(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "map.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadRequest, match=words):
        read_mapping(path)


def test_a_file_without_headers_is_refused(read: Read) -> None:
    with pytest.raises(BadRequest, match="no line with headers"):
        read([["1", "2"], ["3", "4"]])


@pytest.mark.parametrize(
    ("name", "content"), [("a.csv", b""), ("a.csv", b"\x00\x01\x02"), ("a.xlsx", b"PK\x03\x04 no book")]
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadRequest, match=name):
        read_register(tmp_path / name, None, TODAY)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=r"nothing\.csv cannot be read"):
        read_register(tmp_path / "nothing.csv", None, TODAY)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_formula_that_failed_is_told_and_is_no_site(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"register{suffix}"
    lines = [["Asset No", "Serial Number", "Type", "Building"], ["7", "#REF!", "Laptop", "#N/A"]]
    if suffix == ".csv":
        path.write_text("\n".join(",".join(line) for line in lines), encoding="utf-8")
    else:
        book = openpyxl.Workbook(write_only=True)
        page = book.create_sheet("Kit & more")
        for line in lines:
            page.append(line)
        book.save(path)
    found = read_register(path, None, TODAY)
    assert sorted(told(found)) == [("B2", "warning"), ("D2", "warning")]
    assert found.rows[0].site == ""
