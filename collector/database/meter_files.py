"""Tables of what suppliers say of supply meters: files of half-hours and of bills, each kept as it was said."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text

from collector.database.energy import amounts
from collector.database.metadata import ROW_ID, instant, metadata, row_id, text

FILE_KINDS = ("half_hours", "bills")
FILE_STATES = ("writing", "applying", "visible", "undoing", "undone")

# One file that was taken. While it is `writing`, its readings are kept; `applying`, all are, and on their way to the
# ledger; `visible`, they are in it. `undoing`, they leave it; `undone`, they are in it no more. `created` is JSON: the devices
# and sites that it made. Of half-hours, `first_at` and `last_at` are the first and the last; of bills, the ends of days.
meter_file = Table(
    "meter_file",
    metadata,
    row_id(),
    Column("organisation_id", ROW_ID, ForeignKey("organisation.id"), nullable=False, index=True),
    text("kind"),
    text("name"),
    text("sha256"),
    text("mapping"),
    text("actor"),
    instant("at"),
    Column("readings", Integer, nullable=False),
    instant("first_at"),
    instant("last_at"),
    text("created"),
    text("state"),
    instant("undone_at", nullable=True),
    text("undone_by"),
    CheckConstraint("kind IN ('half_hours', 'bills')", name="kind"),
    CheckConstraint("state IN ('writing', 'applying', 'visible', 'undoing', 'undone')", name="state"),
)

# What a file says of a half-hour of a meter, and the cell that says it. Of the files that hold, the newest counts.
meter_file_reading = Table(
    "meter_file_reading",
    metadata,
    Column("meter_id", ROW_ID, ForeignKey("meter.id"), primary_key=True, nullable=False),
    Column("half_hour", BigInteger, primary_key=True, nullable=False),
    Column("file_id", ROW_ID, ForeignKey("meter_file.id"), primary_key=True, nullable=False),
    Column("energy_uj", BigInteger, nullable=False),
    Column("estimated", Boolean, nullable=False),
    text("cell"),
    Index("ix_meter_file_reading_file_id", "file_id", "meter_id", "half_hour"),
    sqlite_with_rowid=False,
)

# What the ledger is going to have of a file that is taken, or taken back: nobody reads it before one short transaction moves
# all of it. `gone`: no row any more.
ledger_staged = Table(
    "ledger_staged",
    metadata,
    Column("file_id", ROW_ID, primary_key=True, nullable=False),
    Column("meter_id", ROW_ID, primary_key=True, nullable=False),
    Column("half_hour", BigInteger, primary_key=True, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("gone", Boolean, nullable=False),
    *amounts(),
    text("method"),
    text("evidence"),
    sqlite_with_rowid=False,
)

# The same of `ledger_day`; a day without half-hours goes.
ledger_day_staged = Table(
    "ledger_day_staged",
    metadata,
    Column("file_id", ROW_ID, primary_key=True, nullable=False),
    Column("meter_id", ROW_ID, primary_key=True, nullable=False),
    Column("local_day", Text, primary_key=True, nullable=False),
    *amounts(),
    Column("half_hours", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# A bill of a meter: both days are included (ISO 8601). It is compared with half-hours and never in a total.
meter_bill = Table(
    "meter_bill",
    metadata,
    row_id(),
    Column("meter_id", ROW_ID, ForeignKey("meter.id"), nullable=False, index=True),
    Column("file_id", ROW_ID, ForeignKey("meter_file.id"), nullable=False, index=True),
    text("first_day"),
    text("last_day"),
    Column("energy_uj", BigInteger, nullable=False),
    Column("estimated", Boolean, nullable=False),
    text("cell"),
)

# How a supplier's files are read, by a name that people give it.
supplier_mapping = Table(
    "supplier_mapping",
    metadata,
    Column("name", Text, primary_key=True),
    text("mapping"),
    text("actor"),
    instant("saved_at"),
)
