"""Half-hours in layouts that no supplier's list named: what an outsider's files taught the reader."""

import datetime
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from carbon.units import UJ_PER_KWH
from collector.errors import BadRequest
from collector.half_hourly.reading import read_half_hours
from tests.collector.half_hourly.layouts import DAYS, LONDON, MPAN, OTHER_MPAN, PLAIN_DAYS, TRUTH, wall_day

ROWS = sorted(TRUTH)
PLAIN = [at for date in PLAIN_DAYS for at in wall_day(date)]
SPACED = f"{MPAN[:2]} {MPAN[2:6]} {MPAN[6:10]} {MPAN[10:]}"


def _wall(at: int, form: str = "%d/%m/%Y %H:%M") -> str:
    return datetime.datetime.fromtimestamp(at, LONDON).strftime(form)


def _rows(headers: str, form: str, half_hours: Sequence[int] = ROWS) -> str:
    """A row a half-hour: `form` with {at}, {date}, {time}, {end} of the wall, {serial} of a spreadsheet, and {kwh}."""
    return "\n".join(
        [
            headers,
            *(
                form.format(
                    at=_wall(at), date=_wall(at, "%d/%m/%Y"), time=_wall(at, "%H:%M"), end=_wall(at + 1800, "%H:%M"),
                    serial=f"{(at + 3600) / 86400 + 25569:.6f}", kwh=TRUTH[at],
                )
                for at in half_hours
            ),
        ]
    )  # fmt: skip


def _flow() -> str:
    lines = ["ZHV|1000|D0036001|X|UDMS|D|NEEB|20261030120000||||OPER"]
    for quantity in ("AE", "AI"):
        lines.append(f"101|{MPAN}|{quantity}|NEEB")
        for date in DAYS:
            lines.append(f"102|{date:%Y%m%d}")
            lines += [f"103|A|{TRUTH[at] if quantity == 'AI' else 0}" for at in wall_day(date)]
    return "\n".join(lines)


OTHERS: dict[str, tuple[str, Sequence[int]]] = {
    "an MPAN kept as text by an apostrophe": (_rows("MPAN,Start,kWh", f"'{MPAN},{{at}},{{kwh}}"), ROWS),
    "the MPAN in groups in a title": (_rows(f"Supply Number : {SPACED}\nDate,Time,Usage", "{date},{time},{kwh}"), ROWS),
    "a read type, which is no channel": (
        _rows("MPAN,Date Time,kWh,Read Type", f"{MPAN},{{at}},{{kwh}},Actual"), ROWS,
    ),
    "the newest first": (_rows("MPAN,Date Time,kWh", f"{MPAN},{{at}},{{kwh}}", ROWS[::-1]), ROWS),
    "local date and local time": (
        _rows("MPAN,Local Date,Local Time,kWh", f"{MPAN},{{date}},{{time}},{{kwh}}"), ROWS,
    ),
    "the settlement day beside the end": (
        _rows("MPAN,Settlement Date,Time Ending,kWh", f"{MPAN},{{date}},{{end}},{{kwh}}", PLAIN), PLAIN,
    ),
    "a spreadsheet's day numbers": (_rows("MPAN,Date Time,kWh", f"{MPAN},{{serial}},{{kwh}}", PLAIN), PLAIN),
    "meters in a line above several columns each": (
        _rows(
            f",{OTHER_MPAN},,,{MPAN},,\nDate Time,kWh,kVArh,Flag,kVArh,kWh,Flag", "{at},1,2,A,3,{kwh},A"
        ), ROWS,
    ),
    "a first day without values": (
        "MPAN,Date Time,kWh\n"
        + "\n".join(f"{MPAN},{_wall(at - 86_400 * 2)}," for at in PLAIN[:48]) + "\n"
        + _rows("MPAN,Date Time,kWh", f"{MPAN},{{at}},{{kwh}}", PLAIN[48:]), PLAIN[48:],
    ),
    "flow D0036 with whole numbers and no last bars": (_flow(), ROWS),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_a_layout_of_an_outsider_comes_out_as_what_it_says(name: str, tmp_path: Path) -> None:
    text, half_hours = OTHERS[name]
    (tmp_path / "supplier.csv").write_text(text)
    read = read_half_hours(tmp_path / "supplier.csv")
    found = {one.half_hour: one.energy_uj / Decimal(UJ_PER_KWH) for one in read.readings if one.mpan == MPAN}
    assert found == {at: TRUTH[at] for at in half_hours}
    assert not read.faults
    assert all(one.energy_uj == UJ_PER_KWH for one in read.readings if one.mpan != MPAN)


@pytest.mark.parametrize("header", ["kWh @ GSP", "Grossed kWh", "kWh (NBP)", "kWh inc. losses", "LLF adjusted kWh"])
def test_losses_are_known_by_where_the_figures_hold(header: str, tmp_path: Path) -> None:
    (tmp_path / "supplier.csv").write_text(_rows(f"MPAN,Start,{header}", f"{MPAN},{{at}},{{kwh}}", PLAIN))
    with pytest.raises(BadRequest, match="loss-adjusted"):
        read_half_hours(tmp_path / "supplier.csv")
