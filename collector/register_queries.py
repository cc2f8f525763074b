"""The register and what was seen, side by side: what either has and the other has not."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from collector.database.schema import (
    device,
    device_placement,
    device_status,
    inventory,
    organisation,
    register_import,
    site,
)
from collector.errors import NotFound
from collector.register_facts import State, states
from collector.supply_meters import is_supply_meter

UNSEEN_SECONDS = 90 * 86_400
IN_USE = ("in_use", "on_loan", "unknown")


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One import: `at` and `undone_at` in Unix seconds."""

    id: int
    file_name: str
    rows: int
    at: int
    actor: str
    state: str
    undone_at: int | None


@dataclass(frozen=True, slots=True)
class Seen:
    """A device that reports or is polled, as its inventory names it."""

    device_id: str
    host_name: str
    vendor: str
    model: str
    serial: str
    kind: str
    site: str
    last_report_at: int | None
    platform: str = ""
    chassis: str = ""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Where register and sight differ.

    `unseen` are items in use that are a device which was seen once, and not for 90 days; `never_seen` counts items in
    use that no device is, by class: laptops and screens have no agent, and a class profile stands for them.
    """

    seen_not_registered: Sequence[Seen]
    unseen: Sequence[tuple[State, Seen]]
    never_seen: dict[str, int]
    model_unknown: Sequence[State]
    no_site: Sequence[State]


def find_organisation(connection: Connection, name: str | None) -> tuple[int, str, str]:
    """Id, name and time zone of an organisation by its name; of the first without one. Raises NotFound."""
    query = select(organisation.c.id, organisation.c.name, organisation.c.time_zone).order_by(organisation.c.id)
    if name is not None:
        query = query.where(organisation.c.name == name)
    row = connection.execute(query.limit(1)).first()
    if row is None:
        raise NotFound(f"there is no organisation {name}", "see `ictagent estate organisation`")
    return int(row.id), str(row.name), str(row.time_zone)


def imports(connection: Connection, organisation_id: int) -> list[ImportRow]:
    """All imports, the newest first."""
    names = ("id", "file_name", "rows", "at", "actor", "state", "undone_at")
    query = select(*(register_import.c[name] for name in names)).where(
        register_import.c.organisation_id == organisation_id, register_import.c.state != "writing"
    )
    return [ImportRow(*row) for row in connection.execute(query.order_by(register_import.c.id.desc()))]


def reconciliation(connection: Connection, organisation_id: int, now: int) -> Reconciliation:
    """Compare the register as it is now with what was seen until `now` (Unix seconds)."""
    standing = states(connection, organisation_id)
    seen = {one.device_id: one for one in seen_devices(connection, organisation_id)}
    used = [one for one in standing if one.facts["status"] in IN_USE]
    registered = {one.device_id for one in standing if one.device_id}
    unseen, never = [], dict[str, int]()
    for one in used:
        device_seen = seen.get(one.device_id) if one.device_id else None
        if device_seen is None:
            never[one.facts["device_class"]] = never.get(one.facts["device_class"], 0) + one.facts["quantity"]
        elif now - (device_seen.last_report_at or 0) > UNSEEN_SECONDS:
            unseen.append((one, device_seen))
    return Reconciliation(
        seen_not_registered=[one for one in seen.values() if one.device_id not in registered],
        unseen=unseen,
        never_seen=dict(sorted(never.items())),
        model_unknown=[one for one in used if not one.facts["model"]],
        no_site=[one for one in used if not one.facts["site"]],
    )


def seen_devices(connection: Connection, organisation_id: int) -> list[Seen]:
    """Devices in use that report or are polled: supply meters are neither."""
    query = (
        select(
            device.c.id,
            device.c.kind,
            inventory.c.body,
            inventory.c.host_name,
            site.c.name.label("site"),
            device_status.c.last_report_at,
        )
        .outerjoin(inventory, (inventory.c.device_id == device.c.id) & inventory.c.valid_to.is_(None))
        .outerjoin(
            device_placement, (device_placement.c.device_id == device.c.id) & device_placement.c.valid_to.is_(None)
        )
        .outerjoin(site, site.c.id == device_placement.c.site_id)
        .outerjoin(device_status, device_status.c.device_id == device.c.id)
        .where(
            device.c.organisation_id == organisation_id,
            device.c.merged_into.is_(None),
            device.c.retired_at.is_(None),
            ~is_supply_meter(),
        )
        .order_by(device.c.id)
    )
    found = []
    for row in connection.execute(query):
        said = json.loads(row.body) if row.body else {}
        vendor, model, serial = (said.get(name, "") for name in ("vendor", "model", "serial"))
        name, place = row.host_name or "", row.site or ""
        platform, chassis = said.get("platform", ""), said.get("chassis", "")
        found.append(Seen(row.id, name, vendor, model, serial, row.kind, place, row.last_report_at, platform, chassis))
    return found
