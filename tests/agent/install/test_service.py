"""What services tell the manager that runs them, and the journal: over a real socket, from real processes."""

import contextlib
import logging
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from agent.service import JournalFormatter, ServiceManager, stderr_is_the_journal
from tests.agent.install.service_manager import listening_manager, own_etc
from tests.agent.scripted import Reply, scripted
from tests.servers.ictagent import AgentProgram, CollectorProgram
from tests.servers.process import free_port, wait_until


def test_without_a_service_manager_nothing_is_said_and_nothing_fails() -> None:
    manager = ServiceManager({})
    manager.ready("x")
    manager.working()
    manager.stopping()
    assert not manager.watched


def test_messages_have_the_form_of_sd_notify(tmp_path: Path) -> None:
    with listening_manager(tmp_path) as heard:
        manager = ServiceManager({"NOTIFY_SOCKET": str(heard.path), "WATCHDOG_USEC": "1000000"})
        manager.ready("two\nlines")
        manager.working()
        manager.reloading()
        manager.stopping()
        first, second, third, last = heard.heard()
    assert first == ["READY=1", "STATUS=two lines"]
    assert second == ["WATCHDOG=1"]
    assert third[0] == "RELOADING=1"
    assert third[1].startswith("MONOTONIC_USEC=")
    assert last == ["STOPPING=1"]


def test_an_abstract_socket_is_reached() -> None:
    name = f"ictagent-test-{os.getpid()}-{free_port()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("\0" + name)
        listening.settimeout(5)
        ServiceManager({"NOTIFY_SOCKET": "@" + name}).ready()
        assert listening.recv(100) == b"READY=1"


def test_a_watchdog_meant_for_another_process_is_left_to_it(tmp_path: Path) -> None:
    address = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1000000"}
    assert ServiceManager({**address, "WATCHDOG_PID": str(os.getpid())}).watched
    assert not ServiceManager({**address, "WATCHDOG_PID": "1"}).watched


def test_a_manager_that_is_gone_costs_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    manager = ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "gone")})
    manager.ready()
    manager.stopping()
    assert len([one for one in caplog.records if "cannot be told" in one.message]) == 1


def test_the_agent_is_ready_after_its_first_sample_works_while_it_samples_and_says_that_it_stops(
    tmp_path: Path,
) -> None:
    with listening_manager(tmp_path) as heard, scripted() as server:
        extra = {"NOTIFY_SOCKET": str(heard.path), "WATCHDOG_USEC": "180000000"}
        agent = AgentProgram(tmp_path, server.url, "a.token", extra)
        (tmp_path / "agent").mkdir()
        (tmp_path / "agent" / "key").write_text("key.secret")
        agent.begin()
        try:
            heard.wait_for("READY=1")
            # What is sampled is on disk before anybody is told of it.
            assert (tmp_path / "agent" / "status.json").exists()
            heard.wait_for("WATCHDOG=1", 3)
            assert agent.stop() == 0
        finally:
            agent.end()
    lines = heard.lines()
    assert lines.index("STOPPING=1") > lines.index("READY=1")
    assert any(f"STATUS=reporting to {server.url}" in line for line in lines)


def test_what_hinders_sending_is_in_the_service_managers_status(tmp_path: Path) -> None:
    port = free_port()
    with listening_manager(tmp_path) as heard:
        agent = AgentProgram(tmp_path, f"http://127.0.0.1:{port}", "a.token", {"NOTIFY_SOCKET": str(heard.path)})
        agent.begin()
        try:
            wait_until(
                lambda: any(line.startswith("STATUS=nothing listens at") for line in heard.lines()), "the reason", 60
            )
        finally:
            agent.end()


def test_sighup_takes_the_log_level_of_the_configuration_and_leaves_the_rest(tmp_path: Path) -> None:
    prefix = own_etc(tmp_path)
    settings = tmp_path / "etc/ictagent/agent.toml"
    settings.parent.mkdir(exist_ok=True)
    with listening_manager(tmp_path) as heard, scripted(Reply(503, {})) as server:
        extra = {"NOTIFY_SOCKET": str(heard.path)}
        agent = AgentProgram(tmp_path, server.url, "a.token", extra, prefix)
        agent.begin()
        try:
            heard.wait_for("READY=1")
            assert agent.process is not None
            settings.write_text('[agent]\nlog_level = "error"\nproxy = "http://127.0.0.1:1"\n')
            agent.process.send_signal(signal.SIGHUP)
            heard.wait_for("READY=1", 2)
            # `error` now: what the next reading says is information, and is not said.
            settings.write_text('[agent]\nlog_level = "error"\n')
            agent.process.send_signal(signal.SIGHUP)
            heard.wait_for("READY=1", 3)
            assert "the log level is" not in agent.said
            settings.write_text('[agent]\nlog_level = "debug"\nproxy = "http://127.0.0.1:1"\n')
            agent.process.send_signal(signal.SIGHUP)
            agent.wait_said("the log level is debug; other changes need a restart")
            settings.write_text("[agent]\nlog_level = 7\n")
            agent.process.send_signal(signal.SIGHUP)
            agent.wait_said("the configuration is wrong and was left aside")
            assert agent.process.poll() is None
        finally:
            agent.end()
    assert heard.lines().count("RELOADING=1") >= 4


def test_a_collector_is_ready_when_it_answers_and_reads_its_level_again(tmp_path: Path) -> None:
    with listening_manager(tmp_path) as heard:
        extra = {"NOTIFY_SOCKET": str(heard.path), "WATCHDOG_USEC": "180000000"}
        collector = CollectorProgram(tmp_path)
        collector._environment |= extra
        collector.begin()
        try:
            heard.wait_for("READY=1")
            assert collector.get("/healthz")[0] == 200
            heard.wait_for("WATCHDOG=1")
            assert collector.process is not None
            collector.process.send_signal(signal.SIGHUP)
            heard.wait_for("READY=1", 2)
            collector.wait_said("the log level is info")
            assert collector.get("/healthz")[0] == 200
            assert collector.stop() == 0
        finally:
            collector.end()
    assert "STOPPING=1" in heard.lines()


def test_lines_for_the_journal_carry_their_priority_also_those_of_a_trace() -> None:
    form = JournalFormatter("%(levelname)s %(message)s")
    levels = {
        level: form.format(logging.LogRecord("x", level, "f", 1, "said", (), None))
        for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR)
    }
    assert [text[:3] for text in levels.values()] == ["<7>", "<6>", "<4>", "<3>"]
    trace = None
    with contextlib.suppress(ValueError):
        try:
            int("broken")
        finally:
            trace = sys.exc_info()
    text = form.format(logging.LogRecord("x", logging.ERROR, "f", 1, "said", (), trace))
    assert len(text.splitlines()) > 3
    assert all(line.startswith("<3>") for line in text.splitlines())


def test_only_the_stream_that_systemd_opened_is_the_journal() -> None:
    found = os.fstat(2)
    assert stderr_is_the_journal({"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"})
    assert not stderr_is_the_journal({"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino + 1}"})
    assert not stderr_is_the_journal({})
