"""Reports with what registers, hosts and people call things."""

import dataclasses

from carbon.footprint_rows import FootprintRow
from carbon.report import Report
from tests.carbon.reports import report, row, rows

ODD_NAMES = (
    "=1+1",
    '=HYPERLINK("http://example.invalid","here")',
    "+44 1865",
    "-1",
    "@SUM(A1)",
    "\tTab",
    "A*",
    "~?",
    "<script>alert(1)</script>",
    'Quote "Hall", second\nline',
    "Tŷ Hywel 🏛",
    "\x07bell",
    "Annexe",
    "ANNEXE",
    "",
)
"""Of sites: formulae, links, wildcards, markup, quotes, line ends, other scripts, what no terminal should obey, and two that
differ in capitals alone."""


def odd_report() -> Report:
    """The report of tests with a site of each odd name, and its services, devices and notes named so too."""
    sites: list[FootprintRow] = [
        row(f"o{place}", "2024-08", site=name, directorate=name, kwh=10 + place) for place, name in enumerate(ODD_NAMES)
    ]
    at_home = row("h1", "2024-08", site=ODD_NAMES[0], kwh=77, supply="home")
    made = report([*rows(), *sites, at_home])
    return dataclasses.replace(
        made,
        organisation="=Council & <b>Co</b>",
        other=tuple(dataclasses.replace(one, name=f"={one.name}", evidence="@evidence.pdf") for one in made.other),
        not_reported=("+Payroll", "<i>Cloud</i>"),
        notes=("=note",),
        fills=tuple(dataclasses.replace(one, device="-d2") for one in made.fills),
    )


def empty_report() -> Report:
    """A period of which nothing is known."""
    return dataclasses.replace(report([]), other=(), not_reported=(), coverage=(), fills=(), notes=())
