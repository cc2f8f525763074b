"""`ictagent collector api-token`: made, shown once, listed without secrets, revoked."""

import pytest
from sqlalchemy import select

from collector.database.schema import api_token
from tests.collector.commands.conftest import Installation


def test_a_token_is_shown_once_and_stored_hashed(bare: Installation) -> None:
    text = bare.done("collector", "api-token", "create", "--label", "prometheus", "--days", "365").strip()
    identifier, secret = text.split(".")
    for output in ("table", "json"):
        listed = bare.done("collector", "api-token", "list", "--output", output)
        assert identifier in listed
        assert "prometheus" in listed
        assert secret not in listed
    with bare.served.collector.database.read() as connection:
        assert secret not in str(connection.execute(select(api_token)).all())
    assert secret not in str(bare.audited())
    [row] = bare.json("collector", "api-token", "list")
    assert (row["role"], row["organisations"], row["state"]) == ("viewer", ["This organisation"], "good")


def test_a_revoked_token_is_listed_as_such_and_revoked_once(bare: Installation) -> None:
    identifier = bare.done("collector", "api-token", "create", "--label", "x", "--role", "auditor").partition(".")[0]
    assert bare.done("collector", "api-token", "revoke", identifier) == f"API token {identifier} is revoked\n"
    [row] = bare.json("collector", "api-token", "list")
    assert row["state"] == "revoked"
    assert "api-token list" in bare.refused("collector", "api-token", "revoke", identifier)
    assert [action for _, action, _, _ in bare.audited()] == ["api-token.create", "api-token.revoke"]


@pytest.mark.parametrize("wrong", [["--days", "0"], ["--days", "731"], ["--role", "root"], ["--label"]])
def test_a_wrong_option_is_wrong_usage(bare: Installation, wrong: list[str]) -> None:
    assert bare.run("collector", "api-token", "create", "--label", "x", *wrong).exit_code == 2


def test_an_unknown_organisation_is_named_and_no_token_made(bare: Installation) -> None:
    assert "Atlantis" in bare.refused("collector", "api-token", "create", "--label", "x", "--organisation", "Atlantis")
    assert bare.json("collector", "api-token", "list") == []
