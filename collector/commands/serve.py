"""Serving a collector by uvicorn until a signal ends it."""

import socket
import threading
from collections.abc import Callable
from types import FrameType

import uvicorn

from agent.errors import AgentError
from collector.service import Collector
from collector.settings import CollectorSettings
from collector.web.access import AccessRule
from collector.web.app import make_app


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises AgentError naming the address when it is taken."""
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host.strip("[]"), port))
    except OSError as error:
        listener.close()
        raise AgentError(
            f"{host}:{port} cannot be listened at: {error.strerror}; choose another with --listen"
        ) from error
    return listener


class Server(uvicorn.Server):
    """A uvicorn server that does something of ours before the first signal ends it."""

    def __init__(self, config: uvicorn.Config, before_exit: Callable[[], None]) -> None:
        super().__init__(config)
        self._before_exit = before_exit

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """First what was asked for, in a thread, while requests are still answered; a second signal ends at once."""
        if self._before_exit is nothing_before or self._leaving:
            super().handle_exit(sig, frame)
            return
        self._leaving = True
        threading.Thread(target=self._leave, args=(sig, frame), daemon=True).start()

    _leaving = False

    def _leave(self, sig: int, frame: FrameType | None) -> None:
        self._before_exit()
        super().handle_exit(sig, frame)


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
            h11_max_incomplete_event_size=64 * 1024,
            limit_concurrency=1000,
            ssl_certfile=settings.certificate_file or None,
            ssl_keyfile=settings.certificate_key_file or None,
        ),
        before_exit,
    )
