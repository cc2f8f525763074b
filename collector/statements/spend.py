"""Spend: pounds paid for a service, which a factor in kgCO2e per pound makes emissions of. The coarsest of all ways."""

from collector.statements.figure import Figure, days_of
from collector.tables.columns import Heads, Row

HEADS: Heads = {
    "month": ("month",),
    "first_day": ("first day", "from", "period start", "start"),
    "last_day": ("last day", "to", "period end", "end"),
    "account": ("account", "purchase order"),
    "name": ("name", "what", "service"),
    "pounds": ("pounds", "gbp", "amount gbp", "spend", "net gbp"),
}
NEEDED = ("month|first_day", "pounds")


def figures(row: Row) -> list[Figure]:
    """The figure of a row, in pounds."""
    first, last = days_of(row)
    words = (row.text("name", "all services"), "all", "spend")
    return [Figure(first, last, row.text("account"), *words, row.amount("pounds"), "GBP")]
