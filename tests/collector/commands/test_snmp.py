"""`ictagent snmp`: devices to be polled, one or a file of them, and what is wrong with a row."""

from pathlib import Path

import pytest
from sqlalchemy import select

from agent.cli import EXIT_CONFIGURATION
from agent.errors import ConfigurationError
from collector.database.schema import device, snmp_device
from collector.snmp.named_credentials import named, names
from tests.collector.commands.conftest import Installation


def listed(installation: Installation, *options: str) -> list[str]:
    return [f"{one['host']}:{one['port']}" for one in installation.json("snmp", "list", *options)]


def test_a_dry_run_adds_nothing_and_a_real_one_does_what_it_said(installation: Installation) -> None:
    assert "would add 192.0.2.1:161" in installation.done("snmp", "add", "192.0.2.1", "--dry-run")
    assert listed(installation) == []
    installation.done("snmp", "add", "192.0.2.1", "--site", "County Hall", "--name", "core-1")
    installation.done("snmp", "add", "[2001:db8::1]:1161")
    assert listed(installation) == ["192.0.2.1:161", "2001:db8::1:1161"]
    assert "snmp.add" in installation.done("collector", "audit", "list", "--filter", "snmp.add")


def test_devices_of_a_file_are_of_the_organisation_of_their_row_or_of_the_option(
    installation: Installation, tmp_path: Path
) -> None:
    installation.done("estate", "organisation", "--add", "The district")
    file = tmp_path / "devices.csv"
    file.write_text("host,organisation\n192.0.2.1,\n192.0.2.2,This organisation\n")
    installation.done("snmp", "add", "--file", str(file), "--organisation", "The district")
    query = select(snmp_device.c.host, device.c.organisation_id).join(device).order_by(snmp_device.c.host)
    with installation.served.collector.database.read() as connection:
        assert [tuple(row) for row in connection.execute(query)] == [("192.0.2.1", 2), ("192.0.2.2", 1)]
    file.write_text("host,organisation\n192.0.2.3,The parish\n")
    told = installation.refused("snmp", "add", "--file", str(file))
    assert "line 2: there is no organisation The parish; nothing was added" in told


def test_a_removed_device_is_retired_and_taken_back_by_its_id(installation: Installation) -> None:
    installation.done("snmp", "add", "192.0.2.2", "--name", "ups-1")
    told = installation.done("snmp", "remove", "ups-1")
    device_id = told.split()[1]
    assert listed(installation) == []
    assert listed(installation, "--removed") == ["192.0.2.2:161"]
    installation.done("snmp", "remove", "--undo", device_id)
    assert listed(installation) == ["192.0.2.2:161"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("host,port\n192.0.2.3,161\n192.0.2.3,161\n", "line 3: 192.0.2.3:161 is polled already"),
        ("host,prt\n192.0.2.3,161\n", "the column 'prt' is not known"),
        ("name\ncore-1\n", "there is no column host"),
        ("host,port\n192.0.2.3,many\n", "line 2"),
        ("host,port\n192.0.2.3,70000\n", "line 2: 70000 is no UDP port"),
        ("host,power_seconds\n192.0.2.3,1\n", "line 2: power_seconds must lie between"),
    ],
)
def test_a_wrong_row_is_named_and_then_nothing_is_added(
    installation: Installation, tmp_path: Path, text: str, words: str
) -> None:
    file = tmp_path / "devices.csv"
    file.write_text(text)
    assert words in installation.refused("snmp", "add", "--file", str(file))
    assert listed(installation) == []


@pytest.mark.parametrize(
    ("name", "words"), [("nobody", "there is no credential nobody"), ("../../etc/shadow", "is no name of a credential")]
)
def test_a_credential_that_cannot_be_is_wrong_configuration(installation: Installation, name: str, words: str) -> None:
    done = installation.run("snmp", "add", "192.0.2.3", "--credential", name)
    assert done.exit_code == EXIT_CONFIGURATION
    assert words in done.stderr
    assert listed(installation) == []


def credential(folder: Path, text: str, mode: int = 0o600) -> Path:
    (folder / "core.toml").write_text(text)
    (folder / "core.toml").chmod(mode)
    return folder


def test_a_credential_is_read_from_its_file_and_public_needs_none(tmp_path: Path) -> None:
    text = 'version = "v3"\nuser = "ictagent"\nauth_password = "a-secret-1"\npriv_password = "a-secret-2"\n'
    found = named(credential(tmp_path, text), "core")
    assert (found.user, found.auth_protocol, found.priv_protocol) == ("ictagent", "SHA-256", "AES-128")
    assert "secret" not in repr(found)
    assert named(tmp_path, "public").community == "public"
    assert names(tmp_path) == ["core", "public"]


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        ('version = "v2c"\ncommunity = "a-secret"\n', 0o604, "open to every user"),
        ('version = "v2c"\n', 0o600, "has a community and nothing else"),
        ('version = "v3"\ncommunity = "a-secret"\n', 0o600, "v3 has a user"),
        ('version = "v3"\nuser = "u"\npriv_password = "a-secret"\n', 0o600, "privacy needs authentication"),
        ('version = "v3"\nuser = "u"\nauth_password = "short"\n', 0o600, "auth_password"),
        ('version = "v4"\n', 0o600, "version"),
        ('version = "v2c"\ncomunity = "a-secret"\n', 0o600, "comunity"),
        ("\x00a-secret", 0o600, "is no TOML"),
    ],
)
def test_a_wrong_credential_is_named_and_never_shown(tmp_path: Path, text: str, mode: int, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as told:
        named(credential(tmp_path, text, mode), "core")
    assert "a-secret" not in str(told.value)
