"""What devices told by themselves: one row an event, with how often it came within a short time."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table

from collector.database.metadata import instant, metadata, row_id, text

snmp_event = Table(
    "snmp_event",
    metadata,
    row_id(),
    Column("device_id", text("device_id").type, ForeignKey("device.id"), nullable=False),
    instant("at"),
    instant("last_at"),
    text("code"),
    text("severity"),
    text("detail"),
    text("oid"),
    Column("count", Integer, nullable=False),
    Index("ix_snmp_event_device_id_last_at", "device_id", "last_at"),
    Index("ix_snmp_event_last_at", "last_at"),
)
