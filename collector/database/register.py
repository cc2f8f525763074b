"""Tables of the register of ICT: what the council says there is, as its imported files said it, each state dated."""

from sqlalchemy import Boolean, CheckConstraint, Column, Float, ForeignKey, Index, Integer, Table, Text

from collector.database.metadata import ROW_ID, instant, metadata, row_id, text, validity

IMPORT_STATES = ("writing", "visible", "undone")

# One file that was taken. While it is `writing`, nobody else reads its states; undone, it has none any more.
# `created` is JSON: the rows of sites and spaces that it made. `placements` in register_placement.
register_import = Table(
    "register_import",
    metadata,
    row_id(),
    Column("organisation_id", ROW_ID, ForeignKey("organisation.id"), nullable=False),
    text("file_name"),
    text("sha256"),
    text("mapping"),
    instant("as_at"),
    text("actor"),
    instant("at"),
    Column("rows", Integer, nullable=False),
    text("created"),
    text("state"),
    instant("undone_at", nullable=True),
    text("undone_by"),
    CheckConstraint("state IN ('writing', 'visible', 'undone')", name="state"),
)

# A thing that the register knows, whatever it says of it: one device, or so many equal ones.
register_item = Table(
    "register_item",
    metadata,
    Column("id", Text, primary_key=True),
    Column("organisation_id", ROW_ID, ForeignKey("organisation.id"), nullable=False, index=True),
    Column("created_import", ROW_ID, ForeignKey("register_import.id"), nullable=False, index=True),
)

# What the register says of an item from a time on. `replaces` is the state that this one ends when its import is done.
# `device_id` is the device that was seen and is this item.
register_state = Table(
    "register_state",
    metadata,
    row_id(),
    Column("item_id", Text, ForeignKey("register_item.id"), nullable=False),
    Column("import_id", ROW_ID, ForeignKey("register_import.id"), nullable=False, index=True),
    Column("replaces", ROW_ID, nullable=True),
    Column("ended_by_import", ROW_ID, nullable=True, index=True),
    *validity(),
    *(
        text(name)
        for name in (
            "asset_tag",
            "serial",
            "host_name",
            "vendor",
            "model",
            "device_class",
            "status",
            "directorate",
            "owner",
            "tenure",
            "service_category",
            "share_key",
            "acquired_on",
            "disposed_on",
            "notes",
        )
    ),
    Column("site_id", ROW_ID, ForeignKey("site.id"), nullable=True),
    Column("space_id", ROW_ID, ForeignKey("space.id"), nullable=True),
    Column("school", Boolean, nullable=True),
    Column("share", Float, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("device_id", Text, ForeignKey("device.id"), nullable=True, index=True),
    Index("ix_register_state_item_id", "item_id", "valid_from"),
    CheckConstraint("quantity >= 1", name="quantity"),
    CheckConstraint("0 <= share AND share <= 1", name="share"),
)

# How a council's files are read, kept for the next one with the same headers.
register_mapping = Table(
    "register_mapping",
    metadata,
    Column("organisation_id", ROW_ID, ForeignKey("organisation.id"), primary_key=True),
    Column("fingerprint", Text, primary_key=True),
    text("mapping"),
    instant("saved_at"),
)

# Where an import put a device that was seen: its placements before and after, as JSON, so that they can be put back.
register_placement = Table(
    "register_placement",
    metadata,
    Column("import_id", ROW_ID, ForeignKey("register_import.id"), primary_key=True),
    Column("device_id", Text, ForeignKey("device.id"), primary_key=True),
    text("before"),
    text("after"),
)
