"""Guests of hosts: what they were, their parts of their hosts' energy, and when they stayed where"""

import json
import uuid
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("inventory", sa.Column("link_uuid", sa.Text(), nullable=True))
    _link_known_machines()
    op.create_table(
        "guest_fact",
        sa.Column("meter_id", row_id, nullable=False),
        sa.Column("half_hour", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.id"], name=op.f("fk_guest_fact_meter_id")),
        sa.PrimaryKeyConstraint("meter_id", "half_hour", "body", name=op.f("pk_guest_fact")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "guest_host",
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("half_hour", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        *(
            sa.Column(f"{part}{name}_uj", sa.BigInteger(), nullable=False)
            for part in ("", "itself_", "headroom_")
            for name in ("energy", "low", "high")
        ),
        sa.Column("model_version", sa.Text(), nullable=False),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_guest_host_device_id")),
        sa.PrimaryKeyConstraint("device_id", "half_hour", "revision", name=op.f("pk_guest_host")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "guest_energy",
        sa.Column("meter_id", row_id, nullable=False),
        sa.Column("half_hour", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("idle_uj", "active_uj", "low_uj", "high_uj")),
        sa.Column("ran_seconds", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.id"], name=op.f("fk_guest_energy_meter_id")),
        sa.PrimaryKeyConstraint("meter_id", "half_hour", "revision", name=op.f("pk_guest_energy")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "guest_stay",
        sa.Column("meter_id", row_id, nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=False),
        sa.Column("link_uuid", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.id"], name=op.f("fk_guest_stay_meter_id")),
        sa.PrimaryKeyConstraint("meter_id", "valid_from", name=op.f("pk_guest_stay")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_guest_stay_link_uuid", "guest_stay", ["link_uuid", "valid_to"])


def _link_known_machines() -> None:
    """What the collector writes with a virtual machine's inventory from now on, for those that it has."""
    table = sa.table(
        "inventory", *(sa.column(name) for name in ("device_id", "version", "platform", "body", "link_uuid"))
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(table).where(table.c.platform == "virtual_machine")).all():
        body = json.loads(row.body)
        try:
            found = uuid.UUID(body.get("system_uuid") or "")
        except ValueError:
            continue
        if not body.get("cloud"):
            spelling = min(str(found), str(uuid.UUID(bytes_le=found.bytes)))
            mine = (table.c.device_id == row.device_id) & (table.c.version == row.version)
            connection.execute(sa.update(table).where(mine).values(link_uuid=spelling))
