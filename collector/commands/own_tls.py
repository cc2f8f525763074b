"""Serving with the collector's own certificate: made before the server starts, renewed while it runs."""

import datetime
import logging
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import AgentError
from collector.commands.common import listen_address
from collector.settings import CollectorSettings

if TYPE_CHECKING:
    from collector.authority import Authority

logger = logging.getLogger(__name__)

LOOK_SECONDS = 3600.0


def authority_of(settings: CollectorSettings) -> "Authority | None":
    """The collector's own authority, where the settings ask for one."""
    if settings.tls != "own":
        return None
    from collector.authority import Authority  # noqa: PLC0415  # cryptography is only loaded where it is used

    return Authority(settings.state_directory / "authority")


def with_certificate(settings: CollectorSettings, authority: "Authority | None") -> CollectorSettings:
    """Settings with the certificate to serve with: the files that are set, or the collector's own, made where needed."""
    if authority is None:
        return settings
    authority.renew(_names(settings), _now())
    certificate, key = str(authority.certificate_file), str(authority.key_file)
    return replace(settings, certificate_file=certificate, certificate_key_file=key)


@contextmanager
def renewing(
    settings: CollectorSettings, authority: "Authority | None", context: Callable[[], ssl.SSLContext | None]
) -> Iterator[None]:
    """Within it the certificate is looked at every hour, and a new one serves the connections that come after it."""
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(LOOK_SECONDS):
            if authority is not None:
                renew(settings, authority, context())

    if authority is not None:
        threading.Thread(target=look, name="certificate", daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def renew(settings: CollectorSettings, authority: "Authority", context: ssl.SSLContext | None) -> None:
    """Renew the certificate if its end is near, and serve with it from now on."""
    try:
        if authority.renew(_names(settings), _now()) and context is not None:
            context.load_cert_chain(authority.certificate_file, authority.key_file)
            logger.info("the certificate is renewed")
    except AgentError as error:
        logger.error("the certificate is not renewed: %s", error)  # noqa: TRY400  # said, not traced


def fingerprint(settings: CollectorSettings) -> str:
    """What a token pins: the fingerprint of the collector's own authority; empty where it has none.

    Raises AgentError before the first start, which makes it.
    """
    if settings.tls != "own":
        return ""
    # Not by `Authority`: a token is made without loading cryptography.
    from agent.authority import fingerprint_of  # noqa: PLC0415  # the command line loads it for this alone
    from agent.files import text_or_empty  # noqa: PLC0415  # as above

    path = Path(settings.state_directory) / "authority/ca.pem"
    if found := fingerprint_of(text_or_empty(path)):
        return found
    raise AgentError(
        f"there is no authority {path} yet, or it cannot be read: start the collector once, or run as root"
    )


def _names(settings: CollectorSettings) -> list[str]:
    from collector.authority import own_names  # noqa: PLC0415  # as in `authority_of`

    return own_names(settings.server_names, listen_address(settings.listen)[0])


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
