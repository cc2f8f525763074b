"""Neighbours that devices see, devices that controllers manage, and what switches feed"""

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
    op.create_table(
        "managed_device",
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("controller_id", sa.Text(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("mac", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=True),
        sa.Column("clients", sa.Integer(), nullable=True),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("absent_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_managed_device_device_id")),
        sa.ForeignKeyConstraint(["controller_id"], ["device.id"], name=op.f("fk_managed_device_controller_id")),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_managed_device")),
    )
    op.create_index(op.f("ix_managed_device_controller_id"), "managed_device", ["controller_id"])
    op.create_table(
        "device_feed",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("switch_id", sa.Text(), nullable=False),
        sa.Column("port", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_device_feed_device_id")),
        sa.ForeignKeyConstraint(["switch_id"], ["device.id"], name=op.f("fk_device_feed_switch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_feed")),
    )
    op.create_index(op.f("ix_device_feed_device_id"), "device_feed", ["device_id"])
    op.create_index(op.f("ix_device_feed_switch_id"), "device_feed", ["switch_id"])
    op.add_column("snmp_device", sa.Column("managed", sa.Boolean(), nullable=False, server_default=sa.text("true")))
