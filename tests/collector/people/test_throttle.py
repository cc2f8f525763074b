"""Waiting after failures, on both databases: by subject, fading, never longer than a quarter of an hour."""

import pytest
from sqlalchemy import func, select

from collector.database.engine import Database
from collector.database.schema import login_try
from collector.people.throttle import (
    ACCOUNT,
    ADDRESS,
    FORGET_SECONDS,
    LONGEST_WAIT_SECONDS,
    account_subject,
    address_subject,
    count_try,
    forget_tries,
    forgive,
)

NOW = 1_800_000_000
ANNA = account_subject("anna")
HOME = address_subject("192.0.2.1")


def counted(database: Database, now: int, subject: str = ANNA, times: int = 1) -> int:
    """Count tries at one moment; how long the last one has to wait, 0 where it was let through."""
    wait = 0
    with database.write() as connection:
        for _ in range(times):
            refusal = count_try(connection, [(subject, ACCOUNT if subject == ANNA else ADDRESS)], now)
            wait = 0 if refusal is None else refusal.retry_after
    return wait


def test_five_tries_are_free_and_then_waiting_doubles_to_a_quarter_of_an_hour(database: Database) -> None:
    assert counted(database, NOW, times=ACCOUNT.free) == 0
    now, waits = NOW, []
    for _ in range(12):
        waits.append(counted(database, now))
        assert counted(database, now + waits[-1] - 1) == 1, "asking again makes it no longer"
        now += waits[-1]
        assert counted(database, now) == 0
    assert waits[:8] == [5, 10, 20, 40, 80, 160, 320, 640]
    assert max(waits) == LONGEST_WAIT_SECONDS


def test_what_was_counted_fades(database: Database) -> None:
    counted(database, NOW, times=ACCOUNT.free)
    assert counted(database, NOW + ACCOUNT.fade_seconds) == 0
    assert counted(database, NOW + ACCOUNT.fade_seconds) > 0
    counted(database, NOW, HOME, ADDRESS.free)
    assert counted(database, NOW, HOME) > 0
    assert counted(database, NOW + 10 * ADDRESS.fade_seconds, HOME, 10) == 0


def test_the_right_password_takes_back_the_accounts_tries_and_one_of_the_address(database: Database) -> None:
    counted(database, NOW, times=4)
    counted(database, NOW, HOME, 4)
    with database.write() as connection:
        forgive(connection, ANNA, HOME)
        left = dict(connection.execute(select(login_try.c.subject, login_try.c.tries)).all())
    assert left == {HOME: 3}


def test_a_clock_that_was_set_back_shortens_no_waiting(database: Database) -> None:
    counted(database, NOW, times=ACCOUNT.free)
    assert counted(database, NOW - 3600) == 5


def test_a_refused_try_is_counted_against_nobody(database: Database) -> None:
    counted(database, NOW, times=ACCOUNT.free)
    with database.write() as connection:
        assert count_try(connection, [(HOME, ADDRESS), (ANNA, ACCOUNT)], NOW) is not None
        assert connection.execute(select(func.count()).where(login_try.c.subject == HOME)).scalar_one() == 0


def test_old_tries_are_dropped(database: Database) -> None:
    counted(database, NOW)
    for at, left in ((NOW + FORGET_SECONDS, 1), (NOW + FORGET_SECONDS + 1, 0)):
        with database.write() as connection:
            forget_tries(connection, at)
            assert connection.execute(select(func.count()).select_from(login_try)).scalar_one() == left


def test_names_are_kept_as_hashes_and_ipv6_as_networks() -> None:
    assert "anna" not in ANNA
    assert address_subject("2001:db8:0:1::7") == address_subject("2001:db8:0:1:ffff::1")
    assert address_subject("2001:db8:0:1::7") != address_subject("2001:db8:0:2::7")
    assert address_subject("::ffff:192.0.2.1") == HOME


@pytest.mark.parametrize("odd", ["", "unix", "x" * 1000])
def test_an_address_that_is_none_is_one_subject(odd: str) -> None:
    assert address_subject(odd) == f"address {odd}"
