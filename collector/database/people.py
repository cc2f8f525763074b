"""Tables of trust: enrolment tokens, keys, what administrators did. Secrets are stored as their SHA-256 only.

Keys and tokens are 256 random bits, so a plain hash is enough: there is no dictionary to try.
"""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, Table, Text, UniqueConstraint

from collector.database.metadata import ROW_ID, instant, metadata, row_id, text

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
    text("space", nullable=True),
    # The kind of its space, where that is to be made with the first host.
    text("space_kind", nullable=True),
    # Whose the hosts are. NULL: the first organisation's, as of all tokens from before tokens named theirs.
    Column("organisation_id", ROW_ID, nullable=True),
)

# A rotated key keeps its id, so that reports keep their identity: only its secret changes. `next_sha256` is the new
# secret's until it is used for the first time; `sha256` holds until then. `machine` is the evidence of its first owner.
agent_key = Table(
    "agent_key",
    metadata,
    Column("id", Text, primary_key=True),
    text("sha256"),
    Column("device_id", Text, ForeignKey("device.id"), nullable=False, index=True),
    # From when the secret holds, and until when.
    instant("created_at"),
    instant("revoked_at", nullable=True),
    Column("expires_at", BigInteger, nullable=False, server_default="0"),
    text("next_sha256", nullable=True),
    text("machine", nullable=True),
    text("revoked_reason", nullable=True),
    # The row of key_sender that sent last.
    Column("last_sender", ROW_ID, nullable=True),
)

# Who sends with a key: one machine, boot and stream. Two that take turns are two hosts with one key.
key_sender = Table(
    "key_sender",
    metadata,
    row_id(),
    Column("key_id", Text, ForeignKey("agent_key.id"), nullable=False),
    text("machine"),
    text("boot_id"),
    text("stream_id"),
    text("host_name"),
    instant("first_at"),
    # How often it came back after another; counted anew six hours after `returned_at`.
    Column("returns", Integer, nullable=False),
    instant("returned_at"),
    Column("is_clone", Boolean, nullable=False),
    UniqueConstraint("key_id", "machine", "boot_id", "stream_id"),
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
