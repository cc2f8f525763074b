"""Which versions of our models estimated a device's energy in a month: months of two versions are not measured alike."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, ScalarSelect, Select, or_, select

from collector.database.schema import device, ledger, meter
from collector.segments import ESTIMATE_METER, LOSS_SUFFIX, REST_METER


def model_versions(
    connection: Connection, organisation_id: int, months: Iterable[tuple[str, int, int]]
) -> dict[tuple[str, str], str]:
    """Versions by device and month, of each month (YYYY-MM, its first half-hour, that of the next month).

    They are those of the month's first and last half-hour in the ledger: a model holds from its activation on, so that
    what lies between has one of these two. Devices that no model estimates have none.
    """
    found: dict[tuple[str, str], set[str]] = {}
    for month, start, end in months:
        for row in connection.execute(_query(organisation_id, start, end)):
            found.setdefault((row.device_id, month), set()).update(one for one in (row.first, row.newest) if one)
    return {key: ", ".join(sorted(versions)) for key, versions in found.items() if versions}


def _query(organisation_id: int, start: int, end: int) -> Select[Any]:
    modelled = or_(meter.c.name.in_((ESTIMATE_METER, REST_METER)), meter.c.name.endswith(LOSS_SUFFIX, autoescape=True))
    first, newest = (
        _version(start, end, newest=last).label(name) for name, last in (("first", False), ("newest", True))
    )
    query = select(meter.c.device_id, first, newest).join(device, device.c.id == meter.c.device_id)
    return query.where(device.c.organisation_id == organisation_id, modelled)


def _version(start: int, end: int, *, newest: bool) -> ScalarSelect[str]:
    """The model of a meter's first or newest half-hour within bounds; one lookup in the ledger's key."""
    at = ledger.c.half_hour
    order = (at.desc(), ledger.c.revision.desc()) if newest else (at, ledger.c.revision.desc())
    inside = (ledger.c.meter_id == meter.c.id, at >= start, at < end)
    query = select(ledger.c.model_version).where(*inside).order_by(*order).limit(1)
    return query.correlate(meter).scalar_subquery()
