"""Taking over a supplier's half-hourly file, and taking it back: visible whole or not at all, each half-hour by what holds."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from collector.database.audit import audit
from collector.database.engine import Database
from collector.database.schema import (
    ledger,
    meter_bill,
    meter_file,
    meter_file_reading,
    sealed_period,
)
from collector.errors import BadRequest, NotFound
from collector.half_hourly.rows import HalfHourlyFile, Reading
from collector.ledger import current
from collector.meter_switch import AT_ONCE, staged_files, switch, unstage
from collector.register_places import remove_places
from collector.supply_meters import Made, NewMeter, make_meters, meters_of, require_own, supply_meters, unmake_meter
from collector.taking import Progress, Who, chunks, silent

_METERS_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class MeterPlan:
    """What a file brings of one meter: numbers of half-hours. `sealed` are those that change in a published period."""

    mpan: str
    known: bool
    first_half_hour: int
    last_half_hour: int
    new: int
    changed: int
    unchanged: int
    sealed: int
    estimated: int
    energy_uj: int


@dataclass(frozen=True, slots=True)
class FilePlan:
    """What an import of a file would do. `same_as` is the import that brought the same file before."""

    organisation_id: int
    file: HalfHourlyFile
    meters: Sequence[MeterPlan]
    same_as: int | None


def plan(connection: Connection, file: HalfHourlyFile, organisation_id: int) -> FilePlan:
    """Compare a file with the ledger. Raises BadRequest where the file was taken with another mapping, or is not one's own."""
    require_own(connection, organisation_id, sorted({one.mpan for one in file.readings}))
    known = supply_meters(connection, organisation_id)
    seals = connection.execute(select(sealed_period.c.period_from, sealed_period.c.period_to)).all()
    meters = []
    for mpan, mine in _by_mpan(file.readings).items():
        standing = _standing(connection, known[mpan].id, mine) if mpan in known else {}
        changed = [one for one in mine if standing.get(one.half_hour, _amounts(one)) != _amounts(one)]
        new = [one for one in mine if one.half_hour not in standing]
        sealed = sum(any(begins <= one.half_hour < ends for begins, ends in seals) for one in (*changed, *new))
        meters.append(
            MeterPlan(
                mpan=mpan,
                known=mpan in known,
                first_half_hour=mine[0].half_hour,
                last_half_hour=mine[-1].half_hour,
                new=len(new),
                changed=len(changed),
                unchanged=len(mine) - len(new) - len(changed),
                sealed=sealed,
                estimated=sum(one.estimated for one in mine),
                energy_uj=sum(one.energy_uj for one in mine),
            )
        )
    same = same_file(connection, organisation_id, "half_hours", file.sha256, mapping_text(file))
    return FilePlan(organisation_id, file, meters, same)


def mapping_text(file: HalfHourlyFile) -> str:
    """How a file was read, as text that can be compared."""
    return json.dumps(asdict(file.mapping), sort_keys=True)


def same_file(connection: Connection, organisation_id: int, kind: str, sha256: str, mapping: str) -> int | None:
    """The import of the same file that holds. Raises BadRequest where it was read in another way."""
    row = connection.execute(
        select(meter_file).where(
            meter_file.c.organisation_id == organisation_id,
            meter_file.c.kind == kind,
            meter_file.c.sha256 == sha256,
            meter_file.c.state == "visible",
        )
    ).first()
    if row is None:
        return None
    if row.mapping != mapping:
        raise BadRequest(
            f"the same file was taken as import {row.id}, and read in another way",
            f"take that back first: ictagent ledger undo {row.id}",
        )
    return int(row.id)


def apply(database: Database, planned: FilePlan, new: NewMeter, who: Who, progress: Progress = silent) -> int:
    """Take a file over; the id of the import. Nobody reads any of it before all of it is there (`collector.meter_switch`).

    Twice as many steps as half-hours: each is kept first, then it is worked out what holds in it.
    """
    file, steps = planned.file, 2 * len(planned.file.readings)
    clear_abandoned(database, planned.organisation_id, who)
    row = {
        "kind": "half_hours",
        "name": file.name,
        "sha256": file.sha256,
        "mapping": mapping_text(file),
        "readings": len(file.readings),
        "first_at": min(one.half_hour for one in file.readings),
        "last_at": max(one.half_hour for one in file.readings),
    }
    mpans = sorted({one.mpan for one in file.readings})
    made = Made()
    with database.write() as connection:
        file_id = begin_file(connection, planned.organisation_id, row, made, who)
    ids: dict[str, int] = {}
    for known in chunks(mpans, _METERS_AT_ONCE):
        with database.write() as connection:
            set_state(connection, file_id, "writing", "writing")
            meters = make_meters(connection, planned.organisation_id, known, new, who.actor, who.now, made)
            created = json.dumps(asdict(made))
            connection.execute(update(meter_file).where(meter_file.c.id == file_id).values(created=created))
        ids |= {mpan: row.id for mpan, row in meters.items()}
    done = 0
    for some in chunks(file.readings, AT_ONCE):
        with database.write() as connection:
            connection.execute(insert(meter_file_reading), [_reading(one, ids, file_id) for one in some])
        done += len(some)
        progress(done, steps)
    with database.write() as connection:
        set_state(connection, file_id, "writing", "applying")

    def show(connection: Connection) -> None:
        set_state(connection, file_id, "applying", "visible")
        detail = {"file": file.name, "sha256": file.sha256, "half_hours": len(file.readings), "mpans": mpans}
        audit(connection, who.now, who.actor, "ledger.import", str(file_id), detail)

    switch(database, file_id, who.now, lambda worked_out: progress(done + worked_out, steps), show)
    return file_id


def begin_file(
    connection: Connection, organisation_id: int, values: dict[str, Any], made: Made, who: Who, state: str = "writing"
) -> int:
    """Write down that a file is taken; its id."""
    created = json.dumps(asdict(made))
    row = {"organisation_id": organisation_id, "actor": who.actor, "at": who.now, "created": created, "state": state}
    query = insert(meter_file).values(**row, **values, undone_by="").returning(meter_file.c.id)
    return int(connection.execute(query).scalar_one())


def set_state(connection: Connection, file_id: int, before: str, after: str) -> None:
    """Go on to the next state. Raises BadRequest where somebody else has taken the file back meanwhile."""
    mine = (meter_file.c.id == file_id) & (meter_file.c.state == before)
    if connection.execute(update(meter_file).where(mine).values(state=after)).rowcount != 1:
        raise BadRequest(f"import {file_id} was taken back by another command", "see `ictagent ledger files`")


def undo(database: Database, file_id: int, who: Who, progress: Progress = silent) -> None:
    """Take a file back: the ledger has again what the other files say, and what it alone brought is gone.

    In a sealed period higher revisions say so. Raises NotFound, or BadRequest where it is taken back already.
    """
    with database.write() as connection:
        row = connection.execute(select(meter_file).where(meter_file.c.id == file_id)).first()
        if row is None:
            raise NotFound(f"there is no import {file_id}", "see `ictagent ledger files`")
        if row.state == "undone":
            raise BadRequest(f"import {file_id} is taken back already", "see `ictagent ledger files`")
        _begin_undoing(connection, row, who)
        audit(connection, who.now, who.actor, "ledger.undo", str(file_id), {"file": row.name})
    _finish_undoing(database, row, who, progress)


def clear_abandoned(database: Database, organisation_id: int, who: Who) -> None:
    """Take back what an import left that was cut off, and finish what an undoing left."""
    with database.write() as connection:
        query = select(meter_file).where(
            meter_file.c.organisation_id == organisation_id,
            meter_file.c.state.in_(("writing", "applying", "undoing")),
        )
        rows = connection.execute(query).all()
        for row in rows:
            _begin_undoing(connection, row, who)
    for row in rows:
        _finish_undoing(database, row, who, silent)
    with database.read() as connection:
        moved = staged_files(connection)
    for file_id in moved:
        unstage(database, file_id)


def _begin_undoing(connection: Connection, row: Row[Any], who: Who) -> None:
    values = {"state": "undoing", "undone_at": who.now, "undone_by": who.actor}
    connection.execute(update(meter_file).where(meter_file.c.id == row.id).values(**values))


def _finish_undoing(database: Database, row: Row[Any], who: Who, progress: Progress) -> None:
    switch(database, row.id, who.now, lambda worked_out: progress(worked_out, row.readings), lambda _connection: None)
    with database.read() as connection:
        meters = meters_of(connection, row.id)
    for one in meters:
        with database.write() as connection:
            unmake_meter(connection, one, row.id)
    with database.write() as connection:
        connection.execute(update(meter_file).where(meter_file.c.id == row.id).values(state="undone"))
        connection.execute(delete(meter_bill).where(meter_bill.c.file_id == row.id))
        of_all = select(meter_file.c.created).where(meter_file.c.organisation_id == row.organisation_id)
        sites = {one for text in connection.execute(of_all).scalars() for one in json.loads(text)["sites"]}
        remove_places(connection, {"sites": sorted(sites)})


def _by_mpan(readings: Sequence[Reading]) -> dict[str, list[Reading]]:
    found: dict[str, list[Reading]] = {}
    for one in sorted(readings, key=lambda one: (one.mpan, one.half_hour)):
        found.setdefault(one.mpan, []).append(one)
    return found


def _amounts(one: Reading) -> tuple[int, int]:
    return (0, one.energy_uj) if one.estimated else (one.energy_uj, 0)


def _standing(connection: Connection, meter_id: int, mine: Sequence[Reading]) -> dict[int, tuple[int, int]]:
    query = select(ledger.c.half_hour, ledger.c.measured_uj, ledger.c.estimated_uj).where(
        ledger.c.meter_id == meter_id,
        ledger.c.half_hour >= mine[0].half_hour,
        ledger.c.half_hour <= mine[-1].half_hour,
        ledger.c.covered_seconds > 0,
        current(),
    )
    return {row.half_hour: (row.measured_uj, row.estimated_uj) for row in connection.execute(query)}


def _reading(one: Reading, ids: dict[str, int], file_id: int) -> dict[str, Any]:
    values = {"half_hour": one.half_hour, "energy_uj": one.energy_uj, "estimated": one.estimated, "cell": one.cell}
    return {"meter_id": ids[one.mpan], "file_id": file_id, **values}
