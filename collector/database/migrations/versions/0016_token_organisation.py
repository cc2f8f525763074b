"""Enrolment tokens that say whose the hosts are"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | None = "0012"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    # May be NULL and has no foreign key: for either of them SQLite would have to copy the table.
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("enrolment_token", sa.Column("organisation_id", row_id, nullable=True))
