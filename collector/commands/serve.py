"""Serving a collector by uvicorn until a signal ends it."""

import fcntl
import gc
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import uvicorn

from agent.errors import AgentError
from agent.service import ServiceManager
from collector.service import Collector
from collector.settings import CollectorSettings
from collector.web.access import AccessRule
from collector.web.app import make_app
from collector.web.connection import LimitedConnection

logger = logging.getLogger(__name__)

TELL_SECONDS = 30.0
LEAVING_SECONDS = 5
"""How long requests under way may take once the server was asked to end; a client that hangs must not hold it."""
_BACKLOG = 2048


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises AgentError naming the address when it is taken."""
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host.strip("[]"), port))
        # Here and not when the server starts: two programs may bind the same address, only one may listen at it.
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise AgentError(
            f"{host}:{port} cannot be listened at: {error.strerror}; choose another with --listen"
        ) from error
    return listener


@contextmanager
def sole_user(directory: Path) -> Iterator[None]:
    """Hold a state directory: two collectors in one would both drain its outbox. Raises AgentError if another has it."""
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (directory / "lock").open("w")
    except OSError as error:
        raise AgentError(
            f"the state directory {directory} cannot be used: {error.strerror}; set --state-directory"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise AgentError(
                f"another collector uses the state directory {directory}; stop it, or set --state-directory"
            ) from error
        yield


GARBAGE_OBJECTS = 50_000
"""New objects, net of those gone, at which Python looks for garbage among them: some thirty reports'."""


class Server(uvicorn.Server):
    """A uvicorn server that does something of ours before the first signal ends it, and then returns to its caller."""

    def __init__(
        self, config: uvicorn.Config, before_exit: Callable[[], None], works: Callable[[], bool] = lambda: True
    ) -> None:
        super().__init__(config)
        self._before_exit = before_exit
        self._works = works
        self._manager = ServiceManager()
        self._tell_at = 0.0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to serve. Rows of reports come and go by the thousand, and Python would look for garbage among all that
        was ever loaded again and again, a tenth of the whole time: what is there now is left out, the rest seen less often.
        """
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        gc.set_threshold(GARBAGE_OBJECTS, 10, 20)
        self._manager.ready("taking reports")

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second, by the loop that answers requests: while it turns and the writer lives, the service manager
        hears that it works."""
        if self._manager.watched and time.monotonic() >= self._tell_at and self._works():
            self._tell_at = time.monotonic() + TELL_SECONDS
            self._manager.working()
        return await super().on_tick(counter)

    def read_again(self, read: Callable[[], str]) -> None:
        """Do what SIGHUP asks for, between two turns of the loop: `read` gives a line for the log."""
        self._manager.reloading()
        logger.info("%s", read())
        self._manager.ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  # the signature is uvicorn's
        """First what was asked for, in a thread, while requests are still answered; a second signal ends at once."""
        if self._before_exit is nothing_before or self._leaving:
            self._end(sig)
            return
        self._leaving = True
        threading.Thread(target=self._leave, args=(sig,), daemon=True).start()

    _leaving = False

    def _leave(self, sig: int) -> None:
        self._before_exit()
        self._end(sig)

    def _end(self, sig: int) -> None:
        self._manager.stopping()
        # Not uvicorn's own handler: it raises the signal again afterwards, and a SIGTERM would then kill the process
        # before the collector has written what is queued and closed its database.
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True


def nothing_before() -> None:
    """The `before_exit` of a server that has nothing to do first."""


def server_of(
    collector: Collector,
    rule: AccessRule,
    settings: CollectorSettings,
    before_exit: Callable[[], None] = nothing_before,
) -> Server:
    """A uvicorn server of the collector. It trusts no forwarding header, and says nothing of each request."""
    return Server(
        uvicorn.Config(
            make_app(collector, rule),
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=LEAVING_SECONDS,
            http=LimitedConnection,
            ws="none",
            limit_concurrency=1000,
            ssl_certfile=settings.certificate_file or None,
            ssl_keyfile=settings.certificate_key_file or None,
        ),
        before_exit,
        lambda: collector.writer.alive,
    )
