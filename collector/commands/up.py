"""`ictagent up`: agent, collector, embedded store and pages on this machine, without root, server or configuration.

The agent runs as a process of its own and reports over HTTP as on any other host, so what is seen here is the real way.
"""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import click

from agent.commands.common import log_to_stderr
from agent.errors import ConfigurationError
from agent.settings import LOOPBACK, default_state_directory
from carbon.spaces import NOT_SET
from carbon.wording import host_line
from collector.commands.common import listen_address, plain_errors
from collector.commands.serve import bind, server_of, sole_user
from collector.device_energy import rules_of
from collector.enrolment import TokenRequest, create_tokens
from collector.queries import DeviceRow, devices
from collector.segments import load_segments
from collector.service import Collector
from collector.settings import CollectorSettings
from collector.snmp.traps.address import of_listen
from collector.web.access import LocalOnly

STOP_SECONDS = 10.0
FIRST_POWER_SECONDS = 60.0


@click.command(epilog="\b\nExamples:\n  ictagent up\n  ictagent up --listen 127.0.0.1:9000 --state-directory /tmp/try")
@click.option("--listen", default="127.0.0.1:8420", show_default=True, help="Loopback address and port of the pages.")
@click.option(
    "--state-directory",
    type=click.Path(path_type=Path),
    help="Where data are kept; default: /var/lib/ictagent/up for root, else ~/.local/state/ictagent/up.",
)
@click.option(
    "--snmp-trap-listen",
    "traps",
    multiple=True,
    help="Address and port where traps of polled devices are heard, such as 127.0.0.1:1162; several times for several.",
)
@click.option("--log-level", default="warning", show_default=True, help="debug, info, warning or error.")
def up(listen: str, state_directory: Path | None, traps: tuple[str, ...], log_level: str) -> None:
    """Run agent, collector and pages on this machine, until Ctrl-C. A second start goes on with the same data."""
    log_to_stderr(log_level)
    directory = state_directory or default_state_directory() / "up"
    host, port = listen_address(listen)
    if host not in LOOPBACK:
        raise ConfigurationError(
            f"ictagent up asks for no login and listens at loopback only, not at {host}: use ictagent collector run"
        )
    # What /etc/ictagent says of a collector on this machine, its database above all, is not for these pages.
    for place in traps:
        of_listen(place)
    settings = CollectorSettings(listen=listen, state_directory=directory / "collector", snmp_trap_listen=traps)
    with plain_errors(), sole_user(settings.state_directory):
        listener = bind(host, port)
        address = f"http://{host}:{listener.getsockname()[1]}"
        collector = Collector(settings)
        collector.count_host_missing(True)
        collector.start()
        try:
            agent = _start_agent(collector, address, directory, log_level)
            # The agent ends first, so that its last report is still taken.
            leaving = threading.Event()
            server = server_of(collector, LocalOnly(), settings, before_exit=lambda: _stop_agent(agent, leaving))
            for watch in (
                threading.Thread(target=_announce, args=(collector, address, agent), daemon=True),
                threading.Thread(target=_tell_its_end, args=(agent, leaving), daemon=True),
            ):
                watch.start()
            try:
                server.run(sockets=[listener])
            finally:
                _stop_agent(agent, leaving)
        finally:
            collector.stop()
    click.echo("stopped; the data are kept in " + str(directory), err=True)


def _start_agent(collector: Collector, address: str, directory: Path, log_level: str) -> "subprocess.Popen[bytes]":
    """The agent as `ictagent run`, enrolled with a token made for it."""
    state = directory / "agent"
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    token_file = state / "token"
    if not (state / "key").exists():
        expires = int(time.time()) + 3600
        token = collector.writer.run(create_tokens, TokenRequest("ictagent up", 1, expires, "", "ictagent up"))
        with os.fdopen(os.open(token_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(token)
    command = [sys.executable, "-m", "collector.commands.agent_child", str(os.getpid()), "run"]
    command += ["--collector", address, "--token-file", str(token_file)]
    command += ["--state-directory", str(state), "--log-level", log_level]
    # In a session of its own: Ctrl-C reaches this process, which then ends the agent in order.
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603  # our own program


def _stop_agent(agent: "subprocess.Popen[bytes]", leaving: threading.Event) -> None:
    leaving.set()
    agent.terminate()
    try:
        agent.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        agent.kill()
        agent.wait()


def _announce(collector: Collector, address: str, agent: "subprocess.Popen[bytes]") -> None:
    """Print the address, and the host's line as soon as its power is known."""
    click.echo(f"pages: {address}")
    deadline = time.monotonic() + FIRST_POWER_SECONDS
    while time.monotonic() < deadline and agent.poll() is None:
        if line := _line(collector):
            click.echo(line)
            return
        time.sleep(0.1)
    if agent.poll() is None:
        click.echo("the agent has given no power yet: ictagent doctor", err=True)


def _tell_its_end(agent: "subprocess.Popen[bytes]", leaving: threading.Event) -> None:
    """Say so if the agent ends by itself: pages would show this host as silent only minutes later."""
    status = agent.wait()
    if not leaving.is_set():
        click.echo(
            f"the agent has ended (status {status}): see its messages above, and start ictagent up again", err=True
        )


def _line(collector: Collector) -> str:
    with collector.database.read() as connection:
        rows = [row for row in devices(connection) if row.power_watts is not None and not row.silent]
        if not rows:
            return ""
        row: DeviceRow = max(rows, key=lambda one: one.last_report_at or 0)
        now = int(time.time())
        half_hour = now - now % 1800
        rules = rules_of(connection, row.device_id)
        segments = load_segments(connection, half_hour, half_hour + 1800, [row.device_id])
    pue = segments[-1].pue if segments else NOT_SET
    return host_line(
        row.power_watts or 0.0,
        row.power_low_watts or 0.0,
        row.power_high_watts or 0.0,
        row.method,
        rules.factors(rules.day(half_hour)),
        pue,
        host_missing=row.host_missing,
    )
