"""NUT's own server and its dummy driver, which gives the variables of a file."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import missing
from tests.servers.process import free_port, listening, stop, tail, wait_until

_DRIVER, _SERVER = Path("/lib/nut/dummy-ups"), Path("/lib/nut/upsd")
"""Debian's `upsd` on the path is a script that starts nothing until the machine's own configuration says so."""


@dataclass
class Upsd:
    port: int
    driver: "subprocess.Popen[bytes]"


def needed() -> None:
    """Skip, or fail on CI, where NUT is not installed."""
    if not (_DRIVER.exists() and _SERVER.exists()):
        missing("NUT (Debian package nut-server)")


@contextmanager
def upsd(folder: Path, supplies: Mapping[str, Mapping[str, str]]) -> Iterator[Upsd]:
    """A server with these supplies on a loopback port. `driver` is the process of the first one's driver."""
    needed()
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    # A socket's path must be short, and the drivers drop root's rights unless told otherwise.
    environment = {
        **os.environ,
        "NUT_CONFPATH": str(folder),
        "NUT_STATEPATH": str(folder),
        "NUT_QUIET_INIT_UPSNOTIFY": "1",
    }
    user = [] if os.geteuid() else ["-u", "root"]
    sections = "".join(
        f'[{name}]\n driver = dummy-ups\n port = {folder / name}.dev\n desc = "a \\"test\\" supply"\n'
        for name in supplies
    )
    (folder / "ups.conf").write_text(f"maxretry = 1\npollinterval = 1\n{sections}")
    (folder / "upsd.conf").write_text(f"LISTEN 127.0.0.1 {port}\nMAXAGE 3\n")
    (folder / "upsd.users").write_text("")
    for name, variables in supplies.items():
        write_variables(folder, name, variables)
    for file in folder.iterdir():
        file.chmod(0o600)
    log = folder / "log"
    with ExitStack() as running, log.open("wb") as output:
        drivers = []
        for name in supplies:
            command = [str(_DRIVER), "-D", *user, "-a", name]
            drivers.append(subprocess.Popen(command, env=environment, stdout=output, stderr=output))
            running.callback(stop, drivers[-1])
        wait_until(lambda: all((folder / f"dummy-ups-{name}").exists() for name in supplies), f"drivers: {tail(log)}")
        server = subprocess.Popen([str(_SERVER), "-D", *user], env=environment, stdout=output, stderr=output)
        running.callback(stop, server)
        wait_until(lambda: listening(port), f"upsd: {tail(log)}")
        wait_until(lambda: all(_status(name, port) not in ("", "WAIT") for name in supplies), "the drivers' first data")
        yield Upsd(port, drivers[0])


def _status(name: str, port: int) -> str:
    asked = ["upsc", f"{name}@127.0.0.1:{port}", "ups.status"]
    return subprocess.run(asked, check=False, capture_output=True, text=True).stdout.strip()


def write_variables(folder: Path, name: str, variables: Mapping[str, str]) -> None:
    """What the driver says; it reads the file again and again."""
    (folder / f"{name}.dev").write_text("".join(f"{key}: {value}\n" for key, value in variables.items()))
