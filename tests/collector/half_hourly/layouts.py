"""The same half-hours in every layout that suppliers send: what each file must come out as is known before it is written."""

import datetime
from collections.abc import Callable, Sequence
from decimal import Decimal
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
MPAN, OTHER_MPAN = "2000000000015", "1200000000020"
SPRING, AUTUMN = datetime.date(2026, 3, 29), datetime.date(2026, 10, 25)
DAYS = (datetime.date(2026, 3, 28), SPRING, datetime.date(2026, 3, 30), datetime.date(2026, 10, 24), AUTUMN)
PLAIN_DAYS = (DAYS[2], DAYS[3])
TIMES = [f"{hour:02}:{minute:02}" for hour in range(24) for minute in (0, 30)]
ENDS = [*TIMES[1:], "00:00"]


def wall_day(date: datetime.date) -> list[int]:
    """The half-hours of a day on the wall, as Unix seconds: counted from its midnight to the next."""
    begin, end = (
        int(datetime.datetime.combine(day, datetime.time(), LONDON).timestamp())
        for day in (date, date + datetime.timedelta(1))
    )
    return list(range(begin, end, 1800))


def utc_day(date: datetime.date) -> list[int]:
    begin = int(datetime.datetime.combine(date, datetime.time(), datetime.UTC).timestamp())
    return list(range(begin, begin + 86_400, 1800))


TRUTH = {at: Decimal(place + 1) / 10 + date.day for date in DAYS for place, at in enumerate(wall_day(date))}
"""kWh by half-hour."""
UTC_TRUTH = {at: Decimal(place + 1) / 10 + date.day for date in DAYS for place, at in enumerate(utc_day(date))}


def values(date: datetime.date, columns: int = 0) -> list[str]:
    """A day's values in order, padded with empty cells."""
    found = [str(TRUTH[at]) for at in wall_day(date)]
    return [*found, *[""] * (columns - len(found))]


def on_the_wall(date: datetime.date) -> list[str]:
    """A day's values under the 48 times of the wall: empty where the clock jumps."""
    found = values(date)
    return [*found[:2], "", "", *found[2:]] if len(found) == 46 else found


def days(
    headers: Sequence[object],
    of: Callable[[datetime.date], Sequence[str]],
    dates: Sequence[datetime.date] = DAYS,
    form: str = "%d/%m/%Y",
    before: Sequence[str] = (),
) -> str:
    """A row a day; with `before`, one for each of these channels."""
    lines = [",".join(["MPAN", "Date", *(["Channel"] if before else []), *map(str, headers)])]
    for date in dates:
        cells = [MPAN, date.strftime(form)]
        lines += [",".join([*cells, *([channel] if channel else []), *of(date)]) for channel in before or ("",)]
    return "\n".join(lines)


def stamps(headers: str, form: str, zone: datetime.tzinfo, *, end: bool = False, after: str = "") -> str:
    """A row a half-hour."""
    lines = [headers]
    for at in sorted(TRUTH):
        shown = datetime.datetime.fromtimestamp(at + (1800 if end else 0), zone)
        lines.append(f"{MPAN},{shown.strftime(form)},{TRUTH[at]}{after}")
    return "\n".join(lines)


def _flagged(date: datetime.date) -> list[str]:
    return [cell for place, value in enumerate(values(date)) for cell in (value, "E" if place % 7 == 0 else "A")]


def _power(date: datetime.date) -> list[str]:
    """Mean power of each half-hour in kW."""
    return [str(2 * TRUTH[at]) for at in wall_day(date)]


def _numbered() -> str:
    lines = ["MPAN,Settlement Date,Settlement Period,Consumption (kWh),Estimated"]
    lines += [
        f"{MPAN},{date:%Y%m%d},{place + 1},{value},N" for date in DAYS for place, value in enumerate(values(date))
    ]
    return "\n".join(lines)


def _two_cells() -> str:
    lines = [f"Half-hourly data,,\nSupply: {MPAN},,\nDate,Time,AI kWh,AE kWh,RI kVArh"]
    lines += [f"{datetime.datetime.fromtimestamp(at, LONDON):%d/%m/%Y,%H:%M},{TRUTH[at]},0,3" for at in sorted(TRUTH)]
    return "\n".join(lines)


def _wide() -> str:
    lines = [f"Date Time (UTC),{MPAN},{OTHER_MPAN}"]
    lines += [
        f"{datetime.datetime.fromtimestamp(at, datetime.UTC):%d/%m/%Y %H:%M},{TRUTH[at]}," for at in sorted(TRUTH)
    ]
    return "\n".join(lines)


_OF_PLAIN_DAYS = {at: kwh for date in PLAIN_DAYS for at in wall_day(date) for kwh in [TRUTH[at]]}
_BUT_AUTUMN = {at: kwh for at, kwh in TRUTH.items() if at not in wall_day(AUTUMN)}

LAYOUTS: dict[str, tuple[str, dict[int, Decimal]]] = {
    "a row a day, 50 numbered columns": (days([f"HH{number}" for number in range(1, 51)], lambda date: values(date, 50)), TRUTH),
    "a row a day, times by their start and two more": (
        days([*TIMES, "24:00", "24:30"], lambda date: values(date, 50), form="%Y-%m-%d"), TRUTH,
    ),
    "a row a day, the wall's times with a gap": (days(TIMES, on_the_wall, DAYS[:4], "%d-%b-%y"), _BUT_AUTUMN),
    "a row a day, GMT all year": (
        days(TIMES, lambda date: [str(UTC_TRUTH[at]) for at in utc_day(date)]), UTC_TRUTH,
    ),
    "a row a day, times by their end, flags between, other channels": (
        days([cell for time in ENDS for cell in (time, "Flag")], _flagged, PLAIN_DAYS, before=("AI", "RI", "AE")), _OF_PLAIN_DAYS,
    ),
    "a row a day, mean power in kW": (
        days([f"K{time.replace(':', '')} kW" for time in TIMES], _power, PLAIN_DAYS), _OF_PLAIN_DAYS,
    ),
    "a row a day, half-hours from and to": (
        days([f"{begin} - {end}" for begin, end in zip(TIMES, ENDS, strict=True)], values, PLAIN_DAYS), _OF_PLAIN_DAYS,
    ),
    "a row a half-hour, the wall's start": (stamps("MPAN,Timestamp,kWh,Flag", "%d/%m/%Y %H:%M", LONDON, after=",A"), TRUTH),
    "a row a half-hour, the wall's end": (stamps("MPAN,Timestamp,kWh", "%d/%m/%Y %H:%M", LONDON, end=True), TRUTH),
    "a row a half-hour, GMT start": (stamps("MPAN,Start,kWh", "%d %b %Y %I:%M %p", datetime.UTC), TRUTH),
    "a row a half-hour, GMT end": (stamps("MPAN,Period Ending,kWh", "%Y-%m-%d %H:%M:%S", datetime.UTC, end=True), TRUTH),
    "a row a half-hour, ISO 8601 with offset": (
        stamps("mpan,interval_start,consumption_kwh", "%Y-%m-%dT%H:%M:%S%z", LONDON), TRUTH,
    ),
    "a row a half-hour, by settlement period": (_numbered(), TRUTH),
    "a row a half-hour, date and time apart, the meter above": (_two_cells(), TRUTH),
    "a row a half-hour, a column a meter": (_wide(), TRUTH),
}  # fmt: skip
