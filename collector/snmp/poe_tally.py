"""What a switch gives at each PoE port by local day: a row a switch and day, where a meter a port would be fifty.

It tells how many ports feed something, and how much (`collector.poe_ports`). Watts are added up from poll to poll and
written with what pages show. What was added up and not written when the collector stops is lost, as time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, select

from agent.report import SampleTime
from carbon.calendar import half_hour_of, local_day
from collector.database.neighbourhood import poe_day
from collector.database.schema import device, organisation
from collector.database.upsert import upsert
from collector.snmp.fed import names_port
from collector.snmp.neighbours import Neighbour
from collector.snmp.places import Place

LONGEST_GAP_NS = 180 * 10**9
"""Three polls: across more nothing is known of the power between."""
_CLASSES = {"access_point": "access_point", "phone": "desk_phone"}
"""Kinds of neighbours, and the classes that they are. Of others those that ask for power or pass traffic on are none."""


class PortTold(NamedTuple):
    """Of a port and day: millijoules, its name as its neighbours are seen at it, and the class of who is seen."""

    millijoules: int
    name: str = ""
    seen: str = ""


_PORTS = msgspec.json.Decoder(dict[str, PortTold])


@dataclass(frozen=True, slots=True)
class PoeTold:
    """What ports gave in some seconds, by their meters."""

    seconds: int
    ports: dict[str, PortTold]


@dataclass(slots=True)
class PoeTally:
    """What is remembered of a switch's ports between polls, since it was written last."""

    _at: SampleTime | None = None
    _watts: dict[str, float] = field(default_factory=dict)
    _joules: dict[str, float] = field(default_factory=dict)
    _ns: int = 0

    def add(self, at: SampleTime, places: Iterable[Place]) -> None:
        """Take what a poll read of the ports."""
        watts = {one.meter: one.watts for one in places if one.role == "poe_port" and one.watts is not None}
        if self._at is not None and watts and self._watts:
            interval = at.boot_ns - self._at.boot_ns
            if 0 < interval <= LONGEST_GAP_NS:
                self._ns += interval
                for meter, now in watts.items():
                    if mean := (self._watts.get(meter, 0.0) + now) / 2:
                        self._joules[meter] = self._joules.get(meter, 0.0) + mean * interval / 1e9
        self._at, self._watts = at, watts

    def told(self, neighbours: Sequence[Neighbour]) -> PoeTold | None:
        """What was added up since it was written last; None of nothing. `neighbours` are who the switch sees."""
        seconds = self._ns // 10**9
        if not seconds:
            return None
        ports = {}
        for meter, joules in self._joules.items():
            row = meter.partition("/")[2]
            at_port = [one for one in neighbours if names_port(row, one.if_index, one.port)]
            name = at_port[0].port if at_port else ""
            ports[meter] = PortTold(round(joules * 1000), name, _seen(at_port))
        return PoeTold(seconds, ports)

    def written(self) -> None:
        """It is on disk: what comes is added up anew."""
        self._ns %= 10**9
        self._joules = {}


def _seen(at_port: Sequence[Neighbour]) -> str:
    kinds = {one.kind for one in at_port}
    known = [_CLASSES[kind] for kind in _CLASSES if kind in kinds]
    if known:
        return known[0]
    return "other" if kinds - {""} or any(one.asked_watts is not None for one in at_port) else ""


def note_poe(connection: Connection, switch_id: str, told: PoeTold, at: int) -> None:
    """Add what a switch's ports gave up to `at` (Unix seconds) to its local day."""
    zone = (
        select(organisation.c.time_zone)
        .join(device, device.c.organisation_id == organisation.c.id)
        .where(device.c.id == switch_id)
    )
    day = local_day(half_hour_of(at - 1), connection.execute(zone).scalar_one()).isoformat()
    mine = (poe_day.c.switch_id == switch_id) & (poe_day.c.local_day == day)
    row = connection.execute(select(poe_day.c.seconds, poe_day.c.ports).where(mine)).first()
    ports = ports_of(row.ports) if row is not None else {}
    for meter, one in told.ports.items():
        before = ports.get(meter, PortTold(0))
        # Who was seen there once on a day is taken to have been there all day.
        seen = before.seen or one.seen
        ports[meter] = PortTold(before.millijoules + one.millijoules, one.name or before.name, seen)
    values = {
        "switch_id": switch_id,
        "local_day": day,
        "seconds": told.seconds + (row.seconds if row is not None else 0),
        "ports": msgspec.json.encode(ports).decode(),
    }
    upsert(connection, poe_day, [values], update=("seconds", "ports"))


def ports_of(body: str) -> dict[str, PortTold]:
    """Ports as `poe_day` has them."""
    return _PORTS.decode(body)
