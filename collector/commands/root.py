"""`ictagent collector`: run and look after the collector."""

import signal
import time
from pathlib import Path

import click
from sqlalchemy import select, update

from agent.commands.common import echo_json, echo_table, log_to_stderr, output_option, set_log_level
from agent.errors import AgentError, ConfigurationError
from collector.commands.api_token import api_token
from collector.commands.audit import audit
from collector.commands.common import actor, collector_settings, database_of, listen_address, plain_errors
from collector.commands.deadletter import deadletter
from collector.commands.install import install, uninstall
from collector.commands.serve import bind, server_of, sole_user
from collector.commands.user import user
from collector.database.audit import audit as write_audit
from collector.database.schema import enrolment_token
from collector.enrolment import TokenRequest, create_tokens
from collector.estate_version import touch
from collector.people.accounts import nobody_can_sign_in
from collector.people.configuration import proxies_of
from collector.service import Collector
from collector.web.access import SignIn

STATE_DIRECTORY = click.option(
    "--state-directory", type=click.Path(path_type=Path), help="Where the collector's data are kept."
)

FIRST_ACCOUNT = "nobody can sign in yet: ictagent collector user add NAME --role operator"


@click.group()
def collector() -> None:
    """Run and look after the collector.

    \b
    Examples:
      ictagent collector run --listen 127.0.0.1:8420
      ictagent collector token create --label "library servers" --uses 20 --days 7
    """


for one in (install, uninstall, api_token, audit, deadletter, user):
    collector.add_command(one)


@collector.command(
    epilog="\b\nExample:\n  ictagent collector run --listen 127.0.0.1:8420 --read-token-file /etc/ictagent/read-token"
)
@click.option("--listen", help="Address and port; every address but loopback needs a certificate.")
@STATE_DIRECTORY
@click.option("--database", help="PostgreSQL URL; without it SQLite in the state directory.")
@click.option("--read-token-file", help="File with a token that reads as a viewer of every organisation.")
@click.option("--influx-url", help="InfluxDB to write to.")
@click.option("--influx-bucket", help="Bucket, on InfluxDB 1.x the database.")
@click.option("--influx-org", help="Organisation, on InfluxDB 2.x.")
@click.option("--influx-token-file", help="File with InfluxDB's token.")
@click.option("--log-level", help="debug, info, warning or error.")
def run(**flags: str | Path | None) -> None:
    """Take reports, write the ledger, serve pages and API, until a signal ends it.

    SIGHUP reads the log level from the configuration again; every other setting needs a restart.
    """
    settings = collector_settings(flags)
    log_to_stderr(settings.log_level)
    host, port = listen_address(settings.listen)
    with plain_errors(), sole_user(settings.state_directory):
        listener = bind(host, port)
        running = Collector(settings)
        running.start()
        scheme = "https" if settings.certificate_file else "http"
        click.echo(f"listening at {scheme}://{host}:{listener.getsockname()[1]}", err=True)
        with running.database.read() as connection:
            if not settings.oidc_issuer and nobody_can_sign_in(connection):
                click.echo(FIRST_ACCOUNT, err=True)
        try:
            rule = SignIn(lambda: _token(settings.read_token_file), proxies_of(settings), settings.public_url)
            server = server_of(running, rule, settings)
            signal.signal(signal.SIGHUP, lambda *_: server.read_again(lambda: _log_level_again(flags)))
            server.run(sockets=[listener])
        finally:
            running.stop()


def _log_level_again(flags: dict[str, str | Path | None]) -> str:
    """Take the log level from the configuration as it is now; a line for the log."""
    try:
        level = collector_settings(flags).log_level
    except ConfigurationError as error:
        return f"the configuration is wrong and was left aside: {error}"
    set_log_level(level)
    return f"the log level is {level}; other changes need a restart"


@collector.group()
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
@click.option("--site", default="", help="Site at which the hosts stand.")
@STATE_DIRECTORY
def create(label: str, uses: int, days: int, site: str, state_directory: Path | None) -> None:
    """Make a token and print it; it cannot be shown again.

    \b
    Example:
      ictagent collector token create --label "library servers" --uses 20 > token
    """
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        expires = int(time.time()) + days * 86_400
        [text] = create_tokens(connection, [TokenRequest(label, uses, expires, site, actor())])
    click.echo(text)


@token.command("list", epilog="\b\nExample:\n  ictagent collector token list --output json")
@STATE_DIRECTORY
@output_option()
def list_tokens(state_directory: Path | None, output: str) -> None:
    """Tokens with their state; never their secrets."""
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        rows = connection.execute(select(enrolment_token).order_by(enrolment_token.c.created_at)).all()
    found = [
        {
            "id": row.id,
            "label": row.label,
            "site": row.site,
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
        echo_table(
            ("id", "label", "site", "uses left", "expires (UTC)", "state"), [list(one.values()) for one in found]
        )


@token.command(epilog="\b\nExample:\n  ictagent collector token revoke 3a5f0e2dbe89")
@click.argument("token_id")
@STATE_DIRECTORY
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
        write_audit(connection, now, actor(), "token.revoke", token_id, {})
        touch(connection)
    click.echo(f"token {token_id} is revoked")


def _state(revoked_at: int | None, expires_at: int, uses_left: int, now: int) -> str:
    if revoked_at is not None:
        return "revoked"
    if expires_at <= now:
        return "expired"
    return "used up" if uses_left <= 0 else "good"


def _token(path: str) -> str:
    """The reading token; read at each request, so that a new one holds at once. Empty where there is none."""
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
