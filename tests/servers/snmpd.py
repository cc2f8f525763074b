"""The real net-snmp agent (Debian package `snmpd`) on a loopback port, with users as a test needs them."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from collector.snmp.client import Credential
from tests.servers.process import stop, tail, wait_until

NAMES = {"SHA-1": "SHA", "AES-128": "AES"}
"""What net-snmp calls a protocol, where it has another name."""


@dataclass
class Snmpd:
    """An agent; `restart` starts it again, with a new engine id where one is given."""

    folder: Path
    host: str = "127.0.0.1"
    community: str = "public"
    users: tuple[Credential, ...] = ()
    more: str = ""
    port: int = 0
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    def start(self, engine: str = "ictagent-test") -> None:
        """Start it with an engine id. Its boots are kept in its folder, as on a real device."""
        self.folder.mkdir(parents=True, exist_ok=True)
        six = ":" in self.host
        listen = f"udp6:[{self.host}]:{self.port}" if six else f"udp:{self.host}:{self.port}"
        lines = [f"agentaddress {listen}", f"engineID {engine}", "sysName snmpd-of-the-test", "sysServices 72"]
        lines += [f"rocommunity{'6' if six else ''} {self.community}", self.more]
        for one in self.users:
            words = [one.user]
            if one.auth_protocol:
                words += [_net_snmp(one.auth_protocol), one.auth_key]
            if one.priv_protocol:
                words += [_net_snmp(one.priv_protocol), one.priv_key]
            level = "priv" if one.priv_protocol else "auth" if one.auth_protocol else "noauth"
            lines += [f"createUser {' '.join(words)}", f"rouser {one.user} {level}"]
        (self.folder / "snmpd.conf").write_text("\n".join(lines) + "\n")
        (self.folder / "snmpd.conf").chmod(0o600)
        command = ["snmpd", "-f", "-C", "-c", str(self.folder / "snmpd.conf"), "-Lf", str(self.folder / "log")]
        environment = {**os.environ, "SNMP_PERSISTENT_DIR": str(self.folder / "kept"), "MIBS": ""}
        self._process = subprocess.Popen(command, env=environment)
        wait_until(lambda: "NET-SNMP version" in tail(self.folder / "log"), f"snmpd: {tail(self.folder / 'log')}")

    def stop(self) -> None:
        if self._process is not None:
            stop(self._process)
            self._process = None

    def restart(self, engine: str = "ictagent-test") -> None:
        self.stop()
        (self.folder / "log").unlink()
        self.start(engine)


def _net_snmp(protocol: str) -> str:
    # net-snmp joins AES and its length; Cisco's kind of it has a C.
    return NAMES.get(protocol, protocol.replace("AES-", "AES").replace("-C", "C"))


def available() -> bool:
    """Whether this machine has it."""
    return shutil.which("snmpd") is not None


@contextmanager
def snmpd(folder: Path, port: int, *, users: tuple[Credential, ...] = (), host: str = "127.0.0.1") -> Iterator[Snmpd]:
    """An agent until the end of the block."""
    one = Snmpd(folder, host, users=users, port=port)
    one.start()
    try:
        yield one
    finally:
        one.stop()
