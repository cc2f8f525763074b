"""Tables of devices that are polled over SNMP: how each is asked, how the last poll went, and which collector polls."""

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, Table
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
    # Whether what it manages, if it is a controller, becomes devices of the estate.
    Column("managed", Boolean, nullable=False, server_default=sql("true")),
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
    # Which of several collectors polls it ('' for none); the number counts up whenever that changes.
    Column("lease_owner", text("lease_owner").type, nullable=False, server_default=sql("''")),
    Column("lease_number", BigInteger, nullable=False, server_default="0"),
    Index(
        "uq_snmp_device_address",
        "host",
        "port",
        unique=True,
        sqlite_where=sql("removed_at IS NULL"),
        postgresql_where=sql("removed_at IS NULL"),
    ),
)

# A collector that polls renews its leases here, all of them at once: until when they hold, by the database's clock.
snmp_poller = Table(
    "snmp_poller",
    metadata,
    Column("collector_id", text("collector_id").type, primary_key=True, nullable=False),
    instant("until_ns"),
)

# A poll that a trap asked for, until whoever polls the device has begun with it.
snmp_asked = Table(
    "snmp_asked",
    metadata,
    Column("device_id", text("device_id").type, ForeignKey("device.id"), primary_key=True, nullable=False),
    instant("at_ns"),
)
