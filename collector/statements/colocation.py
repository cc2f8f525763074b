"""Invoices of colocation: kWh of the organisation's own equipment in somebody else's data centre, and its PUE.

The amount is kWh x PUE. The Government's four lines of electricity make emissions of it when it is read. Where the
provider states its own kgCO2e, that is taken in their place.
"""

from collector.statements.figure import Figure, days_of
from collector.tables.columns import Heads, Row

HEADS: Heads = {
    "month": ("month",),
    "first_day": ("first day", "from", "period start", "start"),
    "last_day": ("last day", "to", "period end", "end"),
    "account": ("account", "customer", "rack"),
    "name": ("name", "what", "space"),
    "kwh": ("kwh", "it kwh", "energy kwh", "consumption kwh"),
    "pue": ("pue",),
    "kilograms": ("kgco2e", "emissions kgco2e"),
    "method": ("method",),
    "basis": ("basis",),
}
NEEDED = ("month|first_day", "kwh", "pue")


def figures(row: Row) -> list[Figure]:
    """The figure of a row."""
    first, last = days_of(row)
    account, name = row.text("account"), row.text("name", "colocation")
    if (kilograms := row.number_in("kilograms")) is not None:
        words = (row.text("basis"), row.text("method", "the provider's"))
        return [Figure(first, last, account, name, "all", words[0], kilograms, method=words[1])]
    kwh, pue = row.amount("kwh"), row.amount("pue")
    if not 1 <= pue <= 5:
        raise row.refuse("pue", f"{pue} is no PUE", "it lies between 1 and 5; 1 where the kWh hold all overhead")
    basis = f"kWh of the invoice x PUE {pue:f}"
    return [Figure(first, last, account, name, "all", basis, kwh * pue, "kWh")]
