"""Tables of metering: what a meter of the power path measures and where, as a person says it, dated."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table
from sqlalchemy import text as sql

from collector.database.metadata import ROW_ID, metadata, row_id, text, validity

PURPOSES = ("ict", "whole_building", "generation")
READING_POINTS = ("it", "ups_output", "ups_input", "room_incomer", "building")
ACCOUNTING = ("auto", "never", "always")


def _one_of(name: str, values: tuple[str, ...]) -> CheckConstraint:
    return CheckConstraint(f"{name} IN (" + ", ".join(f"'{value}'" for value in values) + ")", name=name)


# `site_id` and `space_id` NULL: where the meter's device stands. `reading_point` says what of a room's PUE the reading
# holds already; `accounting` overrules whether the meter accounts for what it feeds, and then has a `reason`.
meter_place = Table(
    "meter_place",
    metadata,
    row_id(),
    Column("meter_id", ROW_ID, ForeignKey("meter.id"), nullable=False, index=True),
    text("purpose"),
    text("reading_point"),
    Column("site_id", ROW_ID, ForeignKey("site.id"), nullable=True),
    Column("space_id", ROW_ID, ForeignKey("space.id"), nullable=True),
    text("accounting"),
    text("reason"),
    text("actor"),
    *validity(),
    _one_of("purpose", PURPOSES),
    _one_of("reading_point", READING_POINTS),
    _one_of("accounting", ACCOUNTING),
    Index(
        "uq_meter_place_open",
        "meter_id",
        unique=True,
        sqlite_where=sql("valid_to IS NULL"),
        postgresql_where=sql("valid_to IS NULL"),
    ),
)
