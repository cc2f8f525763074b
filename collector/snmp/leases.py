"""Which of several collectors polls a device: the one that holds its lease. With SQLite there is one collector and no lease.

A device's row names the collector that polls it, with a number that counts up whenever that changes. The lease holds as
long as its collector is heard of: each renews one row of its own, all its leases at once, by the database's clock. The
living collectors share the devices by rendezvous hashing; who has one that is another's share stops and gives it up,
and only what nobody holds, or one who is not heard of any more, is taken.

Two things keep a device from being polled twice. A collector that could not renew stops by its own clock before its
leases end. One that was held up (its process stopped, its machine paused) may not notice in time: what it read is
recorded only where the number of its lease is still the device's, which the recording transaction itself looks at.
"""

import hashlib
import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, text, update

from agent.clock import boot_ns
from collector.database.engine import Database
from collector.database.schema import snmp_device, snmp_poller
from collector.database.upsert import upsert
from collector.errors import LeaseLost

LEASE_SECONDS = 45.0
"""A collector that was killed is waited for this long before another polls its devices."""
EARLIER_SECONDS = 5.0
"""A collector that cannot renew stops so long before its leases end: clocks differ, and ending polls takes a while."""
_FORGOTTEN_NS = 24 * 3600 * 10**9


@dataclass(frozen=True, slots=True)
class Lease:
    """A collector's right to poll a device, and to record what it read."""

    collector_id: str
    number: int


@dataclass(frozen=True, slots=True)
class Renewal:
    """What renewing showed: the leases that this collector holds, and that are (still) its share; by device id.

    `to_give_up` are held too, and another's share by now.
    """

    share: dict[str, Lease]
    to_give_up: frozenset[str]


class Leases:
    """The leases of one collector's poller. Its methods wait for the database: not for the event loop's thread."""

    def __init__(
        self,
        database: Database,
        collector_id: str,
        lease_seconds: float | None = None,
        clock: Callable[[], int] = boot_ns,
    ) -> None:
        self.needed = not database.is_sqlite
        """Whether there may be other collectors."""
        self._database, self._collector_id = database, collector_id
        self._lease_seconds = LEASE_SECONDS if lease_seconds is None else lease_seconds
        self._clock = clock
        self._ends_ns = 0
        self._settled: tuple[str, ...] | None = None
        """The living collectors when the devices were last shared out and every one was where it should be."""

    def seconds_left(self) -> float:
        """How long this collector may still poll without renewing; 0 where it may not."""
        return max(0.0, (self._ends_ns - self._clock()) / 1e9) if self.needed else math.inf

    def renew(self, *, anew: bool) -> Renewal | None:
        """Renew, and share the devices out again where collectors came or went, or with `anew`.

        None where nothing changed, and polls go on. Raises DatabaseError: then what is held runs out.
        """
        begun_ns, ended = self._clock(), not self.seconds_left()
        with self._database.write() as connection:
            now_ns = database_ns(connection)
            mine = snmp_poller.c.collector_id == self._collector_id
            until = connection.execute(select(snmp_poller.c.until_ns).where(mine)).scalar()
            lapsed = until is None or until <= now_ns
            row = {"collector_id": self._collector_id, "until_ns": now_ns + int(self._lease_seconds * 1e9)}
            upsert(connection, snmp_poller, [row], ("until_ns",))
            living = living_pollers(connection, now_ns)
            renewal = None
            settled: tuple[str, ...] | None = living
            if anew or lapsed or ended or living != self._settled:
                renewal, whole = self._share_out(connection, living, now_ns, lapsed=lapsed)
                settled = living if whole else None
        self._settled = settled
        # By the time before the transaction: the database counts from a moment within it.
        seconds = self._lease_seconds - min(EARLIER_SECONDS, self._lease_seconds / 4)
        self._ends_ns = begun_ns + int(seconds * 1e9)
        return renewal

    def lost(self) -> None:
        """A device turned out to be another's: with the next renewal they are shared out again."""
        self._settled = None

    def _share_out(
        self, connection: Connection, living: tuple[str, ...], now_ns: int, *, lapsed: bool
    ) -> tuple[Renewal, bool]:
        """The renewal, and whether every device is where it should be."""
        devices = connection.execute(
            select(snmp_device.c.device_id).where(snmp_device.c.removed_at.is_(None))
        ).scalars()
        wanted = share(devices, self._collector_id, living)
        # After a lapse one's own are taken anew, so that what was read under the old leases is not recorded.
        others = [one for one in living if one != self._collector_id or not lapsed]
        free = (
            select(snmp_device.c.device_id)
            .where(snmp_device.c.device_id.in_(wanted), snmp_device.c.lease_owner.not_in(others))
            .order_by(snmp_device.c.device_id)
            .with_for_update(skip_locked=True)
        )
        taken = list(connection.execute(free).scalars())
        if taken:
            values = {"lease_owner": self._collector_id, "lease_number": snmp_device.c.lease_number + 1}
            connection.execute(update(snmp_device).where(snmp_device.c.device_id.in_(taken)).values(**values))
        connection.execute(delete(snmp_poller).where(snmp_poller.c.until_ns < now_ns - _FORGOTTEN_NS))
        rows = connection.execute(
            select(snmp_device.c.device_id, snmp_device.c.lease_number).where(
                snmp_device.c.lease_owner == self._collector_id
            )
        ).all()
        held = {row.device_id: Lease(self._collector_id, row.lease_number) for row in rows}
        # A row that was skipped is another's in a moment.
        sure = wanted & (set(taken) if lapsed else held.keys())
        to_give_up = frozenset(held) - wanted
        renewal = Renewal({name: held[name] for name in sorted(sure)}, to_give_up)
        return renewal, sure == wanted and not to_give_up

    def give_up(self, device_ids: Collection[str]) -> None:
        """Let others poll these devices. Only after their polls have ended. Raises DatabaseError."""
        mine = (snmp_device.c.lease_owner == self._collector_id) & snmp_device.c.device_id.in_(sorted(device_ids))
        with self._database.write() as connection:
            connection.execute(update(snmp_device).where(mine).values(lease_owner=""))

    def leave(self) -> None:
        """Let others poll all of this collector's devices at once: it stops. Raises DatabaseError."""
        with self._database.write() as connection:
            mine = snmp_device.c.lease_owner == self._collector_id
            connection.execute(update(snmp_device).where(mine).values(lease_owner=""))
            connection.execute(delete(snmp_poller).where(snmp_poller.c.collector_id == self._collector_id))
        self._ends_ns = 0


def database_ns(connection: Connection) -> int:
    """PostgreSQL's clock, the one that all collectors share: Unix nanoseconds."""
    return int(connection.execute(text("SELECT extract(epoch FROM clock_timestamp()) * 1000000000")).scalar_one())


def living_pollers(connection: Connection, now_ns: int) -> tuple[str, ...]:
    """Ids of the collectors whose leases hold, in order."""
    living = select(snmp_poller.c.collector_id).where(snmp_poller.c.until_ns > now_ns)
    return tuple(connection.execute(living.order_by(snmp_poller.c.collector_id)).scalars())


def share(device_ids: Iterable[str], collector_id: str, living: Collection[str]) -> set[str]:
    """The devices that fall to one of the living collectors. All reckon the same, and one that comes or goes moves its own
    share alone (rendezvous hashing: of every device the collector with the highest hash)."""
    return {
        device_id for device_id in device_ids if max(living, key=lambda one: _weight(one, device_id)) == collector_id
    }


def _weight(collector_id: str, device_id: str) -> tuple[bytes, str]:
    return hashlib.blake2b(f"{collector_id}/{device_id}".encode(), digest_size=8).digest(), collector_id


def still_held(connection: Connection, device_id: str, lease: Lease) -> bool:
    """Whether a lease is still the device's. It stays so until the transaction ends: who wants to take it waits or skips."""
    held = (
        (snmp_device.c.device_id == device_id)
        & (snmp_device.c.lease_owner == lease.collector_id)
        & (snmp_device.c.lease_number == lease.number)
    )
    return (
        connection.execute(select(snmp_device.c.device_id).where(held).with_for_update(read=True)).first() is not None
    )


def hold(connection: Connection, device_id: str, lease: Lease | None) -> None:
    """Raise LeaseLost where a poll's lease has gone to another. Without one there is nothing to hold."""
    if lease is not None and not still_held(connection, device_id, lease):
        raise LeaseLost(f"the device {device_id} is polled by another collector by now", "nothing: that one goes on")
