"""Noughts and nothings that programs write for the hour that the wall leaves out in spring: they make no file one on GMT."""

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.half_hourly.mapping import SupplierMapping
from collector.half_hourly.reading import read_half_hours
from tests.collector.half_hourly.layouts import LONDON, MPAN

DATES = [datetime.date(2026, 3, 28) + datetime.timedelta(one) for one in range(3)]
SHORT = DATES[1]
PLAIN = [str(5 + one) for one in range(48)]


def _columns(short: list[str], headers: list[str]) -> str:
    lines = [f"MPAN,Date,{','.join(headers)}"]
    lines += [f"{MPAN},{date:%d/%m/%Y},{','.join(short if date == SHORT else PLAIN)}" for date in DATES]
    return "\n".join(lines)


def _rows(short: list[str], header: str, stamp: Callable[[datetime.datetime], str]) -> str:
    lines = [header]
    for date in DATES:
        for place, value in enumerate(short if date == SHORT else PLAIN):
            at = datetime.datetime.combine(date, datetime.time()) + datetime.timedelta(minutes=30 * place)
            lines.append(f"{MPAN},{stamp(at)},{value}")
    return "\n".join(lines)


def _numbered(at: datetime.datetime) -> str:
    return f"{at:%d/%m/%Y},{at.hour * 2 + at.minute // 30 + 1}"


def _start(at: datetime.datetime) -> str:
    return f"{at:%d/%m/%Y %H:%M}"


def _end(at: datetime.datetime) -> str:
    return _start(at + datetime.timedelta(minutes=30))


def _file(layout: str, padding: str) -> str:
    last, gap = [*PLAIN[:46], padding, padding], [*PLAIN[:2], padding, padding, *PLAIN[4:]]
    numbers = [str(one) for one in range(1, 49)]
    times = [f"{one // 2:02d}:{one % 2 * 30:02d}" for one in range(48)]
    return {
        "numbers": _columns(last, numbers),
        "times": _columns(gap, times),
        "numbers in rows": _rows(last, "MPAN,Settlement Date,Settlement Period,kWh", _numbered),
        "starts": _rows(gap, "MPAN,Start,kWh", _start),
        "ends": _rows(gap, "MPAN,Period ending,kWh", _end),
    }[layout]


@pytest.mark.parametrize("padding", ["0", "0.0", ""])
@pytest.mark.parametrize("layout", ["numbers", "times", "numbers in rows", "starts", "ends"])
def test_an_hour_that_was_not_is_no_reading_and_the_file_stays_on_the_walls_clock(
    tmp_path: Path, layout: str, padding: str
) -> None:
    path = tmp_path / "spring.csv"
    path.write_text(_file(layout, padding), encoding="utf-8")
    read = read_half_hours(path)
    assert (len(read.readings), read.faults) == (48 + 46 + 48, [])
    last = max(one.half_hour for one in read.readings)
    assert datetime.datetime.fromtimestamp(last, LONDON).strftime("%d %H:%M") == "30 23:30"
    assert not [one for one in read.assumed if "clock" in one]


@pytest.mark.parametrize("layout", ["numbers", "times", "numbers in rows", "starts", "ends"])
@pytest.mark.parametrize(("value", "clock"), [("7", ""), ("0", "GMT")])
def test_a_file_on_gmt_keeps_all_its_half_hours(tmp_path: Path, layout: str, value: str, clock: str) -> None:
    path = tmp_path / "spring.csv"
    path.write_text(_file(layout, value), encoding="utf-8")
    read = read_half_hours(path, SupplierMapping(clock="GMT") if clock else None)
    assert len(read.readings) == 3 * 48
    assert max(one.half_hour for one in read.readings) % 86_400 == 86_400 - 1800
