"""Whether a report is new: its identity is (key, stream, sequence), and each is recorded once.

The mark of a stream is a low-water number, up to which everything is recorded, and the numbers above it. The SHA-256
of each body is kept 35 days: the same number with the same content is a repetition and answered as such; with other
content it is a conflict, and the agent starts a new stream.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, select, update

from collector.clones import Heard, Sender, hear
from collector.database.schema import agent_key, key_sender, report_sequence, report_stream
from collector.errors import SequenceConflict
from collector.keys import expired, unknown_or_revoked

HASHES_KEPT_SECONDS = 35 * 24 * 3600


# Made once: SQLAlchemy takes longer to put a statement together than SQLite to run it, and these run for every report.
_STREAM = (
    select(
        agent_key.c.revoked_at,
        agent_key.c.expires_at,
        agent_key.c.sha256,
        agent_key.c.device_id,
        agent_key.c.machine.label("owner"),
        agent_key.c.last_sender,
        key_sender.c.machine,
        key_sender.c.boot_id,
        key_sender.c.stream_id,
        report_stream.c.id,
        report_stream.c.low_water,
    )
    .select_from(
        agent_key.outerjoin(
            report_stream,
            and_(report_stream.c.key_id == agent_key.c.id, report_stream.c.stream_id == bindparam("stream")),
        ).outerjoin(key_sender, key_sender.c.id == agent_key.c.last_sender)
    )
    .where(agent_key.c.id == bindparam("key_id"))
)
_OF_STREAM = report_sequence.c.report_stream_id == bindparam("stream_row")
_STORED = select(report_sequence.c.sha256).where(_OF_STREAM, report_sequence.c.sequence == bindparam("wanted"))
_INSERT = insert(report_sequence)
_ABOVE = (
    select(report_sequence.c.sequence)
    .where(_OF_STREAM, report_sequence.c.sequence > bindparam("reached"))
    .order_by(report_sequence.c.sequence)
)
_ADVANCE = (
    update(report_stream).where(report_stream.c.id == bindparam("stream_row")).values(low_water=bindparam("reached"))
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Which report it is. `sha256` is that of its JSON text."""

    key_id: str
    stream_id: str
    sequence: int
    sha256: bytes


def claim(
    connection: Connection, identity: Identity, received_at: int, sampled_at: int, sender: Sender | None = None
) -> int | None:
    """Mark a report as recorded in this transaction: its stream's row number, or None for a repetition.

    `sampled_at` is the time of its newest sample (Unix seconds).

    Raises NotAuthorised for a key that is gone, revoked or expired, or has another secret by now (that may have come
    about since the request began), CloneDetected for the copy of another host, and SequenceConflict for a number that
    came with other content.
    """
    key = _locked(connection, identity)
    if key is None or key.revoked_at is not None or (sender is not None and sender.secret_sha256 != key.sha256):
        raise unknown_or_revoked()
    if key.expires_at <= received_at:
        raise expired(key.expires_at)
    stream_row, low_water = (key.id, key.low_water) if key.id is not None else (None, 0)
    sequence = identity.sequence
    stored = connection.execute(_STORED, {"stream_row": stream_row, "wanted": sequence}).scalar()
    # A hash is forgotten 35 days after its report came: one with younger samples is none of those. It has a number
    # that was given twice (a snapshot from long ago was restored), or one that was passed over.
    reused = stored is None and sequence <= low_water and sampled_at > received_at - HASHES_KEPT_SECONDS
    conflict = reused or (stored is not None and bytes(stored) != identity.sha256)
    repeated = not conflict and (stored is not None or sequence <= low_water)
    if sender is not None:
        last = (key.machine, key.boot_id, key.stream_id)
        heard = Heard(identity.key_id, key.device_id, key.owner or "", key.last_sender, last)
        if refusal := hear(connection, heard, sender, identity.stream_id, repeated, received_at):
            raise refusal
    if conflict:
        raise SequenceConflict(
            f"report {sequence} of stream {identity.stream_id} is recorded with other content",
            "start a new stream and send it again",
        )
    if repeated:
        return None
    if stream_row is None:
        stream_row = _new_stream(connection, identity)
    row = {"report_stream_id": stream_row, "sequence": sequence, "sha256": identity.sha256, "received_at": received_at}
    connection.execute(_INSERT, row)
    if sequence == low_water + 1:
        _advance(connection, stream_row, sequence)
    return int(stream_row)


def _locked(connection: Connection, identity: Identity) -> Any:
    """The key with its stream's low-water mark, locked, so that two collectors take turns."""
    if connection.dialect.name != "sqlite":
        # By a statement of its own: one that had to wait for the lock would still read the stream as it was before.
        connection.execute(select(agent_key.c.id).where(agent_key.c.id == identity.key_id).with_for_update())
    return connection.execute(_STREAM, {"key_id": identity.key_id, "stream": identity.stream_id}).first()


def _new_stream(connection: Connection, identity: Identity) -> int:
    values = {"key_id": identity.key_id, "stream_id": identity.stream_id, "low_water": 0}
    inserted = connection.execute(insert(report_stream).values(values))
    key = inserted.inserted_primary_key
    assert key is not None  # noqa: S101  # a row that was inserted has its key
    return int(key[0])


def _advance(connection: Connection, stream_row: int, reached: int) -> None:
    """Move the low-water mark over every number that is recorded without a gap."""
    above = connection.execute(_ABOVE, {"stream_row": stream_row, "reached": reached}).scalars()
    for sequence in above:
        if sequence != reached + 1:
            break
        reached = sequence
    connection.execute(_ADVANCE, {"stream_row": stream_row, "reached": reached})


def forget_old_hashes(connection: Connection, now: int) -> int:
    """Delete hashes older than 35 days, with the mark moved over them: it alone keeps them from counting again.

    An agent that starts leaves numbers unused, so the mark would otherwise stand before that gap for ever, and every
    hash after it be kept.
    """
    aged = (
        select(func.max(report_sequence.c.sequence))
        .where(
            report_sequence.c.report_stream_id == report_stream.c.id,
            report_sequence.c.received_at < now - HASHES_KEPT_SECONDS,
        )
        .scalar_subquery()
    )
    connection.execute(update(report_stream).where(report_stream.c.low_water < aged).values(low_water=aged))
    below = (
        select(report_stream.c.id)
        .where(report_stream.c.id == report_sequence.c.report_stream_id)
        .where(report_stream.c.low_water >= report_sequence.c.sequence)
        .exists()
    )
    old = report_sequence.c.received_at < now - HASHES_KEPT_SECONDS
    return connection.execute(delete(report_sequence).where(old, below)).rowcount
