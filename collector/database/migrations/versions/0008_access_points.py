"""Neighbours that devices see"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0005"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "snmp_neighbour",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("protocol", sa.Text(), nullable=False),
        sa.Column("if_index", sa.BigInteger(), nullable=True),
        sa.Column("port", sa.Text(), nullable=False),
        sa.Column("chassis_subtype", sa.Text(), nullable=False),
        sa.Column("chassis_id", sa.Text(), nullable=False),
        sa.Column("port_subtype", sa.Text(), nullable=False),
        sa.Column("port_id", sa.Text(), nullable=False),
        sa.Column("port_description", sa.Text(), nullable=False),
        sa.Column("system_name", sa.Text(), nullable=False),
        sa.Column("system_description", sa.Text(), nullable=False),
        sa.Column("capabilities", sa.Text(), nullable=False),
        sa.Column("addresses", sa.Text(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("asked_watts", sa.Float(), nullable=True),
        sa.Column("mac", sa.Text(), nullable=False),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("gone_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_snmp_neighbour_device_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snmp_neighbour")),
    )
    op.create_index(op.f("ix_snmp_neighbour_device_id"), "snmp_neighbour", ["device_id"])
    op.create_index(op.f("ix_snmp_neighbour_mac"), "snmp_neighbour", ["mac"])
    op.create_index(op.f("ix_snmp_neighbour_serial"), "snmp_neighbour", ["serial"])
