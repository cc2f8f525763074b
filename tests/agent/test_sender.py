"""What becomes of a report for every answer a collector, a proxy or a stranger can give."""

import gzip
import json
import logging
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent import sender as sender_module
from agent.clock import Clock
from agent.report import Report, encode
from agent.sender import Sender
from agent.settings import AgentSettings
from agent.spool import Spool
from agent.transport import REFUSED_PAUSE_SECONDS, Transport
from tests.agent.scripted import Reply, Scripted, refusal, scripted
from tests.servers.process import free_port, wait_until

MEGABYTE = 1024 * 1024


class Sending:
    """A spool with reports, and a sender on it, as the agent has them."""

    def __init__(self, folder: Path, url: str, reports: int, **changes: str) -> None:
        if "token_file" not in changes:
            (folder / "key").write_text("the-key\n")
        settings = replace(AgentSettings(collector=url, state_directory=folder), **changes)  # type: ignore[arg-type]  # all are texts
        self.spool = Spool(folder / "spool", 50 * MEGABYTE)
        self.lock = threading.Lock()
        for _ in range(reports):
            self.add()
        self.sender = Sender(settings, self.spool, Transport(settings, Clock()), self.lock)

    def add(self) -> None:
        with self.lock:
            sequence = self.spool.next_sequence()
            self.spool.add(sequence, encode(Report(self.spool.stream_id, sequence, "0.1.0", "boot-1")))

    @property
    def waiting(self) -> int:
        with self.lock:
            return self.spool.reports

    def alive(self) -> bool:
        return any(thread.name == "sender" and thread.is_alive() for thread in threading.enumerate())


@contextmanager
def sending(folder: Path, url: str, reports: int = 3, **changes: str) -> Iterator[Sending]:
    """The sender, running."""
    one = Sending(folder, url, reports, **changes)
    one.sender.start()
    try:
        yield one
    finally:
        one.sender.stop(5)
        one.spool.close()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Back off for a moment instead of seconds; what is kept is how often in a row."""
    seen: list[int] = []

    def short(failures: int) -> float:
        seen.append(failures)
        return 0.01

    monkeypatch.setattr(sender_module, "growing_pause", short)
    return seen


def sequences(server: Scripted) -> list[int]:
    return [json.loads(gzip.decompress(body))["sequence"] for body in server.bodies()]


def test_reports_are_sent_oldest_first_and_removed_when_taken(tmp_path: Path) -> None:
    with scripted() as server, sending(tmp_path, server.url, 5) as one:
        wait_until(lambda: one.waiting == 0, "an empty spool")
        one.add()
        one.sender.wake()
        wait_until(lambda: one.waiting == 0, "an empty spool again")
    assert sequences(server) == [1, 2, 3, 4, 5, 6]
    assert not list((tmp_path / "spool").glob("*.json.gz"))


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_report_that_is_refused_is_set_aside_and_the_next_ones_go_on(status: int, tmp_path: Path) -> None:
    with (
        scripted(refusal(status, "rows[7] is no row", "update"), Reply()) as server,
        sending(tmp_path, server.url) as one,
    ):
        wait_until(lambda: one.waiting == 0, "an empty spool")
        assert sequences(server) == [1, 2, 3]
        [aside] = one.spool.rejected_files()
        assert aside.read_bytes() == server.bodies()[0]
        [event] = one.sender.take_events()
        assert (event.code, event.detail) == ("report_rejected", "report 1: rows[7] is no row; update")
        assert one.sender.take_events() == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_not_taken_keeps_every_report_and_is_tried_seldom(
    status: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert REFUSED_PAUSE_SECONDS == 300
    with (
        scripted(refusal(status, "the key was revoked", "enrol the host again")) as server,
        sending(tmp_path, server.url) as one,
    ):
        wait_until(lambda: "the key was revoked; enrol the host again" in caplog.text, "a warning")
        one.sender.wake()
        assert one.waiting == 3
    # Once when it began, once as the last attempt when it ended.
    assert len(server.heard) <= 2


def test_a_key_that_was_renewed_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_module, "REFUSED_PAUSE_SECONDS", 0.05)
    with scripted(*[refusal(401)] * 2, Reply()) as server, sending(tmp_path, server.url, 1) as one:
        wait_until(lambda: server.heard, "the first attempt")
        (tmp_path / "key").write_text("new-key\n")
        wait_until(lambda: one.waiting == 0, "an empty spool")
    assert server.heard[-1].headers["Authorization"] == "Bearer new-key"


@pytest.mark.parametrize("status", [300, 302, 404, 408, 418, 429, 500, 502, 503, 504])
def test_any_other_answer_keeps_the_report_and_backs_off(status: int, tmp_path: Path, pauses: list[int]) -> None:
    with scripted(*[refusal(status)] * 3, Reply()) as server, sending(tmp_path, server.url, 2) as one:
        wait_until(lambda: one.waiting == 0, "an empty spool")
    assert sequences(server) == [1, 1, 1, 1, 2]
    assert pauses == [1, 2, 3]


def test_the_collectors_own_pause_goes_before_ours(tmp_path: Path, pauses: list[int]) -> None:
    with scripted(refusal(429, Retry_After="1"), Reply()) as server, sending(tmp_path, server.url, 1) as one:
        wait_until(lambda: len(server.heard) == 1, "the first attempt")
        one.sender.wake()
        wait_until(lambda: one.waiting == 0, "an empty spool")
    assert pauses == []


def test_the_pause_begins_small_again_after_a_success(tmp_path: Path, pauses: list[int]) -> None:
    script = [refusal(503), refusal(503), Reply(), refusal(503), Reply()]
    with scripted(*script) as server, sending(tmp_path, server.url, 2) as one:
        wait_until(lambda: one.waiting == 0, "an empty spool")
    assert pauses == [1, 2, 1]


@pytest.mark.parametrize(
    "content", [b"<html>Please log in</html>", b"", b"{}", b'{"accepted": false}', b'{"status": "ok"}']
)
def test_a_200_of_someone_who_is_no_collector_does_not_lose_the_report(
    content: bytes, tmp_path: Path, pauses: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    with scripted(Reply(200, content), Reply()) as server, sending(tmp_path, server.url, 1) as one:
        wait_until(lambda: one.waiting == 0, "an empty spool")
    assert sequences(server) == [1, 1]
    assert "is no collector" in caplog.text


def test_the_same_number_with_other_content_begins_a_new_stream_and_sends_all_again(
    tmp_path: Path, pauses: list[int]
) -> None:
    with scripted(refusal(409), Reply()) as server, sending(tmp_path, server.url, 3) as one:
        wait_until(lambda: one.waiting == 0, "an empty spool")
        sent = [json.loads(gzip.decompress(body)) for body in server.bodies()]
        first, again = sent[0], sent[1:]
        assert {report["stream_id"] for report in again} == {one.spool.stream_id}
        assert first["stream_id"] != one.spool.stream_id
        numbers = [report["sequence"] for report in again]
        assert len(numbers) == 3
        assert numbers == sorted(set(numbers))
        assert [event.code for event in one.sender.take_events()] == ["new_stream"]


def test_a_collector_that_always_says_409_is_not_stormed(tmp_path: Path, pauses: list[int]) -> None:
    with scripted(refusal(409)) as server, sending(tmp_path, server.url, 2) as one:
        wait_until(lambda: len(pauses) >= 5, "five attempts")
        assert one.waiting == 2
    assert pauses[:5] == [1, 2, 3, 4, 5]
    # One request for each pause, and the last attempt.
    assert len(server.heard) <= len(pauses) + 1


def test_nothing_is_lost_while_the_collector_is_away(tmp_path: Path, pauses: list[int]) -> None:
    port = free_port()
    with sending(tmp_path, f"http://127.0.0.1:{port}", 4) as one:
        wait_until(lambda: len(pauses) > 3, "attempts")
        assert one.waiting == 4
        assert one.alive()


def test_a_problem_is_told_once_and_so_is_its_end(
    tmp_path: Path, pauses: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with (
        scripted(*[refusal(503, "restarting", "")] * 4, Reply()) as server,
        sending(tmp_path, server.url, 1) as one,
    ):
        wait_until(lambda: one.waiting == 0, "an empty spool")
        wait_until(lambda: "takes reports again" in caplog.text, "the all-clear")
    assert caplog.text.count("restarting; reports are kept") == 1
    assert caplog.text.count("the collector takes reports again") == 1


def test_rows_that_the_collector_left_out_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with (
        scripted(Reply(200, {"accepted": True, "duplicate": False, "rejected_rows": 7})) as server,
        sending(tmp_path, server.url, 1) as one,
    ):
        wait_until(lambda: one.waiting == 0, "an empty spool")
    assert "kept report 1 without 7 of its rows" in caplog.text


def test_the_sender_outlives_a_spool_that_cannot_be_changed(
    tmp_path: Path, pauses: list[int], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A file system turned read-only does not end the sending for ever."""
    remove, broken = Spool.remove, threading.Event()
    broken.set()

    def read_only(spool: Spool, sequence: int) -> None:
        if broken.is_set():
            raise OSError(30, "Read-only file system")
        remove(spool, sequence)

    monkeypatch.setattr(Spool, "remove", read_only)
    with scripted() as server, sending(tmp_path, server.url, 2) as one:
        wait_until(lambda: len(pauses) >= 2, "attempts")
        broken.clear()
        wait_until(lambda: one.waiting == 0, "an empty spool")
    assert "the spool cannot be changed" in caplog.text
    assert "Read-only file system" in caplog.text


def test_the_sender_outlives_a_defect_of_its_own_and_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sender_module, "REFUSED_PAUSE_SECONDS", 0.01)
    post, calls = Transport.post_report, []

    def defective(transport: Transport, body: bytes, key: str) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise ZeroDivisionError("a defect")
        return post(transport, body, key)

    monkeypatch.setattr(Transport, "post_report", defective)
    with scripted() as server, sending(tmp_path, server.url, 1) as one:
        wait_until(lambda: one.waiting == 0, "an empty spool")
    assert "ZeroDivisionError: a defect" in caplog.text


def test_a_damaged_spool_folder_does_not_end_the_sender(tmp_path: Path, pauses: list[int]) -> None:
    with scripted(refusal(400), Reply()) as server:
        one = Sending(tmp_path, server.url, 2)
        shutil.rmtree(tmp_path / "spool/rejected")
        one.sender.start()
        wait_until(lambda: pauses or one.waiting == 0, "the refusal to be dealt with")
        (tmp_path / "spool/rejected").mkdir(exist_ok=True)
        one.add()
        one.sender.wake()
        wait_until(lambda: one.waiting == 0, "an empty spool")
        one.sender.stop(5)
        one.spool.close()


# Enrolment

ENROLLED = Reply(200, {"key": "own-key", "key_id": "k1", "device_id": "d1"})


@contextmanager
def enrolling(folder: Path, url: str) -> Iterator[Sending]:
    """A host that has a token and no key yet."""
    (folder / "token").write_text("the-token\n")
    with sending(folder, url, 1, token_file=str(folder / "token")) as one:
        yield one


def test_a_host_enrols_with_its_token_once_and_keeps_the_key_for_itself(tmp_path: Path) -> None:
    with scripted(ENROLLED, Reply()) as server, enrolling(tmp_path, server.url) as one:
        wait_until(lambda: one.waiting == 0, "an empty spool")
    assert [heard.path for heard in server.heard] == ["/v1/enrol", "/v1/reports", "/v1/whoami"]
    assert json.loads(server.heard[0].body)["token"] == "the-token"
    assert "Authorization" not in server.heard[0].headers
    assert server.heard[1].headers["Authorization"] == "Bearer own-key"
    assert (tmp_path / "key").read_text() == "own-key\n"
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0


def test_a_collector_that_is_not_ready_to_enrol_is_asked_again_soon(tmp_path: Path, pauses: list[int]) -> None:
    with scripted(refusal(503), refusal(429), ENROLLED, Reply()) as server, enrolling(tmp_path, server.url) as one:
        wait_until(lambda: one.waiting == 0, "an empty spool")
    assert pauses == [1, 2]


@pytest.mark.parametrize(
    "reply", [refusal(401, "the token was used", "make a new one"), Reply(200, {"key": ""}), Reply(200, b"<html>")]
)
def test_a_token_that_is_not_taken_is_said_and_nothing_is_lost(
    reply: Reply, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with scripted(reply) as server, enrolling(tmp_path, server.url) as one:
        wait_until(lambda: "the collector did not enrol this host: " in caplog.text, "a warning")
        assert one.waiting == 1
        assert not (tmp_path / "key").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "key").unlink(), "this host is not enrolled: set token_file"),
        (lambda folder: ((folder / "key").unlink(), (folder / "key").mkdir()), "the key file .* cannot be read"),
    ],
)
def test_a_host_without_a_usable_key_says_what_to_do(
    change: Callable[[Path], object], message: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with scripted() as server:
        one = Sending(tmp_path, server.url, 1)
        change(tmp_path)
        one.sender.start()
        wait_until(lambda: re.search(message, caplog.text), "a warning")
        one.sender.stop(5)
        one.spool.close()
    assert not server.heard
