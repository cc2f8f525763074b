"""Hosts' keys: `<id>.<secret>`; the id finds its row, the secret proves it. They expire, rotate and are revoked.

A rotated key keeps its id, and with it the identity of the reports it sends: nothing counts twice over a rotation. Its
new secret takes the old one's place when it is used for the first time; until then the old one holds, so a host
that lost the answer, or ended before it kept it, asks again with what it has.
"""

import datetime
import hashlib
import hmac
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from collector.database.audit import audit
from collector.database.schema import agent_key, device, inventory
from collector.errors import NotAuthorised
from collector.estate_version import touch

DAY_SECONDS = 86_400
KEY_SECONDS = 365 * DAY_SECONDS
"""How long a key holds unless the setting `key_days` says otherwise."""
RENEWAL_SHARE = 1 / 3
"""An agent asks for a new secret when less than this part of its key's life is left."""
_NOBODY = hashlib.sha256(secrets.token_bytes(32)).hexdigest()


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key as the database has it. Times are Unix seconds."""

    key_id: str
    sha256: str
    device_id: str
    revoked: bool
    created_at: int
    expires_at: int
    next_sha256: str


@dataclass(frozen=True, slots=True)
class Issued:
    """A key as its host gets it: shown once."""

    key: str
    key_id: str
    device_id: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class Rotation:
    """A host that asks for a new secret, by the one whose hash is given, for a key that then holds so many seconds."""

    key_id: str
    sha256: str
    key_seconds: int = KEY_SECONDS


@dataclass(frozen=True, slots=True)
class KeyListed:
    """A device's key as lists show it."""

    device_id: str
    host_name: str
    key_id: str
    state: str
    created_at: int
    expires_at: int
    reason: str


def hashed(secret: str) -> str:
    """SHA-256 of a secret of 256 random bits, in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


def matches(secret: str, sha256: str) -> bool:
    """Whether a secret is the one whose hash is stored; takes the same time either way."""
    return hmac.compare_digest(hashed(secret), sha256)


def split_secret(text: str) -> tuple[str, str]:
    """Id and secret of `<id>.<secret>`, or of a token that also pins an authority, `<id>.<secret>.<fingerprint>`.

    Raises NotAuthorised for anything else.
    """
    identifier, dot, secret = text.strip().partition(".")
    secret = secret.partition(".")[0]
    plain = text.isascii() and text.strip().isprintable()
    # The id of a refused token enters the audit log, whoever sends it: letters and digits, as ours are, and no formula.
    if not (
        dot and plain and identifier.isalnum() and len(identifier) <= 64 and 0 < len(secret) <= 256 and len(text) <= 512
    ):
        raise NotAuthorised("the key or token is not of the form id.secret", "use the text as it was given")
    return identifier, secret


def new_key(connection: Connection, device_id: str, now: int, key_seconds: int) -> Issued:
    """A key of a device, in the transaction that needs it."""
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    values = {"id": key_id, "sha256": hashed(secret), "device_id": device_id}
    times = {"created_at": now, "expires_at": now + key_seconds, "revoked_at": None}
    connection.execute(insert(agent_key).values(values | times))
    return Issued(f"{key_id}.{secret}", key_id, device_id, now + key_seconds)


def find_key(connection: Connection, key_id: str) -> KeyRow | None:
    """The key with this id, or None."""
    row = connection.execute(select(agent_key).where(agent_key.c.id == key_id)).first()
    if row is None:
        return None
    revoked = row.revoked_at is not None
    return KeyRow(row.id, row.sha256, row.device_id, revoked, row.created_at, row.expires_at, row.next_sha256 or "")


def proved(key: KeyRow | None, secret: str, now: int) -> str:
    """The hash, of the key's two, that the secret has. Raises NotAuthorised.

    An unknown key takes as long as a wrong secret.
    """
    by_present = matches(secret, key.sha256 if key else _NOBODY)
    by_next = matches(secret, key.next_sha256 if key and key.next_sha256 else _NOBODY)
    if key is None or not (by_present or by_next) or key.revoked:
        raise unknown_or_revoked()
    if key.expires_at <= now:
        raise expired(key.expires_at)
    return key.sha256 if by_present else key.next_sha256


def unknown_or_revoked() -> NotAuthorised:
    return NotAuthorised("this key is unknown or revoked", "enrol the host again")


def expired(expires_at: int) -> NotAuthorised:
    """What is said of a key past its end: the host was off when it should have asked for a new one."""
    day = datetime.datetime.fromtimestamp(expires_at, datetime.UTC).date()
    return NotAuthorised(f"this key expired on {day}", "enrol the host again, with a new token")


def rotate(connection: Connection, items: Sequence[Rotation]) -> list[Issued | Exception]:
    """A new secret for each key; a secret that was given before and never used is void."""
    results: list[Issued | Exception] = []
    for one in items:
        try:
            results.append(_rotate(connection, one))
        except NotAuthorised as error:
            results.append(error)
    return results


def _rotate(connection: Connection, wanted: Rotation) -> Issued:
    now = int(time.time())
    row = _held(connection, wanted, now)
    secret = secrets.token_urlsafe(32)
    connection.execute(update(agent_key).where(agent_key.c.id == row.id).values(next_sha256=hashed(secret)))
    audit(connection, now, f"key {row.id}", "key.rotate", row.device_id, {})
    touch(connection)
    return Issued(f"{row.id}.{secret}", row.id, row.device_id, now + wanted.key_seconds)


def promote(connection: Connection, items: Sequence[Rotation]) -> list[KeyRow | Exception]:
    """The new secret was used: it takes the old one's place, for a whole life. `sha256` is the new secret's."""
    results: list[KeyRow | Exception] = []
    for one in items:
        now = int(time.time())
        row = connection.execute(select(agent_key).where(agent_key.c.id == one.key_id).with_for_update()).first()
        # Another collector may have done it a moment ago.
        if row is not None and row.revoked_at is None and row.next_sha256 == one.sha256:
            values = {"sha256": one.sha256, "next_sha256": None}
            times = {"created_at": now, "expires_at": now + one.key_seconds}
            connection.execute(update(agent_key).where(agent_key.c.id == row.id).values(values | times))
            audit(connection, now, f"key {row.id}", "key.renewed", row.device_id, {})
            touch(connection)
        found = find_key(connection, one.key_id)
        results.append(found if found is not None and found.sha256 == one.sha256 else unknown_or_revoked())
    return results


def _held(connection: Connection, wanted: Rotation, now: int) -> Row[Any]:
    """The key's row, locked, if it may still be used with that secret. Raises NotAuthorised."""
    row = connection.execute(select(agent_key).where(agent_key.c.id == wanted.key_id).with_for_update()).first()
    if row is None or row.revoked_at is not None or row.sha256 != wanted.sha256:
        raise unknown_or_revoked()
    if row.expires_at <= now:
        raise expired(row.expires_at)
    return row


def revoke_keys(connection: Connection, device_id: str, actor: str, reason: str, now: int) -> list[str]:
    """Revoke every key of a device that holds; their ids. The next request with one of them is refused."""
    holds = agent_key.c.revoked_at.is_(None)
    query = select(agent_key.c.id).where(agent_key.c.device_id == device_id, holds).order_by(agent_key.c.id)
    found = list(connection.execute(query.with_for_update()).scalars())
    for key_id in found:
        _revoke(connection, key_id, device_id, actor, reason, now)
    return found


def revoke_own(connection: Connection, items: Sequence[KeyRow]) -> list[None]:
    """A host gives its key back, as `ictagent uninstall` does."""
    now = int(time.time())
    for key in items:
        _revoke(connection, key.key_id, key.device_id, f"key {key.key_id}", "given back by its host", now)
    return [None] * len(items)


def _revoke(connection: Connection, key_id: str, device_id: str, actor: str, reason: str, now: int) -> None:
    values = {"revoked_at": now, "revoked_reason": reason, "next_sha256": None}
    connection.execute(update(agent_key).where(agent_key.c.id == key_id).values(values))
    audit(connection, now, actor, "key.revoke", device_id, {"key": key_id, "reason": reason})
    touch(connection)


def list_keys(connection: Connection, now: int) -> list[KeyListed]:
    """Every key with its device, those that end first at the top."""
    query = (
        select(agent_key, inventory.c.host_name)
        .join(device, device.c.id == agent_key.c.device_id)
        .outerjoin(inventory, (inventory.c.device_id == device.c.id) & inventory.c.valid_to.is_(None))
        .order_by(agent_key.c.expires_at, agent_key.c.id)
    )
    return [
        KeyListed(
            row.device_id,
            row.host_name or "",
            row.id,
            _state(row, now),
            row.created_at,
            row.expires_at,
            row.revoked_reason or "",
        )
        for row in connection.execute(query)
    ]


def _state(row: Row[Any], now: int) -> str:
    if row.revoked_at is not None:
        return "revoked"
    if row.expires_at <= now:
        return "expired"
    if row.next_sha256:
        return "rotating"
    return "ends soon" if row.expires_at - now < (row.expires_at - row.created_at) * RENEWAL_SHARE else "good"
