"""Accounts: local ones with a login name and a password, and those that an OpenID provider answers for."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from collector.database.audit import audit
from collector.database.schema import account, login_try, organisation, session, user_organisation
from collector.errors import BadRequest, NotFound
from collector.people.roles import ROLES, in_words
from collector.people.throttle import account_subject

_LOGIN_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
"""Lower case and without @: names of an OpenID provider have one, so nobody is taken for somebody else."""


@dataclass(frozen=True, slots=True)
class Account:
    """A person who may sign in. `origin` is `local` or `oidc`; `organisations` are ids."""

    id: int
    name: str
    origin: str
    role: str
    organisations: frozenset[int]
    created_at: int
    last_login_at: int | None


def login_name_of(text: str) -> str:
    """A login name as it is stored. Raises BadRequest for what cannot be one."""
    name = text.strip().lower()
    if not _LOGIN_NAME.fullmatch(name):
        raise BadRequest(
            f"{text[:64]!r} cannot be a login name", "use up to 64 of a to z, 0 to 9, dot, hyphen and underscore"
        )
    return name


def add_account(
    connection: Connection, name: str, password_hash: str, role: str, organisations: Iterable[str], now: int, actor: str
) -> int:
    """A new local account of these organisations, or without any named of all there are; its id. Raises BadRequest."""
    login_name = login_name_of(name)
    require_role(role)
    if connection.execute(select(account.c.id).where(account.c.login_name == login_name)).first() is not None:
        raise BadRequest(f"there is an account {login_name} already", "choose another name, or set its password")
    ids = organisation_ids(connection, organisations)
    values = {"name": login_name, "login_name": login_name, "password_hash": password_hash, "role": role}
    account_id: int = connection.execute(
        insert(account).values(**values, created_at=now).returning(account.c.id)
    ).scalar_one()
    set_organisations(connection, account_id, ids)
    audit(connection, now, actor, "user.add", login_name, {"role": role, "organisations": sorted(ids)})
    return account_id


def remove_account(connection: Connection, found: Account, now: int, actor: str) -> None:
    """Remove an account with its sessions; the audit log keeps its name."""
    end_sessions(connection, found.id)
    connection.execute(delete(user_organisation).where(user_organisation.c.account_id == found.id))
    connection.execute(delete(account).where(account.c.id == found.id))
    audit(connection, now, actor, "user.remove", found.name, {"origin": found.origin})


def set_role(connection: Connection, found: Account, role: str, now: int, actor: str) -> None:
    """Give another role; it holds from the next request on. Raises BadRequest for an account of a provider."""
    require_role(role)
    if found.origin != "local":
        raise BadRequest(f"the role of {found.name} comes from its groups at the OpenID provider", "change them there")
    connection.execute(update(account).where(account.c.id == found.id).values(role=role))
    audit(connection, now, actor, "user.role", found.name, {"from": found.role, "to": role})


def set_password(connection: Connection, found: Account, password_hash: str, now: int, actor: str) -> None:
    """Give another password: ends all sessions, and the waiting after failures. Raises BadRequest."""
    if found.origin != "local":
        raise BadRequest(f"{found.name} has no password here: it signs in at the OpenID provider", "change it there")
    store_hash(connection, found.id, password_hash)
    ended = end_sessions(connection, found.id)
    connection.execute(delete(login_try).where(login_try.c.subject == account_subject(found.name)))
    audit(connection, now, actor, "user.password", found.name, {"sessions_ended": ended})


def change_organisations(
    connection: Connection, found: Account, organisations: Iterable[str], now: int, actor: str
) -> None:
    """Say whose devices a local account sees. Raises BadRequest."""
    if found.origin != "local":
        raise BadRequest(f"what {found.name} sees comes from its groups at the OpenID provider", "change them there")
    ids = organisation_ids(connection, organisations)
    set_organisations(connection, found.id, ids)
    audit(connection, now, actor, "user.organisations", found.name, {"organisations": sorted(ids)})


def set_organisations(connection: Connection, account_id: int, ids: Iterable[int]) -> None:
    """Whose devices an account sees: these organisations'."""
    connection.execute(delete(user_organisation).where(user_organisation.c.account_id == account_id))
    rows = [{"account_id": account_id, "organisation_id": one} for one in ids]
    if rows:
        connection.execute(insert(user_organisation), rows)


def store_hash(connection: Connection, account_id: int, password_hash: str) -> None:
    connection.execute(update(account).where(account.c.id == account_id).values(password_hash=password_hash))


def end_sessions(connection: Connection, account_id: int) -> int:
    """End all sessions of an account; how many there were."""
    return connection.execute(delete(session).where(session.c.account_id == account_id)).rowcount


def accounts(connection: Connection) -> list[Account]:
    """All accounts, by name."""
    mine: dict[int, set[int]] = {}
    for row in connection.execute(select(user_organisation)):
        mine.setdefault(row.account_id, set()).add(row.organisation_id)
    return [
        Account(
            row.id,
            row.name,
            "local" if row.login_name is not None else "oidc",
            row.role,
            frozenset(mine.get(row.id, ())),
            row.created_at,
            row.last_login_at,
        )
        for row in connection.execute(select(account).order_by(func.lower(account.c.name), account.c.id))
    ]


def find_account(connection: Connection, name_or_id: str) -> Account:
    """The account of this name or id. Raises NotFound, or BadRequest where several of a provider have the name."""
    found = accounts(connection)
    mine = [
        one for one in found if one.name == name_or_id or (one.origin == "local" and one.name == name_or_id.lower())
    ]
    if not mine and name_or_id.isdigit():
        mine = [one for one in found if str(one.id) == name_or_id]
    if len(mine) > 1:
        raise BadRequest(f"several accounts are named {name_or_id}", "give the id: ictagent collector user list")
    if not mine:
        raise NotFound(f"there is no account {name_or_id}", "see ictagent collector user list")
    return mine[0]


def account_with_id(connection: Connection, account_id: int) -> Account:
    """The account with this id. Not by `find_account`: a name may be another's id. Raises NotFound."""
    for one in accounts(connection):
        if one.id == account_id:
            return one
    raise NotFound("this account is there no more", "ask an operator for another")


def password_hash_of(connection: Connection, account_id: int, *, locked: bool = False) -> str | None:
    """The hash of an account's password now; None for an account without one, or none at all.

    `locked`: nobody changes it before this transaction ends.
    """
    query = select(account.c.password_hash).where(account.c.id == account_id)
    found: str | None = connection.execute(query.with_for_update() if locked else query).scalar()
    return found


def organisation_ids(connection: Connection, names: Iterable[str]) -> frozenset[int]:
    """Ids of organisations by name or id; without any, of all there are. Raises NotFound."""
    wanted = list(names)
    known = connection.execute(select(organisation.c.id, organisation.c.name)).all()
    if not wanted:
        return frozenset(row.id for row in known)
    ids = set()
    for name in wanted:
        # A name goes before an id: what is called by a number must not stand for another besides.
        found = [row.id for row in known if row.name == name] or [row.id for row in known if str(row.id) == name]
        if not found:
            raise NotFound(f"there is no organisation {name}", f"there are {', '.join(row.name for row in known)}")
        ids.update(found)
    return frozenset(ids)


def require_role(role: str) -> None:
    """Raise BadRequest for what is no role."""
    if role not in ROLES:
        raise BadRequest(f"{role!r} is not a role", f"use {in_words(list(ROLES))}")


def nobody_can_sign_in(connection: Connection) -> bool:
    """Whether no account has been made yet."""
    anyone = or_(account.c.password_hash.isnot(None), account.c.subject.isnot(None))
    return connection.execute(select(account.c.id).where(anyone).limit(1)).first() is None
