"""Files of suppliers: half-hours and bills of supply meters, each kept as it was said, and how each supplier's are read."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0015"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "supplier_mapping",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_supplier_mapping")),
    )
    op.create_table(
        "meter_file",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("readings", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("undone_at", sa.BigInteger(), nullable=True),
        sa.Column("undone_by", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('half_hours', 'bills')", name=op.f("ck_meter_file_kind")),
        sa.CheckConstraint(
            "state IN ('writing', 'applying', 'visible', 'undoing', 'undone')", name=op.f("ck_meter_file_state")
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_meter_file_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meter_file")),
    )
    op.create_index(op.f("ix_meter_file_organisation_id"), "meter_file", ["organisation_id"], unique=False)
    op.create_table(
        "meter_bill",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("meter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("file_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("first_day", sa.Text(), nullable=False),
        sa.Column("last_day", sa.Text(), nullable=False),
        sa.Column("energy_uj", sa.BigInteger(), nullable=False),
        sa.Column("estimated", sa.Boolean(), nullable=False),
        sa.Column("cell", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["meter_file.id"], name=op.f("fk_meter_bill_file_id")),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.id"], name=op.f("fk_meter_bill_meter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meter_bill")),
    )
    op.create_index(op.f("ix_meter_bill_file_id"), "meter_bill", ["file_id"], unique=False)
    op.create_index(op.f("ix_meter_bill_meter_id"), "meter_bill", ["meter_id"], unique=False)
    op.create_table(
        "meter_file_reading",
        sa.Column("meter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("half_hour", sa.BigInteger(), nullable=False),
        sa.Column("file_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("energy_uj", sa.BigInteger(), nullable=False),
        sa.Column("estimated", sa.Boolean(), nullable=False),
        sa.Column("cell", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["meter_file.id"], name=op.f("fk_meter_file_reading_file_id")),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.id"], name=op.f("fk_meter_file_reading_meter_id")),
        sa.PrimaryKeyConstraint("meter_id", "half_hour", "file_id", name=op.f("pk_meter_file_reading")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_meter_file_reading_file_id", "meter_file_reading", ["file_id", "meter_id", "half_hour"], unique=False
    )
    op.create_table(
        "ledger_staged",
        sa.Column("file_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("meter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("half_hour", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.Column("measured_uj", sa.BigInteger(), nullable=False),
        sa.Column("estimated_uj", sa.BigInteger(), nullable=False),
        sa.Column("low_uj", sa.BigInteger(), nullable=False),
        sa.Column("high_uj", sa.BigInteger(), nullable=False),
        sa.Column("covered_seconds", sa.BigInteger(), nullable=False),
        sa.Column("spread_seconds", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("file_id", "meter_id", "half_hour", name=op.f("pk_ledger_staged")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_day_staged",
        sa.Column("file_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("meter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("local_day", sa.Text(), nullable=False),
        sa.Column("measured_uj", sa.BigInteger(), nullable=False),
        sa.Column("estimated_uj", sa.BigInteger(), nullable=False),
        sa.Column("low_uj", sa.BigInteger(), nullable=False),
        sa.Column("high_uj", sa.BigInteger(), nullable=False),
        sa.Column("covered_seconds", sa.BigInteger(), nullable=False),
        sa.Column("spread_seconds", sa.BigInteger(), nullable=False),
        sa.Column("half_hours", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("file_id", "meter_id", "local_day", name=op.f("pk_ledger_day_staged")),
        sqlite_with_rowid=False,
    )
