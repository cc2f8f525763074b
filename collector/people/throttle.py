"""Failed logins slow down further ones: by account, against guessing one password; by address, against guessing many.

A try is counted before its password is looked at, so that a hundred sent at once are not a hundred free ones; the right
password takes it back. What was counted fades: a council's people may all come from one address.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, update

from collector.database.schema import login_try
from collector.database.upsert import upsert
from collector.errors import TooManyTries
from collector.keys import hashed
from collector.rate_limit import network_of

FIRST_WAIT_SECONDS = 5
LONGEST_WAIT_SECONDS = 900
FORGET_SECONDS = 86_400
_DOUBLINGS = 8
"""After so many the longest wait is reached, and nothing more is counted."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many failures are free, and in how many seconds one of those counted is forgotten."""

    free: int
    fade_seconds: int


ACCOUNT = Allowance(free=5, fade_seconds=900)
ADDRESS = Allowance(free=30, fade_seconds=20)


def wait_seconds(tries: int, free: int) -> int:
    """How long after so many tries the next one has to wait: it doubles up to a quarter of an hour.

    >>> [wait_seconds(tries, 5) for tries in (4, 5, 6, 7, 13)]
    [0, 5, 10, 20, 900]
    """
    return 0 if tries < free else min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** min(tries - free, _DOUBLINGS))


def account_subject(login_name: str) -> str:
    return "account " + hashed(login_name)


def address_subject(address: str) -> str:
    return "address " + network_of(address)


def count_try(connection: Connection, subjects: Sequence[tuple[str, Allowance]], now: int) -> TooManyTries | None:
    """Count a try against each subject; or, where one has to wait, count nothing and say how long."""
    rows = []
    for subject, allowed in subjects:
        row = connection.execute(select(login_try).where(login_try.c.subject == subject).with_for_update()).first()
        tries = 0
        if row is not None:
            passed = max(0, now - row.last_at)
            tries = max(0, row.tries - passed // allowed.fade_seconds)
            if (left := wait_seconds(tries, allowed.free) - passed) > 0:
                return TooManyTries("too many failed logins", f"wait {left} s", left)
        counted = min(tries + 1, allowed.free + _DOUBLINGS)
        rows.append({"subject": subject, "tries": counted, "last_at": now})
    upsert(connection, login_try, rows, ("tries", "last_at"))
    return None


def forgive(connection: Connection, account: str | None, address: str) -> None:
    """After a login: forget the account's tries, and take back the one counted against the address."""
    if account is not None:
        connection.execute(delete(login_try).where(login_try.c.subject == account))
    connection.execute(
        update(login_try)
        .where(login_try.c.subject == address, login_try.c.tries > 0)
        .values(tries=login_try.c.tries - 1)
    )


def forget_tries(connection: Connection, now: int) -> None:
    """Drop what has no effect any more."""
    connection.execute(delete(login_try).where(login_try.c.last_at < now - FORGET_SECONDS))
