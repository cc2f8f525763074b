"""Indicators of an organisation over months: its ICT rooms, water, and what a unit of service or a person comes to."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from sqlalchemy import Connection, func, or_, select

from carbon.calendar import day_bounds, financial_year
from carbon.device_classes import CLASSES
from carbon.footprint_rows import FootprintRow
from carbon.indicators import Room, Sci, SiteWater, is_ict, room
from carbon.market import month_bounds
from carbon.months import middle_of
from carbon.report import Report
from collector.database.schema import device, device_placement, ledger_day, meter, meter_place, site, space
from collector.embodied import embodied
from collector.factors import factor_sets
from collector.market_based import market_based_of
from collector.other_lines import kept_lines
from collector.yearly import service_units

ROOM_KINDS = ("data_room", "cooled_cupboard")
Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Indicators:
    """All of them; a sequence is empty where nothing is known."""

    rooms: Sequence[Room]
    water: Sequence[SiteWater]
    services: Sequence[Sci]


@dataclass(slots=True)
class _Incomer:
    devices: set[str] = field(default_factory=set)
    energy_uj: int = 0
    covered_seconds: int = 0


def indicators(connection: Connection, organisation_id: int, report: Report) -> Indicators:
    """The indicators of a report's months."""
    wanted = _rooms(connection, organisation_id)
    rows: dict[Place, list[FootprintRow]] = defaultdict(list)
    ict: dict[str, int] = defaultdict(int)
    for row in report.rows:
        subject = row.activity.subject
        if subject.supply != "home":
            if (subject.site, subject.space) in wanted:
                rows[subject.site, subject.space].append(row)
            if is_ict(row):
                ict[subject.site] += row.activity.it_uj
    incomers = _incomers(connection, report)
    renewable = _renewable(connection, organisation_id, report)
    seconds = _seconds(report)
    rooms = []
    for place in sorted(rows):
        found = incomers.get(place)
        measured = (found.energy_uj, Decimal(found.covered_seconds) / seconds) if found else None
        proved = renewable(rows[place])
        rooms.append(room(*place, rows[place], found.devices if found else (), measured, proved))
    return Indicators(
        rooms,
        _water(connection, organisation_id, report, ict),
        _services(connection, organisation_id, report),
    )


def _rooms(connection: Connection, organisation_id: int) -> set[Place]:
    query = select(site.c.name, space.c.name).join(space, space.c.site_id == site.c.id)
    query = query.where(site.c.organisation_id == organisation_id, space.c.kind.in_(ROOM_KINDS))
    return {(row[0], row[1]) for row in connection.execute(query)}


def _seconds(report: Report) -> int:
    start = day_bounds(month_bounds(report.first_month)[0], report.time_zone)[0]
    return day_bounds(month_bounds(report.last_month)[1], report.time_zone)[1] - start


def _incomers(connection: Connection, report: Report) -> dict[Place, _Incomer]:
    """What meters of whole rooms measured in the months, by room; the rest of each is known as `meter:<id>`.

    A meter is one of the room in which it, or else its device, stands at the end.
    """
    last = month_bounds(report.last_month)[1]
    at = day_bounds(last, report.time_zone)[0]
    holds = (meter_place.c.valid_from <= at, or_(meter_place.c.valid_to.is_(None), meter_place.c.valid_to > at))
    stands = (
        (device_placement.c.device_id == device.c.id)
        & (device_placement.c.valid_from <= at)
        & (device_placement.c.valid_to.is_(None) | (device_placement.c.valid_to > at))
    )
    place = func.coalesce(meter_place.c.space_id, device_placement.c.space_id)
    query = (
        select(meter.c.id, site.c.name.label("site"), space.c.name.label("space"))
        .join(meter_place, meter_place.c.meter_id == meter.c.id)
        .join(device, device.c.id == meter.c.device_id)
        .outerjoin(device_placement, stands)
        .join(space, space.c.id == place)
        .join(site, site.c.id == space.c.site_id)
        .where(meter_place.c.reading_point == "room_incomer", meter_place.c.purpose == "ict", *holds)
    )
    found: dict[Place, _Incomer] = {}
    for row in connection.execute(query).all():
        day = ledger_day.c
        total = select(
            func.coalesce(func.sum(day.measured_uj + day.estimated_uj), 0),
            func.coalesce(func.sum(day.covered_seconds), 0),
        ).where(
            day.meter_id == row.id,
            day.local_day >= f"{report.first_month}-01",
            day.local_day <= last.isoformat(),
        )
        energy, covered = connection.execute(total).one()
        one = found.setdefault((row.site, row.space), _Incomer())
        one.devices.add(f"meter:{row.id}")
        one.energy_uj += int(energy)
        one.covered_seconds = int(covered) if len(one.devices) == 1 else min(one.covered_seconds, int(covered))
    return found


class _Renewable:
    """How much of rows' energy certificates prove, by site and month; None where no contract's evidence is held."""

    def __init__(self, shares: Mapping[tuple[str, str], Decimal]) -> None:
        self._shares = shares

    def __call__(self, rows: Sequence[FootprintRow]) -> int | None:
        if not self._shares:
            return None
        proved = Decimal(0)
        for row in rows:
            subject = row.activity.subject
            if subject.supply == "own":
                proved += row.activity.activity_uj * self._shares.get((subject.site, subject.month), Decimal(0))
        return int(proved.to_integral_value())


def _renewable(connection: Connection, organisation_id: int, report: Report) -> _Renewable:
    use: dict[tuple[str, str], int] = defaultdict(int)
    for row in report.rows:
        if row.activity.subject.supply == "own" and row.market is not None:
            use[row.activity.subject.site, row.activity.subject.month] += row.activity.activity_uj
    sets = factor_sets(connection)
    found = market_based_of(connection, organisation_id, use, lambda _: sets[-1].s2_generation)
    return _Renewable(
        {
            key: sum(
                (Decimal(part.share.numerator) / part.share.denominator for part in one.parts if part.rung == "rego"),
                Decimal(0),
            )
            for key, one in found.items()
        }
    )


def _water(connection: Connection, organisation_id: int, report: Report, ict: Mapping[str, int]) -> list[SiteWater]:
    cubic_metres: dict[str, Decimal] = defaultdict(Decimal)
    for line in kept_lines(connection, organisation_id):
        if line.kind == "water_supply" and line.site and report.first_month <= line.month <= report.last_month:
            cubic_metres[line.site] += Decimal(line.amount)
    return [SiteWater(name, cubic_metres[name], ict.get(name, 0)) for name in sorted(cubic_metres)]


def _services(connection: Connection, organisation_id: int, report: Report) -> list[Sci]:
    """SCI of the units of the financial year, where the months are one whole year: units are known of years alone."""
    year = financial_year(middle_of(report.first_month))
    if (report.first_month, report.last_month) != (f"{year}-04", f"{year + 1}-03"):
        return []
    units = service_units(connection, organisation_id, year)
    if not units:
        return []
    months = (report.first_month, report.last_month)
    charges = embodied(connection, organisation_id, "management", *months, report.made_at).charges
    found = []
    for one in units:
        mine = one.service_category
        of_rows = (row for row in report.rows if mine in ("", row.activity.subject.service_category))
        of_items = (c for c in charges if mine in ("", CLASSES[c.item.device_class].category))
        found.append(
            Sci(
                mine,
                one.unit,
                one.amount,
                sum(row.grams.total for row in of_rows),
                sum(charge.grams for charge in of_items),
            )
        )
    return found
