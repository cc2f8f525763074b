"""Which of several collectors polls a device"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0007"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "snmp_poller",
        sa.Column("collector_id", sa.Text(), nullable=False),
        sa.Column("until_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("collector_id", name=op.f("pk_snmp_poller")),
    )
    op.add_column("snmp_device", sa.Column("lease_owner", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("snmp_device", sa.Column("lease_number", sa.BigInteger(), nullable=False, server_default="0"))
