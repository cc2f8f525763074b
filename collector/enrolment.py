"""Enrolment: a token is exchanged for a host's own key. Both are shown once and kept as SHA-256 only.

Device ids are random and never derived from anything about the host, so two clones that enrol are two devices.
"""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from collector.database.audit import audit
from collector.database.estate import SPACE_KINDS
from collector.database.schema import device, device_placement, enrolment_token, site, space
from collector.errors import BadRequest, CollectorError, NotAuthorised
from collector.keys import KEY_SECONDS, Issued, hashed, matches, new_key, split_secret
from collector.organisation import read_organisation
from collector.spaces import make_space

KINDS = ("host",)
_NO_TOKEN = hashed(secrets.token_urlsafe(32))


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A new enrolment token: how often it may be used, until when (Unix seconds), for hosts of which site and space.

    `space_kind` is needed where the space is yet to be made. `organisation` is a name; None is the first one.
    """

    label: str
    uses: int
    expires_at: int
    site: str
    actor: str
    space: str = ""
    space_kind: str = ""
    organisation: str | None = None


@dataclass(frozen=True, slots=True)
class EnrolRequest:
    """A host that wants a key, where it says that it stands, and from which address it asks.

    What the token says of site and space goes before what the host says.
    """

    token: str
    host_name: str
    kind: str
    site: str = ""
    space: str = ""
    space_kind: str = ""
    address: str = ""
    key_seconds: int = KEY_SECONDS


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a new device stands, checked; `space_id` is None where the space is yet to be made, or there is none."""

    site: str
    space: str
    kind: str
    space_id: int | None


class TokenRefused(NotAuthorised):
    """The token is not taken. The answer does not say why; the audit log does."""

    def __init__(self, token_id: str, reason: str) -> None:
        super().__init__(
            "the enrolment token is not known, used up, expired or revoked",
            "make a new one: ictagent collector token create",
        )
        self.token_id = token_id
        self.reason = reason


def create_tokens(connection: Connection, items: Sequence[TokenRequest]) -> list[str]:
    """Make enrolment tokens; the texts are shown once and cannot be read again.

    Raises BadRequest for a wrong place, and NotFound for an organisation that there is not.
    """
    return [_create_token(connection, one) for one in items]


def _create_token(connection: Connection, wanted: TokenRequest) -> str:
    now = int(time.time())
    identifier, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    owner = read_organisation(connection, wanted.organisation)
    _place_of(connection, owner.id, wanted.site, wanted.space, wanted.space_kind)
    connection.execute(
        insert(enrolment_token).values(
            id=identifier,
            sha256=hashed(secret),
            label=wanted.label,
            site=wanted.site,
            space=wanted.space or None,
            space_kind=wanted.space_kind or None,
            organisation_id=owner.id,
            created_at=now,
            expires_at=wanted.expires_at,
            uses_left=wanted.uses,
            revoked_at=None,
        )
    )
    place = {name: value for name in ("site", "space") if (value := getattr(wanted, name))}
    detail = {"label": wanted.label, "uses": wanted.uses, "organisation": owner.name, **place}
    audit(connection, now, wanted.actor, "token.create", identifier, detail)
    return f"{identifier}.{secret}"


def enrol(connection: Connection, items: Sequence[EnrolRequest]) -> list[Issued | Exception]:
    """Exchange tokens for keys; a bad token, or a place that cannot be, fails alone and uses nothing up."""
    results: list[Issued | Exception] = []
    for one in items:
        try:
            results.append(_enrol(connection, one))
        except CollectorError as error:
            results.append(error)
    return results


def _enrol(connection: Connection, wanted: EnrolRequest) -> Issued:
    now = int(time.time())
    token = _good_token(connection, wanted.token, now)
    organisation_id = int(token.organisation_id or read_organisation(connection).id)
    place = _place_of(
        connection,
        organisation_id,
        token.site or wanted.site,
        token.space or wanted.space,
        (token.space_kind if token.space else wanted.space_kind) or "",
    )
    # From here on nothing is refused: what is written stays.
    connection.execute(
        update(enrolment_token)
        .where(enrolment_token.c.id == token.id)
        .values(uses_left=enrolment_token.c.uses_left - 1)
    )
    device_id = secrets.token_hex(6)
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
    issued = new_key(connection, device_id, now, wanted.key_seconds)
    if place is not None:
        _put(connection, device_id, organisation_id, place, now)
    detail = {"host_name": wanted.host_name, "address": wanted.address, "key": issued.key_id}
    audit(connection, now, f"token {token.id}", "device.enrol", device_id, detail)
    return issued


def _good_token(connection: Connection, text: str, now: int) -> Row[Any]:
    """The token's row, locked. Raises TokenRefused; an unknown token takes as long as a wrong secret."""
    try:
        identifier, secret = split_secret(text)
    except NotAuthorised:
        raise TokenRefused("", "not of the form of a token") from None
    token = connection.execute(
        select(enrolment_token).where(enrolment_token.c.id == identifier).with_for_update()
    ).first()
    if not matches(secret, token.sha256 if token is not None else _NO_TOKEN) or token is None:
        raise TokenRefused(identifier, "unknown" if token is None else "wrong secret")
    if token.revoked_at is not None:
        raise TokenRefused(identifier, "revoked")
    if token.expires_at <= now:
        raise TokenRefused(identifier, "expired")
    if token.uses_left <= 0:
        raise TokenRefused(identifier, "used up")
    return token


def note_refusal(connection: Connection, items: Sequence[tuple[TokenRefused, str, str]]) -> list[None]:
    """Write refused tokens into the audit log: with the address and host name that they came with."""
    now = int(time.time())
    for refused, address, host_name in items:
        detail = {"reason": refused.reason, "address": address, "host_name": host_name}
        audit(connection, now, f"address {address}", "token.refused", refused.token_id, detail)
    return [None] * len(items)


def _place_of(
    connection: Connection, organisation_id: int, site_name: str, space_name: str, kind: str
) -> _Place | None:
    """Where a host is to stand, or None. Raises BadRequest for a place that cannot be, and writes nothing."""
    if kind and kind not in SPACE_KINDS:
        raise BadRequest(f"{kind[:64]} is no kind of space", f"use one of {', '.join(SPACE_KINDS)}")
    if not space_name:
        return _Place(site_name, "", "", None) if site_name else None
    if not site_name:
        raise BadRequest(f"the space {space_name} belongs to a site, and none is given", "give its site as well")
    query = select(space.c.id).join(site, site.c.id == space.c.site_id)
    here = (site.c.organisation_id == organisation_id, site.c.name == site_name, space.c.name == space_name)
    found = connection.execute(query.where(*here)).scalar()
    if found is None and not kind:
        raise BadRequest(
            f"there is no space {space_name} at {site_name}",
            "make it on the collector, with its kind: ictagent estate space set SITE NAME --kind KIND",
        )
    return _Place(site_name, space_name, kind, None if found is None else int(found))


def _put(connection: Connection, device_id: str, organisation_id: int, place: _Place, now: int) -> None:
    """Put a new device there; site and space are made where they are not yet."""
    query = select(site.c.id).where(site.c.organisation_id == organisation_id, site.c.name == place.site)
    site_id = connection.execute(query).scalar()
    if site_id is None:
        made = insert(site).values(organisation_id=organisation_id, name=place.site).returning(site.c.id)
        site_id = connection.execute(made).scalar_one()
    space_id = place.space_id
    if place.space and space_id is None:
        space_id = make_space(connection, int(site_id), place.space, place.kind)
    values = {"site_id": site_id, "space_id": space_id, "directorate": "", "owner": ""}
    connection.execute(
        insert(device_placement).values(device_id=device_id, valid_from=now, actor="enrolment", **values)
    )
