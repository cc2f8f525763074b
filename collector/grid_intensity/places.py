"""Which outward postcode each site is asked for: its own postcode's, unless a person said another one of it."""

import re

from sqlalchemy import Connection, select

from collector.database.schema import site
from collector.sites import detail_at

_OUTWARD = re.compile(r"[A-Z]{1,2}[0-9][A-Z0-9]?")


def outward_of(postcode: str, grid_region: str = "") -> str:
    """The outward part of a postcode, or of what is said in its place; "" where neither has one.

    >>> outward_of("OX1 1ND"), outward_of("OX1 1ND", "RG10"), outward_of("", "South England")
    ('OX1', 'RG10', '')
    """
    for text in (grid_region, postcode):
        outward = text.strip().upper().partition(" ")[0]
        if _OUTWARD.fullmatch(outward):
            return outward
    return ""


def outwards(connection: Connection, at: int) -> dict[int, str]:
    """The outward postcode of each site at a time (Unix seconds), "" where it has none."""
    found = {}
    for site_id in connection.execute(select(site.c.id).order_by(site.c.id)).scalars():
        detail = detail_at(connection, site_id, at)[0]
        found[site_id] = outward_of(detail.postcode, detail.grid_region)
    return found
