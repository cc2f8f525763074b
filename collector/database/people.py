"""Tables of trust: enrolment tokens, keys, what administrators did. Secrets are stored as their SHA-256 only.

Keys and tokens are 256 random bits, so a plain hash is enough: there is no dictionary to try.
"""

from sqlalchemy import Column, ForeignKey, Integer, Table, Text

from collector.database.metadata import instant, metadata, row_id, text

enrolment_token = Table(
    "enrolment_token",
    metadata,
    Column("id", Text, primary_key=True),
    text("sha256"),
    text("label"),
    text("site"),
    instant("created_at"),
    instant("expires_at"),
    Column("uses_left", Integer, nullable=False),
    instant("revoked_at", nullable=True),
)

agent_key = Table(
    "agent_key",
    metadata,
    Column("id", Text, primary_key=True),
    text("sha256"),
    Column("device_id", Text, ForeignKey("device.id"), nullable=False, index=True),
    instant("created_at"),
    instant("revoked_at", nullable=True),
)

audit_log = Table(
    "audit_log",
    metadata,
    row_id(),
    instant("at"),
    text("actor"),
    text("action"),
    text("object"),
    text("detail"),
)

# Small facts of the installation, such as its identity and the version of the estate that caches compare.
setting = Table("setting", metadata, Column("name", Text, primary_key=True), text("value"))
