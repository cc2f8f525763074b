"""Keys on real processes: pinned authority, rotation, revocation, and a copied key, over SQLite and PostgreSQL."""

import datetime
import json
import shutil
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from collector.authority import Authority
from collector.database.schema import agent_key
from collector.estate_version import touch
from tests.agent.scripted import Reply, scripted
from tests.servers.ictagent import AgentProgram, CollectorProgram, ictagent, request
from tests.servers.process import wait_until
from tests.system.asking import OwnAuthority, accepted, acts, command, reports_by_key
from tests.system.comparing import embedded_points

Keep = Callable[[Any], Any]
DAY = 86_400


def status_of(agent: AgentProgram) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((agent.state_directory / "status.json").read_text())
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
def options(request: pytest.FixtureRequest) -> list[str]:
    """Options of a collector on either database."""
    return ["--database", request.getfixturevalue("postgres_url")] if request.param == "postgresql" else []


# The collector's own authority


def test_a_token_is_all_that_a_host_needs_to_trust_its_collector(keep: Keep, tmp_path: Path) -> None:
    collector: OwnAuthority = keep(OwnAuthority(tmp_path))
    collector.start()
    token = collector.token()
    assert len(token.rpartition(".")[2]) == 64
    agent: AgentProgram = keep(AgentProgram(tmp_path, collector.url, token))
    agent.begin()
    wait_until(lambda: accepted(collector) >= 2, f"two reports; the agent said {agent.said}")
    pem = (collector.state_directory / "authority/ca.pem").read_text()
    assert (agent.state_directory / "authority.pem").read_text() == pem
    # The same authority after a restart: the host goes on, and nothing is made anew.
    assert collector.stop() == 0
    before = accepted(collector)
    collector.start()
    wait_until(lambda: accepted(collector) > before, f"a report after the restart; the agent said {agent.said}")
    assert (collector.state_directory / "authority/ca.pem").read_text() == pem
    assert agent.stop() == 0
    assert "Traceback" not in agent.said + collector.said


def test_a_server_with_another_authority_is_refused_and_never_sees_the_token(keep: Keep, tmp_path: Path) -> None:
    """The true collector made the token; what answers at the address is a recording server with an authority of its own."""
    collector: OwnAuthority = keep(OwnAuthority(tmp_path))
    collector.start()
    token = collector.token()
    secret = token.split(".")[1]
    false = Authority(tmp_path / "false")
    false.renew(["127.0.0.1"], datetime.datetime.now(datetime.UTC))
    server_pem = tmp_path / "false-server.pem"
    server_pem.write_bytes(false.key_file.read_bytes() + false.certificate_file.read_bytes())
    true_pem = (collector.state_directory / "authority/ca.pem").read_bytes()
    for name, shown, words in (
        ("own", false.pem, "is not the one that the token pins"),
        ("passed-on", true_pem, "is not trusted"),
    ):
        with scripted(Reply(200, shown), certificate=server_pem) as recording:
            agent: AgentProgram = keep(AgentProgram(tmp_path / name, recording.url, token))
            agent.begin()
            agent.wait_said(words)
            wait_until(lambda: words in status_of(agent)["last_problem"], "the reason in the status")  # noqa: B023  # waited for here
            assert agent.stop() == 0
            heard = recording.heard
        assert {one.path for one in heard} == {"/ca.pem"}
        assert secret not in str(heard)
        assert agent.spooled, "the reports are kept"
    listed = command(collector, "collector", "token", "list").stdout
    assert "good" in listed, "the token was not used up"
    assert not reports_by_key(collector)


def test_a_certificate_that_was_renewed_serves_new_connections_without_a_restart(keep: Keep, tmp_path: Path) -> None:
    """The renewal itself, on a running server's context: an hour is too long to wait for its round."""
    collector: OwnAuthority = keep(OwnAuthority(tmp_path))
    collector.start()
    authority = Authority(collector.state_directory / "authority")
    served = ssl.get_server_certificate(("127.0.0.1", collector.port))
    assert served.strip() == authority.certificate_file.read_text().strip()
    assert collector.stop() == 0
    names = ["collector.example"]
    assert authority.renew(names, datetime.datetime.now(datetime.UTC))
    collector.start()
    again = ssl.get_server_certificate(("127.0.0.1", collector.port))
    assert again != served, "its names are the machine's again"
    assert collector.get("/healthz")[0] == 200


# Rotation


def test_a_key_near_its_end_is_renewed_by_itself_and_the_old_one_is_then_refused(
    options: list[str], keep: Keep, tmp_path: Path
) -> None:
    collector: CollectorProgram = keep(CollectorProgram(tmp_path, options))
    collector.start()
    agent: AgentProgram = keep(AgentProgram(tmp_path, collector.url, collector.token()))
    agent.begin()
    wait_until(lambda: accepted(collector) >= 2, f"two reports; the agent said {agent.said}")
    assert agent.stop() == 0
    old = (agent.state_directory / "key").read_text().strip()
    now = int(time.time())
    with collector.database() as database, database.write() as connection:
        connection.execute(update(agent_key).values(created_at=now - 300 * DAY, expires_at=now + 65 * DAY))
        touch(connection)
    before = accepted(collector)
    agent.begin()
    wait_until(lambda: (agent.state_directory / "key").read_text().strip() != old, "another key")
    wait_until(lambda: "key.renewed" in acts(collector), "the first use of the new key")
    wait_until(lambda: accepted(collector) >= before + 4, "reports with the new key")
    new = (agent.state_directory / "key").read_text().strip()
    assert new.split(".")[0] == old.split(".")[0]
    assert ask_with(collector, old) == 401
    assert ask_with(collector, new) == 200
    wait_until(lambda: (status_of(agent)["key_expires_at"] or 0) > now + 364 * DAY, "the new end in the status")
    # Killed and started again it goes on with the new key; one device, and one key, for all of it.
    agent.kill()
    agent.begin()
    counted = accepted(collector)
    wait_until(lambda: accepted(collector) >= counted + 2, "reports after a kill")
    assert agent.stop() == 0
    assert list(reports_by_key(collector)) == [new.split(".")[0]]
    assert acts(collector).count("key.renewed") == 1
    assert len(collector.get("/v1/devices")[1]["devices"]) == 1


def ask_with(collector: CollectorProgram, key: str) -> int:
    return request(collector.port, "GET", "/v1/whoami", {"Authorization": f"Bearer {key}"})[0]


# Revocation


def test_a_revoked_device_is_refused_on_the_next_request_of_two_collectors(
    postgres_url: str, keep: Keep, tmp_path: Path
) -> None:
    both = [
        keep(CollectorProgram(tmp_path / name, ["--database", postgres_url], state_directory=tmp_path / name / "state"))
        for name in ("one", "two")
    ]
    for collector in both:
        collector.start()
    agent: AgentProgram = keep(AgentProgram(tmp_path, both[0].url, both[0].token()))
    agent.begin()
    wait_until(lambda: accepted(both[0]) >= 2, f"two reports; the agent said {agent.said}")
    key = (agent.state_directory / "key").read_text().strip()
    assert [ask_with(collector, key) for collector in both] == [200, 200]
    [device] = json.loads(command(both[1], "collector", "device", "list", "--output", "json").stdout)
    assert device["state"] == "good"
    command(both[1], "collector", "device", "revoke", device["device_id"], "--reason", "sold")
    counted = accepted(both[0])
    assert [ask_with(collector, key) for collector in both] == [401, 401]
    agent.wait_said("this key is unknown or revoked; enrol the host again; reports are kept")
    wait_until(lambda: len(agent.spooled) >= 3, "reports kept in the spool")
    assert accepted(both[0]) == counted
    [device] = json.loads(command(both[0], "collector", "device", "list", "--output", "json").stdout)
    assert (device["state"], device["reason"]) == ("revoked", "sold")


# A copied key


def test_a_copy_that_sends_beside_its_original_becomes_a_device_of_its_own_and_nothing_is_lost(
    options: list[str], keep: Keep, tmp_path: Path
) -> None:
    """Two agents of this machine with one key, token and spool: a virtual machine copied with all it holds.

    Nothing tells which of the two was there first, so either may be the one that gets a key of its own.
    """
    collector: CollectorProgram = keep(CollectorProgram(tmp_path, options))
    collector.start()
    token = collector.token(uses=2)
    original: AgentProgram = keep(AgentProgram(tmp_path / "original", collector.url, token))
    original.begin()
    wait_until(lambda: accepted(collector) >= 2, f"two reports; the agent said {original.said}")
    assert original.stop() == 0
    [(first_key, _)] = reports_by_key(collector).items()
    clone: AgentProgram = keep(AgentProgram(tmp_path / "clone", collector.url, token))
    shutil.copytree(original.state_directory, clone.state_directory)
    for agent in (original, clone):
        agent.begin()

    def told() -> bool:
        return any("it has a key of its own now" in agent.said for agent in (original, clone))

    wait_until(told, "one of them told apart")
    wait_until(lambda: len(reports_by_key(collector)) == 2, "reports with both keys")
    counted = reports_by_key(collector)
    wait_until(
        lambda: all(reports_by_key(collector)[key] >= counted[key] + 3 for key in counted), "both go on side by side"
    )
    for agent in (original, clone):
        wait_until(lambda: not agent.spooled, f"an empty spool; it said {agent.said}")  # noqa: B023  # waited for here
        assert agent.stop() == 0
    keys = {(agent.state_directory / "key").read_text().strip().split(".")[0] for agent in (original, clone)}
    assert keys == set(reports_by_key(collector))
    assert first_key in keys
    devices = collector.get("/v1/devices")[1]["devices"]
    assert len(devices) == 2
    assert all(one["host_name"] for one in devices), "the new device has an inventory"
    details = [collector.get(f"/v1/devices/{one['device_id']}")[1] for one in devices]
    shared = [one for detail in details for one in detail["diagnoses"] if one["code"] == "key_shared"]
    assert len(shared) == 1
    # Every report holds one point of the agent a sample, at a time that no other agent has: each counts once.
    reports = sum(reports_by_key(collector).values())
    wait_until(lambda: len(embedded_points(collector, "ictagent_agent")) >= reports, f"points of {reports} reports")


def test_a_copy_without_a_token_keeps_everything_and_says_so(keep: Keep, tmp_path: Path) -> None:
    collector: CollectorProgram = keep(CollectorProgram(tmp_path))
    collector.start()
    original: AgentProgram = keep(AgentProgram(tmp_path / "original", collector.url, collector.token()))
    original.begin()
    wait_until(lambda: accepted(collector) >= 2, f"two reports; the agent said {original.said}")
    assert original.stop() == 0
    clone: AgentProgram = keep(AgentProgram(tmp_path / "clone", collector.url))
    shutil.copytree(original.state_directory, clone.state_directory)
    shutil.rmtree(clone.state_directory / "spool")
    original.begin()
    counted = accepted(collector)
    wait_until(lambda: accepted(collector) > counted, "a report of the original")
    clone.begin()
    clone.wait_said("this key belongs to another host, of which this one is a copy", 90)
    wait_until(lambda: len(clone.spooled) >= 3, "reports kept in the spool")
    assert "of which this one is a copy" in status_of(clone)["last_problem"]
    assert "token" in status_of(clone)["last_problem"]
    extra = {"ICTAGENT_COLLECTOR": collector.url, "ICTAGENT_STATE_DIRECTORY": str(clone.state_directory)}
    checked = json.loads(ictagent("doctor", "--output", "json", extra=extra).stdout)["checks"]
    [sending] = [one for one in checked if one["subject"] == "sending"]
    assert sending["result"] == "failed"
    assert "of which this one is a copy" in sending["finding"]
    counted = accepted(collector)
    wait_until(lambda: accepted(collector) >= counted + 2, "the original's reports go on")
    assert "copy" not in original.said
    assert list(reports_by_key(collector)) == [(original.state_directory / "key").read_text().split(".")[0]]
