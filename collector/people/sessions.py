"""Sessions: what a browser's cookie stands for, kept on the server, ended by time, by logout or by an operator.

The cookie holds 256 random bits; the database has their SHA-256. A login makes a new session and ends the one that the
browser had. Role and organisations are read with every request, so that a change holds at once.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select, update

from collector.database.schema import account, session, user_organisation
from collector.keys import hashed
from collector.people.roles import ROLES, Identity
from collector.people.secrets import derived, fresh

SEEN_SECONDS = 60
"""How exactly it is kept when a session was last used: writing it down with every request would cost a disk write each."""
LONGEST_BROWSER = 200


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lasts without use, and at the longest. Seconds."""

    idle_seconds: int
    longest_seconds: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from: the peer's address, and what its browser calls itself."""

    address: str
    browser: str


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as its owner sees it; `id` is part of the SHA-256 and opens nothing."""

    id: str
    created_at: int
    seen_at: int
    expires_at: int
    address: str
    browser: str
    current: bool


def begin_session(connection: Connection, account_id: int, origin: Origin, now: int, limits: Limits) -> str:
    """A new session; what the cookie is to hold."""
    secret = fresh()
    connection.execute(
        insert(session).values(
            sha256=hashed(secret),
            account_id=account_id,
            created_at=now,
            seen_at=now,
            expires_at=now + limits.longest_seconds,
            address=origin.address,
            browser=origin.browser[:LONGEST_BROWSER],
        )
    )
    connection.execute(update(account).where(account.c.id == account_id).values(last_login_at=now))
    return secret


def find_session(connection: Connection, secret: str, now: int, limits: Limits) -> tuple[Identity, int] | None:
    """Who has this session, and when it was last used (Unix seconds); None where it is unknown or over."""
    sha256 = hashed(secret)
    row = connection.execute(
        select(session, account.c.name, account.c.role)
        .join(account, account.c.id == session.c.account_id)
        .where(session.c.sha256 == sha256)
    ).first()
    # A clock that was set back must not bring a session to life again for longer than it had.
    if row is None or row.expires_at <= now or row.seen_at + limits.idle_seconds <= now:
        return None
    organisations = connection.execute(
        select(user_organisation.c.organisation_id).where(user_organisation.c.account_id == row.account_id)
    ).scalars()
    permissions = ROLES.get(row.role, frozenset())
    csrf = derived(secret, "form")
    identity = Identity(row.name, row.role, permissions, frozenset(organisations), row.account_id, sha256, csrf)
    return identity, row.seen_at


def touch_session(connection: Connection, sha256: str, now: int) -> None:
    """Write down that a session was used."""
    connection.execute(update(session).where(session.c.sha256 == sha256, session.c.seen_at < now).values(seen_at=now))


def end_session(connection: Connection, sha256: str) -> bool:
    """End one session; whether there was one."""
    return bool(connection.execute(delete(session).where(session.c.sha256 == sha256)).rowcount)


def sessions_of(connection: Connection, identity: Identity, now: int, limits: Limits) -> list[SessionRow]:
    """A person's sessions that hold, the newest first."""
    rows = connection.execute(
        select(session)
        .where(session.c.account_id == identity.account_id, *_holding(now, limits))
        .order_by(session.c.created_at.desc(), session.c.sha256)
    )
    return [
        SessionRow(
            row.sha256[:16],
            row.created_at,
            row.seen_at,
            row.expires_at,
            row.address,
            row.browser,
            row.sha256 == identity.session,
        )
        for row in rows
    ]


def end_own(connection: Connection, identity: Identity, session_id: str) -> int:
    """End a person's session by its id, or with `others` all but the one that asks; how many."""
    mine = delete(session).where(session.c.account_id == identity.account_id)
    if session_id == "others":
        return connection.execute(mine.where(session.c.sha256 != identity.session)).rowcount
    return connection.execute(mine.where(session.c.sha256.startswith(session_id, autoescape=True))).rowcount


def forget_sessions(connection: Connection, now: int, limits: Limits) -> None:
    """Drop sessions that are over."""
    over = or_(session.c.expires_at <= now, session.c.seen_at <= now - limits.idle_seconds)
    connection.execute(delete(session).where(over))


def _holding(now: int, limits: Limits) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return session.c.expires_at > now, session.c.seen_at > now - limits.idle_seconds
