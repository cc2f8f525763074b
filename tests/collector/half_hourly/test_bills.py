"""Tables of bills: whatever their columns are called, what each says of which meter and days."""

import datetime
from pathlib import Path

import pytest

from collector.errors import BadRequest
from collector.half_hourly.bills import BillFile, read_bills
from collector.half_hourly.mapping import from_values
from tests.collector.half_hourly.layouts import MPAN

UJ = 3_600_000_000_000
OCTOBER = (datetime.date(2026, 10, 1), datetime.date(2026, 10, 31))


def read(directory: Path, text: str, **mapping: object) -> BillFile:
    path = directory / "bills.csv"
    path.write_text(text, encoding="utf-8")
    return read_bills(path, from_values(mapping, "map") if mapping else None)


@pytest.mark.parametrize(
    "text",
    [
        f"MPAN,From,To,kWh\n{MPAN},01/10/2026,31/10/2026,1234.5",
        f"Bills of October\n\nMPAN Core,Start Date,End Date,Total kWh,Cost (£)\n"
        f'{MPAN},2026-10-01,2026-10-31,"1,234.5",99\nTotal,,,1234.5,99',
        f"Supply Number,Billing Period,Consumption (kWh)\n{MPAN},01/10/2026 - 31/10/2026,1234.5",
        f"MPAN,Month,Usage kWh\n{MPAN},Oct 2026,1234.5",
        f"MPAN,Period Start,Period End,Day kWh,Night kWh\n{MPAN},1-Oct-26,31-Oct-26,1000,234.5",
        f"MPAN,From,To,Register,kWh\n{MPAN},01/10/2026,31/10/2026,Day,1000\n{MPAN},01/10/2026,31/10/2026,Night,234.5",
        f"MPAN,Bill From,Bill To,kWh,Unit Rate (p/kWh)\n{MPAN},10/01/2026,10/31/2026,1234.5,25.1",
        f"MPAN,Fuel,From,To,Start Read,End Read,kWh\n"
        f"{MPAN},Electricity,01/10/2026,31/10/2026,5,6,1234.5\n123,Gas,01/10/2026,31/10/2026,5,6,7",
        f"MPAN,From,To,Loss Adjusted kWh,Metered kWh\n{MPAN},01/10/2026,31/10/2026,1300,1234.5",
    ],
    ids=[
        "plain",
        "titles and sums",
        "one column",
        "month",
        "day and night",
        "a row a rate",
        "month first",
        "fuels",
        "losses beside",
    ],
)
def test_a_bill_comes_out_as_its_meter_days_and_kwh(tmp_path: Path, text: str) -> None:
    file = read(tmp_path, text)
    assert [(one.mpan, one.first_day, one.last_day, one.energy_uj) for one in file.bills] == [
        (MPAN, *OCTOBER, 12345 * UJ // 10)
    ]
    assert not file.faults


def test_a_last_day_that_is_the_next_bills_first_is_counted_once(tmp_path: Path) -> None:
    file = read(tmp_path, f"MPAN,From,To,kWh\n{MPAN},01/10/2026,01/11/2026,5\n{MPAN},01/11/2026,01/12/2026,6")
    assert [(one.first_day, one.last_day) for one in file.bills] == [
        OCTOBER, (datetime.date(2026, 11, 1), datetime.date(2026, 11, 30)),
    ]  # fmt: skip
    assert any("next one's first" in text for text in file.assumed)


@pytest.mark.parametrize(
    ("header", "flag"), [("Read Type", "Estimated"), ("Actual/Estimated", "E"), ("Estimated", "Yes")]
)
def test_an_estimated_bill_is_known_by_its_flag(tmp_path: Path, header: str, flag: str) -> None:
    file = read(tmp_path, f"MPAN,From,To,kWh,{header}\n{MPAN},01/10/2026,31/10/2026,5,{flag}")
    assert [one.estimated for one in file.bills] == [True]


def test_loss_adjusted_bills_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="would count twice"):
        read(tmp_path, f"MPAN,From,To,kWh at GSP\n{MPAN},01/10/2026,31/10/2026,5")


@pytest.mark.parametrize(
    ("line", "cell", "words"),
    [
        (f"{MPAN},31/10/2026,01/10/2026,5", "C2", "ends before"),
        (f"{MPAN},01/10/2026,31/10/2026,-5", "D2", "negative"),
        (f"{MPAN},soon,31/10/2026,5", "B2", "no first and last day"),
        ("2.00E+12,01/10/2026,31/10/2026,5", "A2", "spreadsheet"),
        (f"{MPAN},01/10/2026,31/10/2026,99999999999", "D2", "more than any supply"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_at_its_cell(tmp_path: Path, line: str, cell: str, words: str) -> None:
    file = read(tmp_path, f"MPAN,From,To,kWh\n{line}")
    assert ([fault.cell for fault in file.faults], file.bills) == ([cell], [])
    assert words in file.faults[0].problem


def test_the_same_bill_twice_counts_once_and_two_values_for_it_are_neither_taken(tmp_path: Path) -> None:
    same = read(tmp_path, f"MPAN,From,To,kWh\n{MPAN},01/10/2026,31/10/2026,5\n{MPAN},01/10/2026,31/10/2026,5")
    assert ([one.energy_uj for one in same.bills], [one.severity for one in same.faults]) == ([5 * UJ], ["left out"])
    other = read(tmp_path, f"MPAN,From,To,kWh\n{MPAN},01/10/2026,31/10/2026,5\n{MPAN},01/10/2026,31/10/2026,6")
    assert (other.bills, [one.severity for one in other.faults]) == ([], ["rejected"])


def test_headers_are_named_by_a_mapping(tmp_path: Path) -> None:
    mapping = {"mpan": MPAN, "first_day": "A", "last_day": "B", "value": "C"}
    file = read(tmp_path, "A,B,C\n01/10/2026,31/10/2026,5", **mapping)
    assert [(one.first_day, one.last_day, one.energy_uj) for one in file.bills] == [(*OCTOBER, 5 * UJ)]


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="no line with headers of bills"):
        read(tmp_path, "Name,Colour\nApple,green")
