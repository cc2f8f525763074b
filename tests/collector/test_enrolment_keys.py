"""A host's key ends, rotates and is revoked; whatever happens on the way, no report counts twice and none is locked out."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from collector.database.engine import Database, open_database
from collector.database.schema import agent_key, audit_log
from collector.errors import NotAuthorised
from collector.keys import (
    DAY_SECONDS,
    Issued,
    KeyRow,
    Rotation,
    find_key,
    list_keys,
    matches,
    promote,
    proved,
    revoke_keys,
    rotate,
    split_secret,
)
from tests.collector.hosts import Host, new_host, recent_half_hour
from tests.collector.ingesting import Sender


@pytest.fixture
def host(database: Database) -> Host:
    return new_host(database, recent_half_hour())


@pytest.fixture
def sender(database: Database) -> Iterator[Sender]:
    one = Sender(database)
    yield one
    one.close()


def key_row(database: Database, host: Host) -> KeyRow:
    with database.read() as connection:
        row = find_key(connection, host.enrolled.key_id)
    assert row is not None
    return row


def rotated(database: Database, host: Host, days: int = 365) -> Issued:
    with database.write() as connection:
        wanted = Rotation(host.enrolled.key_id, key_row(database, host).sha256, days * DAY_SECONDS)
        [found] = rotate(connection, [wanted])
    assert isinstance(found, Issued)
    return found


def with_key(host: Host, issued: Issued) -> Host:
    """The same host, sending with another secret."""
    return replace(host, enrolled=issued)


def set_times(database: Database, host: Host, **times: int) -> None:
    with database.write() as connection:
        connection.execute(update(agent_key).where(agent_key.c.id == host.enrolled.key_id).values(times))


def test_a_key_holds_for_a_year_and_then_says_what_to_do(database: Database, host: Host, sender: Sender) -> None:
    reports = host.reports(180)
    ends = key_row(database, host).expires_at
    assert abs(ends - time.time() - 365 * DAY_SECONDS) < 60
    assert host.enrolled.expires_at == ends
    assert not sender.send(host, reports[0]).duplicate
    set_times(database, host, expires_at=int(time.time()) - 1)
    with pytest.raises(NotAuthorised, match="expired on 20") as caught:
        sender.send(host, reports[1])
    assert "new token" in caught.value.remedy
    # A collector that has not seen the key before refuses it as well.
    other = Sender(database)
    with pytest.raises(NotAuthorised, match="expired on 20"):
        other.send(host, reports[1])
    other.close()


def test_a_key_that_ends_while_it_is_remembered_is_refused(database: Database, host: Host, sender: Sender) -> None:
    reports = host.reports(180)
    sender.send(host, reports[0])
    later = time.time_ns() + 366 * DAY_SECONDS * 10**9
    clock = sender.ingest._clock
    sender.ingest._clock = lambda: later
    with pytest.raises(NotAuthorised, match="expired on 20"):
        sender.send(host, reports[1])
    sender.ingest._clock = clock
    assert not sender.send(host, reports[1]).duplicate


def test_a_new_secret_keeps_the_keys_id_and_the_old_one_holds_until_it_is_used(
    database: Database, host: Host, sender: Sender
) -> None:
    reports = host.reports(300)
    sender.send(host, reports[0])
    renewed = with_key(host, rotated(database, host))
    assert renewed.enrolled.key_id == host.enrolled.key_id
    assert renewed.enrolled.key != host.enrolled.key
    # The host crashed before it kept the answer: it goes on with what it has, as long as it likes.
    assert not sender.send(host, reports[1]).duplicate
    # And asks again: the answer that was lost is void.
    again = with_key(host, rotated(database, host))
    with pytest.raises(NotAuthorised):
        sender.send(renewed, reports[2])
    assert not sender.send(again, reports[2]).duplicate
    with pytest.raises(NotAuthorised, match="unknown or revoked"):
        sender.send(host, reports[3])
    assert not sender.send(again, reports[3]).duplicate


def test_a_report_sent_with_the_old_secret_and_again_with_the_new_counts_once(
    database: Database, host: Host, sender: Sender
) -> None:
    [report] = host.reports(60)
    assert not sender.send(host, report).duplicate
    assert sender.send(with_key(host, rotated(database, host)), report).duplicate


def test_the_first_use_begins_a_whole_life(database: Database, host: Host, sender: Sender) -> None:
    now = int(time.time())
    set_times(database, host, created_at=now - 300 * DAY_SECONDS, expires_at=now + 65 * DAY_SECONDS)
    with database.read() as connection:
        assert [one.state for one in list_keys(connection, now)] == ["ends soon"]
    issued = rotated(database, host)
    with database.read() as connection:
        assert [one.state for one in list_keys(connection, now)] == ["rotating"]
    assert key_row(database, host).expires_at == now + 65 * DAY_SECONDS, "nothing is promised before it is used"
    sender.send(with_key(host, issued), host.reports(60)[0])
    row = key_row(database, host)
    assert abs(row.expires_at - issued.expires_at) < 60
    assert (row.next_sha256, matches(split_secret(issued.key)[1], row.sha256)) == ("", True)
    with database.read() as connection:
        assert [one.state for one in list_keys(connection, now)] == ["good"]
        acts = connection.execute(select(audit_log.c.actor, audit_log.c.action).order_by(audit_log.c.id)).all()
    key = f"key {host.enrolled.key_id}"
    assert [tuple(act) for act in acts][-2:] == [(key, "key.rotate"), (key, "key.renewed")]


def test_another_collector_takes_the_new_secret_and_refuses_the_old_one_at_once(
    database: Database, host: Host, sender: Sender
) -> None:
    """Both remember the key: that its secret changed must reach the one that did not do it."""
    other = Sender(database, "collector-2")
    reports = host.reports(300)
    sender.send(host, reports[0])
    other.send(host, reports[1])
    renewed = with_key(host, rotated(database, host))
    sender.send(renewed, reports[2])
    with pytest.raises(NotAuthorised):
        other.send(host, reports[3])
    assert not other.send(renewed, reports[3]).duplicate
    assert not sender.send(renewed, reports[4]).duplicate
    other.close()


def test_a_revoked_key_is_refused_on_the_next_request_of_every_collector(
    database: Database, host: Host, sender: Sender
) -> None:
    other = Sender(database, "collector-2")
    reports = host.reports(300)
    sender.send(host, reports[0])
    other.send(host, reports[1])
    with database.write() as connection:
        assert revoke_keys(connection, host.enrolled.device_id, "anna", "stolen", int(time.time())) == [
            host.enrolled.key_id
        ]
    for one in (sender, other):
        with pytest.raises(NotAuthorised, match="unknown or revoked"):
            one.send(host, reports[2])
        with pytest.raises(NotAuthorised, match="unknown or revoked"):
            one._runner.run(one.ingest.authenticate(f"Bearer {host.enrolled.key}", anew=True))
    with database.read() as connection:
        [listed] = list_keys(connection, int(time.time()))
    assert (listed.state, listed.reason) == ("revoked", "stolen")
    other.close()


def test_a_revoked_or_expired_key_gets_no_new_secret(database: Database, host: Host) -> None:
    row = key_row(database, host)
    issued = rotated(database, host)
    with database.write() as connection:
        revoke_keys(connection, host.enrolled.device_id, "anna", "", int(time.time()))
    new = split_secret(issued.key)[1]
    with database.write() as connection:
        [asked] = rotate(connection, [Rotation(row.key_id, row.sha256)])
        [used] = promote(connection, [Rotation(row.key_id, "0" * 64)])
    assert isinstance(asked, NotAuthorised)
    assert isinstance(used, NotAuthorised)
    with pytest.raises(NotAuthorised):
        proved(key_row(database, host), new, int(time.time()))


def test_a_secret_that_was_changed_meanwhile_cannot_ask_for_another(database: Database, host: Host) -> None:
    old = key_row(database, host).sha256
    issued = rotated(database, host)
    with database.write() as connection:
        hashed_new = key_row_of(connection, host)
        promote(connection, [Rotation(host.enrolled.key_id, hashed_new)])
    with database.write() as connection:
        [refused] = rotate(connection, [Rotation(host.enrolled.key_id, old)])
    assert isinstance(refused, NotAuthorised)
    assert proved(key_row(database, host), split_secret(issued.key)[1], int(time.time())) == hashed_new


def key_row_of(connection: object, host: Host) -> str:
    query = select(agent_key.c.next_sha256).where(agent_key.c.id == host.enrolled.key_id)
    found: str = connection.execute(query).scalar_one()  # type: ignore[attr-defined]  # a Connection
    return found


def test_one_devices_rotation_and_revocation_leave_the_others_alone(database: Database, sender: Sender) -> None:
    one, two = (new_host(database, recent_half_hour()) for _ in range(2))
    two.stream_id = "stream-0002"
    rotated(database, one)
    with database.write() as connection:
        revoke_keys(connection, one.enrolled.device_id, "anna", "", int(time.time()))
    assert not sender.send(two, two.reports(60)[0]).duplicate


def test_the_first_uses_of_a_new_secret_at_two_collectors_make_one_change(
    postgres_url: str, postgres_database: Database
) -> None:
    host = new_host(postgres_database, recent_half_hour())
    issued = rotated(postgres_database, host)
    with postgres_database.read() as connection:
        new = key_row_of(connection, host)

    def collector(_: int) -> KeyRow | Exception:
        opened = open_database(postgres_url)
        with opened.write() as connection:
            [found] = promote(connection, [Rotation(host.enrolled.key_id, new)])
        opened.close()
        return found

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(collector, range(4)))
    assert {one.sha256 for one in results if isinstance(one, KeyRow)} == {new}
    assert len(results) == len([one for one in results if isinstance(one, KeyRow)])
    with postgres_database.read() as connection:
        acts = connection.execute(select(audit_log).where(audit_log.c.action == "key.renewed")).all()
    assert len(acts) == 1
    assert proved(key_row(postgres_database, host), split_secret(issued.key)[1], int(time.time())) == new
