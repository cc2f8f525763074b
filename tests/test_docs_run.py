"""The quick starts and the API's examples do what their pages say: run line by line, by real programs, in one folder."""

import json
import os
import re
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.names import COMMON_TAGS, MEASUREMENTS
from collector.lines import parse_key
from collector.stores.embedded import EmbeddedStore
from tests.documentation import DOCS
from tests.servers.ictagent import ICTAGENT, Program, environment
from tests.servers.process import free_port, listening, wait_until

TODAY = time.strftime("%Y-%m-%d", time.gmtime())


def shown(page: str) -> list[tuple[str, str]]:
    """The commands of a page's console blocks with what the block shows after each."""
    text = (DOCS / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [
        (command.strip(), answer.strip())
        for block in blocks
        for command, _, answer in (part.partition("\n") for part in block.split("$ ")[1:] if not part.startswith("("))
    ]


class Desk:
    """A folder in which pages are followed, with a collector and an agent that its commands start."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.device_id = "DEVICE"
        self.running: list[Program] = []

    def run(self, line: str) -> str:
        """One line of a page, to its end; what it printed. It has no terminal: a password that it asks for is the account's."""
        done = subprocess.run(
            ["bash", "-euc", self._here(line)],
            cwd=self.folder,
            env=self._environment(),
            input=(self.folder / "password").read_text() if "--account" in line else "",
            start_new_session=True,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout.strip()

    def begin(self, line: str, name: str) -> None:
        """One line that goes on until it is ended, as in another terminal."""
        words = self._here(line).split()
        extra = self._environment()
        program = Program(self.folder, name, words[1:], extra, prefix=["env", "-C", str(self.folder)])
        program.begin()
        self.running.append(program)

    def stop(self) -> None:
        for program in reversed(self.running):
            program.stop()

    def _here(self, line: str) -> str:
        here = line.replace("127.0.0.1:8420", f"127.0.0.1:{self.port}").replace("2026-11-24", TODAY)
        return re.sub(r"67e708bd344a|\bDEVICE\b", self.device_id, here)

    def _environment(self) -> dict[str, str]:
        path = f"{ICTAGENT.parent}:{os.environ['PATH']}"
        settings = {"ICTAGENT_COLLECTOR_LISTEN": f"127.0.0.1:{self.port}", "ICTAGENT_INTERVAL_SECONDS": "1"}
        places = {"ICTAGENT_REPORT_SECONDS": "1", "ICTAGENT_COLLECTOR_STATE_DIRECTORY": str(self.folder / "collector")}
        return environment({"PATH": path, **settings, **places})


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The infrastructure quick start followed up to a host that reports."""
    one = Desk(tmp_path_factory.mktemp("desk"))
    try:
        for line, _ in shown("quick-start-infrastructure.md"):
            if line.startswith("ictagent collector run"):
                one.begin(line, "collector")
                wait_until(lambda: listening(one.port), "the collector")
            elif line.startswith("ictagent run"):
                one.begin(line, "agent")
                wait_until(lambda: _power(one) is not None, "the host's power")
                break
            else:
                one.run(line)
        one.device_id = _devices(one)[0]["device_id"]
        (one.folder / "key").write_bytes((one.folder / "agent" / "key").read_bytes())
        yield one
    finally:
        one.stop()


def _devices(desk: Desk) -> list[dict[str, Any]]:
    answer = desk.run('curl -s -H "Authorization: Bearer $(cat read-token)" http://127.0.0.1:8420/v1/devices')
    found: list[dict[str, Any]] = json.loads(answer)["devices"]
    return found


def _power(desk: Desk) -> float | None:
    found = _devices(desk)
    return found[0]["power_watts"] if found else None


def test_the_infrastructure_quick_start_works_as_written(desk: Desk) -> None:
    lines = [line for line, _ in shown("quick-start-infrastructure.md")]
    after = lines[next(at for at, line in enumerate(lines) if line.startswith("ictagent run")) + 1 :]
    token_id = (desk.folder / "token").read_text().partition(".")[0]
    for line in after:
        printed = desk.run(line.replace("TOKEN_ID", token_id))
        if "estate set" in line:
            assert printed == f"{desk.device_id} is set"
    [device] = _devices(desk)
    expected = {"site": "County Hall", "space": "Room 2", "owner": "Platform team", "directorate": "Corporate services"}
    assert {name: device[name] for name in expected} == expected


@pytest.mark.parametrize("page", ["api.md", "quick-start-sustainability.md"])
def test_examples_by_curl_answer_as_their_page_says(desk: Desk, page: str) -> None:
    examples = shown(page)
    assert len(examples) >= 3
    for line, expected in examples:
        printed = desk.run(line)
        assert '"error"' not in printed, f"{line}\n{printed}"
        if expected and "whoami" not in line:
            assert printed == expected
        if "/v1/" in line or "json" in line:
            json.loads(printed)


def test_a_report_written_by_hand_is_a_repetition_the_second_time(desk: Desk) -> None:
    [line] = [line for line, _ in shown("api.md") if "/v1/reports" in line]
    line = line.replace("a-first-stream", "a-second-stream")
    assert json.loads(desk.run(line))["duplicate"] is False
    assert json.loads(desk.run(line))["duplicate"] is True


def test_refused_lines_can_be_looked_after_as_the_storage_page_says(desk: Desk) -> None:
    lines = [line for line, _ in shown("storage.md") if "deadletter" in line]
    assert len(lines) == 3
    for line in lines:
        desk.run(line)


def test_what_is_written_is_what_the_measurements_page_lists(desk: Desk) -> None:
    store = EmbeddedStore(desk.folder / "collector" / "points.db")
    try:
        written = {name: store.latest(name) for name in MEASUREMENTS}
    finally:
        store.close()
    with closing(sqlite3.connect(desk.folder / "collector" / "points.db")) as connection:
        keys = [key for (key,) in connection.execute("SELECT key FROM series")]
    assert {parse_key(key)[0] for key in keys} <= set(MEASUREMENTS)
    always = {"hw_host", "system_cpu", "system_memory", "ictagent_agent", "ictagent_source", "ictagent_collector"}
    assert {name for name, found in written.items() if found} >= always
    for name, found in written.items():
        fields = {field.name for field in MEASUREMENTS[name].fields}
        for series in found:
            assert set(series.tags) <= {*COMMON_TAGS, *MEASUREMENTS[name].tags}
            assert set(series.points[0][1]) <= fields
