"""Taking over a file of conversion factors as a version of its year, and accepting what moved much.

An import is one short transaction. The series of the days whose factors it changes are marked after it, day by day, and
written anew by the ledger's rounds; what a published report rests on stays as it was.
"""

import datetime
import hashlib
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, insert, select, update

from carbon.errors import FactorError
from carbon.factor_file import FactorFile, FactorRow
from carbon.factor_moves import Move
from carbon.factors import Applied, FactorSet, LineFactor, YearRule, factors_for, holds_over, set_of_lines
from collector.database.audit import audit
from collector.database.engine import Database
from collector.database.schema import (
    device,
    factor_acceptance,
    factor_import,
    factor_line,
    ledger_day,
    meter,
    organisation,
    series_due,
    setting,
)
from collector.database.upsert import upsert
from collector.errors import BadRequest, NotFound
from collector.factor_files import ReadFile
from collector.factors import MARK, factor_sets, imports, load_sets, open_moves
from collector.taking import Progress, Who, silent

DAYS_AT_ONCE = 3
"""Days of an organisation's devices that one transaction marks."""


@dataclass(frozen=True, slots=True)
class FactorPlan:
    """What an import of a file would do.

    `same_as` is the import of the same bytes. `before` is the set of that year that holds now, None where there is none;
    `holds`: this version would hold in its place. `moves` are its steps by over half against the year before.
    """

    read: ReadFile
    same_as: int | None
    before: FactorSet | None
    holds: bool
    moves: Sequence[Move]


def plan(connection: Connection, read: ReadFile) -> FactorPlan:
    """Compare a file with what is there."""
    file = read.factors
    sets = factor_sets(connection)
    mine = imports(connection, file.year)
    same = next((int(row.id) for row in mine if row.sha256 == read.sha256), None)
    before = next((one for one in sets if one.year == file.year), None)
    return FactorPlan(
        read, same, before, holds_over(file.version, before), open_moves(connection, sets, set_of_file(read))
    )


def set_of_file(read: ReadFile) -> FactorSet:
    """A file as a set."""
    file = read.factors
    lines = [LineFactor(key, row.value, row.id, row.cell) for key, row in file.lines.items()]
    return set_of_lines(file.year, file.version, file.final, lines, read.sha256, "imported")


def apply(
    database: Database, read: ReadFile, who: Who, accepted_because: str | None = None, progress: Progress = silent
) -> int:
    """Take a file over; the id of the import. The same bytes again change nothing, but finish what was cut off.

    With a reason its large moves are accepted in the same step.
    """
    packed = _packed(read.factors)
    with database.write() as connection:
        before = factor_sets(connection)
        planned = plan(connection, read)
        import_id = planned.same_as
        if import_id is None:
            import_id = _insert(connection, read, packed, who)
        if accepted_because is not None:
            _accept(connection, import_id, planned.moves, accepted_because, who)
        after = _hold(connection)
        followed = select(factor_import.c.followed).where(factor_import.c.id == import_id)
        if connection.execute(followed).scalar_one():
            return import_id
    # Of an import that was cut off nobody knows what held before it.
    known = before if planned.same_as is None else ()
    _follow(database, read.factors.year, known, after, progress)
    with database.write() as connection:
        connection.execute(update(factor_import).where(factor_import.c.id == import_id).values(followed=True))
    return import_id


def accept(connection: Connection, year: int, reason: str, who: Who) -> list[Move]:
    """Accept what moved much in the version of a year that holds; which lines. Raises NotFound, or BadRequest."""
    mine = imports(connection, year)
    if not mine:
        raise NotFound(f"no factor set of {year} was imported", "see `ictagent carbon factors list`")
    sets = factor_sets(connection)
    moves = open_moves(connection, sets, next(one for one in sets if one.year == year))
    if not moves:
        raise BadRequest(f"nothing of the factor set of {year} is to be accepted", "see `ictagent carbon factors list`")
    _accept(connection, mine[-1].id, moves, reason, who)
    _hold(connection)
    return moves


def rows_of(connection: Connection, sha256: str) -> list[FactorRow]:
    """Every row of an imported file. Raises NotFound."""
    packed = connection.execute(select(factor_import.c.rows).where(factor_import.c.sha256 == sha256)).scalar()
    if packed is None:
        raise NotFound(
            "the rows of a packaged set are not in the database", "import the Government's file of that year"
        )
    return [_row(values) for values in json.loads(zlib.decompress(packed))]


def _insert(connection: Connection, read: ReadFile, packed: bytes, who: Who) -> int:
    file = read.factors
    values = {
        "year": file.year,
        "version": file.version,
        "final": file.final,
        "updated": file.updated,
        "next_publication": file.next_publication,
        "name": read.name,
        "sha256": read.sha256,
        "rows": packed,
        "actor": who.actor,
        "at": who.now,
        "followed": False,
    }
    import_id = int(connection.execute(insert(factor_import).values(values).returning(factor_import.c.id)).scalar_one())
    lines = [
        {"import_id": import_id, "line": key, "value": _plain(row.value), "row_id": row.id, "cell": row.cell}
        for key, row in file.lines.items()
    ]
    connection.execute(insert(factor_line), lines)
    detail = {"year": file.year, "version": file.version, "file": read.name, "sha256": read.sha256}
    audit(connection, who.now, who.actor, "factors.import", str(import_id), detail)
    return import_id


def _accept(connection: Connection, import_id: int, moves: Sequence[Move], reason: str, who: Who) -> None:
    if not reason.strip():
        raise BadRequest("a change of over half needs a reason to be accepted", "say what explains it")
    if not moves:
        return
    said = {"reason": reason, "actor": who.actor, "at": who.now}
    rows = [
        {
            "import_id": import_id,
            "line": one.key,
            "before_year": one.before_year,
            "before": _plain(one.before),
            "after": _plain(one.after),
            **said,
        }
        for one in moves
    ]
    connection.execute(insert(factor_acceptance), rows)
    detail = {"reason": reason, "lines": [one.words for one in moves]}
    audit(connection, who.now, who.actor, "factors.accept", str(import_id), detail)


def _hold(connection: Connection) -> tuple[FactorSet, ...]:
    """Work out the sets that hold, and mark them as what everybody reads from now on."""
    sets = load_sets(connection)
    mark = hashlib.sha256(repr(sets).encode()).hexdigest()
    upsert(connection, setting, [{"name": MARK, "value": mark}], ["value"])
    return sets


def _follow(
    database: Database, year: int, before: Sequence[FactorSet], after: Sequence[FactorSet], progress: Progress
) -> None:
    """Mark the days of the ledger whose factors are others now, so that their series are written anew."""
    with database.read() as connection:
        organisations = connection.execute(select(organisation.c.id, organisation.c.year_rule)).all()
        days = [
            (row.id, [day for day in _days(connection, row.id) if _changed(day, row.year_rule, year, before, after)])
            for row in organisations
        ]
    steps, done = sum(len(mine) for _, mine in days), 0
    for organisation_id, mine in days:
        for some in (mine[at : at + DAYS_AT_ONCE] for at in range(0, len(mine), DAYS_AT_ONCE)):
            query = (
                select(meter.c.device_id, ledger_day.c.local_day)
                .join(ledger_day, ledger_day.c.meter_id == meter.c.id)
                .join(device, device.c.id == meter.c.device_id)
                .where(device.c.organisation_id == organisation_id)
                .where(ledger_day.c.local_day.in_([day.isoformat() for day in some]))
                .distinct()
            )
            # A day that comes between the two is written by the ledger's own round, with the new factors.
            with database.read() as connection:
                rows = [dict(row) for row in connection.execute(query).mappings()]
            with database.write() as connection:
                upsert(connection, series_due, rows)
            done += len(some)
            progress(done, steps)


def _days(connection: Connection, organisation_id: int) -> Iterator[datetime.date]:
    query = (
        select(ledger_day.c.local_day)
        .join(meter, meter.c.id == ledger_day.c.meter_id)
        .join(device, device.c.id == meter.c.device_id)
        .where(device.c.organisation_id == organisation_id)
        .distinct()
        .order_by(ledger_day.c.local_day)
    )
    yield from map(datetime.date.fromisoformat, connection.execute(query).scalars().all())


def _changed(
    day: datetime.date, rule: YearRule, year: int, before: Sequence[FactorSet], after: Sequence[FactorSet]
) -> bool:
    """Whether a day's figures follow from another set than before; where that is not known, whether from this year's."""
    now_is = _figures(day, rule, after)
    if before:
        return _figures(day, rule, before) != now_is
    return now_is is not None and str(year) in now_is[0]


def _figures(day: datetime.date, rule: YearRule, sets: Sequence[FactorSet]) -> tuple[str, Sequence[Decimal]] | None:
    """What a day's series say: the set's label and the four factors; None where there is no set."""
    try:
        applied: Applied = factors_for(day, rule, sets)
    except FactorError:
        return None
    one = applied.factors
    return applied.label, (one.s2_generation, one.s3_td, one.s3_wtt_generation, one.s3_wtt_td)


def _packed(file: FactorFile) -> bytes:
    rows = [list((asdict(row) | {"value": _plain(row.value)}).values()) for row in file.rows]
    return zlib.compress(json.dumps(rows, ensure_ascii=False).encode())


def _row(values: Sequence[Any]) -> FactorRow:
    row_id, cell, scope, levels, column_text, unit, gas, value = values
    one, two, three, four = levels
    return FactorRow(
        row_id, cell, scope, (one, two, three, four), column_text, unit, gas, None if value is None else Decimal(value)
    )


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"
