"""`ictagent collector api-token`: what programs read with."""

import time
from pathlib import Path

import click

from agent.commands.common import echo_json, echo_table, output_option
from collector.commands.common import actor, database_of, plain_errors
from collector.people.organisations import names_of
from collector.people.roles import ROLES
from collector.people.tokens import api_tokens, create_api_token, revoke_api_token

_STATE = click.option("--state-directory", type=click.Path(path_type=Path), help="Where the collector's data are kept.")
LONGEST_DAYS = 730


@click.group("api-token")
def api_token() -> None:
    """API tokens, with which programs read devices, energy and metrics.

    \b
    Examples:
      ictagent collector api-token create --label prometheus --days 365 > token
      ictagent collector api-token revoke 3a5f0e2dbe89
    """


@api_token.command("create", epilog="\b\nExample:\n  ictagent collector api-token create --label prometheus > token")
@click.option("--label", required=True, help="What it is for, as the audit log shows it.")
@click.option("--role", type=click.Choice(list(ROLES)), default="viewer", show_default=True, help="What it may do.")
@click.option("--days", type=click.IntRange(1, LONGEST_DAYS), default=90, show_default=True, help="How long it holds.")
@click.option(
    "--organisation",
    "organisations",
    multiple=True,
    help="Name or id of an organisation whose devices are seen; may be repeated. Without it all that there are.",
)
@_STATE
def create(label: str, role: str, days: int, organisations: tuple[str, ...], state_directory: Path | None) -> None:
    """Make a token and print it; it cannot be shown again."""
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        text = create_api_token(connection, label, role, organisations, now + days * 86_400, now, actor())
    click.echo(text)


@api_token.command("list", epilog="\b\nExample:\n  ictagent collector api-token list --output json")
@_STATE
@output_option()
def list_tokens(state_directory: Path | None, output: str) -> None:
    """Tokens with role, organisations and state; never their secrets."""
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        found = [
            {
                "id": one.id,
                "label": one.label,
                "role": one.role,
                "organisations": names_of(connection, one.organisations),
                "expires": time.strftime("%Y-%m-%d %H:%M", time.gmtime(one.expires_at)),
                "state": one.state(now),
            }
            for one in api_tokens(connection)
        ]
    if output == "json":
        echo_json(found)
    elif not found:
        click.echo("there is no API token yet: ictagent collector api-token create", err=True)
    else:
        rows = [[", ".join(cell) if isinstance(cell, list) else cell for cell in one.values()] for one in found]
        echo_table(("id", "label", "role", "organisations", "expires (UTC)", "state"), rows)


@api_token.command("revoke", epilog="\b\nExample:\n  ictagent collector api-token revoke 3a5f0e2dbe89")
@click.argument("token_id")
@_STATE
def revoke(token_id: str, state_directory: Path | None) -> None:
    """Make a token useless from the next request on."""
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        revoke_api_token(connection, token_id, int(time.time()), actor())
    click.echo(f"API token {token_id} is revoked")
