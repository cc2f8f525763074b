"""Tables of the estate: what devices there are, where they stand, what feeds and meters them. Facts are dated."""

from sqlalchemy import Boolean, CheckConstraint, Column, Float, ForeignKey, Index, Integer, Table, UniqueConstraint
from sqlalchemy import text as sql

from collector.database.metadata import ROW_ID, instant, metadata, row_id, text, validity

SPACE_KINDS = ("data_room", "cooled_cupboard", "passive_cupboard", "office", "home", "colocation")

organisation = Table(
    "organisation",
    metadata,
    row_id(),
    text("name"),
    text("time_zone"),
    text("year_rule"),
    # Whether virtual machines whose host is unknown enter the totals.
    Column("count_host_missing", Boolean, nullable=False),
)

site = Table(
    "site",
    metadata,
    row_id(),
    Column("organisation_id", ROW_ID, ForeignKey("organisation.id"), nullable=False),
    text("name"),
    UniqueConstraint("organisation_id", "name"),
)

space = Table(
    "space",
    metadata,
    row_id(),
    Column("site_id", ROW_ID, ForeignKey("site.id"), nullable=False),
    text("name"),
    text("kind"),
    UniqueConstraint("site_id", "name"),
    CheckConstraint("kind IN (" + ", ".join(f"'{kind}'" for kind in SPACE_KINDS) + ")", name="kind"),
)

# A space's own PUE, where one is known; else the assumption for its kind holds.
space_pue = Table(
    "space_pue",
    metadata,
    row_id(),
    Column("space_id", ROW_ID, ForeignKey("space.id"), nullable=False, index=True),
    Column("pue", Float, nullable=False),
    Column("low", Float, nullable=False),
    Column("high", Float, nullable=False),
    text("source"),
    *validity(),
    CheckConstraint("1 <= low AND low <= pue AND pue <= high", name="pue"),
)

# `id` is random, given at enrolment: never a host name, address or serial number.
device = Table(
    "device",
    metadata,
    Column("id", text("id").type, primary_key=True),
    Column("organisation_id", ROW_ID, ForeignKey("organisation.id"), nullable=False),
    text("kind"),
    instant("created_at"),
    instant("retired_at", nullable=True),
    Column("merged_into", text("merged_into").type, ForeignKey("device.id"), nullable=True),
)


def _device_id(*, primary_key: bool = False, index: bool = False) -> Column[str]:
    return Column(
        "device_id",
        text("device_id").type,
        ForeignKey("device.id"),
        primary_key=primary_key,
        nullable=False,
        index=index,
    )


device_placement = Table(
    "device_placement",
    metadata,
    row_id(),
    _device_id(index=True),
    Column("site_id", ROW_ID, ForeignKey("site.id"), nullable=True),
    Column("space_id", ROW_ID, ForeignKey("space.id"), nullable=True),
    text("directorate"),
    text("owner"),
    *validity(),
    text("actor"),
    Index(
        "uq_device_placement_open",
        "device_id",
        unique=True,
        sqlite_where=sql("valid_to IS NULL"),
        postgresql_where=sql("valid_to IS NULL"),
    ),
)

# Host names, addresses, machine ids, serials: dated evidence to propose "same device", never identity.
device_evidence = Table(
    "device_evidence",
    metadata,
    _device_id(primary_key=True),
    Column("name", text("name").type, primary_key=True),
    Column("value", text("value").type, primary_key=True),
    instant("first_seen_at"),
    instant("last_seen_at"),
    Index("ix_device_evidence_value", "name", "value"),
)

inventory = Table(
    "inventory",
    metadata,
    _device_id(primary_key=True),
    Column("version", Integer, primary_key=True),
    text("body"),
    text("sha256"),
    # Of the body: what lists and series need of every device.
    text("host_name"),
    text("platform"),
    # Of a virtual machine that is in no public cloud: the UUID by which its host knows it (guest_stay).
    text("link_uuid", nullable=True),
    *validity(),
)

meter = Table(
    "meter",
    metadata,
    row_id(),
    _device_id(),
    text("name"),
    text("source"),
    text("kind"),
    text("covers"),
    text("parent"),
    instant("created_at"),
    UniqueConstraint("device_id", "name"),
)

# What a meter feeds: another meter, or a device. `share` is the part of the parent that goes there; NULL where it is
# not known, and what goes there is told by the child's own meters.
meter_edge = Table(
    "meter_edge",
    metadata,
    row_id(),
    Column("parent_meter_id", ROW_ID, ForeignKey("meter.id"), nullable=False, index=True),
    Column("child_meter_id", ROW_ID, ForeignKey("meter.id"), nullable=True, index=True),
    Column("child_device_id", text("child_device_id").type, ForeignKey("device.id"), nullable=True, index=True),
    Column("share", Float, nullable=True),
    *validity(),
    CheckConstraint("(child_meter_id IS NULL) <> (child_device_id IS NULL)", name="one_child"),
)

# Which meters stand for the whole device, as its agent chose; an override is a person's.
device_accounting = Table(
    "device_accounting",
    metadata,
    row_id(),
    _device_id(index=True),
    text("basis"),
    text("meters"),
    text("why_not"),
    *validity(),
)

accounting_override = Table(
    "accounting_override",
    metadata,
    row_id(),
    _device_id(index=True),
    text("basis"),
    text("meters"),
    text("reason"),
    text("actor"),
    *validity(),
)

# The newest of each device, for lists: everything here can be found again elsewhere.
device_status = Table(
    "device_status",
    metadata,
    _device_id(primary_key=True),
    instant("last_report_at"),
    instant("last_sample_at", nullable=True),
    text("agent_version"),
    text("basis"),
    text("method"),
    text("source"),
    Column("power_watts", Float, nullable=True),
    Column("power_low_watts", Float, nullable=True),
    Column("power_high_watts", Float, nullable=True),
    Column("clock_offset_seconds", Float, nullable=False),
)

source_state = Table(
    "source_state",
    metadata,
    _device_id(primary_key=True),
    Column("source", text("source").type, primary_key=True),
    text("outcome"),
    text("reason"),
    text("remedy"),
    instant("since_at"),
)

diagnosis = Table(
    "diagnosis",
    metadata,
    _device_id(primary_key=True),
    Column("code", text("code").type, primary_key=True),
    text("detail"),
    text("remedy"),
    instant("first_at"),
    instant("last_at"),
    Column("count", Integer, nullable=False),
)
