"""AWS's exports: the data export of carbon emissions (location- and market-based), and the console's CSV.

One row is an account, service and region in a month. Both bases tell of the same emissions: the location-based ones
count, the market-based ones stand beside them.
"""

from collections.abc import Sequence
from decimal import Decimal

from collector.statements.figure import Figure, month_days
from collector.statements.kilograms import by_unit
from collector.tables.columns import Heads, Row, plain

_BASES = (("lbm", "location-based", True), ("mbm", "market-based", False))


def _heads(name: str) -> dict[str, tuple[str, ...]]:
    return {f"{name}_value": (plain(f"{name}_value"),), f"{name}_unit": (plain(f"{name}_unit"),)}


HEADS: Heads = {
    "month": ("usage period start", "month", "usage month"),
    "account": ("usage account id", "account id", "account"),
    "name": ("product code", "product", "service", "service name"),
    "model_version": ("model version",),
    **_heads("total_scope_1_emissions"),
    **{
        key: heads
        for basis in ("lbm", "mbm")
        for name in (f"total_scope_2_{basis}_emissions", f"total_scope_3_{basis}_emissions", f"total_{basis}_emissions")
        for key, heads in _heads(name).items()
    },
    "value": ("estimated emissions mtco2e", "emissions mtco2e", "carbon emissions mtco2e", "mtco2e"),
}
NEEDED = ("month", "value|total_scope_1_emissions_value|total_lbm_emissions_value|total_mbm_emissions_value")


def figures(row: Row) -> list[Figure]:
    """The figures of a row: by scope where the export has scopes, else its totals."""
    first, last = month_days(row.month("month"))
    account, name = row.text("account"), row.text("name", "all services")
    version = row.text("model_version")
    method = f"AWS's, model {version}" if version else "AWS's"
    wanted = [("1", "", "total_scope_1_emissions", True)]
    wanted += [
        (scope, words, f"total_scope_{scope}_{basis}_emissions", counts)
        for scope in ("2", "3")
        for basis, words, counts in _BASES
    ]
    found = _told(row, wanted)
    if not any(scope in ("2", "3") for scope, *_ in found):
        found = _told(row, [("all", words, f"total_{basis}_emissions", counts) for basis, words, counts in _BASES])
    if not found and (amount := row.number_in("value")) is not None:
        found = [("all", "market-based", amount * 1000, True)]
    if not found:
        raise row.refuse("value", "the row has no emissions: that is not available, and not 0", "delete it, or fill it")
    if not any(counts for *_, counts in found):
        found = [(scope, words, amount, True) for scope, words, amount, _ in found]
    return [
        Figure(first, last, account, name, scope, words, amount, method=method, counts=counts)
        for scope, words, amount, counts in found
    ]


def _told(row: Row, wanted: Sequence[tuple[str, str, str, bool]]) -> list[tuple[str, str, Decimal, bool]]:
    found = []
    for scope, words, column, counts in wanted:
        amount = by_unit(row, f"{column}_value", f"{column}_unit")
        if amount is not None:
            found.append((scope, words, amount, counts))
    return found
