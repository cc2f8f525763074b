"""The grid's carbon intensity by half-hour"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0017"
down_revision: str | None = "0019"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "grid_intensity",
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("half_hour", sa.BigInteger(), nullable=False),
        sa.Column("forecast", sa.Float(), nullable=True),
        sa.Column("actual", sa.Float(), nullable=True),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("retrieved_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("region", "half_hour", name=op.f("pk_grid_intensity")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_grid_intensity_half_hour", "grid_intensity", ["half_hour"], unique=False)
    op.create_table(
        "grid_region",
        sa.Column("outward", sa.Text(), nullable=False),
        sa.Column("region_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("outward", name=op.f("pk_grid_region")),
    )
    op.create_table(
        "grid_try",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("tried_at", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("faults", sa.Integer(), nullable=False),
        sa.Column("disagreeing", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_grid_try")),
    )
