"""Tables of sites: their addresses and whose supply they are on, dated; and what an organisation counts."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table
from sqlalchemy import text as sql

from collector.database.metadata import ROW_ID, metadata, row_id, text, validity

TENURES = ("own", "leased", "landlord")
SCHOOLS = ("in", "out")
POE_RULES = ("on", "off")

# `grid_region` is what the postcode says of the grid, where a person says it better; "" leaves it to the postcode.
# `tenure`: landlord means that the electricity is on the landlord's supply.
site_detail = Table(
    "site_detail",
    metadata,
    row_id(),
    Column("site_id", ROW_ID, ForeignKey("site.id"), nullable=False, index=True),
    text("address"),
    text("postcode"),
    text("uprn"),
    text("grid_region"),
    text("tenure"),
    *validity(),
    text("actor"),
    CheckConstraint("tenure IN ('own', 'leased', 'landlord')", name="tenure"),
    Index(
        "uq_site_detail_open",
        "site_id",
        unique=True,
        sqlite_where=sql("valid_to IS NULL"),
        postgresql_where=sql("valid_to IS NULL"),
    ),
)

# Whether devices of schools are in an organisation's figures, dated: the boundary of a report.
organisation_boundary = Table(
    "organisation_boundary",
    metadata,
    row_id(),
    Column("organisation_id", ROW_ID, ForeignKey("organisation.id"), nullable=False, index=True),
    text("schools"),
    text("reason"),
    *validity(),
    text("actor"),
    CheckConstraint("schools IN ('in', 'out')", name="schools"),
)

# Whether devices that no neighbour names are taken for fed by count of PoE ports, dated; `on` where nothing is said.
poe_rule = Table(
    "poe_rule",
    metadata,
    row_id(),
    Column("organisation_id", ROW_ID, ForeignKey("organisation.id"), nullable=False, index=True),
    text("rule"),
    text("reason"),
    *validity(),
    text("actor"),
    CheckConstraint("rule IN ('on', 'off')", name="rule"),
)
