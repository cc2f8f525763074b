"""This receiver as an SNMP engine: an id that stays, and how often it started (RFC 3411, section 5; 3414, section 2.2)."""

import json
import secrets
from pathlib import Path

from agent.files import text_or_empty, write_durably

FILE = "snmp-engine.json"
_FORMAT = bytes.fromhex("8000000005")
"""An id of the newer form, of no enterprise, whose rest is octets of our choice."""
_RANDOM_OCTETS = 8
_LARGEST_BOOTS = 2**31 - 2


def next_start(directory: Path) -> tuple[str, int]:
    """The engine id (hexadecimal) and the number of this start, which is counted before it is used.

    A file that is lost makes another engine: senders of informs ask anew who it is.
    """
    path = directory / FILE
    try:
        known = json.loads(text_or_empty(path) or "{}")
        engine_id, boots = bytes.fromhex(known["engine_id"]).hex(), int(known["boots"])
    except (ValueError, TypeError, KeyError):
        engine_id, boots = (_FORMAT + secrets.token_bytes(_RANDOM_OCTETS)).hex(), 0
    boots = min(boots + 1, _LARGEST_BOOTS)
    write_durably(path, json.dumps({"engine_id": engine_id, "boots": boots}).encode())
    return engine_id, boots
