"""This host's key: where it is looked for, how it is got by a token, renewed before it ends, and replaced on a clone.

It is looked for in the state directory (a renewed one, or that of a plain `ictagent run`), then among the service's
credentials (that of `ictagent install`), then in `key_file`. A new one always goes to the state directory.
"""

import logging
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path

from agent.authority import pin
from agent.enrol import enrol, read_token
from agent.errors import EnrolmentError, TransportError
from agent.files import read_plain_text, write_durably
from agent.settings import AgentSettings
from agent.transport import Transport

logger = logging.getLogger(__name__)

LOOK_SECONDS = 86_400.0
"""How often the collector is asked when the key ends."""
LOOK_AGAIN_SECONDS = 3600.0
RENEWAL_SHARE = 1 / 3
"""A new key is asked for when less than this part of the present one's life is left."""
_FORM = re.compile(r"[!-~]{1,512}")
"""One word of ASCII: what else is in a key file must not get into a request, nor into the words of its failure."""


def key_paths(settings: AgentSettings, environment: Mapping[str, str] = os.environ) -> list[Path]:
    """Where a key may be, in the order in which it is looked for."""
    paths = [settings.state_directory / "key"]
    if directory := environment.get("CREDENTIALS_DIRECTORY"):
        paths.append(Path(directory) / "key")
    return [*paths, Path(settings.key_file)] if settings.key_file else paths


def read_keys(settings: AgentSettings) -> list[str]:
    """Every key that is there, the one to use first. Raises EnrolmentError for a file that cannot be read."""
    found: dict[str, None] = {}
    for path in key_paths(settings):
        # The state directory is the service's user's, and root reads there too: by `doctor`, or to give the key back.
        if text := read_key(path, follow=path.parent != settings.state_directory):
            found[text] = None
    return list(found)


def read_key(path: Path, *, follow: bool) -> str:
    """The key in a file; empty where there is no file, or nothing in it. `follow`: it may be a symbolic link.

    Raises EnrolmentError, which tells nothing of what is in it.
    """
    try:
        text = read_plain_text(path, follow=follow)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise EnrolmentError(f"the key file {path} cannot be read: {error.strerror}") from error
    if text and not _FORM.fullmatch(text):
        raise EnrolmentError(f"the key file {path} holds no key: delete it, and enrol this host again with a new token")
    return text


class HostKey:
    """The key in use. Of one thread, the sender's; `key_id` and `expires_at` may be read by others."""

    def __init__(self, settings: AgentSettings, transport: Transport) -> None:
        self._settings = settings
        self._transport = transport
        self._text = ""
        self._refused: list[str] = []
        self._look_at = 0.0
        self.expires_at: int | None = None
        """When it ends (Unix seconds), as the collector last said."""

    @property
    def key_id(self) -> str:
        return self._text.partition(".")[0] if "." in self._text else ""

    def get(self) -> str:
        """The key: the one in use, the first that is there, or a new one by the token.

        Raises EnrolmentError or TransportError.
        """
        if not self._text:
            keys = read_keys(self._settings)
            self._text = next((key for key in keys if key not in self._refused), "") or self._enrol(bool(keys))
        return self._text

    def refuse(self) -> bool:
        """The collector did not take it; whether there is another to try. With none, all are tried anew later."""
        if self._text:
            self._refused.append(self._text)
        self._text = ""
        try:
            left = any(key not in self._refused for key in read_keys(self._settings))
        except EnrolmentError:
            left = False
        if not left:
            self._refused.clear()
        return left

    def accept(self) -> None:
        """The collector took it: an older one in the state directory, which it refused, would only be in the way."""
        if self._refused:
            path = self._settings.state_directory / "key"
            try:
                if read_plain_text(path, follow=False) in self._refused:
                    path.unlink()
                    logger.warning("the key %s, which the collector refused, is removed: another one is in use", path)
            except OSError as error:
                logger.warning("the key %s, which the collector refused, stays: %s", path, error.strerror)
            self._refused.clear()

    def enrol_again(self) -> None:
        """Get a key of this host's own: the present one is another host's. Raises EnrolmentError or TransportError."""
        self._text = self._enrol(copied=True)
        logger.warning("this host was a copy with another one's key: it has a key of its own now")

    def renew_if_due(self) -> bool:
        """Ask the collector when the key ends, once a day; with under a third of its life left, get the next one.

        The present one holds until the next one is used, so nothing that happens on the way loses the host its key.
        Returns whether there is a new one.
        """
        if not self._text or time.monotonic() < self._look_at:
            return False
        self._look_at = time.monotonic() + LOOK_AGAIN_SECONDS
        headers = self._transport.identified(self._text)
        try:
            answer = self._transport.request("GET", "/v1/whoami", headers=headers)
            left, life = answer.body.get("expires_in_seconds"), answer.body.get("life_seconds")
            if answer.status != 200 or not isinstance(left, int) or not isinstance(life, int):
                return False
            self.expires_at = _whole(answer.body.get("expires_at"))
            if left >= life * RENEWAL_SHARE:
                self._look_at = time.monotonic() + LOOK_SECONDS
                return False
            answer = self._transport.request("POST", "/v1/key/rotate", headers=headers)
        except TransportError as error:
            logger.warning("the key's end is not known: %s; it is asked for again in an hour", error)
            return False
        key = answer.body.get("key")
        if answer.status != 200 or not isinstance(key, str) or not key:
            logger.warning("the key could not be renewed: %s; it is tried again in an hour", answer.error)
            return False
        try:
            self._keep(key)
        except EnrolmentError as error:
            logger.warning("%s; the present one holds, and it is tried again in an hour", error)
            return False
        self._text, self.expires_at = key, _whole(answer.body.get("expires_at"))
        self._look_at = time.monotonic() + LOOK_SECONDS
        logger.info("the key is renewed")
        return True

    def _enrol(self, copied: bool) -> str:
        """A new key by the token, kept. `copied`: there is a key, and it is another host's or none that is taken."""
        if not self._settings.token_file:
            if copied:
                raise EnrolmentError(
                    "this host has another one's key and needs its own: set token_file to a file with a token from "
                    "`ictagent collector token create`"
                )
            raise EnrolmentError(
                "this host is not enrolled: set token_file to a file with a token from `ictagent collector token create`"
            )
        token = read_token(Path(self._settings.token_file))
        pin(self._settings, token.fingerprint)
        enrolled = enrol(token, self._transport)
        self._keep(enrolled.key)
        self.expires_at, self._look_at = enrolled.expires_at, 0.0
        return enrolled.key

    def _keep(self, key: str) -> None:
        path = self._settings.state_directory / "key"
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_durably(path, f"{key}\n".encode(), 0o600)
        except OSError as error:
            raise EnrolmentError(
                f"the key cannot be kept in {path}: {error.strerror}; free space on its disk"
            ) from error


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None
