"""What the collector remembers of a device between its reports, so that a report costs few reads.

It is a cache of the database and checked against the estate's version, which every edit of the estate counts up: a
change by the command line or another collector shows with the next report.
"""

import json
from dataclasses import dataclass, field

import msgspec
from sqlalchemy import Connection, select

from agent.report import Choice, Inventory
from carbon.power_model import PowerCurve, power_curve
from collector.database.schema import (
    device,
    device_accounting,
    device_placement,
    inventory,
    meter,
    site,
    source_state,
)
from collector.errors import NotFound
from collector.host_facts import host_facts


@dataclass(slots=True)
class DeviceContext:
    """A device as its newest reports and the estate have it."""

    device_id: str
    kind: str
    host_name: str = ""
    site: str = ""
    inventory_sha256: str = ""
    inventory_version: int = 0
    curve: PowerCurve | None = None
    choice: Choice | None = None
    choice_since: int = 0
    sources: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Outcome and reason of each energy source."""
    meter_ids: dict[str, int] = field(default_factory=dict)

    @property
    def tags(self) -> dict[str, str]:
        """The tags that every measurement about the device carries."""
        return {"device_id": self.device_id, "host_name": self.host_name, "site": self.site, "kind": self.kind}


def curve_of(body: str) -> PowerCurve:
    """The power curve of an inventory as the database keeps it."""
    return power_curve(host_facts(msgspec.json.decode(body, type=Inventory)))


def load_context(connection: Connection, device_id: str) -> DeviceContext:
    """Read all that is known of a device. Raises NotFound."""
    kind = connection.execute(select(device.c.kind).where(device.c.id == device_id)).scalar()
    if kind is None:
        raise NotFound(f"there is no device {device_id}")
    context = DeviceContext(device_id, kind)
    place = (
        select(site.c.name)
        .join_from(device_placement, site, device_placement.c.site_id == site.c.id)
        .where(device_placement.c.device_id == device_id, device_placement.c.valid_to.is_(None))
    )
    context.site = connection.execute(place).scalar() or ""
    stored = connection.execute(
        select(inventory).where(inventory.c.device_id == device_id, inventory.c.valid_to.is_(None))
    ).first()
    if stored is not None:
        context.host_name = stored.host_name
        context.inventory_version, context.inventory_sha256 = stored.version, stored.sha256
        context.curve = curve_of(stored.body)
    accounting = connection.execute(
        select(device_accounting).where(
            device_accounting.c.device_id == device_id, device_accounting.c.valid_to.is_(None)
        )
    ).first()
    if accounting is not None:
        context.choice = Choice(accounting.basis, json.loads(accounting.meters), json.loads(accounting.why_not))
        context.choice_since = accounting.valid_from
    for row in connection.execute(select(source_state).where(source_state.c.device_id == device_id)):
        context.sources[row.source] = (row.outcome, row.reason)
    for row in connection.execute(select(meter.c.id, meter.c.name).where(meter.c.device_id == device_id)):
        context.meter_ids[row.name] = row.id
    return context
