"""A token becomes a host's own key, as often and as long as it may; secrets are shown once and kept as hashes."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, update

from collector.database.engine import Database, open_database
from collector.database.schema import agent_key, audit_log, device, device_placement, enrolment_token, metadata, site
from collector.device_context import load_context
from collector.enrolment import EnrolRequest, TokenRequest, create_tokens, enrol
from collector.errors import NotAuthorised
from collector.keys import Issued, find_key, matches, split_secret


def token(database: Database, uses: int = 1, seconds: int = 600, at: str = "") -> str:
    with database.write() as connection:
        wanted = TokenRequest("test", uses, int(time.time()) + seconds, at, "anna")
        [text] = create_tokens(connection, [wanted])
    return text


def enrolled(database: Database, *texts: str) -> list[Issued | Exception]:
    with database.write() as connection:
        return enrol(connection, [EnrolRequest(text, "web01", "host") for text in texts])


def rows(database: Database, table: object) -> int:
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]  # a table


def test_a_token_gives_a_key_that_is_known_by_its_id_and_proved_by_its_secret(database: Database) -> None:
    [found] = enrolled(database, token(database))
    assert isinstance(found, Issued)
    key_id, secret = split_secret(found.key)
    with database.read() as connection:
        row = find_key(connection, key_id)
        assert find_key(connection, "nobody") is None
    assert row is not None
    assert (row.key_id, row.device_id, row.revoked) == (found.key_id, found.device_id, False)
    assert matches(secret, row.sha256)
    assert not matches(secret + "x", row.sha256)


def test_no_secret_is_in_the_database(database: Database) -> None:
    text = token(database)
    [found] = enrolled(database, text)
    assert isinstance(found, Issued)
    secrets = [split_secret(one)[1] for one in (text, found.key)]
    with database.read() as connection:
        whole = repr([connection.execute(select(table)).all() for table in metadata.sorted_tables])
    assert found.device_id in whole
    assert not any(secret in whole for secret in secrets)


def test_a_token_is_used_as_often_as_it_says(database: Database) -> None:
    text = token(database, uses=3)
    results = enrolled(database, *[text] * 5)
    assert [isinstance(one, Issued) for one in results] == [True] * 3 + [False] * 2
    assert isinstance(results[4], NotAuthorised)
    assert "token create" in results[4].remedy
    assert (rows(database, device), rows(database, agent_key)) == (3, 3)


def test_clones_that_enrol_are_devices_of_their_own(database: Database) -> None:
    found = [one for one in enrolled(database, *[token(database, uses=50)] * 50) if isinstance(one, Issued)]
    assert len({one.device_id for one in found}) == len({one.key for one in found}) == 50
    assert not any("web01" in one.device_id for one in found)


def test_an_expired_or_revoked_token_is_refused(database: Database) -> None:
    texts = [token(database, seconds=-1), token(database, seconds=0), token(database)]
    with database.write() as connection:
        connection.execute(
            update(enrolment_token).where(enrolment_token.c.id == texts[2].split(".")[0]).values(revoked_at=1)
        )
    assert [isinstance(one, NotAuthorised) for one in enrolled(database, *texts)] == [True] * 3
    assert rows(database, device) == 0


@pytest.mark.parametrize(
    "text", ["", ".", "a.", ".b", "no dot", "ü.x", "a.ü", "a" * 65 + ".x", "a." + "x" * 257, "a.b", "\0.\0"]
)
def test_what_is_no_token_is_refused_and_costs_the_others_nothing(database: Database, text: str) -> None:
    results = enrolled(database, text, token(database))
    assert [isinstance(one, NotAuthorised) for one in results] == [True, False]


def test_the_secret_of_another_token_opens_nothing(database: Database) -> None:
    first, second = token(database), token(database)
    [result] = enrolled(database, f"{first.split('.')[0]}.{second.split('.')[1]}")
    assert isinstance(result, NotAuthorised)
    assert [type(one) for one in enrolled(database, first, f"  {second}\n")] == [Issued, Issued]


def test_a_tokens_site_is_made_once_and_holds_its_hosts(database: Database) -> None:
    found = enrolled(database, *[token(database, uses=2, at="Town hall")] * 2)
    assert rows(database, site) == 1
    assert rows(database, device_placement) == 2
    with database.read() as connection:
        for one in found:
            assert isinstance(one, Issued)
            assert load_context(connection, one.device_id).site == "Town hall"


def test_every_act_is_in_the_audit_log(database: Database) -> None:
    text = token(database)
    [found] = enrolled(database, text)
    assert isinstance(found, Issued)
    with database.read() as connection:
        acts = connection.execute(
            select(audit_log.c.actor, audit_log.c.action, audit_log.c.object).order_by(audit_log.c.id)
        ).all()
    token_id = text.split(".")[0]
    assert [tuple(act) for act in acts] == [
        ("anna", "token.create", token_id),
        (f"token {token_id}", "device.enrol", found.device_id),
    ]


def test_two_collectors_give_the_last_use_of_a_token_to_one_host(
    postgres_url: str, postgres_database: Database
) -> None:
    texts = [token(postgres_database) for _ in range(10)]
    both = threading.Barrier(2)

    def collector(_: int) -> list[bool]:
        opened = open_database(postgres_url)
        won = []
        for text in texts:
            both.wait(20)
            won.append(isinstance(enrolled(opened, text)[0], Issued))
        opened.close()
        return won

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(collector, range(2))
    assert [one != other for one, other in zip(first, second, strict=True)] == [True] * 10
    assert rows(postgres_database, device) == 10
