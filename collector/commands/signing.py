"""Whose act a command is: the user of this machine, or an account of the collector that proves itself by its password."""

import time

import click

from collector.commands.common import actor
from collector.database.audit import audit
from collector.database.engine import Database
from collector.errors import NotAuthorised, NotFound
from collector.people.accounts import Account, find_account, password_hash_of
from collector.people.passwords import verify

SIGNING_ROLES = ("officer", "operator")


def signed_by(database: Database, login: str | None) -> str:
    """The actor of an act, for the audit log. Asks for the account's password where one is named.

    Raises NotAuthorised for a wrong password, an unknown account, or one whose role does not sign.
    """
    if login is None:
        return actor()
    password = click.prompt(f"Password of {login}", hide_input=True, err=True)
    found, stored = _account(database, login)
    right = verify(password, stored)
    if found is None or not right or found.role not in SIGNING_ROLES:
        with database.write() as connection:
            audit(connection, int(time.time()), actor(), "carbon.publish.refused", login, {})
        if found is not None and right:
            raise NotAuthorised(
                f"{login} is {found.role}, and does not sign", f"roles that do: {', '.join(SIGNING_ROLES)}"
            )
        raise NotAuthorised("the account or its password is wrong", "see `ictagent collector user list`")
    return f"user:{found.name}"


def _account(database: Database, login: str) -> tuple[Account | None, str | None]:
    """An account and the hash of its password; None of both where there is none."""
    with database.read() as connection:
        try:
            found = find_account(connection, login)
        except NotFound:
            return None, None
        return found, password_hash_of(connection, found.id)
