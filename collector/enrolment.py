"""Enrolment: a token is exchanged for a host's own key. Both are shown once and kept as SHA-256 only.

A key is `<id>.<secret>`: the id finds its row, the secret proves it. Device ids are random and never derived from
anything about the host, so two clones that enrol are two devices.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from collector.database.audit import audit
from collector.database.schema import agent_key, device, device_placement, enrolment_token, organisation, site
from collector.errors import NotAuthorised

KINDS = ("host",)


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A new enrolment token: how often it may be used, until when (Unix seconds), for hosts of which site."""

    label: str
    uses: int
    expires_at: int
    site: str
    actor: str


@dataclass(frozen=True, slots=True)
class EnrolRequest:
    """A host that wants a key."""

    token: str
    host_name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What a host gets: its key, shown once, and its device id."""

    key: str
    key_id: str
    device_id: str


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key as the database has it."""

    key_id: str
    sha256: str
    device_id: str
    revoked: bool


def hashed(secret: str) -> str:
    """SHA-256 of a secret of 256 random bits, in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


def matches(secret: str, sha256: str) -> bool:
    """Whether a secret is the one whose hash is stored; takes the same time either way."""
    return hmac.compare_digest(hashed(secret), sha256)


def split_secret(text: str) -> tuple[str, str]:
    """Id and secret of `<id>.<secret>`. Raises NotAuthorised for anything else."""
    identifier, dot, secret = text.strip().partition(".")
    plain = text.isascii() and text.strip().isprintable()
    if not (dot and plain and 0 < len(identifier) <= 64 and 0 < len(secret) <= 256):
        raise NotAuthorised("the key or token is not of the form id.secret", "use the text as it was given")
    return identifier, secret


def create_tokens(connection: Connection, items: Sequence[TokenRequest]) -> list[str]:
    """Make enrolment tokens; the texts are shown once and cannot be read again."""
    return [_create_token(connection, one) for one in items]


def _create_token(connection: Connection, wanted: TokenRequest) -> str:
    now = int(time.time())
    identifier, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    connection.execute(
        insert(enrolment_token).values(
            id=identifier,
            sha256=hashed(secret),
            label=wanted.label,
            site=wanted.site,
            created_at=now,
            expires_at=wanted.expires_at,
            uses_left=wanted.uses,
            revoked_at=None,
        )
    )
    audit(connection, now, wanted.actor, "token.create", identifier, {"label": wanted.label, "uses": wanted.uses})
    return f"{identifier}.{secret}"


def enrol(connection: Connection, items: Sequence[EnrolRequest]) -> list[Enrolled | Exception]:
    """Exchange tokens for keys; a bad token fails alone."""
    results: list[Enrolled | Exception] = []
    for one in items:
        try:
            results.append(_enrol(connection, one))
        except NotAuthorised as error:
            results.append(error)
    return results


def _enrol(connection: Connection, wanted: EnrolRequest) -> Enrolled:
    now = int(time.time())
    identifier, secret = split_secret(wanted.token)
    token = connection.execute(
        select(enrolment_token).where(enrolment_token.c.id == identifier).with_for_update()
    ).first()
    refusal = "the enrolment token is not known, used up, expired or revoked"
    remedy = "make a new one: ictagent collector token create"
    if token is None or not matches(secret, token.sha256):
        raise NotAuthorised(refusal, remedy)
    if token.revoked_at is not None or token.expires_at <= now or token.uses_left <= 0:
        raise NotAuthorised(refusal, remedy)
    connection.execute(
        update(enrolment_token)
        .where(enrolment_token.c.id == identifier)
        .values(uses_left=enrolment_token.c.uses_left - 1)
    )
    organisation_id = connection.execute(select(organisation.c.id).order_by(organisation.c.id)).scalars().first()
    device_id, key_id, key_secret = secrets.token_hex(6), secrets.token_hex(6), secrets.token_urlsafe(32)
    connection.execute(
        insert(device).values(
            id=device_id,
            organisation_id=organisation_id,
            kind=wanted.kind,
            created_at=now,
            retired_at=None,
            merged_into=None,
        )
    )
    connection.execute(
        insert(agent_key).values(
            id=key_id, sha256=hashed(key_secret), device_id=device_id, created_at=now, revoked_at=None
        )
    )
    if token.site:
        _place(connection, device_id, int(organisation_id or 0), token.site, now)
    audit(connection, now, f"token {identifier}", "device.enrol", device_id, {"host_name": wanted.host_name})
    return Enrolled(f"{key_id}.{key_secret}", key_id, device_id)


def _place(connection: Connection, device_id: str, organisation_id: int, name: str, now: int) -> None:
    """Put a new device at its token's site."""
    found = connection.execute(
        select(site.c.id).where(site.c.organisation_id == organisation_id, site.c.name == name)
    ).scalar()
    if found is None:
        found = connection.execute(
            insert(site).values(organisation_id=organisation_id, name=name).returning(site.c.id)
        ).scalar_one()
    connection.execute(
        insert(device_placement).values(
            device_id=device_id, site_id=found, directorate="", owner="", valid_from=now, actor="enrolment"
        )
    )


def find_key(connection: Connection, key_id: str) -> KeyRow | None:
    """The key with this id, or None."""
    row = connection.execute(select(agent_key).where(agent_key.c.id == key_id)).first()
    return None if row is None else KeyRow(row.id, row.sha256, row.device_id, row.revoked_at is not None)
