"""Tables of what was published: accepted coverages, and reports with their evidence packs. Nothing here is ever deleted."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, LargeBinary, Table

from collector.database.metadata import ROW_ID, instant, metadata, row_id, text

PUBLISHED_STATES = ("prepared", "published", "withdrawn")


def _organisation_id() -> Column[int]:
    return Column("organisation_id", ROW_ID, ForeignKey("organisation.id"), nullable=False, index=True)


# An officer's word that a class may be published though little of its time was read. `time_coverage` is Decimal text:
# what was accepted, and no less.
coverage_acceptance = Table(
    "coverage_acceptance",
    metadata,
    row_id(),
    _organisation_id(),
    text("asset_class"),
    text("first_month"),
    text("last_month"),
    text("time_coverage"),
    text("reason"),
    instant("added_at"),
    text("actor"),
    instant("withdrawn_at", nullable=True),
    text("withdrawn_by", nullable=True),
    text("withdrawn_reason", nullable=True),
)

# A report with its evidence pack (the archive's bytes; `pack_sha256` is of its manifest). `restates` is the report that
# it corrects, `reason` why; '' for the first of its months. A withdrawn one has no seal any more.
published_report = Table(
    "published_report",
    metadata,
    row_id(),
    _organisation_id(),
    text("first_month"),
    text("last_month"),
    text("state"),
    Column("total_g", BigInteger, nullable=False),
    text("pack_sha256"),
    Column("pack", LargeBinary, nullable=False),
    Column("seal_id", ROW_ID, ForeignKey("sealed_period.id"), nullable=True),
    Column("restates", ROW_ID, ForeignKey("published_report.id"), nullable=True),
    text("reason"),
    instant("prepared_at"),
    text("prepared_by"),
    instant("approved_at", nullable=True),
    text("approved_by", nullable=True),
    instant("withdrawn_at", nullable=True),
    text("withdrawn_by", nullable=True),
    text("withdrawn_reason", nullable=True),
    CheckConstraint("state IN (" + ", ".join(f"'{one}'" for one in PUBLISHED_STATES) + ")", name="state"),
)
