"""The register of ICT"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "register_import",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.Column("as_at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("created", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("undone_at", sa.BigInteger(), nullable=True),
        sa.Column("undone_by", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('writing', 'visible', 'undone')", name=op.f("ck_register_import_state")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_register_import_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_import")),
    )
    op.create_table(
        "register_mapping",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_register_mapping_organisation_id")
        ),
        sa.PrimaryKeyConstraint("organisation_id", "fingerprint", name=op.f("pk_register_mapping")),
    )
    op.create_table(
        "register_item",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_import", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_import"], ["register_import.id"], name=op.f("fk_register_item_created_import")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_register_item_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_item")),
    )
    op.create_index(op.f("ix_register_item_created_import"), "register_item", ["created_import"], unique=False)
    op.create_index(op.f("ix_register_item_organisation_id"), "register_item", ["organisation_id"], unique=False)
    op.create_table(
        "register_placement",
        sa.Column("import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_register_placement_device_id")),
        sa.ForeignKeyConstraint(["import_id"], ["register_import.id"], name=op.f("fk_register_placement_import_id")),
        sa.PrimaryKeyConstraint("import_id", "device_id", name=op.f("pk_register_placement")),
    )
    op.create_table(
        "register_state",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("replaces", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("ended_by_import", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.Column("asset_tag", sa.Text(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("host_name", sa.Text(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("device_class", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("directorate", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("tenure", sa.Text(), nullable=False),
        sa.Column("service_category", sa.Text(), nullable=False),
        sa.Column("share_key", sa.Text(), nullable=False),
        sa.Column("acquired_on", sa.Text(), nullable=False),
        sa.Column("disposed_on", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("site_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("space_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("school", sa.Boolean(), nullable=True),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=True),
        sa.CheckConstraint("0 <= share AND share <= 1", name=op.f("ck_register_state_share")),
        sa.CheckConstraint("quantity >= 1", name=op.f("ck_register_state_quantity")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_register_state_device_id")),
        sa.ForeignKeyConstraint(["import_id"], ["register_import.id"], name=op.f("fk_register_state_import_id")),
        sa.ForeignKeyConstraint(["item_id"], ["register_item.id"], name=op.f("fk_register_state_item_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_register_state_site_id")),
        sa.ForeignKeyConstraint(["space_id"], ["space.id"], name=op.f("fk_register_state_space_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_state")),
    )
    op.create_index(op.f("ix_register_state_device_id"), "register_state", ["device_id"], unique=False)
    op.create_index(op.f("ix_register_state_ended_by_import"), "register_state", ["ended_by_import"], unique=False)
    op.create_index(op.f("ix_register_state_import_id"), "register_state", ["import_id"], unique=False)
    op.create_index("ix_register_state_item_id", "register_state", ["item_id", "valid_from"], unique=False)
