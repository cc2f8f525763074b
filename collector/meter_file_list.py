"""The files of suppliers that were taken, and how much of each a newer one says otherwise."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from collector.database.schema import meter_file, meter_file_reading


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
