"""Tables of what polled devices see around them: the neighbours at their ports."""

from sqlalchemy import Column, Float, ForeignKey, Table

from collector.database.metadata import instant, metadata, row_id, text

# The newest state of each, and when it was last seen so; `gone_at` is when it was first missed.
snmp_neighbour = Table(
    "snmp_neighbour",
    metadata,
    row_id(),
    Column("device_id", text("device_id").type, ForeignKey("device.id"), nullable=False, index=True),
    text("protocol"),
    # The interface of the device where it is seen, NULL where that cannot be found, and its name.
    instant("if_index", nullable=True),
    text("port"),
    text("chassis_subtype"),
    text("chassis_id"),
    text("port_subtype"),
    text("port_id"),
    text("port_description"),
    text("system_name"),
    text("system_description"),
    # Lists as JSON.
    text("capabilities"),
    text("addresses"),
    text("vendor"),
    text("model"),
    Column("serial", text("serial").type, nullable=False, index=True),
    Column("asked_watts", Float, nullable=True),
    Column("mac", text("mac").type, nullable=False, index=True),
    instant("first_seen_at"),
    instant("last_seen_at"),
    instant("gone_at", nullable=True),
)
