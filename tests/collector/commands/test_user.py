"""`ictagent collector user`: accounts made, listed, changed and removed; the password never an argument."""

from pathlib import Path

import pytest
from sqlalchemy import select

from collector.database.schema import account, session, user_organisation
from tests.collector.commands.conftest import Installation
from tests.collector.web.signing_in import another_organisation

PASSWORD = "three random words"


@pytest.fixture
def password(tmp_path: Path) -> str:
    """A file with PASSWORD."""
    path = tmp_path / "password"
    path.write_text(PASSWORD + "\n")
    return str(path)


def add(bare: Installation, password: str, name: str = "anna", *more: str) -> str:
    return bare.done("collector", "user", "add", name, "--role", "operator", "--password-file", password, *more)


def test_the_first_account_of_a_fresh_collector_is_made_by_the_command(bare: Installation, password: str) -> None:
    assert bare.json("collector", "user", "list") == []
    assert add(bare, password, "Anna") == "anna may sign in as operator\n"
    [listed] = bare.json("collector", "user", "list")
    assert {name: listed[name] for name in ("name", "origin", "role", "organisations", "last_login")} == {
        "name": "anna",
        "origin": "local",
        "role": "operator",
        "organisations": ["This organisation"],
        "last_login": "never",
    }


def test_the_password_is_stored_as_argon2id_and_shown_nowhere(bare: Installation, password: str) -> None:
    add(bare, password)
    with bare.served.collector.database.read() as connection:
        stored = connection.execute(select(account.c.password_hash)).scalar_one()
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    for output in ("table", "json"):
        listed = bare.done("collector", "user", "list", "--output", output)
        assert "argon2" not in listed
    assert PASSWORD not in str(bare.audited())
    assert "argon2" not in str(bare.audited())


def test_the_password_may_come_from_stdin_and_is_else_asked_for_at_a_terminal(bare: Installation) -> None:
    arguments = ("collector", "user", "add", "bert", "--role", "viewer")
    assert bare.run(*arguments, "--password-file", "-", input=PASSWORD + "\n").exit_code == 0
    assert "--password-file" in bare.refused("collector", "user", "add", "cleo", "--role", "viewer")
    assert bare.run("collector", "user", "add", "dora", PASSWORD, "--role", "viewer").exit_code == 2
    assert bare.run(*arguments, "--password", PASSWORD).exit_code == 2


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("anna", "too short", "12 to 256 characters"),
        ("anna", "", "12 to 256 characters"),
        ("anna", "x" * 257, "12 to 256 characters"),
        ("anna", "i am anna, trust me", "the account's name"),
        ("anna@council.example", PASSWORD, "cannot be a login name"),
        ("an na", PASSWORD, "cannot be a login name"),
        ("anna-", PASSWORD, "cannot be a login name"),
        ("a" * 65, PASSWORD, "cannot be a login name"),
    ],
)
def test_a_name_or_password_that_cannot_be_is_refused(
    bare: Installation, tmp_path: Path, name: str, content: str, words: str
) -> None:
    file = tmp_path / "file"
    file.write_text(content)
    said = bare.refused("collector", "user", "add", name, "--role", "viewer", "--password-file", str(file))
    assert words in said
    assert content not in said or not content
    assert bare.json("collector", "user", "list") == []


def test_a_name_is_taken_once_however_it_is_written(bare: Installation, password: str) -> None:
    add(bare, password)
    said = bare.refused("collector", "user", "add", "ANNA", "--role", "viewer", "--password-file", password)
    assert "already" in said


def test_a_missing_password_file_is_named(bare: Installation) -> None:
    said = bare.refused("collector", "user", "add", "anna", "--role", "viewer", "--password-file", "/nowhere/at/all")
    assert "/nowhere/at/all" in said


def test_role_password_and_organisations_can_be_changed_and_all_is_audited(bare: Installation, password: str) -> None:
    another_organisation(bare.served, "The borough")
    add(bare, password)
    assert bare.done("collector", "user", "role", "anna", "auditor") == "anna is auditor\n"
    told = bare.done("collector", "user", "organisations", "anna", "--organisation", "The borough")
    assert told == "anna sees The borough\n"
    assert "all sessions are ended" in bare.done("collector", "user", "password", "anna", "--password-file", password)
    [listed] = bare.json("collector", "user", "list")
    assert (listed["role"], listed["organisations"]) == ("auditor", ["The borough"])
    assert (
        bare.done("collector", "user", "organisations", str(listed["id"]))
        == "anna sees The borough, This organisation\n"
    )
    assert [(action, subject) for _, action, subject, _ in bare.audited()] == [
        ("user.add", "anna"),
        ("user.role", "anna"),
        ("user.organisations", "anna"),
        ("user.password", "anna"),
        ("user.organisations", "anna"),
    ]
    assert bare.audited()[1][3] == {"from": "operator", "to": "auditor"}


def test_removing_an_account_leaves_nothing_of_it_but_the_audit_log(bare: Installation, password: str) -> None:
    add(bare, password)
    assert bare.done("collector", "user", "remove", "anna") == "anna is removed\n"
    with bare.served.collector.database.read() as connection:
        assert [connection.execute(select(one)).all() for one in (account, session, user_organisation)] == [[], [], []]
    assert bare.audited()[-1][1:3] == ("user.remove", "anna")
    add(bare, password)


@pytest.mark.parametrize("command", [("remove",), ("password",), ("role", "viewer"), ("organisations",)])
def test_an_account_that_is_not_there_is_named(bare: Installation, command: tuple[str, ...]) -> None:
    action, *more = command
    assert "user list" in bare.refused("collector", "user", action, "nobody", *more)


def test_an_unknown_role_is_wrong_usage_and_an_unknown_organisation_is_named(bare: Installation, password: str) -> None:
    options = ("--password-file", password)
    assert bare.run("collector", "user", "add", "anna", "--role", "emperor", *options).exit_code == 2
    said = bare.refused("collector", "user", "add", "anna", "--role", "viewer", "--organisation", "Atlantis", *options)
    assert "Atlantis" in said
    assert "This organisation" in said


def test_what_a_provider_says_cannot_be_changed_here(bare: Installation, password: str) -> None:
    values = {"name": "cleo@council.example", "subject": "https://provider.example 7", "role": "viewer"}
    with bare.served.collector.database.write() as connection:
        connection.execute(account.insert().values(**values, created_at=0))
    for command in (("role", "cleo@council.example", "operator"), ("organisations", "cleo@council.example")):
        assert "at the OpenID provider" in bare.refused("collector", "user", *command)
    refused = bare.refused("collector", "user", "password", "cleo@council.example", "--password-file", password)
    assert "at the OpenID provider" in refused
    assert bare.done("collector", "user", "remove", "cleo@council.example") == "cleo@council.example is removed\n"
