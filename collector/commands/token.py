"""`ictagent collector token`: enrolment tokens, which hosts exchange for keys of their own."""

import time
from pathlib import Path

import click
from sqlalchemy import select, update

from agent.commands.common import echo_json, echo_table, output_option
from agent.errors import AgentError
from collector.commands.common import actor, database_of, plain_errors, settings_in
from collector.commands.own_tls import fingerprint
from collector.database.audit import audit
from collector.database.estate import SPACE_KINDS
from collector.database.schema import enrolment_token, organisation
from collector.enrolment import TokenRequest, create_tokens
from collector.estate_version import touch
from collector.organisation import read_organisation

_STATE = click.option("--state-directory", type=click.Path(path_type=Path), help="Where the collector's data are kept.")


@click.group()
def token() -> None:
    """Enrolment tokens, which hosts exchange for keys of their own.

    \b
    Examples:
      ictagent collector token list
      ictagent collector token revoke 3a5f0e2dbe89
    """


@token.command("create")
@click.option("--label", required=True, help="What it is for, as the audit log shows it.")
@click.option(
    "--uses", type=click.IntRange(1, 100_000), default=1, show_default=True, help="How many hosts may use it."
)
@click.option("--days", type=click.IntRange(1, 365), default=7, show_default=True, help="How long it holds.")
@click.option("--organisation", help="Whose hosts they are; the first organisation's without.")
@click.option("--site", default="", help="Site at which the hosts stand.")
@click.option("--space", default="", help="Space of that site in which they stand.")
@click.option("--space-kind", type=click.Choice(SPACE_KINDS), help="Its kind, where the space is new.")
@_STATE
def create(
    label: str,
    uses: int,
    days: int,
    organisation: str | None,
    site: str,
    space: str,
    space_kind: str | None,
    state_directory: Path | None,
) -> None:
    """Make a token and print it; it cannot be shown again.

    Where the collector has an authority of its own (tls = "own"), the token ends in that authority's SHA-256, and hosts
    trust no other. With several organisations (ictagent estate organisation) the token says whose the hosts are.

    \b
    Examples:
      ictagent collector token create --label "library servers" --uses 20 > token
      ictagent collector token create --label "leisure centre" --organisation "Example District Council" > token
    """
    pin = fingerprint(settings_in(state_directory))
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        expires = int(time.time()) + days * 86_400
        wanted = TokenRequest(label, uses, expires, site, actor(), space, space_kind or "", organisation)
        [text] = create_tokens(connection, [wanted])
    click.echo(f"{text}.{pin}" if pin else text)


@token.command("list", epilog="\b\nExample:\n  ictagent collector token list --output json")
@_STATE
@output_option()
def list_tokens(state_directory: Path | None, output: str) -> None:
    """Tokens with their state; never their secrets."""
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        rows = connection.execute(
            select(enrolment_token, organisation.c.name.label("organisation"))
            .outerjoin(organisation, organisation.c.id == enrolment_token.c.organisation_id)
            .order_by(enrolment_token.c.created_at)
        ).all()
        first = read_organisation(connection).name
    found = [
        {
            "id": row.id,
            "label": row.label,
            "organisation": row.organisation or first,
            "site": row.site,
            "space": row.space or "",
            "uses_left": row.uses_left,
            "expires": time.strftime("%Y-%m-%d %H:%M", time.gmtime(row.expires_at)),
            "state": _state(row.revoked_at, row.expires_at, row.uses_left, now),
        }
        for row in rows
    ]
    if output == "json":
        echo_json(found)
    elif not found:
        click.echo("there is no token yet: ictagent collector token create", err=True)
    else:
        head = ("id", "label", "organisation", "site", "space", "uses left", "expires (UTC)", "state")
        echo_table(head, [list(one.values()) for one in found])


@token.command(epilog="\b\nExample:\n  ictagent collector token revoke 3a5f0e2dbe89")
@click.argument("token_id")
@_STATE
def revoke(token_id: str, state_directory: Path | None) -> None:
    """Make a token useless; hosts that enrolled with it keep their keys."""
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        changed = connection.execute(
            update(enrolment_token)
            .where(enrolment_token.c.id == token_id, enrolment_token.c.revoked_at.is_(None))
            .values(revoked_at=now)
        ).rowcount
        if not changed:
            raise AgentError(f"there is no token {token_id} to revoke; see `ictagent collector token list`")
        audit(connection, now, actor(), "token.revoke", token_id, {})
        touch(connection)
    click.echo(f"token {token_id} is revoked")


def _state(revoked_at: int | None, expires_at: int, uses_left: int, now: int) -> str:
    if revoked_at is not None:
        return "revoked"
    if expires_at <= now:
        return "expired"
    return "used up" if uses_left <= 0 else "good"
