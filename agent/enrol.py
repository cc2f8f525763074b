"""Enrolment: the token from a file is exchanged for this host's own key, which is kept in a file of mode 0600."""

import json

from agent.errors import EnrolmentError, TransportError
from agent.files import read_text, write_durably
from agent.inventory import read_inventory
from agent.report import CONTENT_TYPE
from agent.settings import AgentSettings
from agent.transport import Transport


def key_of(settings: AgentSettings, transport: Transport) -> str:
    """This host's key: from its file, or by enrolling with the token. Raises EnrolmentError or TransportError."""
    path = settings.key_path
    if path.exists():
        try:
            return read_text(path)
        except OSError as error:
            raise EnrolmentError(f"the key file {path} cannot be read: {error.strerror}") from error
    if not settings.token_file:
        raise EnrolmentError(
            "this host is not enrolled: set token_file to a file with a token from `ictagent collector token create`"
        )
    try:
        with open(settings.token_file, encoding="utf-8") as file:  # noqa: PTH123  # a setting, given as text
            token = file.read(1024).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise EnrolmentError(f"the token file {settings.token_file} cannot be read: {error}") from error
    key = _exchange(token, transport)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_durably(path, f"{key}\n".encode(), 0o600)
    except OSError as error:
        raise EnrolmentError(f"the key cannot be kept in {path}: {error.strerror}; the token may be used up") from error
    return key


def _exchange(token: str, transport: Transport) -> str:
    inventory = read_inventory()
    wanted = {"token": token, "host_name": inventory.host_name, "kind": "host"}
    answer = transport.request("POST", "/v1/enrol", json.dumps(wanted).encode(), {"Content-Type": CONTENT_TYPE})
    key = answer.body.get("key")
    if answer.status == 200 and isinstance(key, str) and key:
        return key
    if answer.status == 429 or answer.status >= 500:
        raise TransportError(answer.error)  # a collector that starts, or a proxy before it: tried again soon
    raise EnrolmentError(f"the collector did not enrol this host: {answer.error}")
