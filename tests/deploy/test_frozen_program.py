"""The packaged program, which carries its interpreter, does what the installed one does."""

import json
import os
import subprocess
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from agent.cli import COMMANDS
from tests.conftest import missing
from tests.deploy.packaging import Built
from tests.servers.ictagent import environment, ictagent
from tests.servers.postgres import binaries, postgres
from tests.servers.process import free_port, stop, tail, wait_until

pytestmark = pytest.mark.timeout(900)  # the first test makes the program, where `make packages` did not
OF_THE_COLLECTOR = {"up", "carbon", "collector", "estate", "ledger", "snmp"}
"""Commands that only the collector's package has."""


def _run(program: Path, *words: str, extra: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(program), *words], capture_output=True, text=True, env=environment(extra), timeout=60, check=False
    )


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The root of a system with systemd that does not run."""
    (tmp_path / "image/usr/lib/systemd").mkdir(parents=True)
    (tmp_path / "image/usr/lib/systemd/systemd").touch()
    return tmp_path / "image"


@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - OF_THE_COLLECTOR))
def test_every_command_of_the_agent_is_in_its_package(agent_package: Built, command: str) -> None:
    done = _run(agent_package.program, command, "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Usage: ictagent {command}")


def test_the_agents_package_says_what_is_needed_for_the_collectors_commands(agent_package: Built) -> None:
    done = _run(agent_package.program, "collector", "run")
    assert done.returncode == 1
    assert "the package ictagent-collector" in done.stderr


def test_every_group_of_the_collectors_commands_is_in_its_package(collector_program: Path) -> None:
    for name in OF_THE_COLLECTOR:
        done = _run(collector_program, name, "--help")
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"Usage: ictagent {name}")


def test_the_packaged_agent_tells_of_a_host_what_the_installed_one_tells(agent_package: Built) -> None:
    packaged = json.loads(_run(agent_package.program, "sample", "--output", "json").stdout)
    installed = json.loads(ictagent("sample", "--output", "json").stdout)
    assert packaged.keys() == installed.keys()
    assert packaged["inventory"] == installed["inventory"]


def test_a_service_of_the_package_runs_the_packages_program(agent_package: Built, image: Path) -> None:
    words = ("install", "--collector", "https://collector.example:8420", "--root", str(image), "--dry-run")
    done = _run(agent_package.program, *words)
    assert done.returncode == 0, done.stderr
    assert f"runs `{agent_package.program} run` as ictagent" in done.stdout


@pytest.mark.parametrize("before", [None, "/opt/somebodys/lib"])
def test_programs_that_it_runs_see_their_own_libraries(
    agent_package: Built, image: Path, tmp_path: Path, before: str | None
) -> None:
    systemctl = tmp_path / "programs/systemctl"
    systemctl.parent.mkdir()
    systemctl.write_text(
        f'#!/bin/sh\necho "libraries: ${{LD_LIBRARY_PATH-none}}" >>{tmp_path}/seen\necho "systemd 252"\n'
    )
    systemctl.chmod(0o755)
    extra = {"PATH": f"{systemctl.parent}:{os.environ['PATH']}"}
    extra |= {"LD_LIBRARY_PATH": before} if before else {}
    assert _run(agent_package.program, "uninstall", "--root", str(image), "--dry-run", extra=extra).returncode == 0
    assert set((tmp_path / "seen").read_text().splitlines()) == {f"libraries: {before or 'none'}"}


def test_the_packaged_doctor_finds_all_parts_its_own(collector_program: Path) -> None:
    checks = json.loads(_run(collector_program, "doctor", "--output", "json").stdout)["checks"]
    found = {one["subject"]: one for one in checks}
    assert found["environment"]["finding"] == "all parts are ictagent's own"


def test_the_packaged_program_runs_agent_collector_and_pages_at_once(collector_program: Path, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    words = ["up", "--listen", f"127.0.0.1:{port}", "--state-directory", str(tmp_path / "state")]
    with log.open("wb") as output:
        process = subprocess.Popen([str(collector_program), *words], stdout=output, stderr=output, env=environment())
    try:
        wait_until(lambda: "this host: " in log.read_text() or process.poll() is not None, "the host's line")
        assert " W (" in log.read_text(), tail(log)
        page = urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10).read().decode()
        assert "<title>Estate - ictagent" in page
        children = psutil.Process(process.pid).children()
        assert [Path(child.exe()) for child in children] == [collector_program.resolve()]
    finally:
        stop(process)
    assert "stopped; the data are kept" in log.read_text()
    assert not [child for child in children if child.is_running()]


def test_the_packaged_collector_speaks_to_postgresql(collector_program: Path, tmp_path: Path) -> None:
    if binaries() is None:
        missing("PostgreSQL (Debian's postgresql)")
    with postgres(tmp_path / "server") as url:
        port, log = free_port(), tmp_path / "log"
        words = ["--database", url, "--listen", f"127.0.0.1:{port}", "--state-directory", str(tmp_path / "state")]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(collector_program), "collector", "run", *words],
                stdout=output,
                stderr=output,
                env=environment(),
            )
        try:
            wait_until(lambda: process.poll() is not None or _answers(port), "its answer")
            assert process.poll() is None, tail(log)
        finally:
            stop(process)


def _answers(port: int) -> bool:
    return bool(urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).status == 200)
