"""Charts of the officer's pages that a report has not: parts of a change, up and down, and the years of a pathway."""

from collections.abc import Sequence
from html import escape

from carbon.report_words import figure_words
from collector.reports.charts import WIDTH, nice_top, svg_of, text_at
from collector.web.charts import SHADES, printable

_LABELS, _AMOUNTS = 300, 70
_STEP, _BAR = 26, 18
_LEFT, _GROUND, _TOP = 60, 250, 40
_DASHES = ("", "7 4", "2 3", "9 3 2 3")
"""Of lines in the order of their colours: they are told apart without colour too."""
_LETTER_WIDTH = 7


def change_chart(parts: Sequence[tuple[str, float]], axis: str) -> str:
    """An SVG of a change's parts as bars from a line of nothing: what lowers it to the left, what raises it to the right."""
    top = nice_top(max((abs(amount) for _, amount in parts), default=0))
    room = (WIDTH - _LABELS - 2 * _AMOUNTS) / 2
    middle, bottom = _LABELS + _AMOUNTS + room, 8 + _STEP * len(parts)
    drawn = [f'<path d="M{middle:.1f},4V{bottom + 4}" stroke="#555"/>']
    for place, (name, amount) in enumerate(parts):
        y, width = 8 + _STEP * place, room * abs(amount) / top
        begins = middle - width if amount < 0 else middle
        shade = SHADES[0] if amount < 0 else SHADES[2]
        drawn.append(text_at(_LABELS - 8, y + 14, name, "end"))
        drawn.append(f'<rect x="{begins:.2f}" y="{y}" width="{width:.2f}" height="{_BAR}" fill="{shade}"/>')
        words = f"{'+' if amount > 0 else ''}{figure_words(amount)}"
        at, anchor = (begins - 6, "end") if amount < 0 else (begins + width + 6, "start")
        drawn.append(text_at(at, y + 14, words, anchor))
    drawn.append(text_at(middle, bottom + 22, axis, "middle"))
    return svg_of(bottom + 32, drawn)


def years_chart(years: Sequence[str], lines: Sequence[tuple[str, Sequence[float | None]]], axis: str) -> str:
    """An SVG of lines over years; None of a year that a line has no amount of. Amounts below nothing lie on the ground."""
    amounts = [amount for _, line in lines for amount in line if amount is not None]
    top = nice_top(max(amounts, default=0))
    step = (WIDTH - _LEFT - 20) / max(1, len(years) - 1)
    drawn = [text_at(_LEFT, _TOP - 10, axis, "start")]
    for tick in range(5):
        y = _GROUND - (_GROUND - _TOP) * tick / 4
        drawn.append(f'<path d="M{_LEFT},{y:.1f}H{WIDTH - 20}" stroke="#ddd"/>')
        drawn.append(text_at(_LEFT - 6, y + 4, figure_words(top * tick / 4), "end"))
    every = -(-len(years) // 10)
    for place, year in enumerate(years):
        if place % every == 0:
            drawn.append(text_at(_LEFT + step * place, _GROUND + 18, year, "middle"))
    x = float(_LEFT)
    for (name, line), shade, dashes in zip(lines, SHADES, _DASHES, strict=False):
        points = [
            (_LEFT + step * place, _GROUND - (_GROUND - _TOP) * max(0.0, amount) / top)
            for place, amount in enumerate(line)
            if amount is not None
        ]
        path = " ".join(f"{across:.1f},{up:.1f}" for across, up in points)
        style = f'fill="none" stroke="{shade}" stroke-width="2.5" stroke-dasharray="{dashes}"'
        drawn.append(f'<polyline points="{path}" {style}/>')
        drawn += [f'<circle cx="{across:.1f}" cy="{up:.1f}" r="3" fill="{shade}"/>' for across, up in points]
        drawn.append(f'<path d="M{x:.0f},14h30" {style}/>')
        drawn.append(f'<text x="{x + 36:.0f}" y="18">{escape(printable(name))}</text>')
        x += 60 + _LETTER_WIDTH * len(name)
    return svg_of(_GROUND + 30, drawn)
