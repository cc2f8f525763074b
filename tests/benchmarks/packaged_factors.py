"""Makes carbon/data/factors.json of the official flat files and the carbon reference.

    python -m tests.benchmarks.packaged_factors

Sets whose file is in ../shared/factors are read from it, with row ids, cells and SHA-256; the others hold what the carbon
reference lists of them.
"""

import hashlib
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from carbon.factor_file import read_factor_file
from carbon.factor_lines import ELECTRICITY
from collector.tables.sheets import read_sheets

DATA = Path(__file__).parents[2] / "carbon" / "data" / "factors.json"
OFFICIAL = Path(__file__).parents[3] / "shared" / "factors"
_GASES = {"r32": "677", "r134a": "1300", "r410a": "1924", "r407c": "1624", "r404a": "3943"}
REFERENCE: dict[int, dict[str, str]] = {
    2020: {"diesel": "2.54603"},
    2024: {
        "diesel": "2.51279",
        "water_supply": "0.15311",
        "water_treatment": "0.18574",
        **{f"refrigerant_{name}": value for name, value in _GASES.items()},
    },
}
"""What the carbon reference lists of sets whose file is not here, beside electricity."""


def packaged(before: dict[str, Any]) -> dict[str, Any]:
    """The packaged data anew, from the sets that were packaged before."""
    official = {int(path.name[:4]): path for path in OFFICIAL.glob("*-flat-file.xls*")}
    ids = {year: read_factor_file(read_sheets(path)) for year, path in official.items()}
    sets = []
    for one in before["sets"]:
        year, printed = one["year"], dict(_printed(one))
        lines: dict[str, tuple[str | None, str, str]]
        if year in ids:
            file = ids[year]
            sha256 = hashlib.sha256(official[year].read_bytes()).hexdigest()
            lines = {
                key: (_as_printed(row.value, printed.get(key)), row.id, row.cell) for key, row in file.lines.items()
            }
            sets.append({"year": year, "version": file.version, "final": file.final, "sha256": sha256, "lines": lines})
            continue
        # Rows had the same names from 2016 to 2021, and the same ids from 2023 to 2025.
        like = ids[2016 if year < 2022 else 2023].lines if one["final"] else {}
        known = printed | REFERENCE.get(year, {})
        lines = {key: (value, like[key].id if key in like else "", "") for key, value in known.items()}
        sets.append({"year": year, "version": one["version"], "final": one["final"], "sha256": "", "lines": lines})
    return {"unit": "kgCO2e per unit of the line", "columns": ["value", "row_id", "cell"], "sets": sets}


def _printed(one: dict[str, Any]) -> list[tuple[str, str]]:
    if "values" in one:
        return list(zip(ELECTRICITY, one["values"], strict=True))
    return [(key, one["lines"][key][0]) for key in ELECTRICITY]


def _as_printed(value: Decimal | None, printed: str | None) -> str | None:
    """The file's value, with the printed zeros where it is the same number."""
    if value is None:
        return None
    return printed if printed is not None and Decimal(printed) == value else f"{value:f}"


def written(data: dict[str, Any]) -> str:
    """The file's text: a line for each factor."""
    sets = []
    for one in data["sets"]:
        head = ", ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in one.items() if key != "lines")
        lines = ",\n".join(f"      {json.dumps(key)}: {json.dumps(row)}" for key, row in one["lines"].items())
        sets.append(f'    {{{head}, "lines": {{\n{lines}\n    }}}}')
    head = f'  "unit": {json.dumps(data["unit"])},\n  "columns": {json.dumps(data["columns"])},'
    return f'{{\n{head}\n  "sets": [\n' + ",\n".join(sets) + "\n  ]\n}\n"


if __name__ == "__main__":
    DATA.write_text(written(packaged(json.loads(DATA.read_text()))), encoding="utf-8")
