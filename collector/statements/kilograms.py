"""Emissions of a cell as kilograms, by the unit that its head or a column beside it names."""

from decimal import Decimal

from collector.tables.columns import Row


def kilograms_of(row: Row, tonnes: str, kilograms: str) -> Decimal | None:
    """Kilograms of whichever of two columns the row fills; None where both are empty."""
    if (in_tonnes := row.number_in(tonnes)) is not None:
        return in_tonnes * 1000
    return row.number_in(kilograms)


def by_unit(row: Row, value: str, unit: str) -> Decimal | None:
    """Kilograms of a value in the unit of another column, tonnes where that is empty. Raises BadRequest."""
    number = row.number_in(value)
    if number is None:
        return None
    said = row.text(unit, "MTCO2e").lower().replace("₂", "2").replace(" ", "")
    if said in ("mtco2e", "tco2e"):
        return number * 1000
    if said in ("kgco2e", "kgco2eq"):
        return number
    raise row.refuse(unit, f"{row.text(unit)} is no unit of emissions", "use MTCO2e (tonnes) or kgCO2e")
