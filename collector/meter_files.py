"""Taking over a supplier's half-hourly file, and taking it back: in short transactions, each half-hour by what holds."""

import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from collector.database.audit import audit
from collector.database.engine import Database
from collector.database.schema import (
    ledger,
    meter,
    meter_bill,
    meter_file,
    meter_file_reading,
    sealed_period,
)
from collector.errors import BadRequest, NotFound
from collector.half_hourly.rows import HalfHourlyFile, Reading
from collector.ledger import current
from collector.meter_values import write_values
from collector.register_import import remove_places
from collector.supply_meters import Made, NewMeter, make_meters, require_own, supply_meters, unmake_meters

READINGS_AT_ONCE = 500
HALF_HOURS_AT_ONCE = 144
"""Half-hours of a meter that one transaction writes into the ledger: three days, some tens of milliseconds."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Who:
    """By whom, and when (Unix seconds)."""

    actor: str
    now: int


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


def apply(
    database: Database, planned: FilePlan, new: NewMeter, who: Who, progress: Progress = lambda _done, _all: None
) -> int:
    """Take a file over; the id of the import. Twice as many steps as half-hours: kept first, then into the ledger."""
    file, steps = planned.file, 2 * len(planned.file.readings)
    clear_abandoned(database, planned.organisation_id, who)
    with database.write() as connection:
        mpans = sorted({one.mpan for one in file.readings})
        meters, made = make_meters(connection, planned.organisation_id, mpans, new, who.actor, who.now)
        ids = {mpan: row.id for mpan, row in meters.items()}
        row = {
            "kind": "half_hours",
            "name": file.name,
            "sha256": file.sha256,
            "mapping": mapping_text(file),
            "readings": len(file.readings),
            "first_at": min(one.half_hour for one in file.readings),
            "last_at": max(one.half_hour for one in file.readings),
        }
        file_id = begin_file(connection, planned.organisation_id, row, made, who)
    done = 0
    for some in _chunks(file.readings, READINGS_AT_ONCE):
        with database.write() as connection:
            connection.execute(insert(meter_file_reading), [_reading(one, ids, file_id) for one in some])
        done += len(some)
        progress(done, steps)
    with database.write() as connection:
        set_state(connection, file_id, "writing", "applying")
        detail = {"file": file.name, "sha256": file.sha256, "half_hours": len(file.readings), "mpans": mpans}
        audit(connection, who.now, who.actor, "ledger.import", str(file_id), detail)
    for step in _write_ledger(database, file_id, who.now):
        done += step
        progress(done, steps)
    with database.write() as connection:
        set_state(connection, file_id, "applying", "visible")
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


def undo(database: Database, file_id: int, who: Who, progress: Progress = lambda _done, _all: None) -> None:
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
        _finish_undoing(database, row, who, lambda _done, _all: None)


def _begin_undoing(connection: Connection, row: Row[Any], who: Who) -> None:
    values = {"state": "undoing", "undone_at": who.now, "undone_by": who.actor}
    connection.execute(update(meter_file).where(meter_file.c.id == row.id).values(**values))


def _finish_undoing(database: Database, row: Row[Any], who: Who, progress: Progress) -> None:
    done = 0
    for step in _write_ledger(database, row.id, who.now):
        done += step
        progress(done, row.readings)
    with database.write() as connection:
        connection.execute(update(meter_file).where(meter_file.c.id == row.id).values(state="undone"))
        unmake_meters(connection, row.id)
        connection.execute(delete(meter_bill).where(meter_bill.c.file_id == row.id))
        of_all = select(meter_file.c.created).where(meter_file.c.organisation_id == row.organisation_id)
        sites = {one for text in connection.execute(of_all).scalars() for one in json.loads(text)["sites"]}
        remove_places(connection, {"sites": sorted(sites)})


def _write_ledger(database: Database, file_id: int, now: int) -> Iterable[int]:
    """Bring the ledger up to date wherever a file says something; how many half-hours, step by step."""
    with database.read() as connection:
        query = (
            select(meter_file_reading.c.meter_id, meter.c.device_id, meter_file_reading.c.half_hour)
            .join(meter, meter.c.id == meter_file_reading.c.meter_id)
            .where(meter_file_reading.c.file_id == file_id)
            .order_by(meter_file_reading.c.meter_id, meter_file_reading.c.half_hour)
        )
        rows = [(row.meter_id, row.device_id, row.half_hour) for row in connection.execute(query)]
    for (meter_id, device_id), mine in itertools.groupby(rows, key=lambda row: row[:2]):
        for some in _chunks([half_hour for *_, half_hour in mine], HALF_HOURS_AT_ONCE):
            with database.write() as connection:
                write_values(connection, meter_id, device_id, some, now)
            yield len(some)


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


def _chunks(items: Sequence[Any], size: int) -> Iterable[Sequence[Any]]:
    return (items[begin : begin + size] for begin in range(0, len(items), size))


@dataclass(frozen=True, slots=True)
class FileRow:
    """One import of a supplier's file. `superseded` are its half-hours that a newer file says otherwise."""

    id: int
    kind: str
    name: str
    readings: int
    superseded: int
    first_at: int
    last_at: int
    at: int
    actor: str
    state: str
    sha256: str


def files(connection: Connection, organisation_id: int) -> list[FileRow]:
    """All files that were taken, the newest first."""
    newer = meter_file_reading.alias()
    newer_file = meter_file.alias()
    beaten = (
        select(newer.c.file_id)
        .join(newer_file, newer_file.c.id == newer.c.file_id)
        .where(
            newer.c.meter_id == meter_file_reading.c.meter_id,
            newer.c.half_hour == meter_file_reading.c.half_hour,
            newer.c.file_id > meter_file_reading.c.file_id,
            newer_file.c.state == "visible",
            (newer.c.energy_uj != meter_file_reading.c.energy_uj)
            | (newer.c.estimated != meter_file_reading.c.estimated),
        )
        .exists()
    )
    counted = (
        select(meter_file_reading.c.file_id, func.count().label("number"))
        .where(beaten)
        .group_by(meter_file_reading.c.file_id)
    )
    superseded = {row.file_id: row.number for row in connection.execute(counted)}
    query = (
        select(meter_file)
        .where(meter_file.c.organisation_id == organisation_id, meter_file.c.state != "writing")
        .order_by(meter_file.c.id.desc())
    )
    names = [name for name in FileRow.__slots__ if name != "superseded"]
    return [
        FileRow(**{name: getattr(row, name) for name in names}, superseded=superseded.get(row.id, 0))
        for row in connection.execute(query)
    ]
