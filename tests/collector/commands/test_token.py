"""`ictagent collector token`: made, shown once, listed without secrets, revoked."""

import datetime

import pytest
from sqlalchemy import select

from collector.authority import Authority
from collector.database.schema import device
from tests.collector.commands.conftest import Installation


def enrol(bare: Installation, token: str) -> int:
    wanted = {"token": token, "host_name": "h", "kind": "host"}
    return bare.served.client.post("/v1/enrol", json=wanted).status_code


def test_a_new_token_enrols_as_many_hosts_as_it_says(bare: Installation) -> None:
    token = bare.done("collector", "token", "create", "--label", "library", "--uses", "2").strip()
    assert [enrol(bare, token) for _ in range(3)] == [200, 200, 401]
    [row] = [one for one in bare.json("collector", "token", "list") if one["label"] == "library"]
    assert (row["uses_left"], row["state"]) == (0, "used up")


def test_the_list_never_shows_the_secret(bare: Installation) -> None:
    token = bare.done("collector", "token", "create", "--label", "library", "--site", "Hall").strip()
    identifier, secret = token.split(".")
    for output in ("table", "json"):
        listed = bare.done("collector", "token", "list", "--output", output)
        assert identifier in listed
        assert "library" in listed
        assert "Hall" in listed
        assert secret not in listed


def test_a_revoked_token_is_useless_and_the_hosts_it_made_go_on(bare: Installation) -> None:
    token = bare.done("collector", "token", "create", "--label", "x", "--uses", "5").strip()
    wanted = {"token": token, "host_name": "h", "kind": "host"}
    key = bare.served.client.post("/v1/enrol", json=wanted).json()["key"]
    identifier = token.partition(".")[0]
    assert bare.done("collector", "token", "revoke", identifier) == f"token {identifier} is revoked\n"
    assert enrol(bare, token) == 401
    headers = {"Authorization": f"Bearer {key}"}
    assert bare.served.client.get("/v1/whoami", headers=headers).status_code == 200
    [row] = [one for one in bare.json("collector", "token", "list") if one["id"] == identifier]
    assert row["state"] == "revoked"
    assert "token list" in bare.refused("collector", "token", "revoke", identifier)
    assert [action for _, action, _, _ in bare.audited()] == ["token.create", "token.revoke"]
    assert all(token.partition(".")[2] not in str(act) for act in bare.audited())


def test_a_token_says_whose_its_hosts_are(bare: Installation) -> None:
    bare.done("estate", "organisation", "--add", "The district")
    token = bare.done("collector", "token", "create", "--label", "x", "--organisation", "The district").strip()
    assert enrol(bare, token) == 200
    with bare.served.collector.database.read() as connection:
        assert connection.execute(select(device.c.organisation_id)).scalars().all() == [2]
    bare.done("collector", "token", "create", "--label", "y")
    told = {one["label"]: one["organisation"] for one in bare.json("collector", "token", "list")}
    assert told == {"x": "The district", "y": "This organisation"}
    assert bare.json("estate", "organisation")["others"] == ["The district"]
    wrong = bare.refused("collector", "token", "create", "--label", "z", "--organisation", "The parish")
    assert "there is no organisation The parish" in wrong


@pytest.mark.parametrize("wrong", [["--uses", "0"], ["--days", "366"], ["--uses", "many"], ["--label"]])
def test_a_wrong_option_is_wrong_usage(bare: Installation, wrong: list[str]) -> None:
    assert bare.run("collector", "token", "create", "--label", "x", *wrong).exit_code == 2


def test_a_token_pins_the_authority_and_says_so_where_there_is_none_yet(
    bare: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = bare.done("collector", "token", "create", "--label", "a").strip()
    assert plain.count(".") == 1
    monkeypatch.setenv("ICTAGENT_COLLECTOR_TLS", "own")
    assert "start the collector once" in bare.refused("collector", "token", "create", "--label", "a")
    own = Authority(bare.directory / "authority")
    own.renew(["localhost"], datetime.datetime.now(datetime.UTC))
    pinned = bare.done("collector", "token", "create", "--label", "a").strip()
    assert pinned.endswith(f".{own.fingerprint}")
    # The collector takes it whole as well.
    body = {"token": pinned, "host_name": "h", "kind": "host"}
    assert bare.served.client.post("/v1/enrol", json=body).status_code == 200
