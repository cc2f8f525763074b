"""The first-week estate of a county council: what there is, where it stands, what it used, half-hour by half-hour.

The same seed gives the same estate to the last microjoule.
"""

import datetime
import random
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tests.data.estate.truth import DISTRICT, HALF_HOURS, Device, Estate, Item

SITES = ("County Hall", "Depot", *(f"{name} Library" for name in (
    "Abbey", "Bridge", "Castle", "Dean", "Eastgate", "Ferry", "Grange", "Heath", "Ivy", "Jubilee", "Kings", "Lock", "Mill",
    "Northway", "Orchard", "Park", "Quarry", "River", "Station", "Temple",
)), "Fire Station 1", "Fire Station 2", "Hill Primary School", "Records Office", "Museum", "Day Centre")  # fmt: skip
SCHOOL = "Hill Primary School"
DIRECTORATES = ("Adults", "Children", "Environment", "Resources", "Fire and Rescue")
PUE = {"data_room": "1.8", "cooled_cupboard": "1.3"}
_SWITCHES = (("Aruba", "2930F 48G", 96), ("Cisco", "Catalyst 9300-48P", 180), ("HPE", "5130 24G", 55))
_POINTS = (("Aruba", "AP-515", 11), ("Cisco", "C9120AXI", 13))
_PORTS = ((9_500, ""), (12_000, ""), (4_499, ""), (0, ""), (15_000, "other"))
"""Milliwatts, and who is seen: two of them may feed access points that nobody names."""
_LAPTOPS = (("Dell", "Latitude 5440"), ("HP", "EliteBook 840 G9"), ("Lenovo", "ThinkPad T14"))
_MONITORS = (("Dell", "P2422H"), ("HP", "E24 G5 monitor"))
_UJ_PER_WATT_HALF_HOUR = 1_800_000_000


@dataclass
class _Maker:
    random: random.Random
    polled: frozenset[int]
    spaces: dict[tuple[str, str], str] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    devices: list[Device] = field(default_factory=list)
    tags: Iterator[int] = field(default_factory=lambda: iter(range(100_001, 200_000)))

    def tag(self) -> str:
        return f"OCC{next(self.tags)}"

    def serial(self, prefix: str) -> str:
        return prefix + "".join(self.random.choice("BCDFGHJKLMNPQRSTVWXYZ123456789") for _ in range(8))

    def load(self, watts: int, spread: int = 20, *, odd: int = 1) -> dict[int, int]:
        """Microjoules by half-hour, more by day; with `odd` not whole watts."""
        return {
            at: (watts + self.random.randrange(spread) + (15 <= number % 48 < 36) * (watts // 10))
            * _UJ_PER_WATT_HALF_HOUR
            + self.random.randrange(odd)
            for number, at in enumerate(HALF_HOURS)
        }

    def network_load(self, watts: int, spread: int, silent: Sequence[int] = ()) -> dict[int, int]:
        """The same in the half-hours in which it was polled, without those in which it was silent."""
        gaps = {HALF_HOURS[number] for number in silent}
        return {at: uj for at, uj in self.load(watts, spread).items() if at in self.polled and at not in gaps}

    def read(self, device: Device, item: Item) -> None:
        """A device that is read, and is registered."""
        self.devices.append(device)
        self.items.append(item)


def generate(seed: int = 2030, polled: Sequence[int] = HALF_HOURS) -> Estate:
    """The estate: 25 virtualisation hosts with 400 virtual machines, 900 switches and access points of which half tell no
    power, 40 UPSs, two data rooms, 60 cupboards, 5,000 laptops, 8,000 monitors, and some printers. A small district
    council's laptops stand beside it. Outside of the data rooms devices of the network and UPSs are polled
    in the half-hours `polled` alone.
    """
    made = _Maker(random.Random(seed), frozenset(polled))
    _rooms(made)
    _hosts(made)
    _network(made)
    _power(made)
    _end_users(made)
    supply = {at: 61_000 + made.random.randrange(9_000) for at in HALF_HOURS}
    return Estate(made.spaces, made.items, made.devices, supply)


def _rooms(made: _Maker) -> None:
    made.spaces[SITES[0], "Data room 1"] = "data_room"
    made.spaces[SITES[1], "Data room 2"] = "data_room"
    for number in range(60):
        kind = "cooled_cupboard" if number % 2 else "passive_cupboard"
        made.spaces[SITES[number % len(SITES)], f"Cupboard {number + 1}"] = kind
    made.spaces[SITES[0], "Home working"] = "home"
    made.spaces[SITES[0], "Floor 2"] = "office"


def _hosts(made: _Maker) -> None:
    for number in range(25):
        name, serial = f"vmhost{number + 1:02}", made.serial("CZ")
        site, room = ((SITES[0], "Data room 1"), (SITES[1], "Data room 2"))[number >= 13]
        guests = tuple(str(uuid.UUID(int=made.random.getrandbits(128), version=4)) for _ in range(16))
        energy = made.load(310, 90, odd=1_000_000)
        made.read(
            Device(name, "host", "server", "HPE", "ProLiant DL380 Gen10", serial, energy, guests=guests),
            Item(
                "server", "servers", asset_tag=made.tag(), serial=serial, host_name=name, vendor="HPE",
                model="ProLiant DL380 Gen10", site=site, space=room, directorate="Resources",
                share="0.6" if number == 3 else "1", acquired=datetime.date(2022, 5, 1), device=name,
            ),
        )  # fmt: skip


def _network(made: _Maker) -> None:
    cupboards = [place for place, kind in made.spaces.items() if "cupboard" in kind]
    for number in range(500):
        name, serial = f"sw{number + 1:03}", made.serial("FOC")
        vendor, model, watts = _SWITCHES[number % 3]
        site, room = (SITES[0], "Data room 1") if number < 12 else cupboards[number % 60]
        # Who is known by name and model alone, as many registers have it, has no serial number in it.
        by_name = number % 25 == 7
        item = Item(
            "switch", "networks", asset_tag=made.tag(), serial="" if by_name else serial, host_name=name, vendor=vendor,
            model=model, site=site, space=room, directorate=DIRECTORATES[number % 5], acquired=datetime.date(2021, 9, 1),
            school=True if site == SCHOOL else None, device=name,
        )  # fmt: skip
        if number >= 470:  # nobody polls these
            made.items.append(replace(item, device=""))
            continue
        estimated = number >= 350
        silent = range(284, 288) if number % 50 == 20 else ()
        energy = made.load(watts, 12) if number < 12 else made.network_load(watts, 1 if estimated else 12, silent)
        ports = _PORTS if number < 5 else ()
        device = Device(name, "switch", "switch", vendor, model, serial, energy, estimated, ports=ports)
        if number >= 466:  # nobody registered these
            made.devices.append(device)
        else:
            made.read(device, item)
    for number in range(400):
        name, serial = f"ap{number + 1:03}", made.serial("CNF")
        vendor, model, watts = _POINTS[number % 2]
        site = SITES[number % len(SITES)]
        item = Item(
            "access_point", "networks", asset_tag=made.tag(), serial=serial, host_name=name, vendor=vendor, model=model,
            site=site, directorate=DIRECTORATES[number % 5], acquired=datetime.date(2023, 2, 1),
            school=True if site == SCHOOL else None, device=name,
        )  # fmt: skip
        if number < 100:
            made.read(
                Device(name, "access_point", "access_point", vendor, model, serial, made.network_load(watts, 3)), item
            )
        else:
            made.items.append(replace(item, device=""))


def _power(made: _Maker) -> None:
    cooled = [place for place, kind in made.spaces.items() if kind == "cooled_cupboard"]
    fed_by_first = [one.device for one in made.items if one.space == "Data room 1" and one.device]
    read = {one.name: one.energy_uj for one in made.devices if one.name in fed_by_first}
    for number in range(40):
        name, serial = f"ups{number + 1:02}", made.serial("AS")
        site, room = (
            (SITES[0], "Data room 1") if number < 2
            else (SITES[1], "Data room 2") if number < 4
            else cooled[number % len(cooled)]
        )  # fmt: skip
        fed = tuple(fed_by_first) if number == 0 else ()
        unknown = made.load(400, 60) if fed else {}
        passes = {at: _whole_watts(sum(read[one].get(at, 0) for one in fed)) + uj for at, uj in unknown.items()}
        device = Device(
            name, "ups", "ups", "APC", "Smart-UPS SRT 5000", serial,
            made.load(120, 6) if number < 4 else made.network_load(18, 6),
            passes_uj=passes, feeds=fed,
        )  # fmt: skip
        made.read(
            device,
            Item(
                "ups", "power", asset_tag=made.tag(), serial=serial, host_name=name, vendor="APC",
                model="Smart-UPS SRT 5000", site=site, space=room, directorate="Resources",
                acquired=datetime.date(2020, 3, 1), device=name,
            ),
        )  # fmt: skip


def _end_users(made: _Maker) -> None:
    for number in range(4800):
        site = SITES[number % len(SITES)] if number % 3 else SITES[0]
        vendor, model = _LAPTOPS[number % 3]
        space = "Home working" if number % 48 == 0 else "Floor 2" if number % 48 == 3 else ""
        item = Item(
            "laptop", "end_users", asset_tag=made.tag(), serial=made.serial("5CG"), vendor=vendor, model=model, site=site,
            space=space, directorate=DIRECTORATES[number % 5], school=True if site == SCHOOL else None,
            acquired=None if number % 40 == 1 else datetime.date(2019 + number % 6, 1 + number % 12, 1 + number % 28),
        )  # fmt: skip
        made.items.append(_fate(item, number))
    for vendor, model in _LAPTOPS[:2]:
        made.items.append(
            Item("laptop", "end_users", vendor=vendor, model=model, quantity=100, site=SITES[0], directorate="Children")
        )
    each = [30 + made.random.randrange(40) for _ in range(160)]
    each[-1] += 8000 - sum(each)
    for number, quantity in enumerate(each):
        vendor, model = _MONITORS[number % 2]
        site, directorate = SITES[number // 2 % len(SITES)], DIRECTORATES[number // 56]
        one = Item("monitor", "end_users", vendor=vendor, model=model, quantity=quantity, site=site)
        made.items.append(replace(one, directorate=directorate))
    for number in range(25):
        made.items.append(
            Item(
                "multifunction", "imaging", asset_tag=made.tag(), serial=made.serial("W51"), vendor="Ricoh", model="IM C3000",
                site=SITES[number], directorate=DIRECTORATES[number % 5], acquired=datetime.date(2026, 3, 9),
            )
        )  # fmt: skip
    for number in range(120):
        made.items.append(
            Item(
                "laptop", "end_users", DISTRICT, asset_tag=f"VDC{number + 1:05}", serial=made.serial("PF"), vendor="Lenovo",
                model="ThinkPad T14", site="Vale House", directorate="Housing", acquired=datetime.date(2024, 6, 3),
                share="0.4" if number % 10 == 0 else "1",
            )
        )  # fmt: skip


def _fate(item: Item, number: int) -> Item:
    """Some are spare, lent, disposed of long ago or in these months, or shared with others."""
    changes: Mapping[int, dict[str, object]] = {
        11: {"status": "spare"},
        23: {"status": "on_loan"},
        37: {"status": "disposed", "acquired": datetime.date(2018, 4, 2), "disposed": datetime.date(2025, 11, 5)},
        41: {"status": "disposed", "acquired": datetime.date(2018, 4, 2), "disposed": datetime.date(2026, 3, 18)},
        53: {"share": "0.25"},
        59: {"acquired": datetime.date(2026, 3, 12)},
    }
    return replace(item, **changes.get(number % 97, {}))  # type: ignore[arg-type]  # fields of an item, each by its name


def _whole_watts(energy_uj: int) -> int:
    """Microjoules of a half-hour rounded up to whole watts, in which a UPS tells what it passes on."""
    return -(-energy_uj // _UJ_PER_WATT_HALF_HOUR) * _UJ_PER_WATT_HALF_HOUR
