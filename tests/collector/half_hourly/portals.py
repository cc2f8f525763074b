"""Half-hours as portals, data collectors and the industry's flows give them: titles, sums, pairs of columns, blocks, flags."""

import datetime
from collections.abc import Callable, Sequence
from decimal import Decimal

from tests.collector.half_hourly.layouts import (
    DAYS,
    ENDS,
    LONDON,
    MPAN,
    OTHER_MPAN,
    PLAIN_DAYS,
    TIMES,
    TRUTH,
    UTC_TRUTH,
    stamps,
    utc_day,
    values,
    wall_day,
)

PLAIN = {at: TRUTH[at] for date in PLAIN_DAYS for at in wall_day(date)}
FLAGS = ["E" if place % 7 == 0 else "A" for place in range(48)]
_OF_UTC_DAYS = {at: UTC_TRUTH[at] for date in PLAIN_DAYS for at in utc_day(date)}


def _wall(at: int, form: str) -> str:
    return datetime.datetime.fromtimestamp(at, LONDON).strftime(form)


def _days(headers: Sequence[object], cells: Callable[[datetime.date], Sequence[object]]) -> str:
    """A row a day of the plain days, below a line of headers."""
    lines = [",".join(["MPAN", "Date", *map(str, headers)])]
    lines += [",".join([MPAN, f"{date:%d/%m/%Y}", *map(str, cells(date))]) for date in PLAIN_DAYS]
    return "\n".join(lines)


def _rows(headers: str, line: Callable[[int], str], half_hours: Sequence[int] = tuple(sorted(TRUTH))) -> str:
    return "\n".join([headers, *(f"{MPAN},{line(at)}" for at in half_hours)])


def _total(date: datetime.date) -> Decimal:
    return sum(map(Decimal, values(date)), Decimal(0))


def _flow(code: str, meter: str, day: str, value: str) -> str:
    lines = [f"ZHV|0000475656|{code}001|X|UDMS|C|DEMA|20261101030405||||OPER|"]
    for quantity in ("AI", "RI"):
        lines.append(f"{meter}|{MPAN}|{quantity}|DEMA|")
        for date in DAYS:
            lines += [
                f"{day}|{date:%Y%m%d}|",
                *(
                    f"{value}|{flag}|{Decimal(kwh):.3f}|"
                    for flag, kwh in zip([*FLAGS, "A", "A"], values(date), strict=False)
                ),
            ]
    return "\n".join([*lines, "ZPT|0000475656|4||1|20261101030405|"])


def _blocks(title: str, headers: str, rows: Sequence[str]) -> str:
    lines: list[str] = []
    for mpan in (OTHER_MPAN, MPAN):
        lines += [title.format(mpan), headers, *rows, "", "Total,,99", ""]
    return "\n".join(lines)


PORTALS: dict[str, tuple[str, dict[int, Decimal]]] = {
    "flow D0275": (_flow("D0275", "66L", "66M", "66N"), TRUTH),
    "flow D0036": (_flow("D0036", "101", "102", "103"), TRUTH),
    "a total before the half-hours": (
        _days(["Total kWh", *TIMES], lambda date: [_total(date), *values(date)]),
        PLAIN,
    ),
    "a total behind the half-hours, a row of sums, and a remark": (
        _days([*TIMES, "Total"], lambda date: [*values(date), _total(date)])
        + f"\nTotal,,{','.join('9' * 48)},1\n{MPAN},Total,{','.join('9' * 48)},1\n* E = estimated by the data collector",
        PLAIN,
    ),
    "two meters in blocks, a row a day": (
        _blocks(
            "MPAN: {}", "Date," + ",".join(TIMES), [f"{date:%d/%m/%Y}," + ",".join(values(date)) for date in PLAIN_DAYS]
        ),
        PLAIN,
    ),
    "two meters in blocks, a row a half-hour": (
        _blocks(
            "Supply {} (Town Hall),,",
            "Date,Time,kWh",
            [f"{_wall(at, '%d/%m/%Y,%H:%M')},{PLAIN[at]}" for at in sorted(PLAIN)],
        ),
        PLAIN,
    ),
    "the month first, by AM and PM": (stamps("MPAN,Timestamp,kWh", "%m/%d/%Y %I:%M %p", LONDON), TRUTH),
    "export before import": (
        _rows(
            "MPAN,Date,Time,Export kWh,Import kWh,Import kVArh",
            lambda at: f"{_wall(at, '%d/%m/%Y,%H:%M')},7,{TRUTH[at]},8",
        ),
        TRUTH,
    ),
    "kW by a column of units": (
        _days(["UOM", *TIMES], lambda date: ["KW", *(2 * TRUTH[at] for at in wall_day(date))]),
        PLAIN,
    ),
    "an offset behind a space": (stamps("MPAN,Interval Start,kWh", "%Y-%m-%d %H:%M:%S %z", LONDON), TRUTH),
    "BST and GMT behind the time": (stamps("MPAN,Interval Start,kWh", "%d/%m/%Y %H:%M %Z", LONDON), TRUTH),
    "start and end with offsets, costs before": (
        "\n".join(
            [
                "Consumption (kwh), Estimated Cost Inc. Tax (p), Start, End, MPAN",
                *(
                    f"{TRUTH[at]}, 12.3, {_wall(at, '%Y-%m-%dT%H:%M:%S%z')}, {_wall(at + 1800, '%Y-%m-%dT%H:%M:%S%z')}, {MPAN}"
                    for at in sorted(TRUTH)
                ),
            ]
        ),
        TRUTH,
    ),
    "a block of flags behind the values": (
        _days(
            [*(f"kWh_{n}" for n in range(1, 49)), *(f"Flag_{n}" for n in range(1, 49))],
            lambda date: [*values(date), *FLAGS],
        ),
        PLAIN,
    ),
    "flags before their values": (
        _days(
            [f"HH{n} {what}" for n in range(1, 49) for what in ("Flag", "kWh")],
            lambda date: [cell for pair in zip(FLAGS, values(date), strict=True) for cell in pair],
        ),
        PLAIN,
    ),
    "headers by AM and PM": (
        _days([f"{datetime.time(n // 2, n % 2 * 30):%I:%M %p}" for n in range(48)], values),
        PLAIN,
    ),
    "headers such as 0000-0030": (
        _days([f"{begin}-{end}".replace(":", "") for begin, end in zip(TIMES, ENDS, strict=True)], values),
        PLAIN,
    ),
    "headers such as HH-01": (_days([f"HH-{n:02}" for n in range(1, 49)], values), PLAIN),
    "local time beside UTC": (
        _rows(
            "MPAN,Period Start (Local),Period Start (UTC),kWh",
            lambda at: (
                f"{_wall(at, '%d/%m/%Y %H:%M')},{datetime.datetime.fromtimestamp(at, datetime.UTC):%d/%m/%Y %H:%M},{TRUTH[at]}"
            ),
            sorted(PLAIN),
        ),
        PLAIN,
    ),
    "the dial beside the energy": (
        _rows(
            "MPAN,Date Time,Meter Reading (kWh),Cumulative kWh,kWh",
            lambda at: f"{_wall(at, '%d/%m/%Y %H:%M')},{at},{at},{TRUTH[at]}",
        ),
        TRUTH,
    ),
    "date, from and to apart": (
        _rows(
            "MPAN,Date,From,To,kWh", lambda at: f"{_wall(at, '%d/%m/%Y,%H:%M')},{_wall(at + 1800, '%H:%M')},{TRUTH[at]}"
        ),
        TRUTH,
    ),
    "meters as headers with their unit": (
        "\n".join(
            [
                f"Timestamp,{MPAN} kWh,{OTHER_MPAN} kWh",
                *(f"{_wall(at, '%d/%m/%Y %H:%M')},{TRUTH[at]},1" for at in sorted(TRUTH)),
            ]
        ),
        TRUTH,
    ),
    "GMT in the title": (
        f"Half-hourly data of {MPAN}\nAll times GMT\n"
        + "\n".join(
            [
                "Date," + ",".join(TIMES),
                *(f"{date:%d/%m/%Y}," + ",".join(str(UTC_TRUTH[at]) for at in utc_day(date)) for date in PLAIN_DAYS),
            ]
        ),
        _OF_UTC_DAYS,
    ),
}
