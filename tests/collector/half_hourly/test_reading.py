"""Suppliers' half-hourly files: every layout comes out as the same energy, and what must not be taken is named."""

import datetime
from collections.abc import Sequence
from pathlib import Path

import pytest
from openpyxl import Workbook

from collector.errors import BadRequest
from collector.half_hourly.mapping import from_values, read_mapping
from collector.half_hourly.mpan import MpanError, mpan_of
from collector.half_hourly.reading import read_half_hours
from collector.half_hourly.rows import HalfHourlyFile
from tests.collector.half_hourly.layouts import (
    AUTUMN,
    DAYS,
    LAYOUTS,
    MPAN,
    OTHER_MPAN,
    SPRING,
    TIMES,
    TRUTH,
    days,
    values,
    wall_day,
)
from tests.collector.half_hourly.portals import FLAGS, PORTALS

UJ = 3_600_000_000_000


def read(directory: Path, text: str, **mapping: object) -> HalfHourlyFile:
    path = directory / "supplier.csv"
    path.write_text(text, encoding="utf-8")
    return read_half_hours(path, from_values(mapping, "map") if mapping else None)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_comes_out_as_the_energy_of_each_half_hour(tmp_path: Path, layout: str) -> None:
    text, truth = LAYOUTS[layout]
    file = read(tmp_path, text)
    assert {one.half_hour: one.energy_uj for one in file.readings if one.mpan == MPAN} == {
        at: kwh * UJ for at, kwh in truth.items()
    }
    assert not file.faults


@pytest.mark.parametrize("portal", PORTALS)
def test_a_portals_file_comes_out_as_the_energy_of_each_half_hour(tmp_path: Path, portal: str) -> None:
    text, truth = PORTALS[portal]
    file = read(tmp_path, text)
    assert {one.half_hour: one.energy_uj for one in file.readings if one.mpan == MPAN} == {
        at: kwh * UJ for at, kwh in truth.items()
    }
    assert [fault for fault in file.faults if fault.severity == "rejected"] == []
    if "flag" in portal or "flow" in portal:
        marked = [one.estimated for one in file.readings[:48]]
        assert marked == [flag == "E" for flag in FLAGS]


def _of_fractions(*, at_end: bool) -> list[object]:
    return [(place + at_end) / 48 for place in range(48)]


@pytest.mark.parametrize(
    "times",
    [
        [datetime.time(place // 2, place % 2 * 30) for place in range(48)],
        [*(datetime.time(place // 2, place % 2 * 30) for place in range(1, 48)), datetime.time()],
        [*(datetime.time(place // 2, place % 2 * 30) for place in range(1, 48)), datetime.timedelta(days=1)],
        _of_fractions(at_end=False),
        _of_fractions(at_end=True),
    ],
    ids=["starts", "ends", "ends to 24:00", "fractions of a day", "fractions to one"],
)
def test_a_workbooks_headers_may_be_times(tmp_path: Path, times: list[object]) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["Half-hours"], ["MPAN", MPAN], [], ["Date", *times, "Total"]):
        sheet.append(row)
    for date in DAYS[2:4]:
        sheet.append([date, *map(float, values(date)), 99.0])
    sheet.append(["Total", *[1.0] * 49])
    path = tmp_path / "supplier.xlsx"
    book.save(path)
    file = read_half_hours(path)
    assert {one.half_hour: one.energy_uj for one in file.readings} == {
        at: TRUTH[at] * UJ for date in DAYS[2:4] for at in wall_day(date)
    }
    assert file.faults == []


def _workbook(path: Path, *rows: Sequence[object], hidden: str = "") -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    if hidden:
        book.create_sheet(hidden).append(["Date", *TIMES])
        book[hidden].sheet_state = "hidden"
    book.save(path)
    return path


def test_a_hidden_sheet_is_not_read_and_told(tmp_path: Path) -> None:
    day = [DAYS[2], *map(float, values(DAYS[2]))]
    path = _workbook(tmp_path / "supplier.xlsx", ["MPAN", MPAN], ["Date", *TIMES], day, hidden="Estimates")
    [told] = read_half_hours(path).faults
    assert (told.cell, told.severity, told.problem) == (
        "Estimates!A1",
        "left out",
        "this sheet is hidden: it is not read",
    )


@pytest.mark.parametrize("title", [[f"Meters {MPAN} and {OTHER_MPAN}"], ["MPAN", MPAN, "and", OTHER_MPAN]])
def test_a_title_that_names_two_meters_is_told_and_neither_gets_the_rows(tmp_path: Path, title: list[str]) -> None:
    day = [DAYS[2], *map(float, values(DAYS[2]))]
    path = _workbook(
        tmp_path / "supplier.xlsx", title, ["Date", *TIMES], day, [f"MPAN {OTHER_MPAN}"], [DAYS[3], *day[1:]]
    )
    file = read_half_hours(path)
    assert {one.mpan for one in file.readings} == {OTHER_MPAN}
    assert len(file.readings) == 48
    [told] = file.faults
    assert (told.cell, told.severity) == ("A1" if len(title) == 1 else "D1", "rejected")
    assert told.value == f"{MPAN}, {OTHER_MPAN}"
    said = read_half_hours(path, from_values({"mpan": MPAN}, "map"))
    assert (len(said.readings), said.faults) == (96, [])


def test_a_formula_that_was_never_calculated_is_told_at_its_cell(tmp_path: Path) -> None:
    day = [DAYS[2], "=1+1", *map(float, values(DAYS[2])[1:])]
    file = read_half_hours(_workbook(tmp_path / "supplier.xlsx", ["MPAN", MPAN], ["Date", *TIMES], day))
    assert len(file.readings) == 47
    [told] = file.faults
    assert (told.cell, told.problem.split(":")[0]) == ("B3", "a formula that was never calculated")


def test_a_file_of_a_dial_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="no line with headers"):
        read(tmp_path, f"MPAN,Date Time,Meter Reading (kWh)\n{MPAN},01/02/2026 00:00,100\n{MPAN},01/02/2026 00:30,103")


def test_a_row_an_hour_is_refused(tmp_path: Path) -> None:
    rows = [f"{MPAN},01/02/2026 {hour:02}:00,1" for hour in range(24)]
    with pytest.raises(BadRequest, match="a row an hour"):
        read(tmp_path, "\n".join(["MPAN,Date Time,kWh", *rows]))


def test_flags_say_what_is_estimated_and_other_channels_are_named(tmp_path: Path) -> None:
    file = read(tmp_path, LAYOUTS["a row a day, times by their end, flags between, other channels"][0])
    assert [one.estimated for one in file.readings[:8]] == [True, *[False] * 6, True]
    assert file.set_aside == {"RI": 2, "AE": 2}


def test_columns_of_other_channels_are_named(tmp_path: Path) -> None:
    file = read(tmp_path, LAYOUTS["a row a half-hour, date and time apart, the meter above"][0])
    assert set(file.set_aside) == {"AE kWh", "RI kVArh"}


@pytest.mark.parametrize("header", ["Loss Adjusted kWh", "kWh (adjusted for losses)", "kWh at GSP", "NBP kWh"])
def test_loss_adjusted_figures_are_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(BadRequest, match="would count twice"):
        read(tmp_path, f"MPAN,Date Time,{header}\n{MPAN},01/02/2026 00:00,3\n{MPAN},01/02/2026 00:30,3")


def test_rows_that_are_loss_adjusted_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="would count twice"):
        read(tmp_path, days(TIMES, values, DAYS[2:3], before=("AI loss adjusted",)))


def test_metered_figures_are_taken_where_loss_adjusted_ones_stand_beside_them(tmp_path: Path) -> None:
    text = f"MPAN,Date Time,Loss Adjusted kWh,Metered kWh,LLF\n{MPAN},01/02/2026 00:00,3.3,3,1.1\n{MPAN},01/02/2026 00:30,3.3,3,1.1"
    assert [one.energy_uj for one in read(tmp_path, text).readings] == [3 * UJ, 3 * UJ]


def test_a_day_of_another_length_than_the_walls_is_not_guessed_at(tmp_path: Path) -> None:
    text = days([f"HH{number}" for number in range(1, 51)], lambda date: [*values(date, 50)[:48], "", ""])
    file = read(tmp_path, text, clock="local")
    assert [fault.cell for fault in file.faults] == ["C6"]
    assert "50 half-hours" in file.faults[0].problem
    assert {one.half_hour for one in file.readings} == {at for at in TRUTH if at not in wall_day(AUTUMN)}


def test_the_clock_that_a_mapping_names_holds(tmp_path: Path) -> None:
    text = days(TIMES, values, DAYS[3:4])
    local, gmt = read(tmp_path, text, clock="local"), read(tmp_path, text, clock="GMT")
    assert gmt.readings[0].half_hour - local.readings[0].half_hour == 3600
    assert not local.assumed[1:]


def test_what_neither_file_nor_mapping_says_is_told_as_assumed(tmp_path: Path) -> None:
    file = read(tmp_path, days(TIMES, values, DAYS[3:4]))
    assert any("clock" in text for text in file.assumed)
    assert any("kWh" in text for text in file.assumed)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("-3", "negative"),
        ("abc", "no number"),
        ("NaN", "no number"),
        ("1e9", "more than any supply"),
        ("inf", "no number"),
        ('"12,5"', "comma"),
    ],
)
def test_a_value_that_cannot_be_is_told_at_its_cell(tmp_path: Path, value: str, words: str) -> None:
    file = read(tmp_path, days(TIMES, lambda date: [value, *values(date)[1:]], DAYS[2:3]))
    assert [fault.cell for fault in file.faults] == ["C2"]
    assert words in file.faults[0].problem
    assert len(file.readings) == 47


def test_an_empty_cell_is_missing_and_never_zero(tmp_path: Path) -> None:
    file = read(tmp_path, days(TIMES, lambda date: ["", *values(date)[1:]], DAYS[2:3]))
    assert (len(file.readings), file.missing) == (47, 1)


def test_the_same_half_hour_twice_counts_once_and_two_values_for_it_are_neither_taken(tmp_path: Path) -> None:
    lines = [
        "MPAN,Timestamp,kWh",
        *(f"{MPAN},01/02/2026 {time},{kwh}" for time, kwh in (("00:00", 1), ("00:30", 2), ("00:00", 1), ("00:30", 3))),
    ]
    file = read(tmp_path, "\n".join(lines), label="start")
    assert [one.energy_uj for one in file.readings] == [UJ]
    assert [fault.severity for fault in file.faults] == ["left out", "rejected"]


def test_quarters_of_an_hour_are_told(tmp_path: Path) -> None:
    text = f"MPAN,Timestamp,kWh\n{MPAN},01/02/2026 00:00,1\n{MPAN},01/02/2026 00:15,1"
    assert [fault.cell for fault in read(tmp_path, text).faults] == ["B3"]


@pytest.mark.parametrize("cell", ["2.00E+12", "2000000000016", "12345", "", 2.5])
def test_what_is_no_mpan_is_refused(cell: object) -> None:
    with pytest.raises(MpanError):
        mpan_of(cell)


@pytest.mark.parametrize("cell", [2000000000015, "20 0000 0000 015", "S 01801001 2000000000015", 2000000000015.0])
def test_an_mpan_is_known_in_every_spelling(cell: object) -> None:
    assert mpan_of(cell) == MPAN


def test_a_file_without_an_mpan_needs_one_in_the_mapping(tmp_path: Path) -> None:
    text = "Timestamp,kWh\n01/02/2026 00:00,1\n01/02/2026 00:30,1"
    with pytest.raises(BadRequest, match="no MPAN"):
        read(tmp_path, text)
    assert {one.mpan for one in read(tmp_path, text, mpan=MPAN).readings} == {MPAN}


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"clock": "BST"}, "clock"), ({"label": "middle"}, "label"), ({"colour": "red"}, "colour"),
        ({"active_import": "AI"}, "active_import"),
        ({"value": "Watts"}, "no column 'Watts'"), ({"date": "Tag"}, "no column 'Tag'"),
    ],
)  # fmt: skip
def test_a_wrong_mapping_is_refused_by_name(tmp_path: Path, mapping: dict[str, object], words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        read(tmp_path, f"MPAN,Timestamp,kWh\n{MPAN},01/02/2026 00:00,1", **mapping)


def test_a_mapping_written_is_read_the_same(tmp_path: Path) -> None:
    mapping = from_values({"mpan": MPAN, "clock": "GMT", "active_import": ["A+", 'the "import"']}, "map")
    path = tmp_path / "map.toml"
    path.write_text(mapping.to_toml(), encoding="utf-8")
    assert read_mapping(path) == mapping


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="no line with headers"):
        read(tmp_path, "Name,Colour\nApple,green")


def test_the_short_day_has_46_half_hours() -> None:
    assert len(wall_day(SPRING)) == 46
