"""Failed logins slow down further ones: by account, against guessing one password; by address, against guessing many.

A try is counted before its password is looked at, so that a hundred sent at once are not a hundred free ones. What was
counted is forgotten an hour after the last try, and of an account when its password is given.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select, update

from collector.database.schema import login_try
from collector.database.upsert import upsert
from collector.errors import TooManyTries
from collector.keys import hashed
from collector.rate_limit import network_of

FREE_TRIES_ACCOUNT = 5
FREE_TRIES_ADDRESS = 30
FIRST_WAIT_SECONDS = 5
LONGEST_WAIT_SECONDS = 900
FORGET_SECONDS = 3600


def wait_seconds(tries: int, free: int) -> int:
    """How long after so many tries the next one has to wait: it doubles up to a quarter of an hour.

    >>> [wait_seconds(tries, 5) for tries in (4, 5, 6, 7, 100)]
    [0, 5, 10, 20, 900]
    """
    return 0 if tries < free else min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** min(tries - free, 20))


def account_subject(login_name: str) -> str:
    return "account " + hashed(login_name)


def address_subject(address: str) -> str:
    return "address " + network_of(address)


def count_try(connection: Connection, subjects: Sequence[tuple[str, int]], now: int) -> TooManyTries | None:
    """Count a try against (subject, free tries) each; or, where one has to wait, count nothing and say how long."""
    tries: dict[str, int] = {}
    for subject, free in subjects:
        row = connection.execute(select(login_try).where(login_try.c.subject == subject).with_for_update()).first()
        tries[subject] = 0 if row is None or row.last_at < now - FORGET_SECONDS else row.tries
        if row is not None and (left := row.last_at + wait_seconds(tries[subject], free) - now) > 0:
            return TooManyTries("too many failed logins", f"wait {left} s", left)
    rows = [{"subject": subject, "tries": before + 1, "last_at": now} for subject, before in tries.items()]
    upsert(connection, login_try, rows, ("tries", "last_at"))
    return None


def forgive(connection: Connection, account: str, address: str) -> None:
    """After the right password: forget the account's tries, and take back the one counted against the address."""
    connection.execute(delete(login_try).where(login_try.c.subject == account))
    connection.execute(
        update(login_try)
        .where(login_try.c.subject == address, login_try.c.tries > 0)
        .values(tries=login_try.c.tries - 1)
    )


def forget_tries(connection: Connection, now: int) -> None:
    """Drop what has no effect any more."""
    connection.execute(delete(login_try).where(login_try.c.last_at < now - FORGET_SECONDS))
