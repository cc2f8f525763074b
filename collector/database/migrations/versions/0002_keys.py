"""Keys that expire and rotate, tokens for a space, and who sends with which key"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

KEY_SECONDS = 365 * 86_400
"""What a key made before it had an end holds from now on: the default."""


def upgrade() -> None:
    # Columns that may be NULL, or have a default that stays: for others SQLite would have to copy the table, which the
    # rows that point at it forbid.
    for name in ("space", "space_kind"):
        op.add_column("enrolment_token", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("agent_key", sa.Column("expires_at", sa.BigInteger(), nullable=False, server_default="0"))
    for name in ("next_sha256", "machine", "revoked_reason"):
        op.add_column("agent_key", sa.Column(name, sa.Text(), nullable=True))
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("agent_key", sa.Column("last_sender", row_id, nullable=True))
    now = "CAST(strftime('%s', 'now') AS INTEGER)"
    if op.get_bind().dialect.name != "sqlite":
        now = "CAST(extract(epoch FROM now()) AS BIGINT)"
    op.execute(f"UPDATE agent_key SET expires_at = {now} + {KEY_SECONDS}")  # noqa: S608  # both parts are constants
    op.create_table(
        "key_sender",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("boot_id", sa.Text(), nullable=False),
        sa.Column("stream_id", sa.Text(), nullable=False),
        sa.Column("host_name", sa.Text(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("returns", sa.Integer(), nullable=False),
        sa.Column("returned_at", sa.BigInteger(), nullable=False),
        sa.Column("is_clone", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["agent_key.id"], name=op.f("fk_key_sender_key_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_sender")),
        sa.UniqueConstraint(
            "key_id",
            "machine",
            "boot_id",
            "stream_id",
            name=op.f("uq_key_sender_key_id_machine_boot_id_stream_id"),
        ),
    )
