"""Servers of six years or more, by the register's date of acquisition, with a year's energy by their readings."""

import datetime

from sqlalchemy import select

from carbon.measures.measure import Measure
from carbon.measures.old_servers import LEAST_COVERED, OldServer, old_servers
from carbon.server_efficiency import energy_ratio
from collector.database.schema import register_import, register_state
from collector.measures.look import Look, energy_of
from collector.product_footprints import sources
from collector.register_facts import holds_at, visible

_YEAR_SECONDS = 365 * 86_400


def find_old_servers(look: Look) -> list[Measure]:
    """Of servers that the register dates and that were read; a year's energy is their mean power over a year.

    A new server holds what the organisation's documents or the packaged median say of a server without a model.
    """
    devices = look.devices()
    years = {
        device_id: year
        for device_id, year in _years(look).items()
        if device_id in devices and devices[device_id].device_class == "server"
    }
    segments, names = look.segments(years), look.names(years)
    found = []
    for device_id, mine in segments.items():
        energy, covered, measured = energy_of(look.half_hours(mine))
        if covered >= LEAST_COVERED * look.seconds:
            a_year = energy * _YEAR_SECONDS // covered
            found.append(OldServer(device_id, names[device_id], years[device_id], a_year, measured))
    new = sources(look.connection, look.organisation_id).of("", "", "server")
    embodied_g = None if new is None else round(new.embodied_kg * 1000)
    return old_servers(found, look.last.year, energy_ratio, embodied_g)


def _years(look: Look) -> dict[str, int]:
    """The year of acquisition by device, where the register knows both."""
    query = (
        select(register_state.c.device_id, register_state.c.acquired_on)
        .join(register_import, register_import.c.id == register_state.c.import_id)
        .where(register_import.c.organisation_id == look.organisation_id, visible(), holds_at(look.end))
        .where(register_state.c.device_id.is_not(None), register_state.c.acquired_on != "")
        .order_by(register_state.c.id)
    )
    return {row.device_id: datetime.date.fromisoformat(row.acquired_on).year for row in look.connection.execute(query)}
