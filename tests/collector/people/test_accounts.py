"""Accounts: whom a name or an id means, and what changes while somebody signs in."""

import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, select

from collector.commands import common
from collector.database.schema import account as account_table
from collector.database.schema import organisation, session
from collector.errors import BadRequest, NotAuthorised
from collector.people import passwords, service
from collector.people.accounts import find_account, organisation_ids, remove_account, set_password
from collector.people.configuration import limits_of
from collector.people.passwords import hash_password
from collector.people.service import People
from collector.people.sessions import Origin
from collector.settings import CollectorSettings
from collector.web.access import SignIn
from tests.collector.web.served import Served, serving
from tests.collector.web.signing_in import PASSWORD, account, another_organisation, signed_in

OTHER = "another password, long enough"
HERE = Origin("192.0.2.1", "Test browser")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A collector that asks for a login; each test has accounts of its own."""
    with serving(tmp_path_factory.mktemp("desk"), SignIn(lambda: "")) as served:
        yield served


def people_of(desk: Served) -> People:
    collector = desk.collector
    clock = lambda: collector.clock_ns() // 10**9  # noqa: E731  # as the application gives it
    return People(collector.database, collector.writer, clock, limits_of(CollectorSettings()), None)


def hash_of(desk: Served, name: str) -> str:
    with desk.collector.database.read() as connection:
        query = select(account_table.c.password_hash).where(account_table.c.login_name == name)
        return str(connection.execute(query).scalar_one())


def id_of(desk: Served, name: str) -> int:
    with desk.collector.database.read() as connection:
        return find_account(connection, name).id


def sessions(desk: Served, account_id: int) -> int:
    with desk.collector.database.read() as connection:
        return len(connection.execute(select(session).where(session.c.account_id == account_id)).all())


def meanwhile(desk: Served, monkeypatch: pytest.MonkeyPatch, name: str, act: Callable[[Connection], None]) -> None:
    """Do something after a password was looked at, and before anything comes of it."""
    real = passwords.verify

    def verify(password: str, stored: str | None) -> bool:
        good = real(password, stored)
        monkeypatch.setattr(service, "verify", real)
        with desk.collector.database.write() as connection:
            act(connection)
        return good

    monkeypatch.setattr(service, "verify", verify)


def test_a_password_is_changed_for_who_is_signed_in_and_for_nobody_whose_name_is_their_id(desk: Served) -> None:
    account(desk, "mine")
    namesake = str(id_of(desk, "mine"))
    account(desk, namesake)
    before = hash_of(desk, namesake)
    answer = signed_in(desk, "mine").send(
        "/account", "/account/password", {"old": PASSWORD, "new": OTHER, "again": OTHER}
    )
    assert answer.status_code == 303, answer.text
    assert hash_of(desk, namesake) == before
    assert people_of(desk).log_in("mine", OTHER, HERE, "").secret


def test_a_login_that_was_under_way_when_the_password_changed_opens_nothing(
    desk: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another password ends all sessions: one that begins a moment later with the old one would outlive it."""
    account(desk, "hasty")
    new = hash_password(OTHER, "")

    def change(connection: Connection) -> None:
        set_password(connection, find_account(connection, "hasty"), new, int(time.time()), "test")

    meanwhile(desk, monkeypatch, "hasty", change)
    with pytest.raises(NotAuthorised, match="wrong"):
        people_of(desk).log_in("hasty", PASSWORD, HERE, "")
    assert sessions(desk, id_of(desk, "hasty")) == 0


def test_a_login_that_was_under_way_when_the_account_went_is_refused_like_any_other(
    desk: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    account(desk, "gone")

    def remove(connection: Connection) -> None:
        remove_account(connection, find_account(connection, "gone"), int(time.time()), "test")

    meanwhile(desk, monkeypatch, "gone", remove)
    with pytest.raises(NotAuthorised, match="wrong"):
        people_of(desk).log_in("gone", PASSWORD, HERE, "")


def test_a_password_that_an_operator_sets_meanwhile_is_not_replaced_by_who_knew_the_old_one(
    desk: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    account(desk, "reset")
    people = people_of(desk)
    identity = people.with_session(people.log_in("reset", PASSWORD, HERE, "").secret)
    assert identity is not None
    new = hash_password("what the operator set", "")

    def change(connection: Connection) -> None:
        set_password(connection, find_account(connection, "reset"), new, int(time.time()), "test")

    meanwhile(desk, monkeypatch, "reset", change)
    with pytest.raises(BadRequest, match="present password is wrong"):
        people.change_password(identity, PASSWORD, OTHER, HERE)
    assert hash_of(desk, "reset") == new


def test_an_organisations_name_goes_before_anothers_id(desk: Served) -> None:
    with desk.collector.database.read() as connection:
        first = connection.execute(select(organisation.c.id).order_by(organisation.c.id)).scalars().first()
    another_organisation(desk, str(first))
    with desk.collector.database.read() as connection:
        named = connection.execute(select(organisation.c.id).where(organisation.c.name == str(first))).scalar_one()
        assert organisation_ids(connection, [str(first)]) == {named}


def test_the_audit_log_names_who_runs_a_command_and_not_who_they_say_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    real = common.actor()
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    assert common.actor() == real
