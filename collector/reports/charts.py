"""Bars and columns of a report's charts, written as SVG by ourselves: a PDF has no four seconds for Vega-Lite.

The words that stand for a chart are the report's (`carbon.report_words.Chart`), and its table stands beside it.
"""

from collections.abc import Sequence
from html import escape

from carbon.report_words import Chart, figure_words
from collector.web.charts import SHADES, printable

WIDTH, _LABELS, _RIGHT = 640, 190, 80
_STEP, _BAR = 26, 18
_HEIGHT, _LEFT, _FOOT = 240, 60, 46
_LONGEST = 28
"""Letters of a name that fit beside its bar."""
_TICKS = 4
_TOPS = (1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10)
"""Ends of an axis, times a power of ten: a quarter of each is a number that people read."""


def draw(chart: Chart) -> str:
    """The chart as SVG. Amounts below nothing are drawn as nothing; the table has them."""
    bars = [(name, max(0.0, amount)) for name, amount in chart.bars]
    return _columns(bars, chart.axis) if chart.kind == "columns" else _bars(bars, chart.axis)


def nice_top(highest: float) -> float:
    """The end of an axis, at or above the highest amount.

    >>> nice_top(41), nice_top(100), nice_top(0.19), nice_top(0)
    (50.0, 100.0, 0.2, 1.0)
    """
    if highest <= 0:
        return 1.0
    power = float(f"1e{f'{highest:e}'.partition('e')[2]}")
    return float(next(step * power for step in _TOPS if step * power >= highest))


def _bars(bars: Sequence[tuple[str, float]], axis: str) -> str:
    room, bottom = WIDTH - _LABELS - _RIGHT, 8 + _STEP * len(bars)
    top = nice_top(max((amount for _, amount in bars), default=0))
    drawn = []
    for tick in range(_TICKS + 1):
        x = _LABELS + room * tick / _TICKS
        drawn.append(f'<path d="M{x:.1f},4V{bottom + 4}" stroke="#ddd"/>')
        drawn.append(text_at(x, bottom + 18, figure_words(top * tick / _TICKS), "middle"))
    for place, (name, amount) in enumerate(bars):
        y = 8 + _STEP * place
        width = room * amount / top
        label = name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
        drawn.append(text_at(_LABELS - 8, y + 14, label, "end"))
        drawn.append(f'<rect x="{_LABELS}" y="{y}" width="{width:.2f}" height="{_BAR}" fill="{SHADES[0]}"/>')
        drawn.append(text_at(_LABELS + width + 6, y + 14, figure_words(amount), "start"))
    drawn.append(text_at(_LABELS + room / 2, bottom + 38, axis, "middle"))
    return svg_of(bottom + 46, drawn)


def _columns(bars: Sequence[tuple[str, float]], axis: str) -> str:
    room, ground = WIDTH - _LEFT - 10, _HEIGHT - _FOOT
    top = nice_top(max((amount for _, amount in bars), default=0))
    drawn = [text_at(_LEFT, 14, axis, "start")]
    for tick in range(_TICKS + 1):
        y = ground - (ground - 26) * tick / _TICKS
        drawn.append(f'<path d="M{_LEFT},{y:.1f}H{WIDTH - 10}" stroke="#ddd"/>')
        drawn.append(text_at(_LEFT - 6, y + 4, figure_words(top * tick / _TICKS), "end"))
    step = room / max(1, len(bars))
    every = -(-len(bars) // 12)
    for place, (name, amount) in enumerate(bars):
        x, height = _LEFT + step * place, (ground - 26) * amount / top
        drawn.append(
            f'<rect x="{x + step * 0.15:.2f}" y="{ground - height:.2f}" width="{step * 0.7:.2f}" height="{height:.2f}"'
            f' fill="{SHADES[0]}"/>'
        )
        if place % every == 0:
            month, _, year = name.partition(" ")
            drawn.append(text_at(x + step / 2, ground + 17, month, "middle"))
            drawn.append(text_at(x + step / 2, ground + 33, year, "middle"))
    return svg_of(_HEIGHT, drawn)


def text_at(x: float, y: float, words: str, anchor: str) -> str:
    """Words in a chart; `anchor` is start, middle or end."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(printable(words))}</text>'


def svg_of(height: float, drawn: Sequence[str]) -> str:
    """A chart of what was drawn, as wide as all of a report's are."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:g}" viewBox="0 0 {WIDTH} {height:g}"'
        f' font-family="DejaVu Sans, sans-serif" font-size="12"><rect width="{WIDTH}" height="{height:g}" fill="white"/>'
    )
    return "".join([head, *drawn, "</svg>"])
