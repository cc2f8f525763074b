"""`ictagent up` as a newcomer runs it: figures within seconds, a clean end, the same data after the next start."""

import json
import os
import re
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.servers.ictagent import Program, request
from tests.servers.process import free_port, wait_until

Keep = Callable[[Program], Program]
FIRST_FIGURES_SECONDS = 15.0
NUMBER = r"(\d+(?:\.\d+)?)"
HOST_LINE = re.compile(
    rf"this host: {NUMBER} W \((measured|estimated|mixed), {NUMBER} to {NUMBER}(; virtual machine, host missing)?\), "
    rf"{NUMBER} kg CO2e per hour \(Scope 2 {NUMBER}, Scope 3 {NUMBER}; (UK electricity \d{{4}}(?:, provisional)?); "
    r"(no PUE: space not set|PUE [\d.]+, .+)\)"
)


class Up:
    """`ictagent up` on a port and in a folder of its own."""

    def __init__(self, keep: Keep, directory: Path, port: int | None = None) -> None:
        self.directory = directory
        self.port = port or free_port()
        options = ["--listen", f"127.0.0.1:{self.port}", "--state-directory", str(directory / "state")]
        self.program = keep(Program(directory, f"up-{self.port}", ["up", *options]))

    def start(self) -> float:
        """Start it; seconds until it had printed the host's line."""
        lines = self.program.printed.count("this host:")
        began = time.monotonic()
        self.program.begin()
        wait_until(
            lambda: self.program.printed.count("this host:") > lines,
            f"the host's line; it said {self.program.said[-2000:]}",
        )
        return time.monotonic() - began

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        return request(self.port, "GET", path, {name.replace("_", "-"): value for name, value in headers.items()})

    def devices(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.get("/v1/devices")[1])["devices"]
        return found

    @property
    def agent(self) -> int:
        """The process id of its agent."""
        children = Path(f"/proc/{self.program.pid}/task/{self.program.pid}/children").read_text().split()
        assert len(children) == 1
        return int(children[0])


@pytest.fixture
def up(keep: Keep, tmp_path: Path) -> Up:
    return Up(keep, tmp_path)


def energy_uj(device: dict[str, Any]) -> int:
    """Microjoules of a device in this financial year."""
    year: dict[str, int] = device["financial_year"]
    return year["measured_uj"] + year["estimated_uj"]


def running(pid: int) -> bool:
    """Whether a process runs; one that ended and was not waited for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_address_and_first_figures_come_within_fifteen_seconds_and_the_parts_add_up(up: Up) -> None:
    assert up.start() < FIRST_FIGURES_SECONDS
    assert f"pages: http://127.0.0.1:{up.port}" in up.program.printed
    match = HOST_LINE.search(up.program.printed)
    assert match is not None, up.program.printed
    watts, low, high = (float(match[at]) for at in (1, 3, 4))
    assert 0 < low <= watts <= high
    total, scope_2, scope_3 = (float(match[at]) for at in (6, 7, 8))
    assert total == pytest.approx(scope_2 + scope_3, rel=1e-9), "scope lines add up to the total as printed"
    # UK grid electricity, all four lines together, lies between 0.15 and 0.5 kg a kWh in every year we know.
    assert 0.15 < total / (watts / 1000) < 0.5
    for path, words in (("/", "Estate"), ("/carbon", "Scope 3"), ("/quality", "source"), ("/healthz", "ok")):
        status, text = up.get(path)
        assert status == 200, path
        assert words in text, path
    [device] = up.devices()
    status, text = up.get(f"/devices/{device['device_id']}")
    assert status == 200
    assert device["host_name"] in text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_it_cleanly_and_the_next_start_goes_on_with_the_same_data(up: Up, number: signal.Signals) -> None:
    up.start()
    agent = up.agent
    [before] = up.devices()
    assert up.program.stop(number) == 0
    assert "Traceback" not in up.program.said
    assert "the data are kept in" in up.program.said
    assert not running(agent)
    up.start()
    [after] = up.devices()
    assert after["device_id"] == before["device_id"]
    assert energy_uj(after) > energy_uj(before) > 0
    assert up.program.stop(signal.SIGINT) == 0
    assert "dropped" not in up.program.said


def test_killed_it_leaves_no_agent_behind_and_starts_again_with_the_same_data(up: Up) -> None:
    up.start()
    agent = up.agent
    [before] = up.devices()
    up.program.kill()
    wait_until(lambda: not running(agent), "the end of the agent whose parent is gone", 10)
    up.start()
    [after] = up.devices()
    assert after["device_id"] == before["device_id"]
    assert "Traceback" not in up.program.said


def test_a_taken_port_is_named_and_nothing_is_begun(up: Up, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", up.port)):
        up.program.begin()
        assert up.program.process is not None
        assert up.program.process.wait(15) == 1
    assert f"127.0.0.1:{up.port} cannot be listened at: Address already in use" in up.program.said
    assert "--listen" in up.program.said
    assert "Traceback" not in up.program.said
    assert not (tmp_path / "state/agent").exists()


def test_a_second_one_on_the_same_data_is_refused_by_name(up: Up, keep: Keep, tmp_path: Path) -> None:
    up.start()
    second = Up(keep, tmp_path)
    second.program.begin()
    assert second.program.process is not None
    assert second.program.process.wait(15) == 1
    assert "another collector uses the state directory" in second.program.said
    assert up.get("/healthz")[0] == 200


def test_an_agent_that_ends_by_itself_is_told(up: Up) -> None:
    up.start()
    os.kill(up.agent, signal.SIGKILL)
    up.program.wait_said("the agent has ended (status -9)")


def test_pages_of_other_origins_and_rebound_names_are_refused(up: Up) -> None:
    up.start()
    own = f"127.0.0.1:{up.port}"
    for path in ("/", "/v1/devices", "/v1/energy", "/metrics"):
        assert up.get(path, Host=own)[0] == 200
        assert up.get(path, Host=own, Origin=f"http://{own}")[0] == 200
        for headers in (
            {"Host": f"council.example:{up.port}"},
            {"Host": f"127.0.0.1.council.example:{up.port}"},
            {"Host": f"192.0.2.7:{up.port}"},
            {"Host": own, "Origin": "http://council.example"},
            {"Host": own, "Origin": "null"},
            {"Host": own, "Origin": f"http://localhost:{up.port}"},
            {"Host": own, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
            {"Host": own, "X-Forwarded-For": "127.0.0.1"},
            {"Host": own, "Forwarded": "for=127.0.0.1"},
        ):
            status, text = request(up.port, "GET", path, headers)
            assert status == 403, (path, headers)
            assert '"code":"forbidden"' in text
            assert "device_id" not in text
    for headers in ({"Host": own, "Origin": "http://council.example"}, {"Host": f"council.example:{up.port}"}):
        status, _ = request(up.port, "POST", "/v1/enrol", headers, b'{"token":"a.b","host_name":"x","kind":"host"}')
        assert status == 403
