"""Tables of classes of devices that nobody reads: an organisation's own profiles, and plain numbers of devices; dated."""

from sqlalchemy import Boolean, CheckConstraint, Column, Float, ForeignKey, Index, Integer, Table

from collector.database.metadata import ROW_ID, metadata, row_id, text, validity

# What holds of a class instead of the packaged default (carbon.class_profiles.ClassProfile). `packaged` rows say that
# from then on the default holds again, whatever it will be; their figures mean nothing.
class_profile = Table(
    "class_profile",
    metadata,
    row_id(),
    Column("organisation_id", ROW_ID, ForeignKey("organisation.id"), nullable=False),
    text("device_class"),
    Column("packaged", Boolean, nullable=False),
    *(
        Column(name, Float, nullable=False)
        for name in (
            "watts_active",
            "watts_idle",
            "watts_asleep",
            "watts_off",
            "hours_active",
            "hours_idle",
            "hours_asleep",
        )
    ),
    Column("working_days", Integer, nullable=False),
    text("other_days"),
    *(Column(name, Float, nullable=False) for name in ("home_share", "low_factor", "high_factor")),
    text("source"),
    *validity(),
    text("actor"),
    Index("ix_class_profile_device_class", "organisation_id", "device_class", "valid_from"),
    CheckConstraint("other_days IN ('off', 'asleep', 'idle')", name="other_days"),
)

# So many devices of a class, for an organisation whose register does not have the class. `site_id` and `space_id` are
# NULL and `directorate` is '' where the number is not told apart by it. No two rows of one key hold at a time.
class_count = Table(
    "class_count",
    metadata,
    row_id(),
    Column("organisation_id", ROW_ID, ForeignKey("organisation.id"), nullable=False),
    text("device_class"),
    Column("site_id", ROW_ID, ForeignKey("site.id"), nullable=True),
    Column("space_id", ROW_ID, ForeignKey("space.id"), nullable=True),
    text("directorate"),
    Column("count", Integer, nullable=False),
    text("source"),
    *validity(),
    text("actor"),
    Index("ix_class_count_device_class", "organisation_id", "device_class", "valid_from"),
    CheckConstraint("count >= 0", name="count"),
)
