"""PoE ports of an organisation's sites by local day that feed something which is not known, and whether they count."""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, select

from carbon.calendar import day_bounds
from collector.database.audit import audit
from collector.database.dated import begin, history, valid_at
from collector.database.neighbourhood import poe_day
from collector.database.schema import device, device_feed, device_placement, meter, meter_edge
from collector.database.sites import poe_rule
from collector.estate_version import touch
from collector.snmp.fed import SMALLEST_WATTS
from collector.snmp.poe_tally import PortTold, ports_of

LEAST_READ = 0.9
"""The part of a day for which a switch's ports must have been read, as of a meter that accounts for what it feeds."""

_SMALLEST_MILLIWATTS = round(SMALLEST_WATTS * 1000)


@dataclass(slots=True)
class PoePorts:
    """Ports whose device is not known (`carbon.poe_ports.Ports`) by site and day (its ordinal), and dated which devices are
    known to be fed."""

    ports: dict[tuple[int, int], dict[str, list[int]]] = field(default_factory=dict)
    known: list[tuple[str, int, int | None]] = field(default_factory=list)

    def known_on(self, begins: int, ends: int) -> set[str]:
        """Devices that a port which is known feeds at any time between two (Unix seconds)."""
        return {one for one, since, until in self.known if since < ends and (until is None or until > begins)}


def poe_ports(
    connection: Connection, organisation_id: int, time_zone: str, first: datetime.date, last: datetime.date
) -> PoePorts:
    """Of days of an organisation on which the rule holds. A switch stands where it did when the day began."""
    found = PoePorts()
    query = (
        select(poe_day)
        .join(device, device.c.id == poe_day.c.switch_id)
        .where(device.c.organisation_id == organisation_id)
        .where(poe_day.c.local_day >= first.isoformat(), poe_day.c.local_day <= last.isoformat())
    )
    rows = connection.execute(query).all()
    if not rows:
        return found
    rules = history(connection, poe_rule, {"organisation_id": organisation_id})
    switches = {row.switch_id for row in rows}
    places = _by(connection, device_placement, device_placement.c.device_id, switches)
    fed = _by(connection, device_feed, device_feed.c.switch_id, switches)
    linked = _linked(connection)
    found.known = [(row.device_id, row.valid_from, row.valid_to) for rows_ in fed.values() for row in rows_]
    found.known += [(one.child_device_id, one.valid_from, one.valid_to) for all_ in linked.values() for one in all_]
    days: dict[str, tuple[int, int, int]] = {}
    for row in rows:
        if row.local_day not in days:
            date = datetime.date.fromisoformat(row.local_day)
            days[row.local_day] = (date.toordinal(), *day_bounds(date, time_zone))
        day, begins, ends = days[row.local_day]
        place = valid_at(places.get(row.switch_id, ()), begins)
        rule = valid_at(rules, begins)
        holds = rule is None or rule.rule == "on"
        if not holds or place is None or place.site_id is None or row.seconds < LEAST_READ * (ends - begins):
            continue
        names = [one.port for one in fed.get(row.switch_id, ()) if _holds(one, begins, ends)]
        meters = {one.name for one in linked.get(row.switch_id, ()) if _holds(one, begins, ends)}
        told = ports_of(row.ports)
        left = _unknown(told, names, meters) if names or meters else told.values()
        mine = found.ports.setdefault((place.site_id, day), {})
        least = row.seconds * _SMALLEST_MILLIWATTS
        for millijoules, _, seen in left:
            if millijoules >= least:
                mine.setdefault(seen, []).append(millijoules * 1000 // row.seconds)
    return found


def _unknown(ports: Mapping[str, PortTold], fed: Iterable[str], linked: set[str]) -> list[PortTold]:
    """Ports without those of devices that are known. One of which only the number is known is the strongest of them."""
    left = {meter: one for meter, one in ports.items() if meter not in linked}
    for name in fed:
        at = [meter for meter, (_, seen_at, _) in left.items() if seen_at == name and name]
        taken = at or sorted(left, key=lambda meter: (-left[meter][0], meter))
        if taken:
            del left[taken[0]]
    return list(left.values())


def _by(connection: Connection, table: Any, column: Any, wanted: set[str]) -> dict[str, list[Row[Any]]]:
    """Dated rows of some devices, oldest first."""
    found: dict[str, list[Row[Any]]] = {}
    for row in connection.execute(select(table).order_by(table.c.valid_from, table.c.id)):
        name = getattr(row, column.name)
        if name in wanted:
            found.setdefault(name, []).append(row)
    return found


def _linked(connection: Connection) -> dict[str, list[Any]]:
    """What persons linked to PoE ports, by switch."""
    query = (
        select(
            meter.c.device_id,
            meter.c.name,
            meter_edge.c.child_device_id,
            meter_edge.c.valid_from,
            meter_edge.c.valid_to,
        )
        .join(meter, meter.c.id == meter_edge.c.parent_meter_id)
        .where(meter.c.name.startswith("poe_port/"), meter_edge.c.child_device_id.is_not(None))
    )
    found: dict[str, list[Any]] = {}
    for row in connection.execute(query):
        found.setdefault(row.device_id, []).append(row)
    return found


def _holds(row: Row[Any], begins: int, ends: int) -> bool:
    return row.valid_from < ends and (row.valid_to is None or row.valid_to > begins)


def set_poe_rule(
    connection: Connection, organisation_id: int, rule: str, reason: str, since: int, actor: str, now: int
) -> None:
    """Say whether devices are taken for fed by count of ports (`on`, `off`) from `since` (Unix seconds) on."""
    values = {"rule": rule, "reason": reason, "actor": actor}
    begin(connection, poe_rule, {"organisation_id": organisation_id}, values, since)
    audit(connection, now, actor, "organisation.poe_rule", str(organisation_id), {**values, "since": since})
    touch(connection)


def poe_rule_at(connection: Connection, organisation_id: int, at: int) -> str:
    """Whether the rule is `on` or `off` at a time (Unix seconds)."""
    row = valid_at(history(connection, poe_rule, {"organisation_id": organisation_id}), at)
    return "on" if row is None else str(row.rule)
