"""A small estate with everything that a footprint tells apart: supplies, rooms, profiles and a school, of two months."""

from collector.database.engine import Database
from collector.sites import set_site
from tests.collector.ledgers import half_hours, new_space, read_device
from tests.collector.registers import Item, midnight, register

NOW = midnight("2025-11-01") + 7 * 3600
MONTHS = ("2025-09", "2025-10")
BEGINS, ENDS = midnight("2025-09-01"), midnight("2025-11-01")
HALF_HOURS = (ENDS - BEGINS) // 1800
HALF_HOUR_UJ = 180_000_000


def new_estate(database: Database) -> None:
    """A server in a data room that was read all the time, one at a landlord's, one at home; laptops and a school's."""
    with database.write() as connection:
        hall = new_space(connection, "Town Hall", "Server room", "data_room")
        rented = new_space(connection, "Rented", "Office", "office")
        home = new_space(connection, "Homes", "Home", "home")
        set_site(connection, rented[0], {"tenure": "landlord", "uprn": "200001"}, BEGINS, "test", BEGINS)
        for name, place in (("server", hall), ("rented", rented), ("home", home)):
            read_device(connection, name, half_hours(BEGINS, ENDS, HALF_HOUR_UJ), BEGINS, place, "Digital")
        laptops = Item("laptop", "2025-01-01", quantity=40, site_id=hall[0])
        pupils = Item("laptop", "2025-01-01", quantity=10, site_id=hall[0], school=True)
        register(connection, [laptops, pupils], "2025-01-01")
