"""Enrolment: the token from a file is exchanged for this host's own key."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from agent.errors import EnrolmentError, TransportError
from agent.inventory import read_inventory
from agent.report import CONTENT_TYPE
from agent.transport import Transport

_LONGEST_TOKEN = 1024
_PINNED = re.compile(r"(?P<text>[^.]+\.[^.]+)\.(?P<fingerprint>[0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is sent, and the SHA-256 of the collector's own authority, in hexadecimal, where it pins one."""

    text: str
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What a host gets: its key, shown once. `expires_at` is Unix seconds, None where the collector did not say."""

    key: str
    key_id: str
    device_id: str
    expires_at: int | None


def parse_token(text: str) -> Token:
    """A token as `ictagent collector token create` printed it.

    >>> parse_token("3a5f.secret").fingerprint
    ''
    >>> parse_token("3a5f.secret." + "0a" * 32).text
    '3a5f.secret'
    """
    found = _PINNED.fullmatch(text.strip())
    return Token(found["text"], found["fingerprint"]) if found else Token(text.strip())


def read_token(path: Path) -> Token:
    """The token in a file. Raises EnrolmentError for a file that cannot be read, or is empty."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_LONGEST_TOKEN).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise EnrolmentError(f"the token file {path} cannot be read: {error}") from error
    if not text:
        raise EnrolmentError(
            f"the token file {path} is empty: write a token into it, from `ictagent collector token create`"
        )
    return parse_token(text)


def enrol(token: Token, transport: Transport, site: str = "", space: str = "") -> Enrolled:
    """Exchange a token for a key of this host; site and space are where it stands, unless the token says so itself.

    Raises EnrolmentError where the collector refuses, and TransportError where it may be tried again.
    """
    wanted = {"token": token.text, "host_name": read_inventory().host_name, "kind": "host"}
    wanted |= {name: value for name, value in (("site", site), ("space", space)) if value}
    answer = transport.request("POST", "/v1/enrol", json.dumps(wanted).encode(), {"Content-Type": CONTENT_TYPE})
    key, ends = answer.body.get("key"), answer.body.get("expires_at")
    if answer.status == 200 and isinstance(key, str) and key:
        key_id, device_id = (str(answer.body.get(name, "")) for name in ("key_id", "device_id"))
        return Enrolled(key, key_id, device_id, ends if isinstance(ends, int) else None)
    if answer.status == 429 or answer.status >= 500:
        # A collector that starts, a proxy before it, or too many hosts at once: tried again soon.
        raise TransportError(answer.error)
    raise EnrolmentError(f"the collector did not enrol this host: {answer.error}")
