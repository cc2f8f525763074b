"""The collector's own authority: fetched unverified, compared with the token's fingerprint, and only then trusted.

Nothing secret is sent before the comparison: the request for the certificate carries neither token nor key.
"""

import hashlib
import hmac
import ssl
from urllib.parse import urlsplit

from agent.clock import Clock
from agent.errors import EnrolmentError
from agent.files import text_or_empty, write_durably
from agent.settings import AgentSettings
from agent.transport import UNVERIFIED, Transport, pinned_authority

PATH = "/ca.pem"


def fingerprint_of(pem: str) -> str:
    """SHA-256 of a certificate (one, as PEM) in hexadecimal; empty where it is none."""
    try:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
    except ValueError:
        return ""


def fetch_authority(settings: AgentSettings, fingerprint: str) -> bytes:
    """The certificate (PEM) of the collector's authority, which has this fingerprint.

    Raises EnrolmentError for another one, TransportError where the collector cannot be reached.
    """
    transport = Transport(settings, Clock(), ca=UNVERIFIED)
    try:
        answer = transport.request("GET", PATH)
    finally:
        transport.close()
    found = fingerprint_of(answer.content.decode("ascii", "replace"))
    if answer.status != 200 or not found:
        raise EnrolmentError(
            f"the collector at {settings.collector} gives no authority ({answer.status}), and the token pins one: "
            "correct the address, or set `ca` to whom to trust"
        )
    if not hmac.compare_digest(found, fingerprint):
        raise EnrolmentError(
            f"the authority of {settings.collector} is not the one that the token pins: its SHA-256 is {found}, not "
            f"{fingerprint}. Nothing was sent. Correct the address; if it is right, someone is in between, or the "
            "token is of another collector"
        )
    return answer.content


def pin(settings: AgentSettings, fingerprint: str) -> None:
    """Trust the authority that a token pins from now on; where `ca` says whom to trust, or TLS is not used, that holds.

    Raises EnrolmentError or TransportError.
    """
    if not fingerprint or settings.ca or urlsplit(settings.collector).scheme != "https":
        return
    path = pinned_authority(settings)
    if fingerprint_of(text_or_empty(path)) == fingerprint:
        return
    pem = fetch_authority(settings, fingerprint)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_durably(path, pem, 0o644)
    except OSError as error:
        raise EnrolmentError(f"the authority cannot be kept in {path}: {error.strerror}") from error
