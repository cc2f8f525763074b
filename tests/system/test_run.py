"""`ictagent run` against `ictagent collector run` over TLS: enrolment, refusals, outages, and a killed agent."""

import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from collector.database.schema import agent_key, audit_log, energy_fact
from collector.estate_version import touch
from tests.conftest import missing
from tests.servers.authority import certificates
from tests.servers.ictagent import AgentProgram, CollectorProgram, ictagent
from tests.servers.powercap import counted_uj, energy_counter
from tests.servers.process import wait_until
from tests.system.comparing import embedded_points, numbers

Keep = Callable[[Any], Any]


@pytest.fixture
def tls(tmp_path: Path) -> tuple[Path, Path, Path]:
    if shutil.which("openssl") is None:
        missing("openssl")
    return certificates(tmp_path / "tls")


@pytest.fixture
def collector(keep: Keep, tmp_path: Path, tls: tuple[Path, Path, Path]) -> CollectorProgram:
    """A collector that asks for TLS."""
    program: CollectorProgram = keep(CollectorProgram(tmp_path, certificate=tls))
    program.start()
    return program


def trusting(tls: tuple[Path, Path, Path]) -> dict[str, str]:
    return {"ICTAGENT_CA": str(tls[0])}


def accepted(collector: CollectorProgram) -> int:
    """How many reports are recorded."""
    return sum(len(found) for found in numbers(collector).values())


def test_outage_restart_and_kill_lose_no_report_and_use_no_number_twice(
    collector: CollectorProgram, keep: Keep, tmp_path: Path, tls: tuple[Path, Path, Path]
) -> None:
    agent: AgentProgram = keep(AgentProgram(tmp_path, collector.url, collector.token(), trusting(tls)))
    agent.begin()
    wait_until(lambda: accepted(collector) >= 3, f"three reports; the agent said {agent.said}")
    status, listed = collector.get("/v1/devices")
    assert status == 200
    [device] = listed["devices"]
    assert oct((agent.state_directory / "key").stat().st_mode & 0o777) == "0o600"
    # The collector is away: reports gather on disk; the agent is killed meanwhile, twice.
    collector.kill()
    wait_until(lambda: len(agent.spooled) >= 3, "three reports in the spool")
    for _ in range(2):
        agent.kill()
        kept = agent.spooled
        agent.begin()
        wait_until(lambda: len(agent.spooled) >= len(kept) + 2, "two more reports in the spool")  # noqa: B023  # waited for here
        assert agent.spooled[: len(kept)] == kept
        assert agent.spooled[len(kept)] > kept[-1]
    assert "nothing listens at" in agent.said
    waiting = agent.spooled
    collector.start()
    wait_until(lambda: not agent.spooled, f"an empty spool; the agent said {agent.said[-500:]}", 60)
    before = accepted(collector)
    wait_until(lambda: accepted(collector) > before, "another report")
    assert agent.stop() == 0
    [stream] = numbers(collector).values()
    assert set(waiting) <= set(stream)
    assert len(stream) == len(set(stream))
    assert stream == sorted(stream), "reports arrive in the order of their numbers"
    with collector.database() as database, database.read() as connection:
        # Every report but a start's first has its interval; none is spread over another's.
        parts = connection.execute(select(func.count(func.distinct(energy_fact.c.part)))).scalar_one()
        assert parts == len(stream)
    assert "a new stream" not in agent.said
    [again] = collector.get("/v1/devices")[1]["devices"]
    assert again["device_id"] == device["device_id"]
    assert "Traceback" not in agent.said + collector.said


def test_revoked_and_used_tokens_enrol_nobody_and_say_what_to_do(
    collector: CollectorProgram, keep: Keep, tmp_path: Path, tls: tuple[Path, Path, Path]
) -> None:
    token = collector.token(uses=2)
    state = ["--state-directory", str(collector.state_directory)]
    first: AgentProgram = keep(AgentProgram(tmp_path / "first", collector.url, token, trusting(tls)))
    first.begin()
    wait_until(lambda: accepted(collector) >= 1, "the first report")
    revoked = ictagent("collector", "token", "revoke", token.partition(".")[0], *state)
    assert revoked.returncode == 0, revoked.stderr
    assert "revoked" in ictagent("collector", "token", "list", *state).stdout
    second: AgentProgram = keep(AgentProgram(tmp_path / "second", collector.url, token, trusting(tls)))
    second.begin()
    second.wait_said("the enrolment token is not known, used up, expired or revoked; make a new one")
    assert not (second.state_directory / "key").exists()
    wait_until(lambda: len(second.spooled) >= 2, "reports kept meanwhile")
    # A host that enrolled with the token before keeps its key.
    before = accepted(collector)
    wait_until(lambda: accepted(collector) > before, "another report of the first host")
    with collector.database() as database, database.read() as connection:
        acts = set(connection.execute(select(audit_log.c.action)).scalars())
    assert {"token.create", "token.revoke", "device.enrol"} <= acts


def test_a_revoked_key_is_told_and_its_reports_are_kept(
    collector: CollectorProgram, keep: Keep, tmp_path: Path, tls: tuple[Path, Path, Path]
) -> None:
    agent: AgentProgram = keep(AgentProgram(tmp_path, collector.url, collector.token(), trusting(tls)))
    agent.begin()
    wait_until(lambda: accepted(collector) >= 2, "two reports")
    with collector.database() as database, database.write() as connection:
        connection.execute(update(agent_key).values(revoked_at=int(time.time())))
        touch(connection)
    agent.wait_said("this key is unknown or revoked; enrol the host again; reports are kept")
    after = accepted(collector)
    wait_until(lambda: len(agent.spooled) >= 3, "reports kept in the spool")
    assert accepted(collector) == after


def test_a_certificate_of_another_authority_is_refused_before_anything_is_sent(
    collector: CollectorProgram, keep: Keep, tmp_path: Path
) -> None:
    other = certificates(tmp_path / "tls", "another")
    token = collector.token()
    for name, extra in (("other", trusting(other)), ("system", {})):
        agent: AgentProgram = keep(AgentProgram(tmp_path / name, collector.url, token, extra))
        agent.begin()
        agent.wait_said("is not trusted")
        assert "set `ca` to" in agent.said
        assert "Traceback" not in agent.said
    listed = ictagent("collector", "token", "list", "--state-directory", str(collector.state_directory))
    assert "good" in listed.stdout, "the token was not used up"
    assert collector.get("/v1/devices")[1]["devices"] == []


def test_a_client_that_hangs_does_not_hold_the_collectors_end(keep: Keep, tmp_path: Path) -> None:
    collector: CollectorProgram = keep(CollectorProgram(tmp_path))
    collector.start()
    with socket.create_connection(("127.0.0.1", collector.port)) as hanging:
        hanging.sendall(b"POST /v1/enrol HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{")
        assert collector.get("/healthz")[0] == 200
        assert collector.stop() == 0, "in order, within the 25 s that a stop may take"
    assert "timeout graceful shutdown exceeded" in collector.said


def test_energy_of_a_counter_is_counted_once_over_kills_of_the_agent(keep: Keep, tmp_path: Path) -> None:
    """A kernel's energy counter, in a mount namespace of the agent's: what it counted is what the facts hold."""
    counter = energy_counter(tmp_path)
    collector: CollectorProgram = keep(CollectorProgram(tmp_path))
    collector.start()
    agent: AgentProgram = keep(AgentProgram(tmp_path, collector.url, collector.token(), prefix=counter.prefix))
    agent.begin()

    def counted() -> int:
        return counted_uj(collector)

    wait_until(lambda: accepted(collector) >= 2, f"two reports; the agent said {agent.said}")
    start = counter.value
    for _ in range(3):
        # It wraps on the way: the range is 262 143 328 850 microjoules.
        counter.advance(150_000_123)
        wait_until(lambda: counted() == counter.value - start, f"{counter.value - start} microjoules, not {counted()}")
        agent.kill()
        counter.advance(50_000_007)
        agent.begin()
        wait_until(lambda: counted() == counter.value - start, f"{counter.value - start} after a kill, not {counted()}")
    assert agent.stop() == 0
    assert counted() == counter.value - start
    powers = embedded_points(collector, "hw_component")
    assert powers, "the package's power is a series"
