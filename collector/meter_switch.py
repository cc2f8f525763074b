"""Bringing the ledger up to date with what suppliers' files say, so that nobody sees a part of a file.

What the ledger is to have otherwise is worked out and laid beside it in short transactions; one more moves all of it into the
ledger and its days, by a few statements whatever the number of rows. If another file came or went meanwhile, or a period was
sealed, what was laid there is worked out again.
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Table, delete, func, literal, null, select, tuple_
from sqlalchemy import insert as insert_into

from carbon.calendar import local_day
from collector.database.engine import Database
from collector.database.meter_files import ledger_day_staged, ledger_staged
from collector.database.schema import (
    device,
    ledger,
    ledger_day,
    meter,
    meter_file,
    meter_file_reading,
    organisation,
    sealed_period,
)
from collector.database.upsert import upsert_selected
from collector.ledger import AMOUNTS
from collector.meter_values import Changes, changes_of

AT_ONCE = 500
"""Half-hours that one transaction keeps: some tens of milliseconds."""
SWITCHED_AT_ONCE = 100_000
"""Half-hours of the ledger that one transaction changes where it keeps all others waiting (SQLite): well under a second."""
_REMOVED_AT_ONCE = 2_000


def switch(
    database: Database,
    file_id: int,
    now: int,
    progress: Callable[[int], None],
    finish: Callable[[Connection], None],
) -> None:
    """Bring the ledger up to date wherever a file says something, and `finish`, in one transaction.

    With SQLite a file that changes very many half-hours would keep reports waiting: its meters follow in several
    transactions then, each meter whole.
    """
    while True:
        before = _stage(database, file_id, progress)
        groups = _groups(database, file_id)
        for number, meters in enumerate(groups, 1):
            with database.write() as connection:
                if _around(connection, file_id) != before:
                    break
                _move(connection, file_id, meters, now)
                if number == len(groups):
                    finish(connection)
        else:
            unstage(database, file_id)
            return


def unstage(database: Database, file_id: int) -> None:
    """Remove what was laid beside the ledger for a file."""
    for table, key in ((ledger_staged, ledger_staged.c.half_hour), (ledger_day_staged, ledger_day_staged.c.local_day)):
        mine = table.c.file_id == file_id
        while True:
            with database.read() as connection:
                some = select(table.c.meter_id, key).where(mine).order_by(table.c.meter_id, key)
                last = connection.execute(some.limit(1).offset(_REMOVED_AT_ONCE)).first()
            with database.write() as connection:
                until = tuple_(table.c.meter_id, key) < tuple_(*last) if last is not None else mine
                connection.execute(delete(table).where(mine, until))
            if last is None:
                break


def staged_files(connection: Connection) -> list[int]:
    """Files for which something lies beside the ledger, though all of it is in there already."""
    moved = select(meter_file.c.id).where(meter_file.c.state.in_(("visible", "undone")))
    found: set[int] = set()
    for table in (ledger_staged, ledger_day_staged):
        found.update(connection.execute(select(table.c.file_id).where(table.c.file_id.in_(moved)).distinct()).scalars())
    return sorted(found)


def _stage(database: Database, file_id: int, progress: Callable[[int], None]) -> object:
    """Lay beside the ledger what is to change in it; what that rests on beside the file itself."""
    unstage(database, file_id)
    with database.read() as connection:
        before = _around(connection, file_id)
        state = connection.execute(select(meter_file.c.state).where(meter_file.c.id == file_id)).scalar()
        touched = _touched(connection, file_id)
    taken = file_id if state == "applying" else None
    waiting = Changes()
    done = 0
    for meter_id, zone_name, half_hours in touched:
        for some in _whole_days(half_hours, zone_name):
            with database.read() as connection:
                found = changes_of(connection, meter_id, some, zone_name, taken)
            waiting.rows += found.rows
            waiting.days += found.days
            if len(waiting.rows) >= AT_ONCE:
                _keep(database, file_id, waiting)
                waiting = Changes()
            done += len(some)
            progress(done)
    _keep(database, file_id, waiting)
    return before


def _keep(database: Database, file_id: int, changes: Changes) -> None:
    if changes.rows:
        with database.write() as connection:
            for table, rows in ((ledger_staged, changes.rows), (ledger_day_staged, changes.days)):
                connection.execute(insert_into(table), [{"file_id": file_id, **row} for row in rows])


def _move(connection: Connection, file_id: int, meters: Sequence[int], now: int) -> None:
    """What was laid beside the ledger for some meters, which follow one another, into it."""

    def mine(table: Table) -> Any:
        return (table.c.file_id == file_id) & table.c.meter_id.between(meters[0], meters[-1])

    rows, days = ledger_staged, ledger_day_staged
    if not meters:
        return
    gone = select(rows.c.meter_id, rows.c.half_hour).where(mine(rows), rows.c.gone)
    connection.execute(delete(ledger).where(tuple_(ledger.c.meter_id, ledger.c.half_hour).in_(gone)))
    same = [rows.c[name] for name in ("meter_id", "half_hour", "revision", *AMOUNTS, "method", "evidence")]
    fixed = [literal("").label("model_version"), null().label("inventory_version"), literal(now).label("written_at")]
    query: Any = select(*same, *fixed).where(mine(rows), ~rows.c.gone).order_by(*rows.primary_key.columns)
    upsert_selected(connection, ledger, query, (*AMOUNTS, "method", "evidence", "model_version", "written_at"))
    empty = select(days.c.meter_id, days.c.local_day).where(mine(days), days.c.half_hours == 0)
    connection.execute(delete(ledger_day).where(tuple_(ledger_day.c.meter_id, ledger_day.c.local_day).in_(empty)))
    names = ("meter_id", "local_day", *AMOUNTS, "half_hours")
    query = select(*(days.c[name] for name in names), literal(value=False).label("dirty"))
    query = query.where(mine(days), days.c.half_hours > 0)
    upsert_selected(connection, ledger_day, query, (*AMOUNTS, "half_hours", "dirty"))


def _groups(database: Database, file_id: int) -> list[list[int]]:
    """Meters whose half-hours move together; one group even where there is none."""
    query = (
        select(ledger_staged.c.meter_id, func.count())
        .where(ledger_staged.c.file_id == file_id)
        .group_by(ledger_staged.c.meter_id)
        .order_by(ledger_staged.c.meter_id)
    )
    groups: list[list[int]] = [[]]
    number = 0
    with database.read() as connection:
        for meter_id, size in connection.execute(query):
            if database.is_sqlite and groups[-1] and number + size > SWITCHED_AT_ONCE:
                groups.append([])
                number = 0
            groups[-1].append(meter_id)
            number += size
    return groups


def _around(connection: Connection, file_id: int) -> tuple[list[int], list[int]]:
    """What beside a file decides what the ledger has: the other files of half-hours that hold, and what is sealed."""
    query = select(meter_file.c.id).where(
        meter_file.c.kind == "half_hours", meter_file.c.state == "visible", meter_file.c.id != file_id
    )
    seals = select(sealed_period.c.id).order_by(sealed_period.c.id)
    return list(connection.execute(query.order_by(meter_file.c.id)).scalars()), list(
        connection.execute(seals).scalars()
    )


def _touched(connection: Connection, file_id: int) -> list[tuple[int, str, list[int]]]:
    """The meters of a file, each with its organisation's time zone and the half-hours of which the file says something."""
    query = (
        select(meter_file_reading.c.meter_id, organisation.c.time_zone, meter_file_reading.c.half_hour)
        .join(meter, meter.c.id == meter_file_reading.c.meter_id)
        .join(device, device.c.id == meter.c.device_id)
        .join(organisation, organisation.c.id == device.c.organisation_id)
        .where(meter_file_reading.c.file_id == file_id)
        .order_by(meter_file_reading.c.meter_id, meter_file_reading.c.half_hour)
    )
    rows = connection.execute(query).all()
    return [
        (meter_id, zone_name, [half_hour for *_, half_hour in mine])
        for (meter_id, zone_name), mine in itertools.groupby(rows, key=lambda row: (row[0], row[1]))
    ]


def _whole_days(half_hours: Sequence[int], zone_name: str) -> Iterable[list[int]]:
    """Some hundred half-hours at once, no local day of which is cut."""
    some: list[int] = []
    for _, day in itertools.groupby(half_hours, key=lambda one: local_day(one, zone_name)):
        some += day
        if len(some) >= AT_ONCE - 50:
            yield some
            some = []
    if some:
        yield some
