"""`ictagent collector`: run and look after the collector."""

import signal
from pathlib import Path

import click

from agent.commands.common import log_to_stderr, set_log_level
from agent.errors import ConfigurationError
from collector.commands.api_token import api_token
from collector.commands.audit import audit
from collector.commands.common import collector_settings, listen_address, plain_errors
from collector.commands.deadletter import deadletter
from collector.commands.device import device
from collector.commands.install import install, uninstall
from collector.commands.own_tls import authority_of, renewing, with_certificate
from collector.commands.serve import bind, server_of, sole_user
from collector.commands.token import token
from collector.commands.user import user
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


for one in (install, uninstall, token, device, user, api_token, audit, deadletter):
    collector.add_command(one)


@collector.command(
    epilog="\b\nExample:\n  ictagent collector run --listen 127.0.0.1:8420 --read-token-file /etc/ictagent/read-token"
)
@click.option("--listen", help="Address and port; every address but loopback needs a certificate.")
@click.option("--tls", help="own: with an authority and a certificate that the collector makes for itself.")
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
        authority = authority_of(settings)
        settings = with_certificate(settings, authority)
        running = Collector(settings)
        running.authority_pem = authority.pem if authority else b""
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
            with renewing(settings, authority, lambda: server.config.ssl):
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


def _token(path: str) -> str:
    """The reading token; read at each request, so that a new one holds at once. Empty where there is none."""
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
