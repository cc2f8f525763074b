"""What pages and the API show of devices: one row a device, with what was heard of it and where it stands."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, select, true

from collector.database.schema import (
    device,
    device_accounting,
    device_feed,
    device_placement,
    device_status,
    diagnosis,
    inventory,
    organisation,
    rejected_rows,
    site,
    snmp_device,
    source_state,
    space,
)
from collector.errors import NotFound
from collector.guest_queries import hosts_now
from collector.people.roles import Organisations
from collector.segments import GUEST_PLATFORMS

SILENT_SECONDS = 300
"""Five missed reports: a device that was not heard of for as long is silent."""
HALF_HOURLY_SILENT_SECONDS = 3900
"""Two half-hours and five minutes: an end-user device sends half-hour means alone."""


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A device in lists. Power is None where nothing tells it; `silent_seconds` since it was last heard of."""

    device_id: str
    host_name: str
    kind: str
    platform: str
    site: str
    space: str
    directorate: str
    owner: str
    agent_version: str
    last_report_at: int | None
    silent_seconds: int | None
    power_watts: float | None
    power_low_watts: float | None
    power_high_watts: float | None
    method: str
    source: str
    basis: str
    retired_at: int | None
    counted: bool
    """Whether its energy enters totals: a lone guest's only where the organisation switched that on, and never that
    of a guest with a host, in whose energy it is, or of a device that a polled switch feeds."""
    half_hour_means: bool = False
    """An end-user device, which sends half-hour means alone."""
    host_id: str = ""
    """The device that it is a guest of now, or nothing."""
    fed_by: str = ""
    """The switch that feeds it over Ethernet now, or nothing."""

    @property
    def silent(self) -> bool:
        patience = HALF_HOURLY_SILENT_SECONDS if self.half_hour_means else SILENT_SECONDS
        return self.silent_seconds is None or self.silent_seconds > patience

    @property
    def host_missing(self) -> bool:
        """A guest whose host is not known: its energy is attribution."""
        return self.platform in GUEST_PLATFORMS and not self.host_id


@dataclass(slots=True)
class DeviceDetail:
    """Everything about one device."""

    row: DeviceRow
    inventory: dict[str, Any] = field(default_factory=dict)
    sources: list[dict[str, Any]] = field(default_factory=list)
    diagnoses: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    choice: dict[str, Any] = field(default_factory=dict)


def devices(
    connection: Connection, organisations: Organisations = None, *, retired: bool = False, now: int | None = None
) -> list[DeviceRow]:
    """The organisations' devices in use (or the retired ones), silent ones first, then by name."""
    at = int(time.time()) if now is None else now
    names = _newest_names(connection)
    platforms, half_hourly = _platforms(connection), _half_hourly(connection)
    open_place = (device_placement.c.device_id == device.c.id) & device_placement.c.valid_to.is_(None)
    query = (
        select(
            device,
            device_status,
            organisation.c.count_host_missing,
            device_placement.c.directorate,
            device_placement.c.owner,
            site.c.name.label("site"),
            space.c.name.label("space"),
        )
        .join(organisation, organisation.c.id == device.c.organisation_id)
        .outerjoin(device_status, device_status.c.device_id == device.c.id)
        .outerjoin(device_placement, open_place)
        .outerjoin(site, site.c.id == device_placement.c.site_id)
        .outerjoin(space, space.c.id == device_placement.c.space_id)
        .where(device.c.retired_at.isnot(None) if retired else device.c.retired_at.is_(None))
        .where(device.c.merged_into.is_(None), _of(organisations))
    )
    hosts, feeds = hosts_now(connection, at), _feeds(connection, at)
    rows = [
        _row(one, names, platforms, half_hourly, hosts.get(one["id"], ""), feeds.get(one["id"], ""), at)
        for one in connection.execute(query).mappings()
    ]
    return sorted(rows, key=lambda row: (not row.silent, row.host_name, row.device_id))


def device_detail(
    connection: Connection, device_id: str, organisations: Organisations = None, now: int | None = None
) -> DeviceDetail:
    """One device with inventory, sources, diagnoses and rejected rows. Raises NotFound, also for others' devices."""
    rows = [*devices(connection, organisations, now=now), *devices(connection, organisations, retired=True, now=now)]
    row = next((one for one in rows if one.device_id == device_id), None)
    if row is None:
        raise NotFound(f"there is no device {device_id}", "see the list of devices")
    detail = DeviceDetail(row)
    body = connection.execute(
        select(inventory.c.body).where(inventory.c.device_id == device_id, inventory.c.valid_to.is_(None))
    ).scalar()
    detail.inventory = json.loads(body) if body else {}
    for table, into in (
        (source_state, detail.sources),
        (diagnosis, detail.diagnoses),
        (rejected_rows, detail.rejected),
    ):
        query = select(table).where(table.c.device_id == device_id)
        into.extend(dict(found) for found in connection.execute(query).mappings())
    choice = (
        connection.execute(
            select(device_accounting).where(
                device_accounting.c.device_id == device_id, device_accounting.c.valid_to.is_(None)
            )
        )
        .mappings()
        .first()
    )
    if choice is not None:
        detail.choice = {
            "basis": choice["basis"],
            "meters": json.loads(choice["meters"]),
            "why_not": json.loads(choice["why_not"]),
        }
    return detail


def problem_sources(connection: Connection, organisations: Organisations = None) -> list[dict[str, Any]]:
    """Every absent or failed source of the organisations' devices in use, failed ones first."""
    names = _newest_names(connection)
    query = (
        select(source_state)
        .join(device, device.c.id == source_state.c.device_id)
        .where(device.c.retired_at.is_(None), source_state.c.outcome.in_(("absent", "failed")), _of(organisations))
    )
    rows = [
        {**row, "host_name": names.get(row["device_id"], row["device_id"])}
        for row in connection.execute(query).mappings()
    ]
    return sorted(rows, key=lambda row: (row["outcome"] != "failed", row["host_name"], row["source"]))


def problem_devices(connection: Connection, organisations: Organisations = None) -> list[dict[str, Any]]:
    """Diagnoses of the organisations' devices in use, newest first."""
    names = _newest_names(connection)
    query = (
        select(diagnosis)
        .join(device, device.c.id == diagnosis.c.device_id)
        .where(device.c.retired_at.is_(None), _of(organisations))
        .order_by(diagnosis.c.last_at.desc())
    )
    return [
        {**row, "host_name": names.get(row["device_id"], row["device_id"])}
        for row in connection.execute(query).mappings()
    ]


def rejected_summary(connection: Connection, organisations: Organisations = None) -> list[dict[str, Any]]:
    """Rows that reports of the organisations' devices lost at the door, newest days first."""
    names = _newest_names(connection)
    query = (
        select(rejected_rows)
        .join(device, device.c.id == rejected_rows.c.device_id)
        .where(_of(organisations))
        .order_by(rejected_rows.c.day.desc(), rejected_rows.c.count.desc())
        .limit(200)
    )
    return [
        {**row, "host_name": names.get(row["device_id"], row["device_id"])}
        for row in connection.execute(query).mappings()
    ]


def _of(organisations: Organisations) -> ColumnElement[bool]:
    """Whether a device belongs to one of these organisations; None: to any."""
    return true() if organisations is None else device.c.organisation_id.in_(organisations)


def _newest_names(connection: Connection) -> dict[str, str]:
    """What each device is called: a polled one that never told its name as it was added, or by its address."""
    polled = select(snmp_device.c.device_id, snmp_device.c.name, snmp_device.c.host, snmp_device.c.port)
    names = {row.device_id: row.name or f"{row.host}:{row.port}" for row in connection.execute(polled)}
    query = select(inventory.c.device_id, inventory.c.host_name).where(inventory.c.valid_to.is_(None))
    return names | {row.device_id: row.host_name for row in connection.execute(query) if row.host_name}


def _platforms(connection: Connection) -> dict[str, str]:
    query = select(inventory.c.device_id, inventory.c.platform).where(inventory.c.valid_to.is_(None))
    return dict(connection.execute(query).all())


def _half_hourly(connection: Connection) -> set[str]:
    """The devices whose newest inventory says that they are end-user devices."""
    said = inventory.c.body.contains('"end_user_device":true')
    return set(connection.execute(select(inventory.c.device_id).where(inventory.c.valid_to.is_(None), said)).scalars())


def _feeds(connection: Connection, at: int) -> dict[str, str]:
    """The switch that feeds each device that is fed."""
    holds = (device_feed.c.valid_from <= at) & (device_feed.c.valid_to.is_(None) | (device_feed.c.valid_to > at))
    query = select(device_feed.c.device_id, device_feed.c.switch_id).where(holds)
    return {row.device_id: row.switch_id for row in connection.execute(query)}


def _row(
    one: Any,
    names: dict[str, str],
    platforms: dict[str, str],
    half_hourly: set[str],
    host_id: str,
    fed_by: str,
    now: int,
) -> DeviceRow:
    heard = one["last_report_at"]
    platform = platforms.get(one["id"], "")
    return DeviceRow(
        device_id=one["id"],
        host_name=names.get(one["id"], ""),
        kind=one["kind"],
        platform=platform,
        site=one["site"] or "",
        space=one["space"] or "",
        directorate=one["directorate"] or "",
        owner=one["owner"] or "",
        agent_version=one["agent_version"] or "",
        last_report_at=heard,
        silent_seconds=None if heard is None else max(0, now - heard),
        power_watts=one["power_watts"],
        power_low_watts=one["power_low_watts"],
        power_high_watts=one["power_high_watts"],
        method=one["method"] or "",
        source=one["source"] or "",
        basis=one["basis"] or "",
        retired_at=one["retired_at"],
        counted=not host_id and not fed_by and (one["count_host_missing"] or platform not in GUEST_PLATFORMS),
        half_hour_means=one["id"] in half_hourly,
        host_id=host_id,
        fed_by=fed_by,
    )
