"""Tables of the footprint: what stands for gaps, what is inside of the corporate inventory, base year, and what intensities
are told by. Amounts are text where they are exact (`Decimal`).

Nothing of a person's word is deleted: what was replaced stays, with who and when, because a published report may rest on it.
"""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Integer, Table

from collector.database.metadata import ROW_ID, instant, metadata, row_id, text, validity

INSIDE = ("yes", "no", "part")

# What stands for what a meter missed from `start_at` to before `end_at`, both within a local month or a local day: reckoned
# from the ledger, and anew where `mark` (of the meter's days that it rests on) is another. Can be thrown away at any time.
# `half_hours` with `energy_uj` are filled by the same weekday and half-hour; for `empty_half_hours` with their missing
# `empty_seconds` the ledger has none.
gap_fill = Table(
    "gap_fill",
    metadata,
    Column("meter_id", ROW_ID, ForeignKey("meter.id"), primary_key=True, nullable=False),
    Column("start_at", BigInteger, primary_key=True, nullable=False),
    Column("end_at", BigInteger, primary_key=True, nullable=False),
    text("mark"),
    Column("half_hours", Integer, nullable=False),
    Column("energy_uj", BigInteger, nullable=False),
    Column("empty_half_hours", Integer, nullable=False),
    Column("empty_seconds", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# Whether energy is in the council's corporate (building) inventory, dated. `site_id` NULL: all sites; `service_category`
# '': all of them. The more exact row holds.
inventory_boundary = Table(
    "inventory_boundary",
    metadata,
    row_id(),
    Column("organisation_id", ROW_ID, ForeignKey("organisation.id"), nullable=False, index=True),
    Column("site_id", ROW_ID, ForeignKey("site.id"), nullable=True),
    text("service_category"),
    text("inside"),
    text("reason"),
    *validity(),
    text("actor"),
    CheckConstraint("inside IN ('yes', 'no', 'part')", name="inside"),
)

# The year against which a target is told: `year` is that in which the financial year begins. Grams of CO2e by a person's
# word with evidence. The newest row holds; `reason` says why it replaced the one before.
base_year = Table(
    "base_year",
    metadata,
    row_id(),
    Column("organisation_id", ROW_ID, ForeignKey("organisation.id"), nullable=False, index=True),
    Column("year", Integer, nullable=False),
    Column("value_g", BigInteger, nullable=False),
    text("method"),
    text("threshold"),
    text("reason"),
    text("document"),
    text("document_sha256"),
    instant("added_at"),
    text("actor"),
)

# Full-time equivalents of an organisation in a financial year; the newest row of a year holds.
full_time_equivalent = Table(
    "full_time_equivalent",
    metadata,
    row_id(),
    Column("organisation_id", ROW_ID, ForeignKey("organisation.id"), nullable=False),
    Column("year", Integer, nullable=False),
    text("value"),
    text("source"),
    instant("added_at"),
    text("actor"),
    Index("ix_full_time_equivalent_year", "organisation_id", "year"),
)

# Units of service in a financial year (transactions, seats), of one service category or ('') of all: the R of SCI. The
# newest row of a year, category and unit holds.
service_unit = Table(
    "service_unit",
    metadata,
    row_id(),
    Column("organisation_id", ROW_ID, ForeignKey("organisation.id"), nullable=False),
    Column("year", Integer, nullable=False),
    text("service_category"),
    text("unit"),
    text("amount"),
    text("source"),
    instant("added_at"),
    text("actor"),
    Index("ix_service_unit_year", "organisation_id", "year"),
)
