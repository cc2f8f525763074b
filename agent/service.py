"""What the agent tells the service manager that runs it: systemd's notification protocol, sd_notify(3), by a datagram.

Without NOTIFY_SOCKET (a terminal, another service manager) everything here does nothing. The same variables tell
whether standard error is the journal (JOURNAL_STREAM), which takes a message's priority from `<N>` before each line.
"""

import logging
import os
import socket
import time
from collections.abc import Mapping

logger = logging.getLogger(__name__)

LONGEST_STATUS = 200


class ServiceManager:
    """The way to the service manager. Nothing of it raises: an agent that cannot tell of itself still reports."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        if self._address.startswith("@"):
            self._address = "\0" + self._address[1:]
        for_us = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        text = environment.get("WATCHDOG_USEC", "")
        self._watched = bool(self._address) and for_us and text.isdecimal() and int(text) > 0
        self._failed = False

    @property
    def watched(self) -> bool:
        """Whether the service manager ends a process that does not call `working` in time."""
        return self._watched

    def ready(self, status: str = "") -> None:
        """The service does its work now; `status` is what `systemctl status` shows."""
        self._tell("READY=1", *_status(status))

    def status(self, status: str) -> None:
        self._tell(*_status(status))

    def working(self) -> None:
        """It still works. To be called only after work was really done."""
        if self._watched:
            self._tell("WATCHDOG=1")

    def reloading(self) -> None:
        """The configuration is being read again; `ready` ends it."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        self._tell("STOPPING=1")

    def _tell(self, *lines: str) -> None:
        if not self._address or not lines:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as way:
                way.settimeout(1.0)
                way.connect(self._address)
                way.send("\n".join(lines).encode())
        except OSError as error:
            if not self._failed:
                logger.warning("the service manager cannot be told of this service: %s", error)
            self._failed = True


def _status(text: str) -> tuple[str, ...]:
    return (f"STATUS={' '.join(text.split())[:LONGEST_STATUS]}",) if text else ()


def stderr_is_the_journal(environment: Mapping[str, str] = os.environ, descriptor: int = 2) -> bool:
    """Whether the descriptor is the stream that systemd opened to the journal: JOURNAL_STREAM names its device and inode.
    A child whose output was redirected inherits the variable and not the stream."""
    named = environment.get("JOURNAL_STREAM", "")
    try:
        found = os.fstat(descriptor)
    except OSError:
        return False
    return named == f"{found.st_dev}:{found.st_ino}"


class JournalFormatter(logging.Formatter):
    """Each line with its priority (sd-daemon(3)), also those of a trace."""

    def format(self, record: logging.LogRecord) -> str:
        if record.levelno >= logging.ERROR:
            priority = 3
        elif record.levelno >= logging.WARNING:
            priority = 4
        else:
            priority = 6 if record.levelno >= logging.INFO else 7
        return "\n".join(f"<{priority}>{line}" for line in super().format(record).splitlines())
