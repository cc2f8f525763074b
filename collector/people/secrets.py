"""Secrets of people and programs: fresh ones, and others derived from one. What is kept of them is their SHA-256."""

import base64
import hmac
import secrets


def fresh() -> str:
    """A new secret, 256 random bits as text."""
    return secrets.token_urlsafe(32)


def derived(secret: str, purpose: str) -> str:
    """Another secret that only who knows the first can tell: HMAC-SHA256, as 43 URL-safe characters.

    The tokens of forms, and state, nonce and verifier of a login elsewhere, come from a cookie this way: none is stored.
    """
    digest = hmac.digest(secret.encode(), purpose.encode(), "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def same(one: str, other: str) -> bool:
    """Whether two texts are the same, in a time that tells nothing."""
    return hmac.compare_digest(one.encode(), other.encode())
