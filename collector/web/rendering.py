"""From values to HTML: the templates, how figures read on pages, and the frame that every page shares."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from carbon.calendar import financial_year_label, zone
from carbon.footprint import Footprint
from carbon.units import kwh
from carbon.wording import energy_words, figure, mass_words
from collector.people.roles import Identity, Permission
from collector.running_totals import RunningTotals
from collector.totals import Total

_KILOWATTS_FROM = 10_000


def page(request: Request, name: str, values: Mapping[str, Any], status: int = 200) -> HTMLResponse:
    """A template filled in, with who asks: the frame shows a person's name, and the way out."""
    identity: Identity | None = request.state.identity
    person = identity if identity is not None and identity.is_person else None
    shared = {"person": person, "reads_audit": identity is not None and identity.may(Permission.AUDIT)}
    return HTMLResponse(_environment.get_template(name).render({**shared, **values}), status)


def frame(current: str, totals: RunningTotals) -> dict[str, Any]:
    """What the frame needs: which entry of the navigation is current, and as of when the figures hold."""
    at = datetime.datetime.fromtimestamp(totals.as_of, zone(totals.rules.time_zone))
    return {
        "current": current,
        "as_of": f"{at:%d %B %Y %H:%M:%S %Z}".lstrip("0"),
        "financial_year": financial_year_label(totals.financial_year),
    }


@dataclass(frozen=True, slots=True)
class Shown:
    """A total as pages show it: kilowatt-hours, whole per cent, kilograms by line."""

    kwh: float
    low_kwh: float
    high_kwh: float
    measured_percent: int
    coverage_percent: int
    carbon: Footprint


def shown(total: Total) -> Shown:
    energy = total.energy
    low, high = energy.range_uj
    return Shown(
        kwh(energy.total_uj),
        kwh(low),
        kwh(high),
        round(100 * energy.measured_uj / energy.total_uj) if energy.total_uj else 0,
        round(100 * total.coverage),
        total.footprint,
    )


def age_words(seconds: int | None) -> str:
    """How long ago, in one unit people use.

    >>> age_words(59), age_words(7200), age_words(None)
    ('59 s ago', '2 hours ago', 'never')
    """
    if seconds is None:
        return "never"
    for unit, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            count = seconds // length
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return f"{seconds} s ago"


def power_words(watts: float, digits: int = 3) -> str:
    """Power in watts, of a whole estate in kilowatts.

    >>> power_words(41.27), power_words(12_340)
    ('41.3 W', '12.3 kW')
    """
    return f"{figure(watts / 1000, digits)} kW" if watts >= _KILOWATTS_FROM else f"{figure(watts, digits)} W"


def bytes_words(count: int) -> str:
    """An amount of data in a decimal unit.

    >>> bytes_words(900), bytes_words(391_134)
    ('900 bytes', '391 kB')
    """
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{figure(count / size, 3)} {unit}"
    return f"{count} bytes"


def count_words(count: int) -> str:
    """A number of things, its thousands marked.

    >>> count_words(50_000)
    '50,000'
    """
    return f"{count:,}"


def date_words(text: str) -> str:
    """A date as pages show dates; what is no whole date, such as a year alone, as it is.

    >>> date_words("2023-02-01"), date_words("2023")
    ('1 February 2023', '2023')
    """
    try:
        return f"{datetime.date.fromisoformat(text):%d %B %Y}".lstrip("0")
    except ValueError:
        return text


def _sentence(text: str) -> str:
    """With a capital letter and one full stop."""
    return (text[:1].upper() + text[1:]).rstrip(".") + "."


def _moment(unix_seconds: int) -> str:
    return f"{datetime.datetime.fromtimestamp(unix_seconds, datetime.UTC):%d %B %Y %H:%M} UTC".lstrip("0")


_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters |= {
    "age": age_words,
    "bytes": bytes_words,
    "count": count_words,
    "date": date_words,
    "energy": energy_words,
    "figure": figure,
    "mass": mass_words,
    "moment": _moment,
    "sentence": _sentence,
    "watts": power_words,
}
