"""The layouts of statements that are read, by name. Written after the providers' published documentation."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from collector.errors import BadRequest
from collector.statements import aws, colocation, declaration, google, microsoft, spend
from collector.statements.figure import Figure, added_up, by_months
from collector.tables.columns import Heads, Row, read_rows

PAGE = "docs/cloud.md"


@dataclass(frozen=True, slots=True)
class Layout:
    """One layout: `needed` columns of `heads`, and what makes figures of a row."""

    name: str
    words: str
    heads: Heads
    needed: Sequence[str]
    figures: Callable[[Row], list[Figure]]


LAYOUTS: Mapping[str, Layout] = {
    one.name: one
    for one in (
        Layout("microsoft", "Microsoft's emissions export", microsoft.HEADS, microsoft.NEEDED, microsoft.figures),
        Layout("aws", "AWS's carbon footprint export", aws.HEADS, aws.NEEDED, aws.figures),
        Layout("google", "Google Cloud's carbon footprint export", google.HEADS, google.NEEDED, google.figures),
        Layout("colocation", "an invoice of kWh and PUE", colocation.HEADS, colocation.NEEDED, colocation.figures),
        Layout("declaration", "a provider's declaration", declaration.HEADS, declaration.NEEDED, declaration.figures),
        Layout("spend", "pounds by a factor", spend.HEADS, spend.NEEDED, spend.figures),
    )
}


@dataclass(frozen=True, slots=True)
class Statement:
    """What a file says: `figures` by month, of the accounts that were asked for; how many figures others have."""

    layout: str
    figures: Sequence[Figure]
    accounts: Sequence[str]
    figures_of_others: int

    @property
    def method(self) -> str:
        """The provider's methods that the rows name."""
        return ", ".join(sorted({one.method for one in self.figures if one.method}))


def read_statement(path: Path, layout_name: str, accounts: Sequence[str] = ()) -> Statement:
    """Read a file in a layout; with accounts theirs alone. Raises BadRequest with the cell that is wrong."""
    layout = LAYOUTS[layout_name]
    rows = read_rows(path, layout.heads, layout.needed, PAGE)
    found = [one for row in rows for one in layout.figures(row)]
    mine = [one for one in found if not accounts or one.account in accounts]
    if unknown := sorted(set(accounts) - {one.account for one in found}):
        there = ", ".join(sorted({one.account for one in found if one.account})[:20]) or "none"
        raise BadRequest(f"{path.name} has no account {', '.join(unknown)}", f"it has {there}")
    if not mine:
        raise BadRequest(f"{path.name} has no figures below its heads", f"see {PAGE}")
    figures = [part for one in added_up(mine) for part in by_months(one)]
    return Statement(layout_name, figures, list(accounts), len(found) - len(mine))
