"""Other lines, providers' services and statements, product footprints, suppliers"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0022"
down_revision: str | None = "0023"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "line_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("list_sha256", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("document_sha256", sa.Text(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_by", sa.Text(), nullable=True),
        sa.Column("withdrawn_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_line_entry_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_line_entry")),
    )
    op.create_index(op.f("ix_line_entry_organisation_id"), "line_entry", ["organisation_id"], unique=False)
    op.create_table(
        "product_footprint",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("device_class", sa.Text(), nullable=False),
        sa.Column("total_kg", sa.Text(), nullable=False),
        sa.Column("use_kg", sa.Text(), nullable=False),
        sa.Column("transport_kg", sa.Text(), nullable=False),
        sa.Column("end_of_life_kg", sa.Text(), nullable=False),
        sa.Column("document_date", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("document_sha256", sa.Text(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_by", sa.Text(), nullable=True),
        sa.Column("withdrawn_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('pcf', 'component', 'spend')", name=op.f("ck_product_footprint_kind")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_product_footprint_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_footprint")),
    )
    op.create_index(
        op.f("ix_product_footprint_organisation_id"), "product_footprint", ["organisation_id"], unique=False
    )
    op.create_table(
        "service_life",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("device_class", sa.Text(), nullable=False),
        sa.Column("years", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_service_life_organisation_id")),
        sa.PrimaryKeyConstraint("organisation_id", "device_class", name=op.f("pk_service_life")),
    )
    op.create_table(
        "supplier",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("supplies", sa.Text(), nullable=False),
        sa.Column("contract", sa.Text(), nullable=False),
        sa.Column("contract_end", sa.Text(), nullable=False),
        sa.Column("carbon_plan", sa.Text(), nullable=False),
        sa.Column("target_year", sa.Text(), nullable=False),
        sa.Column("pcf_state", sa.Text(), nullable=False),
        sa.Column("pcf_date", sa.Text(), nullable=False),
        sa.Column("next_date", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("document_sha256", sa.Text(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_supplier_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier")),
        sa.UniqueConstraint("organisation_id", "name", name=op.f("uq_supplier_organisation_id_name")),
    )
    op.create_index(op.f("ix_supplier_organisation_id"), "supplier", ["organisation_id"], unique=False)
    op.create_table(
        "other_line",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("entry_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("site_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("amount", sa.Text(), nullable=False),
        sa.Column("kg_per_unit", sa.Text(), nullable=False),
        sa.Column("factor_source", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["line_entry.id"], name=op.f("fk_other_line_entry_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_other_line_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_other_line")),
    )
    op.create_index(op.f("ix_other_line_entry_id"), "other_line", ["entry_id"], unique=False)
    op.create_table(
        "provider_service",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("scope_3_category", sa.Text(), nullable=False),
        sa.Column("site_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("metered", sa.Boolean(), nullable=False),
        sa.Column("first_month", sa.Text(), nullable=False),
        sa.Column("last_month", sa.Text(), nullable=True),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('cloud', 'saas', 'colocation')", name=op.f("ck_provider_service_kind")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_provider_service_organisation_id")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_provider_service_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_service")),
        sa.UniqueConstraint("organisation_id", "name", name=op.f("uq_provider_service_organisation_id_name")),
    )
    op.create_index(op.f("ix_provider_service_organisation_id"), "provider_service", ["organisation_id"], unique=False)
    op.create_table(
        "supplier_vendor",
        sa.Column("supplier_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("fk_supplier_vendor_supplier_id")),
        sa.PrimaryKeyConstraint("supplier_id", "vendor", name=op.f("pk_supplier_vendor")),
    )
    op.create_index("ix_supplier_vendor_vendor", "supplier_vendor", ["vendor"], unique=False)
    op.create_table(
        "provider_statement",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("service_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("layout", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("accounts", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("document_sha256", sa.Text(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_by", sa.Text(), nullable=True),
        sa.Column("withdrawn_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["service_id"], ["provider_service.id"], name=op.f("fk_provider_statement_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_statement")),
    )
    op.create_index(op.f("ix_provider_statement_service_id"), "provider_statement", ["service_id"], unique=False)
    op.create_table(
        "statement_row",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("statement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Text(), nullable=False),
        sa.Column("last_day", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("amount", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("kg_per_unit", sa.Text(), nullable=False),
        sa.Column("factor_source", sa.Text(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["provider_statement.id"], name=op.f("fk_statement_row_statement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_row")),
    )
    op.create_index(op.f("ix_statement_row_statement_id"), "statement_row", ["statement_id"], unique=False)
