"""What a route reads, narrowed to whom it reads for: devices and totals of the asker's organisations and no others."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, select
from starlette.requests import Request

from collector.database.schema import device
from collector.people.organisations import names_of
from collector.people.roles import Organisations
from collector.running_totals import RunningTotals
from collector.service import Collector


class Reading:
    """A collector as one asker sees it. Pages and the reading API ask this, never the collector's totals themselves."""

    def __init__(self, collector: Collector, organisations: Organisations) -> None:
        self.collector = collector
        self.organisations = organisations

    @contextmanager
    def database(self) -> Iterator[Connection]:
        """A snapshot; every query of devices takes `organisations`."""
        with self.collector.database.read() as connection:
            yield connection

    def totals(self) -> RunningTotals:
        """Running totals of the asker's devices."""
        totals = self.collector.totals.get()
        mine = self.device_ids()
        return totals if mine is None else totals.of(mine)

    def device_ids(self) -> frozenset[str] | None:
        """Ids of the asker's devices, retired ones too; None: all."""
        if self.organisations is None:
            return None
        query = select(device.c.id).where(device.c.organisation_id.in_(self.organisations))
        with self.collector.database.read() as connection:
            return frozenset(connection.execute(query).scalars())


def reading_of(request: Request) -> Reading:
    """What whoever sent the request may see."""
    return Reading(request.app.state.collector, request.state.identity.organisations)


def organisation_names(request: Request) -> list[str]:
    """Names of the asker's organisations."""
    reading = reading_of(request)
    with reading.database() as connection:
        return names_of(connection, reading.organisations)
