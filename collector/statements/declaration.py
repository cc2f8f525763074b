"""Declarations: what a provider writes of a service's emissions, typed into a table with scope, basis and method."""

from collector.statements.figure import Figure, days_of
from collector.statements.kilograms import kilograms_of
from collector.tables.columns import Heads, Row

HEADS: Heads = {
    "month": ("month",),
    "first_day": ("first day", "from", "period start", "start"),
    "last_day": ("last day", "to", "period end", "end"),
    "account": ("account",),
    "name": ("name", "what", "service"),
    "scope": ("scope",),
    "basis": ("basis",),
    "method": ("method",),
    "tonnes": ("tco2e", "tonnes co2e", "mtco2e"),
    "kilograms": ("kgco2e", "kg co2e"),
}
NEEDED = ("month|first_day", "tonnes|kilograms", "method")


def figures(row: Row) -> list[Figure]:
    """The figure of a row. Its method must be told: a figure without one cannot be judged."""
    first, last = days_of(row)
    amount = kilograms_of(row, "tonnes", "kilograms")
    if amount is None:
        name = "tonnes" if "tonnes" in row.columns else "kilograms"
        raise row.refuse(name, "the emissions are empty: that is not available, and not 0", "fill the cell")
    scope = row.text("scope", "all").lower().replace("scope", "").strip()
    words = (row.text("name", "all services"), scope, row.text("basis"))
    return [Figure(first, last, row.text("account"), *words, amount, method=row.needed("method"))]
