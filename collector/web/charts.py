"""Charts of power over time and of a host's parts, drawn as SVG by Vega-Lite. Every chart has its table beside it."""

import base64
import datetime
from collections.abc import Sequence
from functools import lru_cache

Row = tuple[int, float, float | None, float | None]
"""Unix seconds, watts, low and high."""

_COLOUR = "#0b5394"
_PALE = "#7fa8d1"
SHADES = [_COLOUR, _PALE, "#d9a441", "#5c636a"]
"""Four that are told apart without colour too."""


@lru_cache(maxsize=64)
def power_chart(rows: tuple[Row, ...], time_zone_label: str, bucket_seconds: int) -> str:
    """An SVG of watts over time with its band, from means over buckets. A pause of two buckets breaks the line."""
    # Imported with the first chart: a collector whose pages nobody opens saves 80 MB.
    import altair  # noqa: PLC0415
    import vl_convert  # noqa: PLC0415

    values: list[dict[str, object]] = []
    stretch = 0
    for index, (at, watts, low, high) in enumerate(rows):
        if index and at - rows[index - 1][0] > 2 * bucket_seconds:
            stretch += 1
        moment = datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat()
        values.append({"time": moment, "watts": watts, "low": low, "high": high, "stretch": stretch})
    axis = altair.Axis(format=_time_format(rows[-1][0] - rows[0][0]), tickCount=8)
    base = altair.Chart(altair.Data(values=values)).encode(
        x=altair.X("utcyearmonthdatehoursminutes(time):T", title=f"time ({time_zone_label})", axis=axis),
        detail=altair.Detail("stretch:N"),
    )
    band = base.mark_area(opacity=0.18, color=_COLOUR).encode(
        y=altair.Y("low:Q", title="power (W)"), y2=altair.Y2("high:Q")
    )
    line = base.mark_line(color=_COLOUR, strokeWidth=1.5).encode(y=altair.Y("watts:Q", title="power (W)"))
    chart = (band + line).properties(width=640, height=220).configure_axis(labelFontSize=13, titleFontSize=13)
    return str(vl_convert.vegalite_to_svg(chart.to_json()))


@lru_cache(maxsize=64)
def parts_chart(parts: tuple[tuple[str, float, float], ...]) -> str:
    """An SVG of a whole's parts as bars, each of idle and active energy: (name, idle kWh, active kWh), in this order."""
    import altair  # noqa: PLC0415  # as above
    import vl_convert  # noqa: PLC0415

    values = [
        {"name": f"{position:03d} {name}", "kwh": amount, "use": use}
        for position, (name, idle, active) in enumerate(parts)
        for use, amount in (("idle", idle), ("active", active))
    ]
    # Names may be alike: each bar has its position before its name, which its label leaves out.
    axis = altair.Axis(labelExpr="slice(datum.label, 4)", labelLimit=180)
    colours = altair.Scale(domain=["idle", "active"], range=[_PALE, _COLOUR])
    chart = (
        altair.Chart(altair.Data(values=values))
        .mark_bar()
        .encode(
            y=altair.Y("name:N", title=None, axis=axis, sort=None),
            x=altair.X("kwh:Q", title="energy (kWh)"),
            color=altair.Color("use:N", title=None, scale=colours),
            order=altair.Order("use:N", sort="descending"),
        )
        .properties(width=480, height=altair.Step(22))
        .configure_axis(labelFontSize=13, titleFontSize=13)
    )
    return str(vl_convert.vegalite_to_svg(chart.to_json()))


def printable(text: str) -> str:
    """A text that may stand in SVG and HTML, where control characters may not: names come from hosts and registers."""
    return "".join(one if one.isprintable() or one == "\n" else "?" for one in text)


def image(svg: str) -> str:
    """An SVG as the address of an image."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _time_format(span_seconds: int) -> str:
    """Labels for about eight ticks that tell one from the next, without an American locale's order."""
    if span_seconds <= 86_400:
        return "%H:%M"
    return "%a %H:%M" if span_seconds < 5 * 86_400 else "%a %-d %b"


def thinned(rows: Sequence[Row], bucket_seconds: int) -> tuple[Row, ...]:
    """Means over buckets of time, so that a chart and its table stay readable."""
    buckets: dict[int, list[Row]] = {}
    for row in rows:
        buckets.setdefault(row[0] - row[0] % bucket_seconds, []).append(row)
    return tuple(
        (at, _mean(group, 1) or 0.0, _mean(group, 2), _mean(group, 3)) for at, group in sorted(buckets.items())
    )


def _mean(rows: Sequence[Row], column: int) -> float | None:
    values = [value for row in rows if (value := row[column]) is not None]
    return sum(values) / len(values) if values else None
