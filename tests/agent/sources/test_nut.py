"""A UPS of this host, by NUT's real server with its dummy driver, and by servers that answer badly."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.settings import AgentSettings
from agent.sources import nut
from agent.sources.nut import Server, listening, power
from tests.agent import trees
from tests.agent.sources.outcomes import data, failure, reason
from tests.servers.process import free_port, stop, wait_until
from tests.servers.upsd import upsd

MEASURING = {"ups.status": "OL", "ups.realpower": "212", "ups.load": "40", "ups.realpower.nominal": "540"}
BY_LOAD = {"ups.status": "OL", "ups.load": "13", "ups.realpower.nominal": "540"}


def variables(path: Path) -> dict[str, str]:
    lines = (line.partition(":") for line in path.read_text().splitlines())
    return {name: value.strip() for name, _, value in lines if value}


def test_a_ups_is_a_meter_of_what_it_feeds_unless_it_feeds_this_host_alone(tmp_path: Path) -> None:
    with upsd(tmp_path, {"rack": MEASURING}) as server:
        [shown] = data(Server("127.0.0.1", server.port, alone=False).read()).values()
        assert (shown.name, shown.covers, shown.value, shown.origin) == ("nut/rack", "ups_output", 212.0, "")
        [own] = data(Server("127.0.0.1", server.port, alone=True).read()).values()
        assert (own.name, own.covers, own.value) == ("nut/rack", "machine_ac", 212.0)


def test_a_captured_ups_without_real_power_is_estimated_from_its_load_and_says_so(tmp_path: Path, shared: Path) -> None:
    captured = variables(shared / "hosts/upsd/CyberPowerSystems_CP900EPFCLCD/variables.dev")
    with upsd(tmp_path, {"cp900": captured}) as server:
        outcome = Server("127.0.0.1", server.port, alone=True).read()
    [one] = data(outcome).values()
    assert one.value == pytest.approx(0.13 * 540)
    assert one.origin == "nut_load"
    assert getattr(outcome, "note", "") == "cp900: estimated from its load and its nominal 540 W"


def test_two_supplies_feed_the_machine_together_or_not_at_all(tmp_path: Path) -> None:
    with upsd(tmp_path, {"a": MEASURING, "b": BY_LOAD}) as server:
        asking = Server("127.0.0.1", server.port, alone=True)
        assert {name: one.value for name, one in data(asking.read()).items()} == {
            "nut/a": 212.0,
            "nut/b/load": pytest.approx(70.2),
        }
        stop(server.driver)
        wait_until(lambda: not hasattr(asking.read(), "value"), "the server notices that a driver is gone")
        why, remedy = failure(asking.read())
        assert why.startswith("a: its driver")
        assert "upsdrvctl" in remedy
        # What only shows its output can go on without the other.
        assert list(data(Server("127.0.0.1", server.port, alone=False).read())) == ["nut/b/load"]


def test_a_pdu_behind_the_ups_is_not_added_to_it(tmp_path: Path) -> None:
    with upsd(tmp_path, {"ups": MEASURING, "pdu": {**MEASURING, "device.type": "pdu"}}) as server:
        assert list(data(Server("127.0.0.1", server.port, alone=True).read())) == ["nut/ups"]
        assert len(data(Server("127.0.0.1", server.port, alone=False).read())) == 2


def test_a_ups_that_measures_nothing_is_absent_and_says_what_it_lacks(tmp_path: Path) -> None:
    with upsd(tmp_path, {"old": {"ups.status": "OL", "ups.load": "20"}, "older": {"ups.status": "OL"}}) as server:
        assert "ups.realpower.nominal" in reason(Server("127.0.0.1", server.port, alone=False).read())


def test_a_host_without_a_server_has_no_ups_and_none_is_connected_to(tmp_path: Path) -> None:
    assert reason(Server("127.0.0.1", free_port(), alone=False).read()) == "no NUT server (upsd) answers on this host"
    trees.write(
        tmp_path,
        {
            "proc/net/tcp": "  sl  local_address rem_address   st\n   0: 00000000:0016 00000000:0000 0A\n"
            "   1: 0100007F:0DA5 0100007F:0016 01"
        },
    )
    assert not listening(tmp_path, 3493)
    trees.write(tmp_path, {"proc/net/tcp6": "  sl\n   0: 00000000000000000000000001000000:0DA5 0000:0000 0A"})
    assert listening(tmp_path, 3493)


def test_the_kernels_table_shows_who_listens_here() -> None:
    # More than the page that the kernel gives at a time.
    with contextlib.ExitStack() as open_ones:
        ports = [open_ones.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(60)]
        assert [port for port in ports if not listening(Path("/"), port)] == []
    source = nut.make(AgentSettings(nut_address=f"127.0.0.1:{free_port()}"), Path("/"))
    assert reason(source.read()) == "no NUT server (upsd) runs on this host"


@pytest.mark.parametrize(
    ("found", "watts"),
    [
        ({"ups.realpower": "100", "output.realpower": "90"}, 100.0),
        ({"output.realpower": "90", "ups.load": "99", "ups.realpower.nominal": "900"}, 90.0),
        ({"ups.realpower": "N/A", "ups.load": "50", "ups.realpower.nominal": "900"}, 450.0),
        ({"ups.realpower": "nan", "ups.load": "-1", "ups.realpower.nominal": "900"}, None),
        ({"ups.realpower": "inf"}, None),
        ({"ups.load": "50", "ups.realpower.nominal": "0"}, None),
        ({"ups.load": "50", "ups.power.nominal": "900"}, 337.5),
        ({"ups.load": "50"}, None),
        ({"ups.realpower": "0", "ups.load": "50", "ups.realpower.nominal": "900"}, 450.0),
        ({"ups.realpower": "0", "output.realpower": "88", "ups.load": "10"}, 88.0),
        ({"ups.realpower": "0", "ups.load": "0", "ups.realpower.nominal": "900"}, 0.0),
        ({"ups.load": "0", "ups.realpower.nominal": "900"}, 0.0),
        ({f"ups.L{phase}.realpower": "100" for phase in (1, 2, 3)}, 300.0),
        ({"output.L1.realpower": "100", "output.L2.realpower": "100"}, None),
        ({"ups.power": "500", "ups.load": "50", "ups.power.nominal": "1500"}, 450.0),
        ({"ups.power": "500", "output.powerfactor": "0.8"}, 400.0),
        ({"ups.power": "500", "output.powerfactor": "80"}, 450.0),
        ({f"output.L{phase}.power": "100" for phase in (1, 2, 3)}, 270.0),
        ({"output.voltage": "230.0", "output.current": "2.00"}, 414.0),
        ({"output.voltage": "230.0", "output.current": "2.00", "output.phases": "3"}, None),
        ({"output.voltage": "230.0", "output.current": "0.0"}, None),
        ({}, None),
    ],
)
def test_real_power_is_taken_before_what_follows_from_the_load(found: dict[str, str], watts: float | None) -> None:
    assert power(found)[0] == (watts if watts is None else pytest.approx(watts))


@pytest.mark.parametrize(
    ("found", "how"),
    [
        ({"ups.realpower": "100", "ups.power": "120"}, ""),
        ({"ups.power": "500"}, "estimated from its 500 VA and a power factor of 0.9"),
        (
            {"ups.load": "50", "ups.power.nominal": "900"},
            "estimated from its load and its nominal 900 VA at 0.75 W a VA",
        ),
    ],
)
def test_what_is_reckoned_says_from_what(found: dict[str, str], how: str) -> None:
    assert power(found)[1] == how


# Servers that answer badly


@contextmanager
def saying(answer: bytes, *, for_ever: bool = False, then_hang: bool = False) -> Iterator[int]:
    """A server that says this to whoever connects, whatever is asked."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.sendall(answer)
                while for_ever and not ended.is_set():
                    connection.sendall(answer)
                if not then_hang:
                    connection.shutdown(socket.SHUT_WR)
                # Closed with questions unread, the connection would lose what was said.
                while connection.recv(4096):
                    continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            ended.set()
            server.close()
            thread.join(5)


LISTED = b'BEGIN LIST UPS\nUPS x "y"\nEND LIST UPS\n'


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"ERR ACCESS-DENIED\n", "does not let this host ask"),
        (b"ERR \xff\xfe\n", "the server refuses: "),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "the answer is not NUT's: 'HTTP/1.1 400 Bad Request'"),
        (b"BEGIN LIST UPS\n", "it ended the connection"),
        (b"", "it ended the connection"),
        (LISTED + b"ERR DATA-STALE\n", "x: its driver has lost the UPS (DATA-STALE)"),
        (LISTED + b"BEGIN LIST VAR z\n", "x: the answer is not NUT's"),
        (b"a" * 100_000, "its answer has no end"),
    ],
)
def test_a_bad_answer_is_a_failure_that_says_what_it_was(answer: bytes, why: str) -> None:
    with saying(answer) as port:
        assert why in failure(Server("127.0.0.1", port, alone=False).read())[0]


def test_an_answer_without_end_is_cut_off() -> None:
    with saying(b'BEGIN LIST UPS\nUPS x "y"\n' + b'UPS x "y"\n' * 1000, for_ever=True) as port:
        assert "no end" in failure(Server("127.0.0.1", port, alone=False).read())[0]


def test_a_server_that_hangs_is_given_up() -> None:
    with saying(b"BEGIN LIST UPS\n", then_hang=True) as port:
        began = time.monotonic()
        why, _ = failure(Server("127.0.0.1", port, alone=False, timeout_seconds=0.3).read())
    assert why == "the NUT server cannot be read: it did not answer in time"
    assert time.monotonic() - began < 2


def test_names_and_values_that_are_none_are_passed_over() -> None:
    lines = b'UPS ../etc "x"\nUPS  "x"\nUPS ok "a \\"b\\" c"\nEND LIST UPS\nBEGIN LIST VAR ok\n'
    values = b'VAR ok ups.realpower "1\\"2"\nVAR other ups.realpower "5"\nVAR ok ups.realpower "77"\nEND LIST VAR ok\n'
    with saying(b"BEGIN LIST UPS\n" + lines + values, then_hang=True) as port:
        found = data(Server("127.0.0.1", port, alone=False).read())
    assert {name: one.value for name, one in found.items()} == {"nut/ok": 77.0}


def test_a_ups_that_feeds_this_running_host_with_nothing_is_not_believed() -> None:
    values = b'BEGIN LIST VAR x\nVAR x ups.realpower "0"\nEND LIST VAR x\n'
    with saying(LISTED + values, then_hang=True) as port:
        assert "it reads 0 W, and this host runs" in failure(Server("127.0.0.1", port, alone=True).read())[0]
