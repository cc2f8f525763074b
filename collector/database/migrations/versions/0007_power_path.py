"""The power path: which places may feed which devices; edges whose share is not known"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0008"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    with op.batch_alter_table("meter_edge", schema=None) as batch_op:
        batch_op.alter_column("share", existing_type=sa.Float(), nullable=True)
    op.create_table(
        "power_link",
        sa.Column("id", row_id, nullable=False),
        sa.Column("parent_device_id", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("child_device_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('proposed', 'confirmed', 'rejected')", name=op.f("ck_power_link_state")),
        sa.ForeignKeyConstraint(["parent_device_id"], ["device.id"], name=op.f("fk_power_link_parent_device_id")),
        sa.ForeignKeyConstraint(["child_device_id"], ["device.id"], name=op.f("fk_power_link_child_device_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_power_link")),
        sa.UniqueConstraint(
            "parent_device_id",
            "place",
            "child_device_id",
            name=op.f("uq_power_link_parent_device_id_place_child_device_id"),
        ),
    )
    op.create_index("ix_power_link_child_device_id", "power_link", ["child_device_id"])
