"""Accounts of an OpenID provider: made and brought up to date with every login, by what its groups say then."""

from sqlalchemy import Connection, insert, select, update

from collector.database.audit import audit
from collector.database.schema import account
from collector.errors import CollectorError, Forbidden
from collector.people.accounts import end_sessions, organisation_ids, set_organisations
from collector.people.oidc_settings import Claimed
from collector.people.roles import ROLES
from collector.people.sessions import Origin


def begin_claimed(connection: Connection, claimed: Claimed, origin: Origin, now: int) -> int:
    """The account's id, with name, role and organisations as claimed now."""
    role = strongest([role for role, _ in claimed.roles])
    named = {where for _, where in claimed.roles}
    ids = organisation_ids(connection, [] if "" in named else sorted(named))
    row = connection.execute(select(account).where(account.c.subject == claimed.subject)).first()
    actor = f"user:{claimed.name}"
    if row is None:
        values = {"name": claimed.name, "subject": claimed.subject, "role": role, "created_at": now}
        account_id: int = connection.execute(insert(account).values(values).returning(account.c.id)).scalar_one()
        audit(connection, now, actor, "user.add", claimed.name, {"role": role, "organisations": sorted(ids)})
    else:
        account_id = row.id
        connection.execute(update(account).where(account.c.id == account_id).values(name=claimed.name, role=role))
        if row.role != role:
            audit(connection, now, actor, "user.role", claimed.name, {"from": row.role, "to": role})
    set_organisations(connection, account_id, ids)
    audit(connection, now, actor, "login", claimed.name, {"address": origin.address, "by": "OpenID"})
    return account_id


def refuse_claimed(connection: Connection, claimed: Claimed, origin: Origin, now: int) -> CollectorError:
    """Nobody without a group that has a role comes in; sessions from when they had one end."""
    found = connection.execute(select(account.c.id).where(account.c.subject == claimed.subject)).scalar()
    if found is not None:
        end_sessions(connection, found)
    detail = {"address": origin.address, "reason": "no group with a role"}
    audit(connection, now, f"user:{claimed.name}", "login.failed", claimed.name, detail)
    return Forbidden(f"{claimed.name} is in no group that may use ictagent", "ask for a group in oidc_group_roles")


def strongest(roles: list[str]) -> str:
    """Of several roles the one that may most; of those alike the later in the list of roles.

    >>> strongest(["officer", "viewer"]), strongest(["auditor", "operator"])
    ('officer', 'auditor')
    """
    order = list(ROLES)
    return max(roles, key=order.index)
