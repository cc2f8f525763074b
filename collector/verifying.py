"""Verify a published report on the collector: its pack from itself, its ledger rows by revision and hash, its factors.

Reckoned anew: grams of every atom, every figure, the total, the ledger's sums. Compared by hash: the ledger's rows as they
were then. The step from half-hours to atoms rests on the estate of that day (places, PUE, what meters feed), which may have
been edited since; the atoms are kept in the pack, and `changed_since` says what today's estate would make of the months.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from carbon.errors import CarbonError
from carbon.evidence.pack import pack_sha256
from carbon.evidence.reading import report_of_pack
from carbon.evidence.records import set_id, set_record
from carbon.evidence.verify import PackError, Problem, Verified, unzipped, verify
from carbon.factors import packaged_sets
from carbon.figures import figures
from carbon.months import month_bounds
from carbon.report import Report
from collector.database.schema import organisation
from collector.errors import BadRequest
from collector.factors import imports, read_set
from collector.footprints import footprint_report
from collector.ledger_evidence import LedgerMonth, ledger_month_again, read_ledger_csv
from collector.publishing import pack_of, published
from collector.taking import Progress, silent


@dataclass(frozen=True, slots=True)
class OnCollector:
    """What was found of a report: of its pack alone, and of the database.

    `late` are half-hours that changed since, by meter and month: they are no problem, a restatement takes them in.
    """

    pack: Verified
    problems: tuple[Problem, ...]
    ledger_months: int
    ledger_rows: int
    late: tuple[tuple[LedgerMonth, int], ...]
    notes: tuple[str, ...]


def verify_published(
    connection: Connection, organisation_id: int, number: int, progress: Progress = silent
) -> OnCollector:
    """Verify a report of any state. Raises NotFound."""
    row = published(connection, organisation_id, number)
    time_zone = _time_zone(connection, organisation_id)
    try:
        files = unzipped(pack_of(connection, number))
        alone = verify(files)
        months = read_ledger_csv(files["ledger.csv"])
    except (PackError, KeyError, ValueError, TypeError) as error:
        problem = Problem("the pack", f"report {number}", f"it cannot be read: {error}")
        return OnCollector(Verified((), 0, 0, 0), (problem,), 0, 0, (), ())
    problems = list(alone.problems)
    if pack_sha256(files) != row.pack_sha256:
        problems.append(
            Problem("the pack", f"report {number}", f"its SHA-256 is {pack_sha256(files)}, not {row.pack_sha256}")
        )
    told = json.loads(files["report.json"])["total_g"]
    if told != row.total_g:
        problems.append(Problem("the database", f"report {number}", f"its total is {row.total_g} grams, not {told}"))
    late = []
    for done, kept in enumerate(months, start=1):
        again, changed = ledger_month_again(connection, kept, month_bounds(kept.month, time_zone))
        problems += _ledger_problems(kept, again)
        if changed:
            late.append((kept, changed))
        progress(done, len(months))
    wrong, notes = _factors(connection, json.loads(files["factors.json"]))
    rows = sum(one.half_hours for one in months)
    return OnCollector(alone, (*problems, *wrong), len(months), rows, tuple(late), tuple(notes))


@dataclass(frozen=True, slots=True)
class Changed:
    """What today's ledger, estate, factors and other lines make of a published report's months: figure, old, new grams."""

    old_total_g: int
    new_total_g: int
    figures: tuple[tuple[str, int, int], ...]


def changed_since(connection: Connection, organisation_id: int, number: int, now: int) -> Changed:
    """The figures of a report that would be others today, by site, class and month. Raises NotFound, or BadRequest."""
    row = published(connection, organisation_id, number)
    old = read_pack(pack_of(connection, number))
    try:
        new = footprint_report(connection, organisation_id, row.first_month, row.last_month, now)
    except CarbonError as error:
        raise BadRequest(str(error), "see `ictagent carbon factors list`") from error
    before, after = _grams(old), _grams(new)
    names = sorted(before.keys() | after.keys())
    moved = tuple((name, before.get(name, 0), after.get(name, 0)) for name in names)
    return Changed(row.total_g, new.total_g, tuple(one for one in moved if one[1] != one[2]))


def read_pack(archive: bytes) -> Report:
    """The report in an archive. Raises BadRequest where it cannot be read."""
    try:
        return report_of_pack(unzipped(archive))
    except (PackError, KeyError, ValueError, TypeError) as error:
        raise BadRequest(f"the pack cannot be read: {error}", "verify it: ictagent carbon verify") from error


def _grams(report: Report) -> dict[str, int]:
    return {
        one.id: one.grams for one in figures(report, ("site", "class", "month", "device")) if one.id.endswith("/all")
    }


def _ledger_problems(kept: LedgerMonth, again: LedgerMonth | None) -> Iterator[Problem]:
    place = f"meter {kept.meter} ({kept.device}, {kept.meter_name}), {kept.month}"
    if again is None:
        yield Problem("ledger.csv", place, f"its {kept.half_hours} rows are no longer in the ledger")
    elif again != kept:
        names = [name for name in LedgerMonth.__slots__ if getattr(again, name) != getattr(kept, name)]
        words = "; ".join(f"{name} is {getattr(again, name)}, not {getattr(kept, name)}" for name in names)
        yield Problem("ledger.csv", place, f"the ledger's rows are others: {words}")


def _factors(connection: Connection, told: dict[str, Any]) -> tuple[list[Problem], list[str]]:
    """Sets of the pack against those that the collector holds under the same year, version and file."""
    kept = {set_id(one): set_record(one) for one in packaged_sets()}
    kept |= {set_id(one): set_record(one) for one in (read_set(connection, row) for row in imports(connection))}
    problems = [
        Problem("factors.json", name, "the collector's rows of this file are others")
        for name, record in told.items()
        if name in kept and kept[name] != record
    ]
    notes = [f"factor set {name} stands in the pack alone" for name in told if name not in kept]
    return problems, notes


def _time_zone(connection: Connection, organisation_id: int) -> str:
    found: Row[Any] = connection.execute(
        select(organisation.c.time_zone).where(organisation.c.id == organisation_id)
    ).one()
    return str(found.time_zone)
