"""A host's key: looked for in three places, renewed before it ends, kept whatever happens, and replaced on a copy."""

import json
import os
import threading
import time
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from agent import keys as keys_module
from agent import sender as sender_module
from agent.authority import fingerprint_of
from agent.clock import Clock
from agent.enrol import parse_token, read_token
from agent.errors import EnrolmentError
from agent.install.enrolment import keys_of
from agent.install.host import Host
from agent.keys import HostKey, key_paths, read_keys
from agent.machine import machine_evidence, machine_header
from agent.report import BOOT_ID_HEADER, MACHINE_HEADER, Report, encode
from agent.sender import Sender
from agent.settings import AgentSettings
from agent.spool import Spool
from agent.transport import Transport
from tests.agent.scripted import Reply, Scripted, refusal, scripted
from tests.servers.authority import certificates
from tests.servers.process import wait_until

DAY = 86_400
FRESH = {"device_id": "d1", "key_id": "k1", "expires_at": 2000000000, "expires_in_seconds": 300 * DAY}
FRESH |= {"life_seconds": 365 * DAY, "copy": False}
ENDING = FRESH | {"expires_in_seconds": 100 * DAY}
ISSUED = {"key": "k1.new", "key_id": "k1", "device_id": "d1", "expires_at": 2100000000}
COPY = Reply(409, {"error": {"code": "clone_detected", "message": "a copy", "remedy": "give it a token"}})


def settings_in(folder: Path, url: str = "http://127.0.0.1:1", **changes: Any) -> AgentSettings:
    return replace(AgentSettings(collector=url, state_directory=folder), **changes)


def key_of(settings: AgentSettings) -> HostKey:
    return HostKey(settings, Transport(settings, Clock()))


def asked(server: Scripted) -> list[str]:
    return [one.path for one in server.heard]


# Where it is


def test_a_renewed_key_goes_before_the_services_and_that_before_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    settings = settings_in(tmp_path, key_file=str(tmp_path / "own"))
    assert key_paths(settings) == [tmp_path / "key", credentials / "key", tmp_path / "own"]
    assert read_keys(settings) == []
    (tmp_path / "own").write_text("k3.own\n")
    assert key_of(settings).get() == "k3.own"
    (credentials / "key").write_text("k2.service\n")
    assert key_of(settings).get() == "k2.service"
    (tmp_path / "key").write_text("k2.renewed\n")
    assert read_keys(settings) == ["k2.renewed", "k2.service", "k3.own"]
    assert key_of(settings).get() == "k2.renewed"


@pytest.mark.parametrize("content", ["k1.secret\nsomething-besides", "k1.\u20ac", "k1.se cret", "k1." + "x" * 600])
def test_what_is_no_key_is_neither_sent_nor_told(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A file cut off by a crash, or the wrong one: `http.client` would put all of it into the words of its failure."""
    (tmp_path / "key").write_text(content)
    with scripted(Reply()) as server:
        with pytest.raises(EnrolmentError, match="holds no key") as caught:
            key_of(settings_in(tmp_path, server.url)).get()
        assert server.heard == []
    for part in content.split():
        assert part not in str(caught.value) + caplog.text


def test_the_state_directory_leads_root_to_no_other_file_and_to_no_waiting(tmp_path: Path) -> None:
    """It belongs to the service's user: whoever got hold of that account must not have root read for them."""
    secret = tmp_path / "secret"
    secret.write_text("for-root-only")
    folder = tmp_path / "state"
    folder.mkdir()
    host, keys = Host(tmp_path), (PurePosixPath("/state/key"),)
    (folder / "key").symlink_to(secret)
    with pytest.raises(EnrolmentError, match="cannot be read"):
        read_keys(settings_in(folder))
    assert keys_of(host, keys) == []
    (folder / "key").unlink()
    os.mkfifo(folder / "key")
    with pytest.raises(EnrolmentError, match="no plain file"):
        read_keys(settings_in(folder))
    assert keys_of(host, keys) == []
    # Where a person says that a key is, it may be a link: secrets of Kubernetes are.
    (folder / "key").unlink()
    (tmp_path / "linked").symlink_to(secret)
    assert read_keys(settings_in(folder, key_file=str(tmp_path / "linked"))) == ["for-root-only"]


def test_a_refused_key_makes_room_for_the_next_and_is_removed_once_that_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host was installed again: what an earlier agent left in the state directory is of no use."""
    (tmp_path / "key").write_text("k1.old\n")
    (tmp_path / "own").write_text("k2.new\n")
    with scripted(refusal(401), Reply()) as server:
        settings = settings_in(tmp_path, server.url, key_file=str(tmp_path / "own"))
        with_one_report(tmp_path, settings)
        reports = [one.headers["Authorization"] for one in server.heard if one.path == "/v1/reports"]
    assert reports == ["Bearer k1.old", "Bearer k2.new"]
    assert not (tmp_path / "key").exists()
    assert (tmp_path / "own").read_text() == "k2.new\n"


def test_no_key_is_removed_while_none_is_taken(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k1.old\n")
    (tmp_path / "own").write_text("k2.new\n")
    key = key_of(settings_in(tmp_path, key_file=str(tmp_path / "own")))
    assert [key.get(), key.refuse(), key.get(), key.refuse(), key.get()] == ["k1.old", True, "k2.new", False, "k1.old"]
    key.accept()
    assert read_keys(settings_in(tmp_path)) == ["k1.old"]


# Renewal


def in_use(folder: Path, server: Scripted, **changes: Any) -> HostKey:
    (folder / "key").write_text("k1.old\n")
    key = key_of(settings_in(folder, server.url, **changes))
    assert key.get() == "k1.old"
    return key


def test_a_key_with_over_a_third_of_its_life_left_is_looked_at_once_a_day(tmp_path: Path) -> None:
    with scripted(Reply(200, FRESH)) as server:
        key = in_use(tmp_path, server)
        assert [key.renew_if_due() for _ in range(3)] == [False] * 3
        assert asked(server) == ["/v1/whoami"]
        assert {MACHINE_HEADER, BOOT_ID_HEADER, "Authorization"} <= set(server.heard[0].headers)
        assert (key.key_id, key.expires_at) == ("k1", 2000000000)
        key._look_at -= keys_module.LOOK_SECONDS
        key.renew_if_due()
    assert asked(server) == ["/v1/whoami"] * 2


def test_a_key_near_its_end_is_renewed_and_kept_before_it_is_used(tmp_path: Path) -> None:
    with scripted(Reply(200, ENDING), Reply(200, ISSUED)) as server:
        key = in_use(tmp_path, server)
        assert key.renew_if_due()
        assert not key.renew_if_due()
    assert [(one.method, one.path) for one in server.heard] == [("GET", "/v1/whoami"), ("POST", "/v1/key/rotate")]
    assert {one.headers["Authorization"] for one in server.heard} == {"Bearer k1.old"}
    assert (tmp_path / "key").read_text() == "k1.new\n"
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert (key.get(), key.expires_at) == ("k1.new", 2100000000)


@pytest.mark.parametrize(
    "replies",
    [
        [refusal(500)],
        [refusal(401)],
        [Reply(200, b"<html>")],
        [Reply(200, {"device_id": "d1", "key_id": "k1"})],
        [Reply(200, ENDING), refusal(503)],
        [Reply(200, ENDING), refusal(404)],
        [Reply(200, ENDING), Reply(200, {"key": ""})],
        [Reply(200, ENDING), Reply(act=lambda connection: connection.close())],
    ],
)
def test_whatever_goes_wrong_on_the_way_the_present_key_stays(replies: list[Reply], tmp_path: Path) -> None:
    with scripted(*replies) as server:
        key = in_use(tmp_path, server)
        assert not key.renew_if_due()
        heard = len(server.heard)
        assert not key.renew_if_due(), "it is tried again in an hour, not at once"
        assert len(server.heard) == heard
    assert key.get() == "k1.old"
    assert (tmp_path / "key").read_text() == "k1.old\n"
    assert time.monotonic() + keys_module.LOOK_AGAIN_SECONDS - key._look_at < 60


def test_a_key_that_cannot_be_kept_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with scripted(Reply(200, ENDING), Reply(200, ISSUED)) as server:
        key = in_use(tmp_path, server)
        monkeypatch.setattr(keys_module, "write_durably", full)
        assert not key.renew_if_due()
    assert key.get() == "k1.old"
    assert "No space left on device" in caplog.text


# On a copy


def with_one_report(folder: Path, settings: AgentSettings, until: Any = None) -> Sender:
    """Send one report as the agent does, until the spool is empty or something else holds."""
    spool = Spool(folder / "spool", 2**20)
    sequence = spool.next_sequence()
    spool.add(sequence, encode(Report(spool.stream_id, sequence, "0.1.0", "boot-1")))
    sender = Sender(settings, spool, Transport(settings, Clock()), threading.Lock())
    sender.start()
    wait_until(lambda: until(sender) if until else not spool.reports, "the spool to drain")
    sender.stop(5)
    spool.close()
    return sender


def test_a_copy_with_a_token_gets_a_key_of_its_own_and_sends_the_same_report_with_it(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k1.others\n")
    (tmp_path / "token").write_text("t1.secret\n")
    issued = {"key": "k9.own", "key_id": "k9", "device_id": "d9", "expires_at": 2100000000}
    with scripted(COPY, Reply(200, issued), Reply()) as server:
        sender = with_one_report(tmp_path, settings_in(tmp_path, server.url, token_file=str(tmp_path / "token")))
        paths = [one.path for one in server.heard if one.path != "/v1/whoami"]
        assert paths == ["/v1/reports", "/v1/enrol", "/v1/reports"]
        assert server.bodies()[0] == server.bodies()[1]
        assert server.heard[2].headers["Authorization"] == "Bearer k9.own"
    assert (tmp_path / "key").read_text() == "k9.own\n"
    assert sender.key_id == "k9"
    assert [event.code for event in sender.take_events()] == ["own_key"]
    assert [sender.take_inventory_wish(), sender.take_inventory_wish()] == [True, False]


@pytest.mark.parametrize("replies", [[COPY], [COPY, refusal(401, "the token is used up", "make a new one")]])
def test_a_copy_without_a_good_token_keeps_everything_and_says_so(replies: list[Reply], tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k1.others\n")
    changes = {}
    if len(replies) > 1:
        (tmp_path / "token").write_text("t1.secret\n")
        changes = {"token_file": str(tmp_path / "token")}
    with scripted(*replies) as server:
        settings = settings_in(tmp_path, server.url, **changes)
        said: list[str] = []

        def says(sender: Sender) -> bool:
            said.append(sender.problem)
            return bool(sender.problem)

        with_one_report(tmp_path, settings, until=says)
    assert said[-1].startswith("a copy; give it a token; ")
    assert ("set token_file" if len(replies) == 1 else "the token is used up") in said[-1]
    assert (tmp_path / "key").read_text() == "k1.others\n"
    assert len(list((tmp_path / "spool").glob("*.json.gz"))) == 1


def test_a_collector_that_calls_every_key_a_copys_uses_the_token_up_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[int] = []

    def short(failures: int) -> float:
        pauses.append(failures)
        return 0.01

    monkeypatch.setattr(sender_module, "growing_pause", short)
    (tmp_path / "key").write_text("k1.others\n")
    (tmp_path / "token").write_text("t1.secret\n")
    with scripted(COPY, Reply(200, ISSUED), COPY) as server:
        settings = settings_in(tmp_path, server.url, token_file=str(tmp_path / "token"))
        with_one_report(tmp_path, settings, until=lambda _: len(pauses) >= 4)
        assert asked(server).count("/v1/enrol") == 1


# Evidence of the machine


def test_the_evidence_differs_between_machines_and_names_none(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/machine-id").write_text("6ab4c9d0e1f2\n")
    (tmp_path / "proc/sys/kernel").mkdir(parents=True)
    (tmp_path / "proc/sys/kernel/hostname").write_text("büro 7\n")
    evidence, _, name = machine_header(tmp_path).partition(" ")
    assert (len(evidence), name) == (16, "b%C3%BCro%207")
    assert evidence == machine_evidence("6ab4c9d0e1f2", "")
    assert "6ab4c9d0e1f2" not in machine_header(tmp_path)
    assert len({machine_evidence(*parts) for parts in (("a", ""), ("", "a"), ("a", "b"), ("b", "a"))}) == 4
    (tmp_path / "etc/machine-id").unlink()
    assert machine_header(tmp_path) == "- b%C3%BCro%207"


# Tokens that pin an authority


def test_a_pinned_token_is_taken_apart_and_anything_else_left_as_it_is(tmp_path: Path) -> None:
    pinned = parse_token(f" 3a5f.secret-_.{'0a' * 32}\n")
    assert (pinned.text, pinned.fingerprint) == ("3a5f.secret-_", "0a" * 32)
    for text in ("3a5f.secret", "3a5f.secret.0a", f"3a5f.secret.{'0A' * 32}", "", f"a.b.c.{'0a' * 32}", "nonsense"):
        assert (parse_token(text).text, parse_token(text).fingerprint) == (text, "")
    with pytest.raises(EnrolmentError, match=r"token file .* cannot be read"):
        read_token(tmp_path / "gone")
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(EnrolmentError, match=r"token file .* is empty"):
        read_token(tmp_path / "empty")


class Pinning:
    """A recording TLS server with an authority of its own, and a host whose token pins some authority."""

    def __init__(self, folder: Path) -> None:
        self.ca, chain, key = certificates(folder / "tls", "own")
        self.other, *_ = certificates(folder / "tls", "other")
        self.server_pem = folder / "server.pem"
        self.server_pem.write_text(key.read_text() + chain.read_text())
        self.folder = folder / "state"
        self.folder.mkdir()

    def enrol(self, url: str, pinned: Path, **changes: str) -> HostKey:
        token = self.folder / "token"
        token.write_text(f"t1.the-secret.{fingerprint_of(pinned.read_text())}\n")
        return key_of(settings_in(self.folder, url, token_file=str(token), **changes))


@pytest.fixture
def pinning(tmp_path: Path) -> Pinning:
    return Pinning(tmp_path)


def test_the_pinned_authority_is_fetched_compared_and_then_trusted(pinning: Pinning) -> None:
    pem = pinning.ca.read_bytes()
    with scripted(Reply(200, pem), Reply(200, ISSUED), certificate=pinning.server_pem) as server:
        assert pinning.enrol(server.url, pinning.ca).get() == "k1.new"
    assert asked(server) == ["/ca.pem", "/v1/enrol"]
    fetched, enrolled = server.heard
    assert not {"Authorization", MACHINE_HEADER} & set(fetched.headers)
    assert fetched.body == b""
    assert fetched.connection != enrolled.connection, "what was not verified is not used again"
    assert json.loads(enrolled.body)["token"] == "t1.the-secret", "the collector need not be told its own fingerprint"
    assert (pinning.folder / "authority.pem").read_bytes() == pem
    # From now on it is trusted without being fetched.
    with scripted(Reply(200, FRESH), certificate=pinning.server_pem) as server:
        assert Transport(settings_in(pinning.folder, server.url), Clock()).request("GET", "/v1/whoami").status == 200


def test_another_authority_than_the_tokens_is_refused_and_no_token_was_sent(pinning: Pinning) -> None:
    with scripted(Reply(200, pinning.ca.read_bytes()), certificate=pinning.server_pem) as server:
        with pytest.raises(EnrolmentError, match="is not the one that the token pins") as caught:
            pinning.enrol(server.url, pinning.other).get()
        assert "Nothing was sent" in str(caught.value)
        assert asked(server) == ["/ca.pem"]
    assert not any(b"the-secret" in one.body or "the-secret" in str(one.headers) for one in server.heard)
    assert not (pinning.folder / "authority.pem").exists()


def test_a_stranger_that_shows_the_right_authority_is_not_believed(pinning: Pinning) -> None:
    """Anybody can fetch /ca.pem and pass it on: without its key the connection that follows does not verify."""
    with scripted(Reply(200, pinning.other.read_bytes()), certificate=pinning.server_pem) as server:
        with pytest.raises(Exception, match="is not trusted"):
            pinning.enrol(server.url, pinning.other).get()
        assert asked(server) == ["/ca.pem"]


@pytest.mark.parametrize("reply", [refusal(404), Reply(200, b"<html>"), Reply(200, b""), Reply(200, b"\xff\xfe")])
def test_who_has_no_authority_gets_no_token(reply: Reply, pinning: Pinning) -> None:
    with scripted(reply, certificate=pinning.server_pem) as server:
        with pytest.raises(EnrolmentError, match="gives no authority"):
            pinning.enrol(server.url, pinning.ca).get()
        assert asked(server) == ["/ca.pem"]


def test_whom_the_settings_trust_goes_before_the_pin(pinning: Pinning) -> None:
    with scripted(Reply(200, ISSUED), certificate=pinning.server_pem) as server:
        assert pinning.enrol(server.url, pinning.other, ca=str(pinning.ca)).get() == "k1.new"
        assert asked(server) == ["/v1/enrol"]
        with pytest.raises(Exception, match="is not trusted"):
            pinning.enrol(server.url, pinning.ca, ca="system").enrol_again()
        assert asked(server) == ["/v1/enrol"]
