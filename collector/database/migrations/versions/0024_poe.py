"""What switches give at their PoE ports by day, and whether devices are counted by it"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0024"
down_revision: str | None = "0016"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "poe_rule",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.CheckConstraint("rule IN ('on', 'off')", name=op.f("ck_poe_rule_rule")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_poe_rule_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_poe_rule")),
    )
    op.create_index(op.f("ix_poe_rule_organisation_id"), "poe_rule", ["organisation_id"], unique=False)
    op.create_table(
        "poe_day",
        sa.Column("switch_id", sa.Text(), nullable=False),
        sa.Column("local_day", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("ports", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["switch_id"], ["device.id"], name=op.f("fk_poe_day_switch_id")),
        sa.PrimaryKeyConstraint("switch_id", "local_day", name=op.f("pk_poe_day")),
    )
    op.create_index("ix_poe_day_local_day", "poe_day", ["local_day"], unique=False)
