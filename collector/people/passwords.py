"""Passwords: what is asked of them, their hash (argon2id), and a check that takes as long for an unknown name.

Parameters are argon2-cffi's defaults, RFC 9106's second recommendation: 64 MiB, three passes, four lanes.
"""

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from collector.errors import BadRequest

SHORTEST = 12
LONGEST = 256
AT_ONCE = 2
"""Hashes computed together at most: each takes 64 MiB, and a flood of logins must not take the machine."""

_hasher = PasswordHasher()
_turns = threading.BoundedSemaphore(AT_ONCE)
_nobody: list[str] = []


def require_good(password: str, login_name: str) -> None:
    """Raise BadRequest with the reason unless a password can be taken. Length is what counts (NCSC, NIST SP 800-63B)."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise BadRequest(
            f"a password has {SHORTEST} to {LONGEST} characters, this one {len(password)}",
            "three random words are good",
        )
    if login_name and login_name.lower() in password.lower():
        raise BadRequest("the password holds the account's name", "choose another")


def hash_password(password: str, login_name: str) -> str:
    """The argon2id hash with its parameters and salt, as text; slow on purpose, so never within a transaction.

    Raises BadRequest for a password that cannot be taken.
    """
    require_good(password, login_name)
    with _turns:
        return _hasher.hash(password)


def verify(password: str, stored: str | None) -> bool:
    """Whether it is the password of the stored hash. With None, of nobody's: takes as long, and is never true."""
    if stored is None and not _nobody:
        _nobody.append(hash_password("the password of no one", ""))
    with _turns:
        try:
            return _hasher.verify(stored or _nobody[0], password) and stored is not None
        except (VerificationError, InvalidHashError):
            return False


def outdated(stored: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(stored)
