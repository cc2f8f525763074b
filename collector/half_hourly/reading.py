"""A supplier's file to energy by meter and UTC half-hour."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from collector.errors import BadRequest
from collector.half_hourly.days import DayReader
from collector.half_hourly.flows import flow_table
from collector.half_hourly.half_hours import HalfHourReader
from collector.half_hourly.layout import Layout, find_layout
from collector.half_hourly.mapping import SupplierMapping
from collector.half_hourly.rows import Fault, HalfHourlyFile, Reading
from collector.half_hourly.sheet import SheetReader
from collector.tables.sheets import Sheet, hidden_sheets, read_sheets


def read_half_hours(path: Path, mapping: SupplierMapping | None = None) -> HalfHourlyFile:
    """Read a file. Raises BadRequest where it has no half-hours, no MPAN, or loss-adjusted figures alone."""
    given = mapping or SupplierMapping()
    sheets = [flow_table(sheet) or sheet for sheet in read_sheets(path, uncalculated=True)]
    found = [(sheet, layout) for sheet in sheets if (layout := find_layout(sheet, given)) is not None]
    if not found:
        raise BadRequest(
            f"{path.name} has no line with headers of half-hours",
            "give the headers in a mapping: see docs/half-hourly.md",
        )
    results = [_reader(sheet, layout, given).read() for sheet, layout in found]
    faults = [fault for result in results for fault in result.faults]
    remedy = "show it in the file, if its half-hours count"
    faults += [
        Fault(f"{one}!A1", "", "this sheet is hidden: it is not read", remedy, "left out")
        for one in hidden_sheets(path)
    ]
    readings = _once([reading for result in results for reading in result.readings], faults)
    aside: Counter[str] = Counter()
    for result in results:
        aside.update(result.set_aside)
    assumed = list(dict.fromkeys(text for result in results for text in result.assumed))
    return HalfHourlyFile(
        name=path.name,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        readings=readings,
        faults=faults,
        mapping=results[0].mapping,
        set_aside=dict(aside),
        assumed=assumed,
        missing=sum(result.missing for result in results),
    )


def _once(readings: Sequence[Reading], faults: list[Fault]) -> list[Reading]:
    """Each meter's half-hour once: the same value again is left out, another value rejects both."""
    seen: dict[tuple[str, int], Reading] = {}
    quarrels: set[tuple[str, int]] = set()
    for one in readings:
        key = (one.mpan, one.half_hour)
        twin = seen.setdefault(key, one)
        if twin is one:
            continue
        if (twin.energy_uj, twin.estimated) == (one.energy_uj, one.estimated):
            faults.append(
                Fault(one.cell, "", f"the same half-hour as in {twin.cell}, with the same value", "", "left out")
            )
        else:
            quarrels.add(key)
            problem = f"the same half-hour as in {twin.cell}, with another value: neither is taken"
            faults.append(Fault(one.cell, "", problem, "correct the file, or ask the supplier which holds"))
    return [one for key, one in seen.items() if key not in quarrels]


def _reader(sheet: Sheet, layout: Layout, mapping: SupplierMapping) -> SheetReader:
    kind = HalfHourReader if layout.periods is None else DayReader
    return kind(sheet, layout, mapping)
