"""What a service manager hears: the other end of NOTIFY_SOCKET, a real datagram socket."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import missing
from tests.servers.process import wait_until


class Listening:
    """Collects what a service says; each message as its lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)
        self._messages: list[list[str]] = []

    def heard(self) -> list[list[str]]:
        """Every message so far."""
        while self._socket.fileno() >= 0:
            try:
                self._messages.append(self._socket.recv(4096).decode().split("\n"))
            except BlockingIOError:
                break
        return self._messages

    def lines(self) -> list[str]:
        return [line for message in self.heard() for line in message]

    def wait_for(self, line: str, times: int = 1) -> None:
        wait_until(lambda: self.lines().count(line) >= times, f"{line} (heard: {self.lines()})", 60)

    def close(self) -> None:
        """What was said until now can still be asked for."""
        self.heard()
        self._socket.close()


@contextmanager
def listening_manager(directory: Path) -> Iterator[Listening]:
    one = Listening(directory / "notify")
    try:
        yield one
    finally:
        one.close()


def own_etc(directory: Path) -> list[str]:
    """The beginning of a command line that gives a program an /etc of its own, a copy at `directory`/etc, which a test may
    change while the program runs."""
    probe = subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True)
    if os.geteuid() != 0 or probe.returncode:
        missing("the right to give a program an /etc of its own")
    shutil.copytree("/etc", directory / "etc", symlinks=True)
    script = f'mount --bind "{directory}/etc" /etc && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", script, "sh"]
