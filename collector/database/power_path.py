"""Tables of the power path: which place of a UPS, PDU or switch may feed which device. What is so, `meter_edge` says."""

from sqlalchemy import CheckConstraint, Column, Float, ForeignKey, Index, Table, UniqueConstraint

from collector.database.metadata import instant, metadata, row_id, text

LINK_STATES = ("proposed", "confirmed", "rejected")

# `place` is the name of the parent's meter, which may not be there yet; `label` what the device calls it. `evidence` is
# JSON: a list of {"how", "detail"}. A rejected link is not proposed again.
power_link = Table(
    "power_link",
    metadata,
    row_id(),
    Column("parent_device_id", text("parent_device_id").type, ForeignKey("device.id"), nullable=False),
    text("place"),
    text("label"),
    Column("child_device_id", text("child_device_id").type, ForeignKey("device.id"), nullable=False),
    text("state"),
    Column("score", Float, nullable=False),
    text("evidence"),
    instant("first_seen_at"),
    instant("last_seen_at"),
    instant("decided_at", nullable=True),
    text("decided_by"),
    UniqueConstraint("parent_device_id", "place", "child_device_id"),
    CheckConstraint("state IN (" + ", ".join(f"'{state}'" for state in LINK_STATES) + ")", name="state"),
    Index("ix_power_link_child_device_id", "child_device_id"),
)
