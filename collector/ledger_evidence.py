"""What the ledger said of an organisation's meters, month by month: its rows by revision, their sums, and their hash.

A published report keeps this. Sealed rows never change, so the rows of these revisions can be read again at any time,
whatever came later, and must have the same hash.
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Row, select

from carbon.calendar import HALF_HOUR_SECONDS
from carbon.months import month_bounds, months_between
from collector.database.schema import device, ledger, meter
from collector.taking import Progress, silent

HASHED = (
    *("half_hour", "revision", "measured_uj", "estimated_uj", "low_uj", "high_uj", "covered_seconds"),
    *("spread_seconds", "method", "model_version", "inventory_version", "evidence"),
)
"""The columns of a ledger row that are hashed, as lines of CSV in the order of half-hours, with no heads."""
_COLUMNS = [ledger.c[name] for name in HASHED]
_HALF_HOUR, _REVISION = HASHED.index("half_hour"), HASHED.index("revision")
"""A year of 500 devices is nine million rows: columns by their place take half the time of columns by name."""


@dataclass(frozen=True, slots=True)
class LedgerMonth:
    """A meter's rows of a month. `rows` are runs `half-hour*number@revision`, separated by blanks."""

    meter: int
    device: str
    meter_name: str
    month: str
    half_hours: int
    rows: str
    measured_uj: int
    estimated_uj: int
    covered_seconds: int
    sha256: str


LEDGER_COLUMNS = tuple(one.name for one in fields(LedgerMonth))


def ledger_months(
    connection: Connection, organisation_id: int, time_zone: str, first: str, last: str, progress: Progress = silent
) -> Iterator[LedgerMonth]:
    """Every meter's months that have rows, by the highest revisions as this transaction sees them."""
    query = (
        select(meter.c.id, meter.c.device_id, meter.c.name)
        .join(device, device.c.id == meter.c.device_id)
        .where(device.c.organisation_id == organisation_id)
        .order_by(meter.c.id)
    )
    months = {month: month_bounds(month, time_zone) for month in months_between(first, last)}
    meters = connection.execute(query).all()
    for done, (meter_id, device_id, name) in enumerate(meters, start=1):
        for month, bounds in months.items():
            highest = {row[_HALF_HOUR]: row for row in _rows(connection, meter_id, *bounds)}
            if highest:
                yield _month(meter_id, device_id, name, month, list(highest.values()))
        progress(done, len(meters))


def ledger_month_again(
    connection: Connection, kept: LedgerMonth, bounds: tuple[int, int]
) -> tuple[LedgerMonth | None, int]:
    """The same month from the rows of the same revisions, None where none is left; and half-hours changed since."""
    wanted = revisions_of(kept.rows)
    found: list[Row[Any]] = []
    later: set[int] = set()
    for row in _rows(connection, kept.meter, *bounds):
        revision = wanted.get(row[_HALF_HOUR], 0)
        if row[_REVISION] == revision:
            found.append(row)
        elif row[_REVISION] > revision:
            later.add(row[_HALF_HOUR])
    made = _month(kept.meter, kept.device, kept.meter_name, kept.month, found) if found else None
    return made, len(later)


def rows_at(connection: Connection, kept: LedgerMonth) -> Iterator[dict[str, Any]]:
    """The ledger rows of a kept month, by the names of `HASHED`: what its hash was made of."""
    wanted = revisions_of(kept.rows)
    if wanted:
        for row in _rows(connection, kept.meter, min(wanted), max(wanted) + HALF_HOUR_SECONDS):
            if row.revision == wanted.get(row.half_hour):
                yield dict(row._mapping)


def revisions_of(runs: str) -> dict[int, int]:
    """The revision of each half-hour. Raises ValueError where the text is no list of runs.

    >>> revisions_of("1800*2@1 7200*1@2")
    {1800: 1, 3600: 1, 7200: 2}
    """
    found = {}
    for run in runs.split():
        begins, _, rest = run.partition("*")
        number, _, revision = rest.partition("@")
        for step in range(int(number)):
            found[int(begins) + step * HALF_HOUR_SECONDS] = int(revision)
    return found


def ledger_csv(months: Iterable[LedgerMonth]) -> bytes:
    """The months as a file of an evidence pack."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(LEDGER_COLUMNS)
    writer.writerows([getattr(one, name) for name in LEDGER_COLUMNS] for one in months)
    return text.getvalue().encode()


def read_ledger_csv(body: bytes) -> list[LedgerMonth]:
    """The months of such a file. Raises ValueError, KeyError or TypeError where it is none."""
    numbers = {one.name for one in fields(LedgerMonth) if one.type in (int, "int")}
    records = csv.DictReader(io.StringIO(body.decode(), newline=""))
    return [
        LedgerMonth(**{name: int(record[name]) if name in numbers else record[name] for name in LEDGER_COLUMNS})  # type: ignore[arg-type]  # numbers are read as such
        for record in records
    ]


def _rows(connection: Connection, meter_id: int, begins: int, ends: int) -> Sequence[Row[Any]]:
    query = select(*_COLUMNS).where(
        ledger.c.meter_id == meter_id, ledger.c.half_hour >= begins, ledger.c.half_hour < ends
    )
    return connection.execute(query.order_by(ledger.c.half_hour, ledger.c.revision)).all()


def _month(meter_id: int, device_id: str, name: str, month: str, rows: Sequence[Row[Any]]) -> LedgerMonth:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    measured, estimated, covered = (
        sum(map(itemgetter(HASHED.index(name)), rows)) for name in ("measured_uj", "estimated_uj", "covered_seconds")
    )
    return LedgerMonth(
        meter_id,
        device_id,
        name,
        month,
        len(rows),
        " ".join(_runs(rows)),
        measured,
        estimated,
        covered,
        hashlib.sha256(text.getvalue().encode()).hexdigest(),
    )


def _runs(rows: Sequence[Row[Any]]) -> Iterator[str]:
    begins, number, revision = rows[0][_HALF_HOUR], 0, rows[0][_REVISION]
    due = begins
    for row in rows:
        if row[_REVISION] != revision or row[_HALF_HOUR] != due:
            yield f"{begins}*{number}@{revision}"
            begins, number, revision = row[_HALF_HOUR], 0, row[_REVISION]
        number += 1
        due = row[_HALF_HOUR] + HALF_HOUR_SECONDS
    yield f"{begins}*{number}@{revision}"
