"""Tables of what polled devices see around them: neighbours at their ports, what controllers manage, what is fed by whom."""

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, Table

from collector.database.metadata import instant, metadata, row_id, text, validity

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

# A device that a controller manages, as it told of it last; `absent_at` is when it was first missed.
managed_device = Table(
    "managed_device",
    metadata,
    Column("device_id", text("device_id").type, ForeignKey("device.id"), primary_key=True, nullable=False),
    Column("controller_id", text("controller_id").type, ForeignKey("device.id"), nullable=False, index=True),
    text("row_key"),
    text("name"),
    text("model"),
    text("serial"),
    text("mac"),
    text("address"),
    text("version"),
    Column("online", Boolean, nullable=True),
    Column("clients", Integer, nullable=True),
    instant("first_seen_at"),
    instant("last_seen_at"),
    instant("absent_at", nullable=True),
)

# A device that a switch feeds over Ethernet, and whose energy is therefore the switch's.
device_feed = Table(
    "device_feed",
    metadata,
    row_id(),
    Column("device_id", text("device_id").type, ForeignKey("device.id"), nullable=False, index=True),
    Column("switch_id", text("switch_id").type, ForeignKey("device.id"), nullable=False, index=True),
    text("port"),
    *validity(),
)

# Of a switch and local day: for how many seconds its PoE ports were read, and as JSON for each that gave power its
# millijoules, its name as neighbours are seen there, and the class of who is seen ("" nobody, "other" none of ours).
poe_day = Table(
    "poe_day",
    metadata,
    Column("switch_id", text("switch_id").type, ForeignKey("device.id"), primary_key=True, nullable=False),
    Column("local_day", text("local_day").type, primary_key=True, nullable=False),
    Column("seconds", Integer, nullable=False),
    text("ports"),
    Index("ix_poe_day_local_day", "local_day"),
)
