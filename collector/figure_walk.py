"""Walk one figure of a published report back: figure, device-months, factor rows of the Government's file, ledger rows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from carbon.errors import CarbonError
from carbon.evidence.reading import report_of_pack
from carbon.evidence.verify import PackError, unzipped
from carbon.factor_lines import ELECTRICITY
from carbon.factors import FactorSet
from carbon.figures import AMOUNTS, rows_of
from carbon.footprint_rows import LINES, FootprintRow
from collector.errors import BadRequest, NotFound
from collector.ledger_evidence import LedgerMonth, read_ledger_csv, rows_at
from collector.publishing import pack_of, published


@dataclass(frozen=True, slots=True)
class FactorRow:
    """A factor with its row: kgCO2e per kWh, and where it stands in which version of which file."""

    line: str
    kg_per_kwh: str
    factor_set: str
    version: str
    row_id: str
    cell: str
    file_sha256: str


@dataclass(frozen=True, slots=True)
class Step:
    """One device-month of a figure: its atom, its grams of the figure, its factor rows, and its meters' ledger rows."""

    row: FootprintRow
    grams: int
    factors: tuple[FactorRow, ...]
    ledger: tuple[LedgerMonth, ...]


@dataclass(frozen=True, slots=True)
class Walk:
    """A figure with its steps, the largest first; their grams are the figure's."""

    report: int
    figure: str
    grams: int
    steps: tuple[Step, ...]


def walk(connection: Connection, organisation_id: int, number: int, figure: str) -> Walk:
    """Walk a figure of a report back. Raises NotFound where there is no such report or figure, BadRequest without a pack."""
    published(connection, organisation_id, number)
    try:
        files = unzipped(pack_of(connection, number))
        report = report_of_pack(files)
        months = read_ledger_csv(files["ledger.csv"])
    except (PackError, KeyError, ValueError, TypeError) as error:
        raise BadRequest(f"the pack of {number} cannot be read: {error}", f"ictagent carbon verify {number}") from error
    try:
        rows = rows_of(report, figure)
    except CarbonError as error:
        raise NotFound(
            str(error), f"figures.csv of the pack names all: ictagent carbon publish pack {number}"
        ) from error
    by_subject: dict[tuple[str, str], list[LedgerMonth]] = {}
    for one in months:
        by_subject.setdefault((one.device, one.month), []).append(one)
        by_subject.setdefault((f"meter:{one.meter}", one.month), []).append(one)
    line = figure.rpartition("/")[2]
    steps = [_step(row, line, by_subject) for row in rows]
    steps.sort(key=lambda step: -abs(step.grams))
    return Walk(number, figure, sum(step.grams for step in steps), tuple(steps))


def half_hours(connection: Connection, found: Walk) -> Iterator[dict[str, Any]]:
    """The ledger rows of a walk as they were published: device, meter, and what their hash is made of."""
    for step in found.steps:
        for kept in step.ledger:
            for row in rows_at(connection, kept):
                yield {"device": kept.device, "meter": kept.meter, **row}


def _step(row: FootprintRow, line: str, months: Mapping[tuple[str, str], list[LedgerMonth]]) -> Step:
    subject = row.activity.subject
    lines = LINES if line == "all" else (line,) if line in LINES else ()
    if line == "s2_market" and row.market is None:
        lines = ("s2_generation",)
    ledger = months.get((subject.device, subject.month), []) if subject.device else []
    factors = tuple(_factor(row.applied.factors, name) for name in lines)
    return Step(row, AMOUNTS[line](row), factors, tuple(ledger))


def _factor(factors: FactorSet, line: str) -> FactorRow:
    key = ELECTRICITY[LINES.index(line)]
    found = factors.find(key)
    row_id, cell = (found.row_id, found.cell) if found is not None else ("", "")
    value = str(getattr(factors, line))
    return FactorRow(line, value, factors.name, factors.version, row_id, cell, factors.sha256)
