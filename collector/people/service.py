"""People of a running collector: who asks, logging in and out, passwords. What the web's routes and access rule call.

Reads go to a snapshot; writes go to the collector's writer, and hashing a password happens outside both.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, select

from collector.database.audit import audit
from collector.database.engine import Database
from collector.database.schema import account
from collector.database.writer import Writer
from collector.errors import BadRequest, CollectorError, NotAuthorised
from collector.keys import hashed
from collector.people.accounts import account_with_id, password_hash_of, set_password, store_hash
from collector.people.oidc_accounts import begin_claimed, refuse_claimed
from collector.people.oidc_settings import Claimed
from collector.people.passwords import hash_password, outdated, verify
from collector.people.roles import Identity
from collector.people.sessions import (
    SEEN_SECONDS,
    Limits,
    Origin,
    SessionRow,
    begin_session,
    end_own,
    end_session,
    find_session,
    forget_sessions,
    sessions_of,
    touch_session,
)
from collector.people.throttle import (
    ACCOUNT,
    ADDRESS,
    account_subject,
    address_subject,
    count_try,
    forget_tries,
    forgive,
)
from collector.people.tokens import find_program

if TYPE_CHECKING:
    from collector.people.oidc import OpenIdProvider

R = TypeVar("R")
_WRONG = ("the name or the password is wrong", "try again; an operator can set a new password")


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A session that has begun: what its cookie is to hold."""

    secret: str
    longest_seconds: int


class People:
    """Accounts, sessions and tokens of one collector. Not for the event loop's thread: every call may wait for the disk."""

    def __init__(
        self,
        database: Database,
        writer: Writer,
        clock: Callable[[], int],
        limits: Limits,
        provider: "OpenIdProvider | None",
    ) -> None:
        self.limits = limits
        self.provider = provider
        self._database = database
        self._writer = writer
        self._clock = clock

    def with_session(self, secret: str) -> Identity | None:
        """Who has the session of this cookie, which counts as used now; None where there is none."""
        now = self._clock()
        with self._database.read() as connection:
            found = find_session(connection, secret, now, self.limits)
        if found is None:
            return None
        identity, seen_at = found
        if seen_at + SEEN_SECONDS <= now:
            self._write(lambda connection: touch_session(connection, identity.session, now))
        return identity

    def with_token(self, text: str) -> Identity:
        """The program that an API token stands for. Raises NotAuthorised."""
        with self._database.read() as connection:
            return find_program(connection, text, self._clock())

    def log_in(self, name: str, password: str, origin: Origin, before: str) -> LoggedIn:
        """A new session for a local account; `before` is the cookie of the session that the browser had, which ends.

        Raises NotAuthorised, which does not tell an unknown name from a wrong password, or TooManyTries.
        """
        login_name, now = name.strip().lower(), self._clock()
        subjects = (account_subject(login_name), address_subject(origin.address))
        self._count_try(subjects, now)
        with self._database.read() as connection:
            row = connection.execute(select(account).where(account.c.login_name == login_name)).first()
        good = verify(password, row.password_hash if row else None)
        # A name that nobody has may be a password typed into the wrong field: it is not written down.
        shown = login_name if row else "unknown name"

        def refuse(connection: Connection) -> NotAuthorised:
            audit(connection, self._clock(), f"user:{shown}", "login.failed", shown, {"address": origin.address})
            return NotAuthorised(*_WRONG)

        if row is None or not good:
            self._write(refuse)
            raise NotAuthorised(*_WRONG)
        newer = hash_password(password, "") if outdated(row.password_hash) else None

        def begin(connection: Connection) -> str | CollectorError:
            if password_hash_of(connection, row.id, locked=True) != row.password_hash:
                # Changed, or the account removed, while the password was looked at, which takes its time.
                return refuse(connection)
            end_session(connection, hashed(before))
            forgive(connection, *subjects)
            if newer is not None:
                store_hash(connection, row.id, newer)
            audit(connection, now, f"user:{row.name}", "login", row.name, {"address": origin.address})
            return begin_session(connection, row.id, origin, now, self.limits)

        return LoggedIn(self._write(begin), self.limits.longest_seconds)

    def log_in_claimed(self, claimed: Claimed, origin: Origin, before: str) -> LoggedIn:
        """A new session for whom the OpenID provider has named. Raises Forbidden where no group of theirs has a role."""
        now = self._clock()

        def begin(connection: Connection) -> str | CollectorError:
            forgive(connection, None, address_subject(origin.address))
            if not claimed.roles:
                return refuse_claimed(connection, claimed, origin, now)
            end_session(connection, hashed(before))
            return begin_session(connection, begin_claimed(connection, claimed, origin, now), origin, now, self.limits)

        return LoggedIn(self._write(begin), self.limits.longest_seconds)

    def count_try(self, origin: Origin) -> None:
        """Count a login elsewhere against its address, until it has come to something. Raises TooManyTries."""
        self._count_try((None, address_subject(origin.address)), self._clock())

    def refused_elsewhere(self, error: CollectorError, origin: Origin) -> None:
        """Write down that a login at the OpenID provider came to nothing, and why."""
        self._audit("login.failed", "OpenID", {"address": origin.address, "reason": error.message}, "user:unknown name")

    def log_out(self, identity: Identity) -> None:
        """End the session."""

        def end(connection: Connection) -> None:
            if end_session(connection, identity.session):
                audit(connection, self._clock(), identity.actor, "logout", identity.name, {})

        self._write(end)

    def change_password(self, identity: Identity, old: str, new: str, origin: Origin) -> None:
        """Give one's own account another password, which ends all its sessions. Raises BadRequest, TooManyTries."""
        now = self._clock()
        subjects = (account_subject(identity.name), address_subject(origin.address))
        with self._database.read() as connection:
            found = account_with_id(connection, identity.account_id or 0)
            stored = password_hash_of(connection, found.id)
        self._count_try(subjects, now)

        def refuse(connection: Connection) -> BadRequest:
            detail = {"address": origin.address}
            audit(connection, self._clock(), identity.actor, "password.failed", identity.name, detail)
            return BadRequest("the present password is wrong", "try again; an operator can set a new one")

        if not verify(old, stored):
            self._write(refuse)  # which raises
        password_hash = hash_password(new, identity.name)

        def change(connection: Connection) -> CollectorError | None:
            if password_hash_of(connection, found.id, locked=True) != stored:
                return refuse(connection)
            forgive(connection, *subjects)
            set_password(connection, found, password_hash, now, identity.actor)
            return None

        self._write(change)

    def sessions(self, identity: Identity) -> list[SessionRow]:
        """The person's sessions that hold."""
        with self._database.read() as connection:
            return sessions_of(connection, identity, self._clock(), self.limits)

    def has_password(self, identity: Identity) -> bool:
        """Whether the account has a password here, and not at a provider."""
        with self._database.read() as connection:
            return password_hash_of(connection, identity.account_id or 0) is not None

    def end_own(self, identity: Identity, session_id: str) -> int:
        """End one of the person's own sessions, or `others`; how many."""

        def end(connection: Connection) -> int:
            ended = end_own(connection, identity, session_id)
            audit(connection, self._clock(), identity.actor, "session.end", identity.name, {"ended": ended})
            return ended

        return self._write(end)

    def _count_try(self, subjects: tuple[str | None, str], now: int) -> None:
        both = zip(subjects, (ACCOUNT, ADDRESS), strict=True)
        counted = [(subject, allowed) for subject, allowed in both if subject is not None]
        self._write(lambda connection: count_try(connection, counted, now))

    def _audit(self, action: str, subject: str, detail: dict[str, object], actor: str) -> None:
        self._write(lambda connection: audit(connection, self._clock(), actor, action, subject, detail))

    def _write(self, act: Callable[[Connection], R | CollectorError | None]) -> R:
        """Do something in the writer's transaction; an error that it gives back, instead of raising it, is raised here
        and leaves what it wrote."""

        def handler(connection: Connection, _items: Sequence[Any]) -> list[Any]:
            return [act(connection)]

        result: R = self._writer.run(handler, None)
        return result


def forget(connection: Connection, items: Sequence[tuple[int, Limits]]) -> list[None]:
    """A writer's handler: drop sessions that are over by then, and tries that have no effect any more."""
    for now, limits in items:
        forget_sessions(connection, now, limits)
        forget_tries(connection, now)
    return [None] * len(items)
