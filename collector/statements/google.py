"""Google Cloud's carbon footprint: the BigQuery export as CSV, with nested fields by their path.

One row is a project, service and region in a month, in kgCO2e. Scope 2 is told location- and market-based: the former
counts, the latter stands beside it. Offsets are never taken.
"""

from collector.statements.figure import Figure, month_days
from collector.tables.columns import Heads, Row

_OLD = "carbon footprint kgco2e"
HEADS: Heads = {
    "month": ("usage month",),
    "account": ("project id", "project", "project number", "billing account id"),
    "name": ("service description", "service", "service id"),
    "model_version": ("carbon model version",),
    "scope_1": (f"{_OLD} scope1", "scope1", "scope 1"),
    "scope_2_location": (f"{_OLD} scope2 location based", "scope2 location based", "scope 2 location based"),
    "scope_2_market": (f"{_OLD} scope2 market based", "scope2 market based", "scope 2 market based"),
    "scope_3": (f"{_OLD} scope3", "scope3", "scope 3"),
    "total_location": ("carbon footprint total kgco2e location based", "total location based"),
    "total_market": ("carbon footprint total kgco2e market based", "total market based"),
}
NEEDED = ("month", "scope_1|scope_2_location|total_location|total_market")
_SCOPES = (
    ("1", "", "scope_1", True),
    ("2", "location-based", "scope_2_location", True),
    ("2", "market-based", "scope_2_market", False),
    ("3", "", "scope_3", True),
)
_TOTALS = (("all", "location-based", "total_location", True), ("all", "market-based", "total_market", False))


def figures(row: Row) -> list[Figure]:
    """The figures of a row: by scope where the export has scopes, else its totals."""
    first, last = month_days(row.month("month"))
    version = row.text("model_version")
    method = f"Google's, model {version}" if version else "Google's"
    for columns in (_SCOPES, _TOTALS):
        found = [
            Figure(first, last, row.text("account"), row.text("name", "all services"), scope, basis, amount,
                   method=method, counts=counts)
            for scope, basis, column, counts in columns
            if (amount := row.number_in(column)) is not None
        ]  # fmt: skip
        if any(one.counts for one in found):
            return found
    raise row.refuse("scope_1", "the row has no emissions: that is not available, and not 0", "delete it, or fill it")
