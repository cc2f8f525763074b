"""Imported conversion factors: each file as a version of its year"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0023"
down_revision: str | None = "0018"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "factor_import",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.Column("updated", sa.Text(), nullable=False),
        sa.Column("next_publication", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("rows", sa.LargeBinary(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("followed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_factor_import")),
        sa.UniqueConstraint("sha256", name=op.f("uq_factor_import_sha256")),
    )
    op.create_index(op.f("ix_factor_import_year"), "factor_import", ["year"], unique=False)
    op.create_table(
        "factor_acceptance",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("before_year", sa.Integer(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["factor_import.id"], name=op.f("fk_factor_acceptance_import_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_factor_acceptance")),
    )
    op.create_index(op.f("ix_factor_acceptance_import_id"), "factor_acceptance", ["import_id"], unique=False)
    op.create_table(
        "factor_line",
        sa.Column("import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("row_id", sa.Text(), nullable=False),
        sa.Column("cell", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["factor_import.id"], name=op.f("fk_factor_line_import_id")),
        sa.PrimaryKeyConstraint("import_id", "line", name=op.f("pk_factor_line")),
    )
