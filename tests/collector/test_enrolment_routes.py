"""Enrolment, rotation and return of keys over HTTP: what is asked, what is refused and why, how often, and any text."""

import json
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from collector.database.engine import Database
from collector.database.schema import audit_log, device, device_placement, enrolment_token, site, space
from collector.enrolment import EnrolRequest, TokenRequest, create_tokens, enrol
from collector.errors import BadRequest, NotAuthorised, TooManyTries
from collector.keys import Issued, split_secret
from collector.rate_limit import MOST_CALLERS, SlidingWindow, network_of
from collector.settings import CollectorSettings
from tests.collector.web.served import Served, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One collector for the tests that look at answers only; its limit is out of their way."""
    directory = tmp_path_factory.mktemp("served")
    generous = CollectorSettings(state_directory=directory, enrolments_per_minute=100_000)
    with serving(directory, settings=generous) as one:
        yield one


def wanted(token: str, **more: Any) -> dict[str, Any]:
    return {"token": token, "host_name": "web01", "kind": "host", **more}


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def refusal(answer: httpx.Response) -> tuple[int, str, str]:
    error = answer.json()["error"]
    return answer.status_code, error["message"], error["remedy"]


def acts(served: Served, action: str) -> list[tuple[str, str, dict[str, Any]]]:
    with served.collector.database.read() as connection:
        query = select(audit_log).where(audit_log.c.action == action).order_by(audit_log.c.id)
        return [(row.actor, row.object, json.loads(row.detail)) for row in connection.execute(query)]


def count(database: Database, table: Any) -> int:
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


# Places


def make_token(database: Database, **values: Any) -> str:
    with database.write() as connection:
        [text] = create_tokens(connection, [TokenRequest("test", 5, 2**40, values.pop("site", ""), "anna", **values)])
    return text


def ask(database: Database, token: str, **place: Any) -> Issued | Exception:
    with database.write() as connection:
        [found] = enrol(connection, [EnrolRequest(token, "web01", "host", **place)])
    return found


def place_of(database: Database, issued: Issued | Exception) -> tuple[str, str, str]:
    assert isinstance(issued, Issued)
    query = (
        select(site.c.name, space.c.name.label("space"), space.c.kind)
        .select_from(device_placement.join(site, site.c.id == device_placement.c.site_id))
        .outerjoin(space, space.c.id == device_placement.c.space_id)
        .where(device_placement.c.device_id == issued.device_id)
    )
    with database.read() as connection:
        row = connection.execute(query).one()
    return row.name, row.space or "", row.kind or ""


def uses_left(database: Database, token: str) -> int:
    with database.read() as connection:
        query = select(enrolment_token.c.uses_left).where(enrolment_token.c.id == token.partition(".")[0])
        return int(connection.execute(query).scalar_one())


def test_a_host_stands_where_its_token_says_and_else_where_it_says_itself(database: Database) -> None:
    free, hall = make_token(database), make_token(database, site="Hall")
    cupboard = make_token(database, site="Depot", space="Cupboard", space_kind="passive_cupboard")
    assert place_of(database, ask(database, free, site="Library")) == ("Library", "", "")
    assert place_of(database, ask(database, hall, site="Library")) == ("Hall", "", "")
    assert place_of(database, ask(database, cupboard)) == ("Depot", "Cupboard", "passive_cupboard")
    # The space is there now: it needs no kind, whoever names it, and a host's word changes none.
    assert place_of(database, ask(database, free, site="Depot", space="Cupboard")) == (
        "Depot",
        "Cupboard",
        "passive_cupboard",
    )
    told = ask(database, cupboard, site="Hall", space="Attic", space_kind="office")
    assert place_of(database, told) == ("Depot", "Cupboard", "passive_cupboard")
    new = ask(database, hall, space="Room 1", space_kind="data_room")
    assert place_of(database, new) == ("Hall", "Room 1", "data_room")
    assert count(database, site) == 3
    assert count(database, space) == 2


@pytest.mark.parametrize(
    ("place", "message", "remedy"),
    [
        ({"site": "Hall", "space": "Attic"}, "there is no space Attic at Hall", "ictagent estate space set"),
        ({"site": "Hall", "space": "Attic", "space_kind": "dungeon"}, "dungeon is no kind of space", "data_room"),
        ({"space": "Attic", "space_kind": "office"}, "belongs to a site", "give its site"),
    ],
)
def test_a_place_that_cannot_be_is_refused_with_the_remedy_and_uses_nothing_up(
    database: Database, place: dict[str, str], message: str, remedy: str
) -> None:
    token = make_token(database)
    refused = ask(database, token, **place)
    assert isinstance(refused, BadRequest)
    assert message in refused.message
    assert remedy in refused.remedy
    assert uses_left(database, token) == 5
    assert [count(database, table) for table in (device, site, space, device_placement)] == [0, 0, 0, 0]
    with pytest.raises(BadRequest, match=message):
        make_token(database, **place)


# Routes


def test_a_key_says_when_it_ends_and_is_renewed_over_http(served: Served) -> None:
    issued = served.client.post("/v1/enrol", json=wanted(served.token(), site="Hall")).json()
    assert set(issued) == {"key", "key_id", "device_id", "expires_at"}
    said = served.client.get("/v1/whoami", headers=bearer(issued["key"])).json()
    assert said["expires_at"] == issued["expires_at"]
    assert said["life_seconds"] == 365 * 86_400
    assert said["life_seconds"] - 60 < said["expires_in_seconds"] <= said["life_seconds"]
    assert said["copy"] is False
    renewed = served.client.post("/v1/key/rotate", headers=bearer(issued["key"])).json()
    assert (renewed["key_id"], renewed["device_id"]) == (issued["key_id"], issued["device_id"])
    assert served.client.get("/v1/whoami", headers=bearer(issued["key"])).status_code == 200
    assert served.client.get("/v1/whoami", headers=bearer(renewed["key"])).status_code == 200
    assert served.client.get("/v1/whoami", headers=bearer(issued["key"])).status_code == 401


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/key/rotate"), ("DELETE", "/v1/key"), ("GET", "/v1/whoami")])
def test_without_a_key_nothing_is_told_or_done(served: Served, method: str, path: str) -> None:
    for headers in ({}, bearer("a.b"), bearer("nonsense"), {"Authorization": "Basic YTpi"}):
        assert served.client.request(method, path, headers=headers).status_code == 401


def test_a_collector_without_its_own_authority_has_none_to_give(served: Served) -> None:
    status, message, remedy = refusal(served.client.get("/ca.pem"))
    assert (status, message) == (404, "this collector has no authority of its own")
    assert "`ca`" in remedy


def test_a_refused_token_is_in_the_audit_log_with_the_reason_and_the_answer_tells_none(served: Served) -> None:
    good = served.token()
    identifier, secret = split_secret(good)
    tries = {
        "unknown": f"{'0' * 12}.{secret}",
        "wrong secret": f"{identifier}.{'x' * 43}",
        "not of the form of a token": "=HYPERLINK(1).nonsense",
        "expired": served.token(seconds=-1),
    }
    answers = [served.client.post("/v1/enrol", json=wanted(text)) for text in tries.values()]
    assert served.client.post("/v1/enrol", json=wanted(good)).status_code == 200
    answers.append(served.client.post("/v1/enrol", json=wanted(good)))
    assert {refusal(answer)[:2] for answer in answers} == {
        (401, "the enrolment token is not known, used up, expired or revoked")
    }
    noted = acts(served, "token.refused")[-5:]
    assert [detail["reason"] for _, _, detail in noted] == [*tries, "used up"]
    assert {actor for actor, _, _ in noted} == {"address 127.0.0.1"}
    assert {detail["host_name"] for _, _, detail in noted} == {"web01"}
    assert [subject for _, subject, _ in noted] == ["0" * 12, identifier, "", tries["expired"][:12], identifier]
    assert secret not in str(noted)
    [used] = [act for act in acts(served, "device.enrol") if act[0] == f"token {identifier}"]
    assert used[2]["address"] == "127.0.0.1"


def test_too_many_enrolments_from_one_address_are_told_when_to_come_again(tmp_path: Path) -> None:
    few = CollectorSettings(state_directory=tmp_path, enrolments_per_minute=5)
    with serving(tmp_path, settings=few) as one:
        token = one.token(uses=10)
        statuses = [one.client.post("/v1/enrol", json=wanted(token)).status_code for _ in range(5)]
        refused = one.client.post("/v1/enrol", json=wanted(token))
        assert statuses == [200] * 5
        assert refusal(refused)[0] == 429
        assert "5 in 60 s" in refusal(refused)[1]
        assert refused.json()["error"]["code"] == "too_many_tries"
        assert 50 <= int(refused.headers["Retry-After"]) <= 60
        assert count(one.collector.database, device) == 5
        # Nobody else is kept waiting: reports and other routes go on.
        assert one.client.get("/healthz").status_code == 200


def test_a_key_is_not_rotated_without_end(served: Served) -> None:
    key = served.client.post("/v1/enrol", json=wanted(served.token())).json()["key"]
    statuses = [served.client.post("/v1/key/rotate", headers=bearer(key)).status_code for _ in range(12)]
    assert statuses == [200] * 10 + [429] * 2


def test_a_flood_of_refused_tokens_fills_no_audit_log(tmp_path: Path) -> None:
    generous = CollectorSettings(state_directory=tmp_path, enrolments_per_minute=100_000)
    with serving(tmp_path, settings=generous) as one:
        for _ in range(80):
            assert one.client.post("/v1/enrol", json=wanted("a.b")).status_code == 401
        assert len(acts(one, "token.refused")) == 60


# The sliding window


def test_a_window_slides_and_refusals_do_not_lengthen_it() -> None:
    now = [0.0]
    window = SlidingWindow(3, 60, lambda: now[0])
    for now[0] in (0.0, 20.0, 40.0):
        assert window.wait("a") == 0
    assert window.wait("a") == 20
    assert window.wait("b") == 0
    now[0] = 59.0
    assert window.wait("a") == 1
    now[0] = 60.0
    assert window.wait("a") == 0
    assert window.wait("a") == 20
    with pytest.raises(TooManyTries, match="too many requests: 3 in 60 s") as caught:
        window.admit("a", "requests")
    assert caught.value.retry_after == 20


def test_a_window_remembers_so_many_callers_and_no_more() -> None:
    window = SlidingWindow(1, 60, lambda: 0.0)
    for number in range(MOST_CALLERS + 5):
        window.wait(str(number))
    assert len(window._seen) == MOST_CALLERS
    assert window.wait(str(MOST_CALLERS)) == 60
    assert window.wait("0") == 0


def test_an_ipv6_host_cannot_ask_under_many_addresses() -> None:
    one, two = network_of("2001:db8:1:2::1"), network_of("2001:db8:1:2:ffff::9")
    assert one == two == "2001:db8:1:2::/64"
    assert network_of("2001:db8:1:3::1") != one
    assert network_of("fe80::1%eth0") == "fe80::/64"
    assert network_of("testclient") == "testclient"


# Any text

ANY_TEXT = st.text(max_size=80) | st.text(alphabet=string.printable, max_size=700)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=5),
    max_leaves=12,
)
LIKE_A_REQUEST = st.fixed_dictionaries(
    {"token": JSON, "host_name": JSON, "kind": st.just("host") | JSON},
    optional={"site": JSON, "space": JSON, "space_kind": JSON},
)
FUZZ = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(ANY_TEXT)
def test_any_text_is_a_secret_of_bounded_parts_or_is_refused(text: str) -> None:
    try:
        identifier, secret = split_secret(text)
    except NotAuthorised as refused:
        assert refused.remedy
        return
    assert 0 < len(identifier) <= 64
    assert 0 < len(secret) <= 256
    assert "." not in identifier + secret
    assert identifier.isalnum()
    assert (identifier + secret).isascii()
    assert (identifier + secret).isprintable()
    assert text.strip().startswith(f"{identifier}.{secret}")


@FUZZ
@given(LIKE_A_REQUEST | JSON)
def test_any_json_sent_to_enrol_is_refused_in_order_and_leaves_nothing(served: Served, body: Any) -> None:
    before = count(served.collector.database, device)
    answer = served.client.post("/v1/enrol", content=json.dumps(body), headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 401, 413), answer.text
    assert set(answer.json()["error"]) == {"code", "message", "remedy"}
    assert count(served.collector.database, device) == before


@FUZZ
@given(st.binary(max_size=400))
def test_any_bytes_sent_to_enrol_are_refused_in_order(served: Served, body: bytes) -> None:
    answer = served.client.post("/v1/enrol", content=body)
    assert answer.status_code in (400, 401)
    assert answer.json()["error"]["message"]


@FUZZ
@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_a_good_token_enrols_a_host_of_any_name_at_any_place_or_says_why_not(
    served: Served, host_name: str, site_name: str, space_name: str
) -> None:
    body = json.dumps(wanted(served.token(), host_name=host_name, site=site_name, space=space_name))
    answer = served.client.post("/v1/enrol", content=body)
    assert answer.status_code in (200, 400, 413), answer.text
    if answer.status_code == 200:
        assert served.client.get("/v1/whoami", headers=bearer(answer.json()["key"])).status_code == 200


@FUZZ
@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=300))
def test_any_authorization_is_refused_in_order(served: Served, text: str) -> None:
    answer = served.client.get("/v1/whoami", headers={b"Authorization": text.encode("latin-1").strip()})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "not_authorised"
