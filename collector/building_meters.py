"""Meters of whole buildings and of rooms that feed nothing which is known, such as a supplier's: what each measured at its
site, where what is counted as ICT stands beside it. None of it is in a total.
"""

import datetime
from collections.abc import Container, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from collector.database.schema import device, ledger_day, meter, meter_place
from collector.ledger import FEEDS
from collector.metering_nodes import HELD_AT, Setting, TreeMeter
from collector.metering_tree import PowerPath
from collector.placements import Placements

LEAST_READ = 0.9
"""Of the time, so that what a meter measured can be compared with what is counted beside it."""


@dataclass(frozen=True, slots=True)
class BuildingMeter:
    """A meter with nothing below it, where it stands, what it measured in microjoules, and for how many seconds."""

    meter_id: int
    device_id: str
    name: str
    purpose: str
    site_id: int | None
    energy_uj: int
    covered_seconds: int


@dataclass(frozen=True, slots=True)
class Rest:
    """What the buildings' meters of a site measured beyond its ICT, in microjoules; `why`: what it is, or why nobody can tell."""

    energy_uj: int
    why: str


@dataclass(frozen=True, slots=True)
class Buildings:
    """The meters of an organisation, and the sites where a meter of a whole building is linked to what it feeds."""

    meters: list[BuildingMeter]
    linked_sites: frozenset[int | None]

    def at(self, site_id: int | None) -> list[BuildingMeter]:
        return [one for one in self.meters if one.site_id == site_id]

    def rest(self, site_id: int | None, ict_uj: int, possible_seconds: int) -> Rest | None:
        """The rest of a site's buildings in a time, of which `ict_uj` is counted there; None without a meter of a building."""
        mine = [one for one in self.at(site_id) if one.purpose == "whole_building"]
        if not mine or site_id is None:
            return None
        if site_id in self.linked_sites:
            return Rest(
                0, "not told: another meter of this site's buildings is linked to what it feeds; link this one too"
            )
        if min(one.covered_seconds for one in mine) < LEAST_READ * possible_seconds:
            return Rest(0, "not told: the building's meter was read for less than 90% of the time")
        measured = sum(one.energy_uj for one in mine)
        if measured < ict_uj:
            return Rest(
                0, "none: more is counted here than the building's meters measured; look at places and profiles"
            )
        return Rest(measured - ict_uj, "the building's meters, less all that is counted at this site: not ICT")


def building_meters(
    connection: Connection,
    path: PowerPath,
    linked: Container[int],
    accounted: Container[int],
    organisation_id: int,
    half_hour: int,
    days: tuple[datetime.date, datetime.date],
) -> Buildings:
    """Those of an organisation as they were in a half-hour, with their energy from a local date to another.

    `linked` are meters that are drawn where they feed something, `accounted` those that did for a part of the time: their
    own rest is told already. Told are only meters of which somebody said that they are of
    a building or a room, and that were read.
    """
    query = (
        select(meter.c.id, meter.c.device_id, meter.c.name, device.c.kind, device.c.organisation_id)
        .join(device, device.c.id == meter.c.device_id)
        .where(meter.c.covers == FEEDS, device.c.organisation_id == organisation_id)
        .where(meter.c.id.in_(select(meter_place.c.meter_id)))
        .order_by(meter.c.name, meter.c.id)
    )
    asked = [TreeMeter(*row) for row in connection.execute(query)]
    settings = {one.id: path.setting(one, half_hour) for one in asked}
    asked = [one for one in asked if _is_told(settings[one.id])]
    placements = Placements(connection, {one.device_id for one in asked})
    measured = _measured(connection, [one.id for one in asked], days)
    found: list[BuildingMeter] = []
    linked_sites: set[int | None] = set()
    for one in asked:
        said = settings[one.id]
        site_id = placements.of_device(one.device_id, half_hour).site_id if said.site_id is None else said.site_id
        if said.purpose == "whole_building" and (one.id in linked or one.id in accounted):
            linked_sites.add(site_id)
        if one.id in measured and one.id not in linked:
            found.append(BuildingMeter(one.id, one.device_id, one.name, said.purpose, site_id, *measured[one.id]))
    return Buildings(found, frozenset(linked_sites))


def _is_told(said: Setting) -> bool:
    return said.purpose == "whole_building" or (said.purpose == "ict" and said.reading_point in HELD_AT)


def _measured(
    connection: Connection, meter_ids: Sequence[int], days: tuple[datetime.date, datetime.date]
) -> dict[int, tuple[int, int]]:
    """Energy and covered seconds of meters that were read."""
    day = ledger_day.c
    query = (
        select(day.meter_id, func.sum(day.measured_uj + day.estimated_uj), func.sum(day.covered_seconds))
        .where(
            day.meter_id.in_(meter_ids),
            day.local_day >= days[0].isoformat(),
            day.local_day <= days[1].isoformat(),
        )
        .group_by(day.meter_id)
    )
    return {one: (int(energy), int(seconds)) for one, energy, seconds in connection.execute(query) if seconds}
