"""An estate of two financial years, seeded: what there is, as plain values, and a loader that writes it.

`test_two_years` reckons from `ESTATE` alone what the product must tell of it.
"""

import datetime
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from collector.database.dated import begin
from collector.database.schema import space_pue
from collector.sites import set_site
from tests.collector.estate_of_tests import EstateOfTests
from tests.collector.ledgers import Read, new_space, read_device, write_ledger
from tests.collector.registers import Item, register

HALF_HOUR = 1800
LONDON = ZoneInfo("Europe/London")
LAPTOPS = 40
OUTLET = "outlet"


def at(date: str, time: str = "00:00") -> int:
    """Unix seconds of a local time."""
    return int(datetime.datetime.fromisoformat(f"{date}T{time}").replace(tzinfo=LONDON).timestamp())


BEGINS, TURN, ENDS = at("2024-04-01"), at("2025-04-01"), at("2026-04-01")
PUES = ((BEGINS, "1.8"), (at("2025-06-01"), "1.5"))
"""Of the server room, from a time on; all other rooms have no overhead."""
PLACES = {
    "room": ("Town Hall", "Server room", "data_room"),
    "office": ("Library", "Office", "office"),
    "rented": ("Rented", "Office", "office"),
    "cage": ("Provider", "Cage", "colocation"),
}


@dataclass(frozen=True)
class Device:
    """A device of so much power on average, in use from a time to another; `moved` is its place from `TURN` on.

    `gaps` are times without a reading, `partly` half-hours of which only the first third was read.
    """

    name: str
    place: str
    watts: int
    begins: int = BEGINS
    ends: int = ENDS
    retired: bool = False
    moved: str = ""
    estimated: bool = False
    models: tuple[str, str] = ("", "")
    gaps: tuple[tuple[int, int], ...] = ()
    partly: tuple[int, ...] = ()

    def place_at(self, time: int) -> str:
        return self.moved if self.moved and time >= TURN else self.place

    def readings(self) -> dict[int, tuple[int, int]]:
        """Microjoules and seconds by half-hour, with more of them in working hours and no two half-hours alike."""
        found = {}
        for time in range(self.begins, self.ends, HALF_HOUR):
            if any(first <= time < last for first, last in self.gaps):
                continue
            hour = time // HALF_HOUR % 48
            watts = self.watts * (5 if time // 86_400 % 7 < 2 else 4 + (16 <= hour < 36))
            energy = watts * HALF_HOUR * 200_000 + time // HALF_HOUR * 7919 % 9973 * 1003
            if self.models[1] and time >= TURN:
                energy = energy * 9 // 10  # what the second model makes of the same work
            third = time in self.partly
            found[time] = (energy // 3, HALF_HOUR // 3) if third else (energy, HALF_HOUR)
        return found


ESTATE = (
    Device("steady", "room", 210, gaps=((at("2024-07-09", "07:30"), at("2024-07-12", "18:00")),)),
    Device("neighbour", "room", 95, partly=(at("2024-10-27", "00:30"), at("2025-09-17", "10:00"))),
    Device(
        "gappy",
        "office",
        40,
        gaps=(
            # The first of it has only weeks after it, the second holds the hour that spring leaves out.
            (BEGINS, at("2024-04-03")),
            (at("2025-03-30"), at("2025-04-05", "13:30")),
        ),
    ),
    Device("retired", "office", 60, ends=at("2025-02-01"), retired=True),
    Device("added", "office", 75, begins=at("2025-05-01")),
    Device("replaced", "office", 50, estimated=True),
    Device("modelled", "office", 30, estimated=True, models=("1", "2")),
    Device("rented", "rented", 45),
    Device("moved", "office", 80, moved="cage"),
)


def outlet_readings() -> dict[int, tuple[int, int]]:
    """Of the metered outlet that feeds `replaced` from `TURN` on: a fifth less than its estimate."""
    [one] = (device for device in ESTATE if device.name == "replaced")
    return {time: (energy * 4 // 5, covered) for time, (energy, covered) in one.readings().items() if time >= TURN}


def load(connection: Connection) -> None:
    """Writes the estate into an empty database."""
    places = {name: new_space(connection, *words) for name, words in PLACES.items()}
    set_site(connection, places["rented"][0], {"tenure": "landlord", "uprn": "200001"}, BEGINS, "test", BEGINS)
    for time, pue in PUES:
        values = {"pue": float(pue), "low": float(pue), "high": float(pue), "source": f"measured {pue}"}
        begin(connection, space_pue, {"space_id": places["room"][1]}, values, time)
    made = EstateOfTests(connection, since=BEGINS)
    for one in ESTATE:
        rows = {
            time: Read(energy, covered, estimated=one.estimated, model_version=one.models[time >= TURN])
            for time, (energy, covered) in one.readings().items()
        }
        source, meter_name = ("cpu_time", "cpu") if one.estimated else ("redfish", "power")
        retired_at = one.ends if one.retired else None
        read_device(
            connection, one.name, rows, one.begins, places[one.place], "Digital", source, retired_at, meter_name
        )
        if one.moved:
            made.place(one.name, places[one.moved], TURN)
    made.device("pdu", kind="pdu", source=None, room=places["office"])
    outlet = made.meter("pdu", "outlet/1")
    made.edge(outlet, "replaced", begins=TURN)
    write_ledger(connection, outlet, {time: Read(*one) for time, one in outlet_readings().items()})
    laptops = Item("laptop", "2024-04-01", quantity=LAPTOPS, site_id=places["office"][0])
    register(connection, [laptops], "2024-04-01")
