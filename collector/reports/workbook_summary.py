"""The summary sheet of a workbook: totals and tables as formulas over the sheets `data` and `lines`, with charts of them.

A group's rows are found by EXACT, never by SUMIFS: a site called `=Depot` or `*` would be a condition to that.
"""

import datetime
from collections.abc import Sequence

from carbon.councils_tool import HOMES
from carbon.export_columns import COLUMNS
from carbon.export_tables import ExactTable
from carbon.report import Report
from carbon.report_summary import Summary
from collector.reports.sheets import Sheet

_COLUMNS = {
    "month": "period_start_utc",
    "directorate": "directorate",
    "site": "site",
    "category": "service_category",
    "class": "asset_class",
}
_CHARTS = {"month": "column", "category": "bar", "site": "bar", "directorate": "bar", "class": "bar"}
_UPSTREAM = "(data_s3_td_kgco2e+data_s3_wtt_gen_kgco2e+data_s3_wtt_td_kgco2e)"
_OWN = 'EXACT(data_ghg_scope,"2")'
# What staff use at home is registered at a site, and is not that site's electricity.
_AT_HOME = 'EXACT(data_scope3_category,"7")'
_CHART_ROWS = 17
_MOST_CHARTED = 20
_GENERATION, _MARKET = "lb_s2_gen_kgco2e", "mb_s2_kgco2e"
_ALL_UPSTREAM = ("s3_td_kgco2e", "s3_wtt_gen_kgco2e", "s3_wtt_td_kgco2e")
_PLACES = {name: place for place, name in enumerate(COLUMNS)}


def write_summary(sheet: Sheet, report: Report, words: Summary, by: Sequence[str], data: ExactTable) -> None:
    """Fill the sheet."""
    sheet.title(words.title)
    sheet.cells((words.state,))
    _totals(sheet, report)
    for name in (one for one in _COLUMNS if one in by):
        _groups(sheet, name, data)


def _totals(sheet: Sheet, report: Report) -> None:
    sheet.heading("Energy")
    sheet.head(("", "kWh"))
    for name in ("measured", "estimated", "filled"):
        energy = sum(getattr(row.activity, f"{name}_uj") for row in report.rows)
        _line(sheet, f"{name}, of ICT itself", f"=SUM(data_{name}_kwh)", energy / 3.6e12)
    energy = sum(row.activity.activity_uj for row in report.rows)
    _line(sheet, "activity: with what PUE adds", "=SUM(data_activity_kwh)", energy / 3.6e12, total=True)
    sheet.heading("Emissions")
    sheet.head(("", "kgCO2e"))
    first = sheet.row + 1
    own = [row.grams for row in report.rows if row.scope == "2"]
    others = [row for row in report.rows if row.scope != "2"]
    _line(sheet, "Scope 1: other lines", _of_lines("1"), _grams_of_lines(report, "1"))
    generation = sum(one.s2_generation for one in own)
    _line(sheet, "Scope 2: electricity, location-based", _of_data(_OWN, f"data_{_GENERATION}"), generation / 1000)
    _line(sheet, "Scope 2: other lines", _of_lines("2"), _grams_of_lines(report, "2"))
    upstream = sum(one.total - one.s2_generation for one in own)
    _line(sheet, "Scope 3, category 3: losses and well-to-tank", _of_data(_OWN, _UPSTREAM), upstream / 1000)
    for category, name in (("7", "homes"), ("8", "leased space")):
        grams = sum(row.grams.total for row in others if row.scope_3_category == category)
        which = f'EXACT(data_ghg_scope,"3")*EXACT(data_scope3_category,"{category}")'
        formula = _of_data(which, f"(data_{_GENERATION}+{_UPSTREAM})")
        _line(sheet, f"Scope 3, category {category}: electricity of {name}", formula, grams / 1000)
    _line(sheet, "Scope 3: other lines", _of_lines("3"), _grams_of_lines(report, "3"))
    total = report.total_g
    _line(sheet, "All, location-based", f"=ROUND(SUM(B{first}:B{sheet.row}),3)", total / 1000, total=True)
    market = sum(one.s2_market for one in own)
    _line(sheet, "Scope 2: electricity, market-based", _of_data(_OWN, f"data_{_MARKET}"), market / 1000)
    formula = f"=ROUND(B{sheet.row - 1}-B{first + 1}+B{sheet.row},3)"
    _line(sheet, "All, market-based", formula, (total - generation + market) / 1000, total=True)


def _line(sheet: Sheet, name: str, formula: str, value: float, *, total: bool = False) -> None:
    sheet.cell(sheet.row, 0, name)
    sheet.formula(1, formula, value, total=total)
    sheet.row += 1


def _of_data(which: str, amount: str) -> str:
    return f"=ROUND(SUMPRODUCT({which}*{amount}),3)"


def _of_lines(scope: str) -> str:
    return f'=ROUND(SUMPRODUCT(EXACT(lines_ghg_scope,"{scope}")*EXACT(lines_memo,"no")*lines_kgco2e),3)'


def _grams_of_lines(report: Report, scope: str) -> float:
    return sum(line.grams for line in report.other if line.scope == scope and not line.memo) / 1000


def _groups(sheet: Sheet, by: str, data: ExactTable) -> None:
    """A table of sums by one column, and its chart beside it."""
    column = _COLUMNS[by]
    sums: dict[str, list[float]] = {}
    for row in data.rows:
        home = by == "site" and row[_PLACES["scope3_category"]] == "7"
        into = sums.setdefault(HOMES if home else str(row[_PLACES[column]]), [0.0, 0.0, 0.0])
        own = row[_PLACES["ghg_scope"]] == "2"
        into[0] += _float(row[_PLACES["activity_kwh"]])
        into[1 if own else 2] += _float(row[_PLACES[_GENERATION]])
        into[2] += sum(_float(row[_PLACES[name]]) for name in _ALL_UPSTREAM)
    ranked = sorted(sums) if by == "month" else sorted(sums, key=lambda name: (-sum(sums[name][1:]), name))
    sheet.heading(f"Electricity by {by}")
    begins = sheet.row
    sheet.head((by, "kWh", "Scope 2, kgCO2e", "Scope 3, kgCO2e", "all, kgCO2e"))
    first = sheet.row + 1
    for name in ranked:
        here, label = _found(by, column, name, sheet.row + 1)
        sheet.cell(sheet.row, 0, label)
        energy, scope_2, scope_3 = sums[name]
        sheet.formula(1, f"=SUMPRODUCT({here}*data_activity_kwh)", energy)
        sheet.formula(2, _of_data(f"{here}*{_OWN}", f"data_{_GENERATION}"), scope_2)
        sheet.formula(3, _of_data(here, f"({_UPSTREAM}+(1-{_OWN})*data_{_GENERATION})"), scope_3)
        sheet.formula(4, f"=ROUND(C{sheet.row + 1}+D{sheet.row + 1},3)", scope_2 + scope_3)
        sheet.row += 1
    if ranked:
        _chart(sheet, by, first - 1, min(sheet.row, first + _MOST_CHARTED - 1) - 1, begins)
        sheet.cell(sheet.row, 0, "all")
        for place in range(4):
            whole = sum(one[place] if place < 3 else one[1] + one[2] for one in sums.values())
            letters = "BCDE"[place]
            sheet.formula(place + 1, f"=ROUND(SUM({letters}{first}:{letters}{sheet.row}),3)", whole, total=True)
    sheet.row = max(sheet.row + 1, begins + _CHART_ROWS)


def _found(by: str, column: str, name: str, row: int) -> tuple[str, str]:
    """The condition that finds a group's rows, and what the group is called. Rows of nothing at all are none."""
    if by == "month":
        # Its start is an instant in UTC: in summer time the last hour of the month before.
        day = datetime.date.fromisoformat(name[:10]) + datetime.timedelta(days=1)
        return f'EXACT(data_{column},"{name}")', f"{day:%B %Y}"
    if by == "site" and name == HOMES:
        return _AT_HOME, HOMES
    elsewhere = f"*(1-{_AT_HOME})" if by == "site" else ""
    if not name:
        return f'EXACT(data_{column},"")*NOT(EXACT(data_ghg_scope,"")){elsewhere}', "(not known)"
    return f"EXACT(data_{column},$A{row}){elsewhere}", name


def _chart(sheet: Sheet, by: str, first: int, last: int, begins: int) -> None:
    chart = sheet.book.add_chart({"type": _CHARTS[by], "subtype": "stacked"})
    for column, (name, colour) in enumerate((("Scope 2", "#0b5394"), ("Scope 3", "#d9a441")), start=2):
        chart.add_series(
            {
                "name": name,
                "categories": ["summary", first, 0, last, 0],
                "values": ["summary", first, column, last, column],
                "fill": {"color": colour},
            }
        )
    chart.set_title({"name": f"Electricity by {by}, kgCO2e", "name_font": {"size": 11}})
    if _CHARTS[by] == "bar":
        chart.set_y_axis({"reverse": True})
    chart.set_size({"width": 620, "height": 330})
    words = (
        f"Stacked {_CHARTS[by]}s of emissions of electricity by {by}, Scope 2 and Scope 3; the table beside has them."
    )
    sheet.sheet.insert_chart(begins, 6, chart, {"description": words})


def _float(cell: object) -> float:
    return float(str(cell))
