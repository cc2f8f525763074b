"""Class profiles, and numbers of devices by class"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0014"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "class_profile",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("device_class", sa.Text(), nullable=False),
        sa.Column("packaged", sa.Boolean(), nullable=False),
        sa.Column("watts_active", sa.Float(), nullable=False),
        sa.Column("watts_idle", sa.Float(), nullable=False),
        sa.Column("watts_asleep", sa.Float(), nullable=False),
        sa.Column("watts_off", sa.Float(), nullable=False),
        sa.Column("hours_active", sa.Float(), nullable=False),
        sa.Column("hours_idle", sa.Float(), nullable=False),
        sa.Column("hours_asleep", sa.Float(), nullable=False),
        sa.Column("working_days", sa.Integer(), nullable=False),
        sa.Column("other_days", sa.Text(), nullable=False),
        sa.Column("home_share", sa.Float(), nullable=False),
        sa.Column("low_factor", sa.Float(), nullable=False),
        sa.Column("high_factor", sa.Float(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.CheckConstraint("other_days IN ('off', 'asleep', 'idle')", name=op.f("ck_class_profile_other_days")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_class_profile_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_class_profile")),
    )
    op.create_index(
        "ix_class_profile_device_class",
        "class_profile",
        ["organisation_id", "device_class", "valid_from"],
        unique=False,
    )
    op.create_table(
        "class_count",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("device_class", sa.Text(), nullable=False),
        sa.Column("site_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("space_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("directorate", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.CheckConstraint("count >= 0", name=op.f("ck_class_count_count")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_class_count_organisation_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_class_count_site_id")),
        sa.ForeignKeyConstraint(["space_id"], ["space.id"], name=op.f("fk_class_count_space_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_class_count")),
    )
    op.create_index(
        "ix_class_count_device_class", "class_count", ["organisation_id", "device_class", "valid_from"], unique=False
    )
