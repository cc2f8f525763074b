"""Bids as a buyer tabulates them: one row a line of an option, refused with the cell that cannot be taken."""

from decimal import Decimal
from pathlib import Path

from carbon.bids import Bid, can_stand
from carbon.device_classes import CLASSES
from collector.errors import BadRequest
from collector.tables.columns import Heads, Row, read_rows

PAGE = "docs/suppliers.md"
HEADS: Heads = {
    "option": ("option", "bid", "bidder", "supplier"),
    "device_class": ("class", "device class", "category", "type"),
    "description": ("description", "model", "product", "item"),
    "count": ("count", "quantity", "qty", "devices", "number"),
    "kwh": ("kwh a year", "kwh per year", "annual kwh", "kwh year", "tec kwh"),
    "watts": ("watts", "w", "average watts"),
    "hours": ("hours a year", "hours per year", "hours"),
    "life": ("life years", "life", "years", "service life years"),
    "price": ("price", "price pounds", "price gbp", "total price"),
    "unit_price": ("unit price", "unit price pounds", "price each"),
    "pcf": ("pcf kgco2e", "pcf", "pcf total kgco2e", "embodied kgco2e"),
    "use": ("pcf use kgco2e", "pcf use", "use kgco2e"),
    "document": ("pcf document", "document"),
}
NEEDED = ("option", "device_class", "count", "kwh|watts", "life")
MOST_DEVICES, MOST_LIFE = 1_000_000, Decimal(25)
HOURS_A_YEAR = Decimal(8784)


def read_bids(path: Path) -> list[Bid]:
    """The lines of all options. Raises BadRequest with the cell."""
    rows = read_rows(path, HEADS, NEEDED, PAGE)
    if not rows:
        raise BadRequest(f"{path.name} has no bids below its heads", f"see {PAGE}")
    return [_bid(row) for row in rows]


def _bid(row: Row) -> Bid:
    device_class = row.needed("device_class").lower().replace(" ", "_").replace("-", "_")
    if device_class not in CLASSES:
        raise row.refuse("device_class", f"{device_class} is no class of devices", f"use one of {', '.join(CLASSES)}")
    count = row.amount("count")
    if count != int(count) or not 1 <= count <= MOST_DEVICES:
        raise row.refuse("count", f"{count} is no number of devices")
    life = row.amount("life")
    if not 0 < life <= MOST_LIFE:
        raise row.refuse("life", f"{life} years is no service life", f"it lies above 0, up to {MOST_LIFE}")
    embodied = _embodied(row)
    if embodied is None and not can_stand(device_class):
        name = "pcf" if "pcf" in row.columns else "device_class"
        raise row.refuse(
            name,
            f"no product carbon footprint, and no category of products could stand for a {CLASSES[device_class].words}",
            "ask the bidder for it",
        )
    unit_price = row.number_in("unit_price")
    return Bid(
        option=row.needed("option"),
        device_class=device_class,
        description=row.text("description"),
        devices=int(count),
        kwh_a_year=_kwh(row),
        life_years=life,
        price=row.number_in("price") if unit_price is None else unit_price * count,
        embodied_kg=embodied,
        document="" if embodied is None else row.text("document", "as stated in the bid"),
    )


def _kwh(row: Row) -> Decimal:
    """kWh a year of one device: as stated, or from watts and the hours in which they are drawn."""
    stated, watts = row.number_in("kwh"), row.number_in("watts")
    if stated is not None:
        return stated
    if watts is None:
        raise row.refuse("kwh" if "kwh" in row.columns else "watts", "neither kWh a year nor watts", "fill one of them")
    hours = row.amount("hours")
    if not 0 <= hours <= HOURS_A_YEAR:
        raise row.refuse("hours", f"{hours} hours are no part of a year")
    return watts * hours / 1000


def _embodied(row: Row) -> Decimal | None:
    """Kilograms without use of one device; None where no footprint came."""
    total = row.number_in("pcf")
    if total is None:
        return None
    use = row.number_in("use")
    if use is None and "use" in row.columns:
        raise row.refuse("use", "the use phase of the footprint is empty", "fill it; 0 where none is in the total")
    if use is not None and use > total:
        raise row.refuse("use", f"the use phase is {use} kg, and the whole is {total} kg")
    return total - (use or 0)
