"""A chart of the parts of several wholes, as bars of equal length, written as SVG by itself. The page has its table.

Vega-Lite takes four seconds of a process for its first chart, and 80 MB from then on: too much for a page that is looked
at now and then. A bar needs nothing of it.
"""

from html import escape

from collector.web.charts import SHADES, printable

_LABEL_WIDTH, _BAR_WIDTH, _RIGHT = 230, 520, 40
_STEP, _BAR_HEIGHT, _LEGEND_HEIGHT, _AXIS_HEIGHT = 22, 18, 34, 44
_LONGEST = 34
"""Letters of a name that fit beside its bar."""
_TICKS = (0, 20, 40, 60, 80, 100)
_LETTER_WIDTH = 7
"""Of text of 13 pixels, about."""


def shares_chart(bars: tuple[tuple[str, str, float], ...], title: str = "part of the devices in use") -> str:
    """An SVG of the parts of each whole as bars: (whole, part, amount), in this order; at most four parts.

    Amounts below nothing are drawn as nothing.
    """
    parts = list(dict.fromkeys(part for _, part, _ in bars))
    wholes: dict[str, dict[str, float]] = {}
    for name, part, amount in bars:
        wholes.setdefault(name, {})[part] = max(0.0, amount)
    colours = dict(zip(parts, SHADES, strict=False))
    bottom = _LEGEND_HEIGHT + _STEP * len(wholes)
    width, height = _LABEL_WIDTH + _BAR_WIDTH + _RIGHT, bottom + _AXIS_HEIGHT
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        ' font-family="sans-serif" font-size="13">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        *_legend(colours),
        *_axis(bottom, title),
    ]
    for place, (name, amounts) in enumerate(wholes.items()):
        drawn += _bar(name, amounts, colours, _LEGEND_HEIGHT + _STEP * place)
    return "".join([*drawn, "</svg>"])


def _legend(colours: dict[str, str]) -> list[str]:
    drawn, x = [], _LABEL_WIDTH
    for part, colour in colours.items():
        drawn.append(f'<rect x="{x}" y="8" width="12" height="12" fill="{colour}"/>')
        drawn.append(f'<text x="{x + 18}" y="19">{escape(part)}</text>')
        x += 40 + _LETTER_WIDTH * len(part)
    return drawn


def _axis(bottom: int, title: str) -> list[str]:
    """Lines at each fifth, in per cent, and what they are of."""
    drawn = []
    for percent in _TICKS:
        x = _LABEL_WIDTH + _BAR_WIDTH * percent // 100
        drawn.append(f'<path d="M{x},{_LEGEND_HEIGHT}V{bottom + 5}" stroke="#ddd"/>')
        drawn.append(f'<text x="{x}" y="{bottom + 18}" text-anchor="middle">{percent}%</text>')
    middle = _LABEL_WIDTH + _BAR_WIDTH // 2
    drawn.append(f'<text x="{middle}" y="{bottom + 37}" text-anchor="middle" font-weight="bold">{escape(title)}</text>')
    return drawn


def _bar(name: str, amounts: dict[str, float], colours: dict[str, str], y: int) -> list[str]:
    label = name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
    drawn = [f'<text x="{_LABEL_WIDTH - 8}" y="{y + 15}" text-anchor="end">{escape(printable(label))}</text>']
    whole, x = sum(amounts.values()), float(_LABEL_WIDTH)
    for part, amount in amounts.items():
        if amount:
            width = _BAR_WIDTH * amount / whole
            drawn.append(
                f'<rect x="{x:.2f}" y="{y + 2}" width="{width:.2f}" height="{_BAR_HEIGHT}" fill="{colours[part]}"'
                ' stroke="white"/>'
            )
            x += width
    return drawn
