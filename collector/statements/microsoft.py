"""Microsoft's exports: Emissions Impact Dashboard and Cloud for Sustainability (Azure, Microsoft 365), carbon optimisation.

One row is a service and month; its scope stands in a column of its own, or each scope has a column. Scope 2 is
market-based by Microsoft's method; its Scope 3 is that of the equipment and its supply.
"""

from decimal import Decimal

from collector.statements.figure import Figure, month_days
from collector.statements.kilograms import by_unit, kilograms_of
from collector.tables.columns import Heads, Row

HEADS: Heads = {
    "month": ("datekey", "date key", "date", "usage date", "month year", "year month", "latest month"),
    "usage_month": ("usage month", "month", "monthnumber", "month number"),
    "usage_year": ("usage year", "year"),
    "account": ("subscription id", "subscriptionid", "azure subscription id", "enrollment id", "enrollmentid", "tenant id"),
    "name": (
        "azure service name", "azureservicename", "service name", "service", "azure service", "cloud service",
        "service category", "product", "workload",
    ),
    "scope": ("scope", "emission scope", "ghg scope"),
    "tonnes": (
        "emissions mtco2e", "carbon emissions mtco2e", "carbon emission mtco2e", "total emissions mtco2e", "mtco2e",
        "ghg emissions mtco2e",
    ),
    "kilograms": (
        "emissions kgco2e", "total emissions kgco2e", "kgco2e", "latest month emissions kgco2e", "latest month emissions",
    ),
    "value": ("totalemissions", "total emissions", "emissions"),
    "unit": ("co2euom", "co2e uom", "unit", "uom"),
    **{
        f"scope_{scope}": (f"scope {scope} mtco2e", f"scope{scope} mtco2e", f"scope {scope} emissions mtco2e")
        for scope in ("1", "2", "3")
    },
}  # fmt: skip
NEEDED = ("month|usage_month", "tonnes|kilograms|value|scope_1")
METHOD = "Microsoft's"
_MARKET = "market-based"


def figures(row: Row) -> list[Figure]:
    """The figures of a row."""
    first, last = month_days(_month(row))
    account, name = row.text("account"), row.text("name", "all services")

    def figure(scope: str, amount: Decimal) -> Figure:
        basis = _MARKET if scope in ("2", "all") else ""
        return Figure(first, last, account, name, scope, basis, amount, method=METHOD)

    wide = [(scope, row.number_in(f"scope_{scope}")) for scope in ("1", "2", "3")]
    found = [figure(scope, amount * 1000) for scope, amount in wide if amount is not None]
    if found:
        return found
    amount = kilograms_of(row, "tonnes", "kilograms")
    if amount is None:
        amount = by_unit(row, "value", "unit")
    if amount is None:
        name = next((one for one in ("tonnes", "kilograms", "value") if one in row.columns), "tonnes")
        raise row.refuse(
            name, "the emissions are empty: that is not available, and not 0", "delete the row, or fill it"
        )
    return [figure(_scope(row), amount)]


def _scope(row: Row) -> str:
    text = row.text("scope").lower().replace("scope", "").strip()
    if text in ("", "1", "2", "3"):
        return text or "all"
    raise row.refuse("scope", f"{row.text('scope')} is no scope", "it is Scope 1, 2 or 3")


def _month(row: Row) -> str:
    if row.cell("month") is not None:
        return row.month("month")
    month, year = row.text("usage_month"), row.text("usage_year")
    if month.isdigit() and 1 <= int(month) <= 12 and year.isdigit() and len(year) == 4:
        return f"{year}-{int(month):02}"
    return row.month("usage_month")
