"""Registers as an outsider's councils keep them: sections, hidden sheets, accessories, numbers without their zeros."""

from collections.abc import Callable, Sequence
from pathlib import Path

import openpyxl
import pytest

from collector.register.mapping import from_values
from collector.register.reading import read_register
from collector.register.rows import RegisterFile
from tests.collector.register.test_reading import TODAY

Read = Callable[[dict[str, Sequence[Sequence[object]]]], RegisterFile]
HEADERS = ["Asset Tag", "Serial Number", "Type", "Model"]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads sheets by name; one whose name begins with a dot is hidden."""

    def read(sheets: dict[str, Sequence[Sequence[object]]]) -> RegisterFile:
        book = openpyxl.Workbook()
        book.remove(book.worksheets[0])
        for name, lines in sheets.items():
            sheet = book.create_sheet(name)
            sheet.sheet_state = "hidden" if name.startswith(".") else "visible"
            for line in lines:
                sheet.append(list(line))
        book.save(tmp_path / "register.xlsx")
        return read_register(tmp_path / "register.xlsx", None, TODAY)

    return read


def told(file: RegisterFile) -> list[tuple[str, str, str]]:
    return [(one.cell, one.severity, one.problem) for one in file.faults]


def test_a_section_with_headers_of_its_own_is_read_by_them(read: Read) -> None:
    file = read(
        {
            "All": [
                ["LAPTOPS"], ["Asset Tag", "Serial Number", "Model"], ["S1", "SER001", "Latitude 5420"],
                ["MONITORS"], ["Serial No", "Location", "Asset Tag", "Model"], ["SER002", "Library", "S2", "P2419H"],
            ]
        }
    )  # fmt: skip
    assert [(one.asset_tag, one.serial, one.site, one.device_class) for one in file.rows] == [
        ("S1", "SER001", "", "laptop"),
        ("S2", "SER002", "Library", "monitor"),
    ]
    assert told(file) == [
        ("A4", "left out", "a heading, no device"),
        ("A5", "left out", "the headers once more"),
    ]


def test_a_sheet_that_nobody_sees_is_told(read: Read) -> None:
    file = read({"Kit": [HEADERS, ["1", "SER001", "Laptop", "X"]], ".Old": [HEADERS, ["2", "SER002", "Laptop", "X"]]})
    assert len(file.rows) == 1
    assert "hidden" in file.left_out_sheets[".Old"]


def test_an_accessory_is_told_and_is_no_device(read: Read) -> None:
    file = read({"Kit": [["Item", "Qty"], ["Dell P2419H monitor", 40], ["Monitor arm", 12]]})
    assert [(one.device_class, one.quantity) for one in file.rows] == [("monitor", 40)]
    assert told(file) == [("A3", "left out", "an accessory, which is no device")]


def test_a_device_listed_again_without_its_zeros_is_left_out(read: Read) -> None:
    one = ["000123", "SER001", "Laptop", "X"]
    file = read({"A": [HEADERS, one], "B": [HEADERS, [123, *one[1:]]]})
    assert [row.asset_tag for row in file.rows] == ["000123"]
    assert [(one.cell, one.severity) for one in file.faults] == [("B!B2", "left out")]


def test_a_device_without_any_kind_is_told_at_its_own_number(read: Read) -> None:
    file = read({"A": [["Status", "Asset Tag", "Serial Number"], ["Live", "7", "SER001"]]})
    assert [(one.cell, one.value) for one in file.faults] == [("C2", "SER001")]


def test_a_mapping_says_what_a_model_is_where_no_column_says_the_kind(tmp_path: Path) -> None:
    (tmp_path / "kit.csv").write_text("Asset Tag,Model\n7,X9\n8,Monitor arm\n")
    mapping = from_values(
        {
            "columns": {"asset_tag": ["Asset Tag"], "model": ["Model"]},
            "values": {"device_class": {"X9": "laptop", "Monitor arm": "other"}},
        },
        "map",
    )
    file = read_register(tmp_path / "kit.csv", mapping, TODAY)
    assert [one.device_class for one in file.rows] == ["laptop", "other"]
    assert not file.faults
