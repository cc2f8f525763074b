"""`ictagent collector user`: who may sign in, as what. The first account of a fresh collector is made here too."""

import sys
import time
from pathlib import Path

import click
from sqlalchemy import Connection

from agent.commands.common import echo_json, echo_table, output_option
from agent.errors import AgentError
from collector.commands.common import actor, database_of, plain_errors
from collector.people.accounts import (
    Account,
    account_with_id,
    accounts,
    add_account,
    change_organisations,
    find_account,
    login_name_of,
    remove_account,
    set_password,
    set_role,
)
from collector.people.organisations import names_of
from collector.people.passwords import hash_password
from collector.people.roles import ROLES

_STATE = click.option("--state-directory", type=click.Path(path_type=Path), help="Where the collector's data are kept.")
_PASSWORD_FILE = click.option(
    "--password-file",
    type=click.Path(path_type=Path, allow_dash=True),
    help="File with the password, - for stdin; without it you are asked.",
)
_ORGANISATIONS = click.option(
    "--organisation",
    "organisations",
    multiple=True,
    help="Name or id of an organisation whose devices are seen; may be repeated. Without it all that there are.",
)
_ROLE = click.Choice(list(ROLES))


@click.group()
def user() -> None:
    """People who may sign in. NAME is a login name, or the name or id that `list` shows.

    \b
    Examples:
      ictagent collector user add anna --role officer
      ictagent collector user add scheduler --role viewer --password-file password
      ictagent collector user list
    """


@user.command("add", epilog="\b\nExample:\n  ictagent collector user add anna --role officer")
@click.argument("name")
@click.option("--role", type=_ROLE, required=True, help="What they may do.")
@_ORGANISATIONS
@_PASSWORD_FILE
@_STATE
def add(
    name: str,
    role: str,
    organisations: tuple[str, ...],
    password_file: Path | None,
    state_directory: Path | None,
) -> None:
    """Make an account. The password is asked for, or read from a file; it is never an argument."""
    with database_of(state_directory) as database, plain_errors():
        login_name = login_name_of(name)
        password_hash = hash_password(_password(password_file), login_name)
        with database.write() as connection:
            now = int(time.time())
            add_account(connection, login_name, password_hash, role, organisations, now, actor())
    click.echo(f"{login_name} may sign in as {role}")


@user.command("list", epilog="\b\nExample:\n  ictagent collector user list --output json")
@_STATE
@output_option()
def list_users(state_directory: Path | None, output: str) -> None:
    """Accounts with role, organisations and last login."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        found = [_listed(connection, one) for one in accounts(connection)]
    if output == "json":
        echo_json(found)
    elif not found:
        click.echo("there is no account yet: ictagent collector user add", err=True)
    else:
        rows = [[", ".join(cell) if isinstance(cell, list) else cell for cell in one.values()] for one in found]
        echo_table(("id", "name", "origin", "role", "organisations", "made (UTC)", "last login (UTC)"), rows)


@user.command("remove", epilog="\b\nExample:\n  ictagent collector user remove anna")
@click.argument("name")
@_STATE
def remove(name: str, state_directory: Path | None) -> None:
    """Remove an account and end its sessions. One of an OpenID provider comes back with its next login there."""
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        found = find_account(connection, name)
        remove_account(connection, found, int(time.time()), actor())
    click.echo(f"{found.name} is removed")


@user.command("password", epilog="\b\nExample:\n  ictagent collector user password anna")
@click.argument("name")
@_PASSWORD_FILE
@_STATE
def password(name: str, password_file: Path | None, state_directory: Path | None) -> None:
    """Set another password, asked for or read from a file. It ends all sessions of the account."""
    with database_of(state_directory) as database, plain_errors():
        with database.read() as connection:
            found = find_account(connection, name)
        password_hash = hash_password(_password(password_file), found.name)
        with database.write() as connection:
            set_password(connection, found, password_hash, int(time.time()), actor())
    click.echo(f"the password of {found.name} is set, and all sessions are ended")


@user.command("role", epilog="\b\nExample:\n  ictagent collector user role anna auditor")
@click.argument("name")
@click.argument("role", type=_ROLE)
@_STATE
def role(name: str, role: str, state_directory: Path | None) -> None:
    """Give another role; it holds from the next request on, in open sessions too."""
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        found = find_account(connection, name)
        set_role(connection, found, role, int(time.time()), actor())
    click.echo(f"{found.name} is {role}")


@user.command(
    "organisations", epilog='\b\nExample:\n  ictagent collector user organisations anna --organisation "Borough"'
)
@click.argument("name")
@_ORGANISATIONS
@_STATE
def organisations(name: str, organisations: tuple[str, ...], state_directory: Path | None) -> None:
    """Say whose devices an account sees, instead of those until now."""
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        found = find_account(connection, name)
        change_organisations(connection, found, organisations, int(time.time()), actor())
        names = names_of(connection, account_with_id(connection, found.id).organisations)
    click.echo(f"{found.name} sees {', '.join(names)}")


def _password(file: Path | None) -> str:
    """From the file, without the line's end; else from the terminal, typed twice and not shown."""
    if file is not None:
        try:
            text = sys.stdin.readline() if str(file) == "-" else file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise AgentError(f"the password's file {file} cannot be read: {error}") from error
        return text.partition("\n")[0].rstrip("\r")
    if not sys.stdin.isatty():
        raise AgentError("there is no terminal to ask for the password at: give --password-file FILE, or - for stdin")
    typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return typed


def _listed(connection: Connection, one: Account) -> dict[str, object]:
    return {
        "id": one.id,
        "name": one.name,
        "origin": one.origin,
        "role": one.role,
        "organisations": names_of(connection, one.organisations),
        "made": _moment(one.created_at),
        "last_login": _moment(one.last_login_at),
    }


def _moment(at: int | None) -> str:
    return "never" if at is None else time.strftime("%Y-%m-%d %H:%M", time.gmtime(at))
