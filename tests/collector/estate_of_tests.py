"""A small estate straight in the tables: devices with their own meters, meters of the power path, half-hours and days.

Past the product's writing, which other tests hold: half-hours and their days are written together, as the ledger does.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, insert, select

from carbon.calendar import local_day
from collector.database.schema import (
    device,
    device_accounting,
    device_placement,
    ledger,
    ledger_day,
    meter,
    meter_edge,
    meter_place,
    site,
    space,
)

ZONE = "Europe/London"
START = 1_780_272_000
"""2026-06-01 00:00 UTC, which is 01:00 in London."""
MIDNIGHT = START - 3600
"""Of 1 June 2026 in London."""
HALF_HOUR = 1800
KWH = 3_600_000_000_000


@dataclass
class EstateOfTests:
    """Writes into a connection; what it returns are row numbers and device ids."""

    connection: Connection
    since: int = MIDNIGHT - 365 * 24 * 3600
    amounts: dict[tuple[int, int], int] = field(default_factory=dict)

    def add(self, table: Any, **values: Any) -> int:
        key = self.connection.execute(insert(table).values(**values)).inserted_primary_key
        assert key is not None
        number: Any = key[0]
        return int(number) if not isinstance(number, str) else 0

    def room(self, site_name: str, name: str, kind: str = "data_room") -> tuple[int, int]:
        """A space of a site; both their numbers."""
        query = select(site.c.id).where(site.c.name == site_name)
        site_id = self.connection.execute(query).scalar() or self.add(site, organisation_id=1, name=site_name)
        return site_id, self.add(space, site_id=site_id, name=name, kind=kind)

    def device(
        self,
        name: str,
        kind: str = "host",
        source: str | None = "redfish",
        room: tuple[int, int] | None = None,
        covers: str = "machine_ac",
    ) -> str:
        """A device; with a source it has a meter of its own, `own_meter`."""
        values = {"id": name, "organisation_id": 1, "kind": kind, "created_at": self.since, "retired_at": None}
        self.add(device, **values, merged_into=None)
        if source is not None:
            self.meter(name, f"{source}/own", source, covers)
            chosen = json.dumps([f"{source}/own"])
            self.add(
                device_accounting,
                device_id=name,
                basis="machine",
                meters=chosen,
                why_not="{}",
                valid_from=self.since,
                valid_to=None,
            )
        if room is not None:
            self.place(name, room)
        return name

    def place(self, name: str, room: tuple[int, int], begins: int | None = None) -> None:
        """Where a device stands, from a time on; one that stood elsewhere is moved."""
        begins = self.since if begins is None else begins
        self.connection.execute(
            device_placement.update()
            .where(device_placement.c.device_id == name, device_placement.c.valid_to.is_(None))
            .values(valid_to=begins)
        )
        where = {"site_id": room[0], "space_id": room[1], "directorate": "", "owner": "", "actor": "test"}
        self.add(device_placement, device_id=name, **where, valid_from=begins, valid_to=None)

    def meter(self, device_id: str, name: str, source: str = "snmp_watts", covers: str = "feeds") -> int:
        values = {"device_id": device_id, "name": name, "source": source, "kind": "power", "covers": covers}
        return self.add(meter, **values, parent="", created_at=self.since)

    def own_meter(self, device_id: str) -> int:
        query = select(meter.c.id).where(meter.c.device_id == device_id, meter.c.covers != "feeds")
        return int(self.connection.execute(query).scalar_one())

    def edge(
        self, parent: int, child: str, begins: int | None = None, ends: int | None = None, share: float | None = None
    ) -> int:
        return self.add(
            meter_edge,
            parent_meter_id=parent,
            child_device_id=child,
            child_meter_id=None,
            share=share,
            valid_from=self.since if begins is None else begins,
            valid_to=ends,
        )

    def say(self, meter_id: int, begins: int | None = None, **values: Any) -> int:
        """What a person says of a meter."""
        known = {"purpose": "ict", "reading_point": "it", "site_id": None, "space_id": None, "accounting": "auto"}
        more = {"reason": "", "actor": "test", "valid_from": self.since if begins is None else begins, "valid_to": None}
        return self.add(meter_place, meter_id=meter_id, **(known | more | values))

    def measure(
        self,
        meter_id: int,
        start: int,
        end: int,
        energy: Callable[[int], int] | int,
        covered: int = HALF_HOUR,
        *,
        estimated: bool = False,
    ) -> None:
        """Half-hours from `start` to before `end`: microjoules each, with the days that they are in."""
        rows: list[dict[str, Any]] = []
        days: dict[str, dict[str, Any]] = {}
        for at in range(start, end, HALF_HOUR):
            uj = energy if isinstance(energy, int) else energy(at)
            self.amounts[meter_id, at] = uj
            amounts = {
                "measured_uj": 0 if estimated else uj,
                "estimated_uj": uj if estimated else 0,
                "low_uj": uj - uj // 10,
                "high_uj": uj + uj // 10,
                "covered_seconds": covered,
                "spread_seconds": 0,
            }
            more = {"method": "measured", "model_version": "", "inventory_version": None, "evidence": "{}"}
            rows.append({"meter_id": meter_id, "half_hour": at, "revision": 1, **amounts, **more, "written_at": at})
            day = days.setdefault(local_day(at, ZONE).isoformat(), dict.fromkeys([*amounts, "half_hours"], 0))
            for name, value in amounts.items():
                day[name] += value
            day["half_hours"] += 1
        self.connection.execute(insert(ledger), rows)
        self.connection.execute(
            insert(ledger_day),
            [{"meter_id": meter_id, "local_day": name, "dirty": False, **day} for name, day in days.items()],
        )
