"""Starting a real server for a test: a free loopback port, and waiting until it answers."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


def free_port() -> int:
    """A loopback port that nobody uses now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def wait_until(condition: Callable[[], object], what: str, seconds: float = 90.0) -> None:
    """Poll a condition until it holds. Raises TimeoutError naming what was waited for.

    The limit is for what never comes true: a busy machine may take long over what does.
    """
    deadline = time.monotonic() + seconds
    while True:
        # A server that does not listen yet raises OSError.
        with contextlib.suppress(OSError):
            if condition():
                return
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {seconds} s")
        time.sleep(0.02)


def listening(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End a server, gently first."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def tail(path: Path, characters: int = 2000) -> str:
    """The end of a server's log, for the message of a test that failed."""
    return path.read_text(errors="replace")[-characters:] if path.exists() else ""
