"""Answers of the Carbon Intensity API, as the reference documents them."""

from typing import Any

import pytest

from collector.errors import TargetUnavailable
from collector.grid_intensity.answers import Slot, read_answer, written

NOON = 1_516_449_600
END = NOON + 86_400


def row(at: int = NOON, **intensity: Any) -> dict[str, Any]:
    return {"from": written(at), "to": written(at + 1800), "intensity": {"index": "moderate", **intensity}}


def test_the_documented_answer_is_one_slot() -> None:
    body = {
        "data": [
            {
                "from": "2018-01-20T12:00Z",
                "to": "2018-01-20T12:30Z",
                "intensity": {"forecast": 266, "actual": 263, "index": "moderate"},
            }
        ]
    }
    assert read_answer(body, NOON, END, regional=False).slots == [Slot(NOON, 266.0, 263.0, "moderate")]


@pytest.mark.parametrize("as_object", [False, True])
def test_a_regional_answer_names_its_region_and_has_no_actual(as_object: bool) -> None:
    about = {"regionid": 3, "shortname": "North West England", "postcode": "RG10", "data": [row(forecast=266)]}
    found = read_answer({"data": about if as_object else [about]}, NOON, END, regional=True)
    assert found.region == (3, "North West England")
    assert found.slots == [Slot(NOON, 266.0, None, "moderate")]


def test_an_open_slot_has_no_actual_and_the_slot_before_the_boundary_is_left_aside() -> None:
    body = {"data": [row(NOON - 1800, forecast=1, actual=1), row(forecast=266, actual=None)]}
    assert read_answer(body, NOON, END, regional=False).slots == [Slot(NOON, 266.0, None, "moderate")]


def test_of_a_slot_that_comes_twice_the_measured_value_counts_and_two_values_are_told() -> None:
    body = {"data": [row(forecast=10, actual=12), row(forecast=11, actual=None)]}
    found = read_answer(body, NOON, END, regional=False)
    assert (found.slots, found.disagreeing) == ([Slot(NOON, 10.0, 12.0, "moderate")], 1)
    later = read_answer({"data": [row(forecast=10), row(forecast=11)]}, NOON, END, regional=False)
    assert (later.slots, later.disagreeing) == ([Slot(NOON, 11.0, None, "moderate")], 1)
    same = read_answer({"data": [row(forecast=10), row(forecast=10)]}, NOON, END, regional=False)
    assert (len(same.slots), same.disagreeing) == (1, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        row(NOON + 60, forecast=1),
        {**row(forecast=1), "to": written(NOON + 3600)},
        {**row(forecast=1), "from": "2018-01-20 12:00"},
        {**row(forecast=1), "from": "2018-02-30T12:00Z"},
        row(forecast="266"),
        row(forecast=-1),
        row(forecast=3000),
        row(forecast=True),
        row(forecast=float("nan")),
        row(),
        {"from": written(NOON)},
        None,
    ],
)
def test_a_row_that_makes_no_sense_is_counted_and_costs_nothing_else(wrong: Any) -> None:
    found = read_answer({"data": [wrong, row(NOON + 1800, forecast=5)]}, NOON, END, regional=False)
    assert [slot.half_hour for slot in found.slots] == [NOON + 1800]
    assert len(found.faults) == 1


@pytest.mark.parametrize("body", [[], {}, {"data": "none"}, {"error": {"code": "400", "message": "m"}}, None])
def test_what_is_no_answer_is_refused(body: Any) -> None:
    with pytest.raises(TargetUnavailable):
        read_answer(body, NOON, END, regional=False)
    with pytest.raises(TargetUnavailable):
        read_answer(body, NOON, END, regional=True)
