"""What the test estate used, worked out from what is true of it with plain integers and `Decimal`, and no code of the product.

The calendar, the arithmetic of class profiles and of overheads are written out here a second time, from their rules in
`docs/`; so an error would have to be made twice to go unseen.
"""

import datetime
import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from tests.data.estate.generate import PUE
from tests.data.estate.truth import COUNTY, END, FIRST_DAY, HALF_HOUR, LAST_DAY, MONTHS, START, Device, Item

CLOCK_CHANGE = int(datetime.datetime(2026, 3, 29, 1, tzinfo=datetime.UTC).timestamp())
MONTH_CHANGE = int(datetime.datetime(2026, 3, 31, 23, tzinfo=datetime.UTC).timestamp())
"""Midnight in London, in summer time."""
PROFILES = Path(__file__).parents[3] / "carbon" / "data" / "class_profiles.toml"
END_USERS = frozenset({"access_point", "laptop", "monitor", "multifunction"})
"""Classes of the estate that a profile stands for where nobody reads them."""
IN_USE = frozenset({"in_use", "on_loan", "unknown"})
CATEGORIES = {"server": "servers", "switch": "networks", "access_point": "networks", "ups": "power"}


class Key(NamedTuple):
    """What energy is told apart by."""

    month: str
    organisation: str
    site: str
    space: str
    directorate: str
    device_class: str
    service_category: str
    school: bool


@dataclass
class Amounts:
    """Microjoules, and seconds of devices that are read."""

    measured_uj: int = 0
    estimated_uj: int = 0
    unexplained_uj: int = 0
    profile_uj: int = 0
    home_uj: int = 0
    covered_seconds: int = 0
    possible_seconds: int = 0

    @property
    def it_uj(self) -> int:
        return self.measured_uj + self.estimated_uj + self.unexplained_uj + self.profile_uj


@dataclass
class Totals:
    """All of it: by key; overheads by month, organisation, site and space, which is where a PUE belongs."""

    rows: dict[Key, Amounts] = field(default_factory=lambda: defaultdict(Amounts))
    overhead_uj: dict[tuple[str, str, str, str], int] = field(default_factory=dict)


def month_of(at: int) -> str:
    """The local month of a half-hour of the week."""
    return MONTHS[at >= MONTH_CHANGE]


def supply_uj(building_wh: Mapping[int, int]) -> dict[str, int]:
    """What a building's meter measured by local day, in microjoules."""
    days: dict[str, int] = {}
    for at, wh in building_wh.items():
        summer = 3600 if at >= CLOCK_CHANGE else 0
        day = datetime.datetime.fromtimestamp(at + summer, datetime.UTC).date().isoformat()
        days[day] = days.get(day, 0) + wh * 3_600_000_000
    return days


def totals(items: Sequence[Item], devices: Sequence[Device], spaces: Mapping[tuple[str, str], str]) -> Totals:
    """The energy of the two months that the week touches, as it is known at the week's end."""
    found = Totals()
    registered = {one.device: one for one in items if one.device}
    losses: dict[tuple[str, str, str, str], int] = defaultdict(int)
    for device in devices:
        _add_device(found, losses, device, registered.get(device.name))
        if device.passes_uj:
            _add_rest(found, device, registered[device.name], {one.name: one for one in devices})
    for key, amounts in _profiled(items, devices, spaces).items():
        found.rows[key].profile_uj += amounts[0]
        found.rows[key].home_uj += amounts[1]
    it: dict[tuple[str, str, str, str], int] = defaultdict(int)
    for one, row in found.rows.items():
        if one.device_class != "ups":
            it[one.month, one.organisation, one.site, one.space] += row.it_uj
        else:  # its own use is a loss that PUE holds; what it passed on to unknown devices is theirs
            it[one.month, one.organisation, one.site, one.space] += row.unexplained_uj
    for place, amount in it.items():
        pue = Decimal(PUE.get(spaces.get((place[2], place[3]), ""), "1"))
        whole = (amount * (pue - 1)).to_integral_value(ROUND_HALF_EVEN)
        found.overhead_uj[place] = max(0, int(whole) - losses[place])
    return found


def _key(month: str, item: Item) -> Key:
    return Key(
        month, item.organisation, item.site, item.space, item.directorate, item.device_class, item.category, bool(item.school)
    )  # fmt: skip


def _stranger(device: Device) -> Item:
    """What nobody registered: known by what it tells of itself."""
    return Item(device.own_class, CATEGORIES[device.own_class])


def _add_device(found: Totals, losses: dict[tuple[str, str, str, str], int], device: Device, item: Item | None) -> None:
    item = item or _stranger(device)
    heard = min(device.energy_uj)
    for month, begins, ends in ((MONTHS[0], START, MONTH_CHANGE), (MONTHS[1], MONTH_CHANGE, END)):
        key = _key(month, item)
        row = found.rows[key]
        mine = [uj for at, uj in device.energy_uj.items() if begins <= at < ends]
        amount = _shared(sum(mine), item.share)
        if device.estimated:
            row.estimated_uj += amount
        else:
            row.measured_uj += amount
        row.covered_seconds += len(mine) * HALF_HOUR
        row.possible_seconds += max(0, ends - max(begins, heard))
        if item.device_class == "ups":
            losses[key[:4]] += amount


def _add_rest(found: Totals, ups: Device, item: Item, by_name: Mapping[str, Device]) -> None:
    """What a UPS passed on beyond the devices that it is known to feed."""
    for at, passed in ups.passes_uj.items():
        known = sum(by_name[name].energy_uj.get(at, 0) for name in ups.feeds)
        found.rows[_key(month_of(at), item)].unexplained_uj += passed - known


def _shared(amount: int, share: str) -> int:
    return int((Decimal(amount) * Decimal(share)).to_integral_value(ROUND_HALF_EVEN))


def in_use(item: Item) -> tuple[datetime.date, datetime.date]:
    """From which local day an item was in use, and from which no more."""
    begins = min(item.acquired, FIRST_DAY) if item.acquired else FIRST_DAY
    never = datetime.date(2100, 1, 1)
    if item.status == "disposed":
        return begins, max(item.disposed, begins) if item.disposed else begins
    return begins, never if item.status in IN_USE else begins


def _profiled(
    items: Sequence[Item], devices: Sequence[Device], spaces: Mapping[tuple[str, str], str]
) -> dict[Key, tuple[int, int]]:
    """Energy at the council's places and at home by class profiles: days in use of what nobody reads."""
    read = {(one.name, month_of(at)) for one in devices for at in one.energy_uj}
    days: dict[Key, Fraction] = defaultdict(Fraction)
    at_ports = _at_ports(items, devices)
    for item in items:
        if item.device_class not in END_USERS:
            continue
        begins, ends = in_use(item)
        for month in MONTHS:
            first, last = month_days(month)
            used = (min(ends, last + datetime.timedelta(1)) - max(begins, first)).days
            if used > 0 and (item.device, month) not in read:
                days[_key(month, item)] += Fraction(item.share) * item.quantity * used
                for day in (max(begins, first) + datetime.timedelta(past) for past in range(used)):
                    fed, unread = at_ports.get((item.site, day), (0, 1))
                    if item.device_class == "access_point" and fed:
                        days[_key(month, item)] -= Fraction(item.share) * item.quantity * Fraction(fed, unread)
    with PROFILES.open("rb") as file:
        profiles = tomllib.load(file)
    found = {}
    for key, device_days in days.items():
        profile = profiles[key.device_class]
        year = year_by_month(profile, 2026)
        whole = round(Fraction(year[int(key.month[5:]) - 1], _length(key.month)) * device_days)
        home = round(whole * Fraction(str(profile["home_share"])))
        if spaces.get((key.site, key.space)) == "home":
            home = whole
        found[key] = (whole - home, home)
    return found


def _at_ports(items: Sequence[Item], devices: Sequence[Device]) -> dict[tuple[str, datetime.date], tuple[int, int]]:
    """By site and day of the week how many access points lie in switches' readings, of so many that nobody reads.

    A port feeds one if it gives at least half of the 9 W that they draw by their profile and nobody else is seen at it;
    those that are read, and that no switch names, have the first of the ports.
    """
    by_device = {one.device: one for one in items if one.device}
    ports: dict[str, int] = defaultdict(int)
    for device in devices:
        for milliwatts, seen in device.ports:
            ports[by_device[device.name].site] += milliwatts >= 4_500 and seen in ("", "access_point")
    read = {(one.name, month_of(at)) for one in devices for at in one.energy_uj}
    found = {}
    for day in (FIRST_DAY + datetime.timedelta(past) for past in range(7)):
        month = day.isoformat()[:7]
        for site, number in ports.items():
            mine = [one for one in items if (one.site, one.device_class) == (site, "access_point")]
            unread = [one for one in mine if (one.device, month) not in read and in_use(one)[0] <= day < in_use(one)[1]]
            with_reading = sum((one.device, month) in read for one in mine)
            found[site, day] = max(0, min(number, with_reading + len(unread)) - with_reading), len(unread)
    return found


def month_days(month: str) -> tuple[datetime.date, datetime.date]:
    """The first and last day of a month that are over at the week's end."""
    first = datetime.date.fromisoformat(f"{month}-01")
    return first, min(LAST_DAY, first + datetime.timedelta(_length(month) - 1))


def _length(month: str) -> int:
    return {"03": 31, "04": 30}[month[5:]]


def year_by_month(profile: Mapping[str, object], year: int) -> list[int]:
    """Microjoules of one device in each month: its working days lie evenly over the weekdays."""
    watts, hours = (_figures(profile[name]) for name in ("watts", "hours"))
    off = 24 - sum(hours.values())
    working = sum((watts[state] * hours[state] for state in hours), Decimal(0)) + watts["off"] * off
    other = 24 * watts[str(profile["other_days"])]
    days = [datetime.date(year, 1, 1) + datetime.timedelta(number) for number in range(366)]
    days = [day for day in days if day.year == year]
    worked = min(int(str(profile["working_days"])), len(days))
    weekdays = [day for day in days if day.weekday() < 5]
    of = days if worked > len(weekdays) else weekdays
    micro = Decimal(3_600_000_000)
    whole = int(((worked * working + (len(days) - worked) * other) * micro).to_integral_value(ROUND_HALF_EVEN))
    weights = []
    for month in range(1, 13):
        part = Decimal(worked * sum(day.month == month for day in of)) / len(of)
        length = sum(day.month == month for day in days)
        weights.append(int((part * working + (length - part) * other) * micro))
    shares = [divmod(whole * weight, sum(weights)) for weight in weights]
    order = sorted(range(12), key=lambda place: (-shares[place][1], place))
    more = set(order[: whole - sum(share[0] for share in shares)])
    return [share[0] + (place in more) for place, share in enumerate(shares)]


def _figures(table: object) -> dict[str, Decimal]:
    assert isinstance(table, dict)
    return {name: Decimal(str(value)) for name, value in table.items()}


def coverage(items: Sequence[Item], devices: Sequence[Device], month: str) -> dict[tuple[str, str], dict[str, int]]:
    """Devices in use at the month's end, or the week's, by organisation and class: how their energy is known; and what was
    seen and is not registered."""
    read = {one.name: "estimated" if one.estimated else "measured" for one in devices if _read_in(one, month)}
    kinds = ("measured", "estimated", "profile", "absent", "seen_not_registered")
    found: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(kinds, 0))
    registered = set()
    day = month_days(month)[1]
    for item in items:
        registered.add(item.device)
        begins, ends = in_use(item)
        if begins <= day < ends:
            method = read.get(item.device) or ("profile" if item.device_class in END_USERS else "absent")
            found[item.organisation, item.device_class][method] += item.quantity
    for (_, at), (fed, _) in _at_ports(items, devices).items():
        if at == day:
            row = found[COUNTY, "access_point"]
            row["profile"], row["measured"] = row["profile"] - fed, row["measured"] + fed
    for one in devices:
        if one.name not in registered:
            found[COUNTY, one.own_class]["seen_not_registered"] += 1
    return dict(found)


def _read_in(device: Device, month: str) -> bool:
    return any(month_of(at) == month for at in device.energy_uj)
