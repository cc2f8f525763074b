"""What meters measure and where, as a person says it"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0011"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "meter_place",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("meter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("reading_point", sa.Text(), nullable=False),
        sa.Column("site_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("space_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("accounting", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("accounting IN ('auto', 'never', 'always')", name=op.f("ck_meter_place_accounting")),
        sa.CheckConstraint("purpose IN ('ict', 'whole_building', 'generation')", name=op.f("ck_meter_place_purpose")),
        sa.CheckConstraint(
            "reading_point IN ('it', 'ups_output', 'ups_input', 'room_incomer', 'building')",
            name=op.f("ck_meter_place_reading_point"),
        ),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.id"], name=op.f("fk_meter_place_meter_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_meter_place_site_id")),
        sa.ForeignKeyConstraint(["space_id"], ["space.id"], name=op.f("fk_meter_place_space_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meter_place")),
    )
    op.create_index(op.f("ix_meter_place_meter_id"), "meter_place", ["meter_id"], unique=False)
    op.create_index(
        "uq_meter_place_open",
        "meter_place",
        ["meter_id"],
        unique=True,
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
