"""Tables of devices that are polled over SNMP: how each is asked, and how the last poll went."""

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, Table
from sqlalchemy import text as sql

from collector.database.metadata import instant, metadata, text

# Secrets are never here: `credential` is the name of files that hold them.
snmp_device = Table(
    "snmp_device",
    metadata,
    Column("device_id", text("device_id").type, ForeignKey("device.id"), primary_key=True, nullable=False),
    text("host"),
    Column("port", Integer, nullable=False),
    text("credential"),
    text("name"),
    Column("power_seconds", Integer, nullable=False),
    Column("utilisation_seconds", Integer, nullable=False),
    Column("inventory_seconds", Integer, nullable=False),
    Column("timeout_seconds", Float, nullable=False),
    Column("retries", Integer, nullable=False),
    instant("added_at"),
    text("added_by"),
    instant("removed_at", nullable=True),
    # How the last poll went: everything below can be found again by polling.
    text("state"),
    instant("last_ok_at", nullable=True),
    text("last_error"),
    text("last_remedy"),
    Column("failures", Integer, nullable=False),
    instant("next_try_at", nullable=True),
    text("profiles"),
    # The last readings as JSON, for the device's page.
    text("reading"),
    Index(
        "uq_snmp_device_address",
        "host",
        "port",
        unique=True,
        sqlite_where=sql("removed_at IS NULL"),
        postgresql_where=sql("removed_at IS NULL"),
    ),
)
