"""A round of asking, as the running collector makes it every half-hour."""

import time
from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from collector.database.engine import Database
from collector.database.writer import Writer
from collector.grid_intensity.answers import Slot
from collector.grid_intensity.client import IntensityClient
from collector.grid_intensity.fetching import Fetched, ask, due
from collector.grid_intensity.series import append_series
from collector.settings import CollectorSettings


def grid_round(database: Database, writer: Writer, collector_id: str, settings: CollectorSettings) -> Fetched:
    """Ask for what is due now, keep it, with the series of what is new."""

    def write(handler: Callable[[Connection], list[Slot]]) -> list[Slot]:
        found: list[Slot] = writer.run(lambda connection, _items: [handler(connection)], None)
        return found

    def now() -> int:
        return int(time.time())

    with database.read() as connection:
        wanted = due(connection, now())

    def told(connection: Connection, region: str, slots: Sequence[Slot]) -> None:
        append_series(connection, collector_id, now(), region, slots)

    with IntensityClient(settings.grid_intensity_url, settings.grid_intensity_proxy) as client:
        return ask(client, write, wanted, now, told, ahead=True)
