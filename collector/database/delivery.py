"""Tables of delivery: which reports are recorded, and what still has to reach the stores."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, UniqueConstraint

from collector.database.metadata import ROW_ID, instant, metadata, row_id, text

# Every sequence number up to `low_water` is recorded; those above it stand in report_sequence.
report_stream = Table(
    "report_stream",
    metadata,
    row_id(),
    Column("key_id", Text, ForeignKey("agent_key.id"), nullable=False),
    text("stream_id"),
    Column("low_water", BigInteger, nullable=False),
    UniqueConstraint("key_id", "stream_id"),
)

# The body's SHA-256 is kept 35 days: the same number with other content is a conflict, not a repetition.
report_sequence = Table(
    "report_sequence",
    metadata,
    Column("report_stream_id", ROW_ID, ForeignKey("report_stream.id"), primary_key=True, nullable=False),
    Column("sequence", BigInteger, primary_key=True, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    instant("received_at"),
    Index("ix_report_sequence_received_at", "received_at"),
    sqlite_with_rowid=False,
)

# An append-only log of line protocol (gzip). It belongs to the collector that took it.
outbox = Table(
    "outbox",
    metadata,
    row_id(),
    text("collector_id"),
    instant("created_at"),
    Column("lines", LargeBinary, nullable=False),
    Column("points", Integer, nullable=False),
    instant("first_ns"),
    instant("last_ns"),
    Index("ix_outbox_collector_id", "collector_id", "id"),
    sqlite_autoincrement=True,
)

outbox_cursor = Table(
    "outbox_cursor",
    metadata,
    Column("target", Text, primary_key=True),
    Column("collector_id", Text, primary_key=True),
    Column("last_id", BigInteger, nullable=False),
)

# Lines that a target refused for their content, with its reason.
dead_letter = Table(
    "dead_letter",
    metadata,
    row_id(),
    text("target"),
    text("line"),
    text("reason"),
    instant("created_at"),
    Index("ix_dead_letter_target", "target", "id"),
    sqlite_autoincrement=True,
)

collector_instance = Table(
    "collector_instance",
    metadata,
    Column("id", Text, primary_key=True),
    text("host_name"),
    instant("started_at"),
    instant("heartbeat_at"),
)

# Rows of accepted reports that were not kept: how many a day for each reason, with an example.
rejected_rows = Table(
    "rejected_rows",
    metadata,
    Column("device_id", Text, ForeignKey("device.id"), primary_key=True),
    Column("day", Text, primary_key=True),
    Column("reason", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
    text("example"),
)
