"""Which switch feeds a device over Ethernet, and whose energy the device's therefore is, in the database, dated.

What a polled switch feeds `collector.snmp.fed` decides, from the same reading from which the switch's own figure is made:
a device that it feeds is in that figure. So it is attribution and enters no total, as a virtual machine on a known host
does. How the device itself is known (polled, told by its controller, with an agent) does not matter.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, insert, or_, select, update

from carbon.calendar import HALF_HOUR_SECONDS, half_hour_of
from collector.database.schema import (
    device,
    device_evidence,
    device_feed,
    managed_device,
    snmp_device,
    snmp_neighbour,
)
from collector.estate_version import touch
from collector.snmp.evidence import Traits, recognise
from collector.snmp.fed import SeenAsFed


@dataclass(frozen=True, slots=True)
class Feed:
    """A switch's port that feeds a device; `watts` that it gives there now, None where it does not tell."""

    switch_id: str
    port: str
    watts: float | None


class _Reading(msgspec.Struct):
    """Of a switch's last reading, which is large, what is needed here."""

    fed: list[SeenAsFed] = []


def feeding(feeds: Sequence[Feed]) -> Feed | None:
    """The port that feeds a device, of those that are said to: one whose watts are told, else any; None of none."""
    return min(feeds, key=lambda one: (one.watts is None, one.switch_id, one.port), default=None)


def feed_of(connection: Connection, device_id: str) -> Feed | None:
    """The port that feeds a device, by the last readings of the switches that see it."""
    marks = _marks(connection, device_id)
    is_it = or_(
        snmp_neighbour.c.mac.in_(marks.mac_address),
        snmp_neighbour.c.serial.in_(marks.serial),
        *(snmp_neighbour.c.addresses.contains(f'"{one}"') for one in sorted(marks.address)),
    )
    sees = select(snmp_neighbour.c.device_id).where(is_it, snmp_neighbour.c.gone_at.is_(None))
    owner = select(device.c.organisation_id).where(device.c.id == device_id).scalar_subquery()
    query = (
        select(snmp_device.c.device_id, snmp_device.c.reading)
        .join(device, device.c.id == snmp_device.c.device_id)
        .where(snmp_device.c.device_id.in_(sees), snmp_device.c.device_id != device_id)
        .where(snmp_device.c.removed_at.is_(None), device.c.retired_at.is_(None), device.c.organisation_id == owner)
    )
    found = []
    for row in connection.execute(query):
        fed = msgspec.json.decode(row.reading or "{}", type=_Reading).fed
        found += [Feed(row.device_id, one.port, one.watts) for one in fed if _same(one, marks)]
    return feeding(found)


def _same(seen: SeenAsFed, marks: Traits) -> bool:
    """Whether a fed device is the one with these marks: the surest that both have decides, as in `recognise`."""
    if seen.serial and marks.serial and seen.serial in marks.serial:
        return True
    return seen.mac in marks.mac_address or bool(marks.address.intersection(seen.addresses))


def _marks(connection: Connection, device_id: str) -> Traits:
    """By what a device is known where it is seen."""
    evidence = select(device_evidence.c.name, device_evidence.c.value).where(device_evidence.c.device_id == device_id)
    told: dict[str, set[str]] = {}
    for row in connection.execute(evidence):
        told.setdefault(row.name, set()).add(row.value)
    polled = select(snmp_device.c.host).where(snmp_device.c.device_id == device_id, snmp_device.c.removed_at.is_(None))
    managed = select(managed_device.c.address).where(
        managed_device.c.device_id == device_id, managed_device.c.absent_at.is_(None), managed_device.c.address != ""
    )
    addresses = {*connection.execute(polled).scalars(), *connection.execute(managed).scalars()}
    return Traits(frozenset(told.get("serial", ())), frozenset(told.get("mac_address", ())), frozenset(addresses))


def note_fed(connection: Connection, switch_id: str, fed: Collection[SeenAsFed], at: int) -> None:
    """Keep what a switch feeds from `at` (Unix seconds) on, and that it feeds others no longer. Its reading is written."""
    before = {
        row.device_id: row.port
        for row in connection.execute(
            select(device_feed).where(device_feed.c.switch_id == switch_id, device_feed.c.valid_to.is_(None))
        )
    }
    traits = [
        Traits(frozenset({one.serial} - {""}), frozenset({one.mac} - {""}), frozenset(one.addresses)) for one in fed
    ]
    matches = zip(fed, recognise(connection, traits), strict=True)
    now = {match.device_id: one.port for one, match in matches if match is not None and match.device_id != switch_id}
    for device_id in sorted(before.keys() | now.keys()):
        if before.get(device_id) != now.get(device_id):
            note_feed(connection, device_id, feed_of(connection, device_id), at)


def end_feeds(connection: Connection, switch_id: str, at: int) -> None:
    """A switch is in use no longer: what it fed counts for itself from the next half-hour on, or is another's."""
    mine = select(device_feed.c.device_id).where(device_feed.c.switch_id == switch_id, device_feed.c.valid_to.is_(None))
    for device_id in list(connection.execute(mine).scalars()):
        note_feed(connection, device_id, feed_of(connection, device_id), at)


def note_feed(connection: Connection, device_id: str, feed: Feed | None, at: int) -> None:
    """Let a feed hold from `at` (Unix seconds) on. What held before holds to the end of its half-hour, so that the device
    is never counted beside a switch that contained it within the same half-hour.
    """
    still = (device_feed.c.device_id == device_id) & device_feed.c.valid_to.is_(None)
    open_row = connection.execute(select(device_feed).where(still)).first()
    same = (open_row.switch_id, open_row.port) if open_row is not None else None
    if same == ((feed.switch_id, feed.port) if feed is not None else None):
        return
    if open_row is not None:
        ends = half_hour_of(at) + HALF_HOUR_SECONDS
        connection.execute(update(device_feed).where(still).values(valid_to=ends))
    if feed is not None:
        values = {"device_id": device_id, "switch_id": feed.switch_id, "port": feed.port}
        connection.execute(insert(device_feed).values(**values, valid_from=at, valid_to=None))
    touch(connection)
