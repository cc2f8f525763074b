"""API tokens, for programs: a role, an end, organisations. Shown once, kept as SHA-256, useless once revoked."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from collector.database.audit import audit
from collector.database.schema import api_token, api_token_organisation
from collector.errors import NotAuthorised, NotFound
from collector.keys import hashed, matches, split_secret
from collector.people.accounts import organisation_ids, require_role
from collector.people.roles import Identity, program
from collector.people.secrets import fresh


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token as the list shows it. Times in Unix seconds."""

    id: str
    label: str
    role: str
    organisations: frozenset[int]
    created_at: int
    expires_at: int
    revoked_at: int | None

    def state(self, now: int) -> str:
        """Whether it opens anything: good, expired or revoked."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at <= now else "good"


def create_api_token(
    connection: Connection, label: str, role: str, organisations: Iterable[str], expires_at: int, now: int, actor: str
) -> str:
    """Make a token of these organisations, or without any named of all there are; the text, shown once."""
    require_role(role)
    ids = organisation_ids(connection, organisations)
    identifier, secret = secrets.token_hex(6), fresh()
    connection.execute(
        insert(api_token).values(
            id=identifier, sha256=hashed(secret), label=label, role=role, created_at=now, expires_at=expires_at
        )
    )
    rows = [{"token_id": identifier, "organisation_id": one} for one in ids]
    connection.execute(insert(api_token_organisation), rows)
    detail = {"label": label, "role": role, "organisations": sorted(ids), "expires_at": expires_at}
    audit(connection, now, actor, "api-token.create", identifier, detail)
    return f"{identifier}.{secret}"


def api_tokens(connection: Connection) -> list[ApiToken]:
    """All tokens, the oldest first; never their secrets."""
    mine: dict[str, set[int]] = {}
    for row in connection.execute(select(api_token_organisation)):
        mine.setdefault(row.token_id, set()).add(row.organisation_id)
    return [
        ApiToken(
            row.id,
            row.label,
            row.role,
            frozenset(mine.get(row.id, ())),
            row.created_at,
            row.expires_at,
            row.revoked_at,
        )
        for row in connection.execute(select(api_token).order_by(api_token.c.created_at, api_token.c.id))
    ]


def revoke_api_token(connection: Connection, token_id: str, now: int, actor: str) -> None:
    """Make a token useless from the next request on. Raises NotFound."""
    good = (api_token.c.id == token_id) & api_token.c.revoked_at.is_(None)
    if not connection.execute(update(api_token).where(good).values(revoked_at=now)).rowcount:
        raise NotFound(f"there is no API token {token_id} that holds", "see ictagent collector api-token list")
    audit(connection, now, actor, "api-token.revoke", token_id, {})


def find_program(connection: Connection, text: str, now: int) -> Identity:
    """The program that a token stands for. Raises NotAuthorised: unknown, expired, revoked are told alike."""
    refusal = NotAuthorised("this API token is unknown, expired or revoked", "ask for a new one")
    try:
        identifier, secret = split_secret(text)
    except NotAuthorised:
        raise refusal from None
    row = connection.execute(select(api_token).where(api_token.c.id == identifier)).first()
    if row is None or not matches(secret, row.sha256) or row.revoked_at is not None or row.expires_at <= now:
        raise refusal
    ids = connection.execute(
        select(api_token_organisation.c.organisation_id).where(api_token_organisation.c.token_id == identifier)
    ).scalars()
    return program(f"API token {row.id}", row.role, frozenset(ids))
