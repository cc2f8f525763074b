"""Sites, and what an organisation counts"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0010"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "organisation_boundary",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("schools", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.CheckConstraint("schools IN ('in', 'out')", name=op.f("ck_organisation_boundary_schools")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_organisation_boundary_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation_boundary")),
    )
    op.create_index(
        op.f("ix_organisation_boundary_organisation_id"), "organisation_boundary", ["organisation_id"], unique=False
    )
    op.create_table(
        "site_detail",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("site_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("postcode", sa.Text(), nullable=False),
        sa.Column("uprn", sa.Text(), nullable=False),
        sa.Column("grid_region", sa.Text(), nullable=False),
        sa.Column("tenure", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.CheckConstraint("tenure IN ('own', 'leased', 'landlord')", name=op.f("ck_site_detail_tenure")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_site_detail_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_detail")),
    )
    op.create_index(op.f("ix_site_detail_site_id"), "site_detail", ["site_id"], unique=False)
    op.create_index(
        "uq_site_detail_open",
        "site_detail",
        ["site_id"],
        unique=True,
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
