"""Traps and informs from the wire to events, polls, pages and points, sent by net-snmp's own programs."""

import contextlib
import csv
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from agent.cli import main
from collector.database.schema import diagnosis
from collector.settings import CollectorSettings
from collector.snmp.asked import AskedPoll, asked_polls, note_asked
from collector.snmp.ber import OCTETS, SEQUENCE, integer_part, oid_part, part
from collector.snmp.devices import (
    NewDevice,
    PolledDevice,
    PollOutcome,
    add_device,
    find_polled,
    last_reading,
    note_polls,
)
from collector.snmp.traps.listener import EVENTS_AT_ONCE
from collector.snmp.traps.notification import INFORM, SNMP_TRAP_OID
from collector.snmp.traps.record import Event, events_of
from tests.collector.web.served import Served, serving
from tests.conftest import missing
from tests.servers.process import wait_until
from tests.servers.snmpd import Snmpd, available

USER = (
    "-l",
    "authPriv",
    "-u",
    "trapper",
    "-a",
    "SHA-256",
    "-A",
    "authentication-1",
    "-x",
    "AES",
    "-X",
    "privacy-word-2",
)
SECURE = 'version = "v3"\nuser = "trapper"\nauth_password = "authentication-1"\npriv_password = "privacy-word-2"\n'
COLD_START, ON_BATTERY = "1.3.6.1.6.3.1.1.5.1", "1.3.6.1.2.1.33.2.1"
WORDS = ("1.3.6.1.4.1.55555.1.0", "s", "rack 4")


class Traps:
    """A collector that hears traps, its devices, and the programs that send them."""

    def __init__(self, folder: Path, served: Served) -> None:
        self.folder, self.served, self.collector = folder, served, served.collector
        wait_until(lambda: self.state.listening, "the child to listen")
        self.port = int(self.state.listening[0].rpartition(":")[2])

    @property
    def state(self) -> Any:
        return self.collector.traps.state

    def device(self, host: str, credential: str = "public", port: int = 161, engine_id: str = "", **more: Any) -> str:
        """Add a device and wait until the child knows it."""
        with self.collector.database.write() as connection:
            wanted = NewDevice(host, port, credential, name=f"device {host}", timeout_seconds=0.5, retries=0, **more)
            device_id = add_device(connection, wanted, "test")
            if engine_id:
                reading = json.dumps({"identity": {"engine_id": engine_id}})
                note_polls(connection, [PollOutcome(device_id, 1, "ok", reading=reading)])
        return device_id

    def send(
        self, *words: str, source: str = "127.0.0.1", program: str = "snmptrap"
    ) -> "subprocess.CompletedProcess[str]":
        """Send a notification from an address of this machine."""
        environment = {**os.environ, "MIBS": "", "SNMP_PERSISTENT_DIR": str(self.folder / "kept")}
        command = [program, "--clientaddr=" + source, *words]
        return subprocess.run(command, env=environment, text=True, capture_output=True, timeout=30, check=False)

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    def trap(self, oid: str, *variables: str, source: str = "127.0.0.1", community: str = "public") -> None:
        self.send("-v2c", "-c", community, self.target, "", oid, *variables, source=source)

    def inform(self, *words: str, source: str = "127.0.0.1", retries: int = 0) -> int:
        """Whether it was answered: 0."""
        return self.send("-r", str(retries), "-t", "2", *words, source=source, program="snmpinform").returncode

    def events(self, device_id: str) -> list[Event]:
        with self.collector.database.read() as connection:
            return events_of(connection, [device_id], 100)

    def polled(self, device_id: str) -> PolledDevice:
        with self.collector.database.read() as connection:
            return find_polled(connection, device_id)

    def diagnoses(self, device_id: str) -> list[Any]:
        with self.collector.database.read() as connection:
            return list(connection.execute(select(diagnosis).where(diagnosis.c.device_id == device_id)))

    def refused(self, reason: str) -> int:
        return int(self.state.refused[reason])


@pytest.fixture(scope="module")
def traps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traps]:
    if not available() or not shutil.which("snmptrap"):
        missing("net-snmp (Debian packages snmpd and snmp)")
    folder = tmp_path_factory.mktemp("traps")
    credentials = folder / "credentials"
    credentials.mkdir()
    for name, content in (("secure", SECURE), ("ups", 'version = "v1"\ncommunity = "cards"\n')):
        (credentials / f"{name}.toml").write_text(content)
        (credentials / f"{name}.toml").chmod(0o600)
    settings = CollectorSettings(
        state_directory=folder / "state", snmp_credentials=str(credentials), snmp_trap_listen=("127.0.0.1:0",)
    )
    with serving(folder / "state", settings=settings) as served:
        yield Traps(folder, served)


def inform_packet(community: str, oid: str, request_id: int) -> bytes:
    """An inform of v2c, as net-snmp would send it."""
    variable = part(SEQUENCE, oid_part(SNMP_TRAP_OID), oid_part(oid))
    pdu = part(INFORM, integer_part(request_id), integer_part(0), integer_part(0), part(SEQUENCE, variable))
    return part(SEQUENCE, integer_part(1), part(OCTETS, community.encode()), pdu)


def known(traps: Traps, *device_ids: str) -> None:
    """Wait until the child has heard of the devices: what it does not know it refuses as of unknown senders."""
    wait_until(lambda: set(device_ids) <= set(traps.collector.traps.known), "the child to know the devices")


def test_a_trap_of_each_version_is_kept_as_an_event(traps: Traps) -> None:
    v1, v2c, v3 = (
        traps.device("127.0.1.1", "ups"),
        traps.device("127.0.1.2"),
        traps.device("127.0.1.3", "secure"),
    )
    known(traps, v1, v2c, v3)
    version_1 = ("-v1", "-c", "cards", traps.target, "1.3.6.1.2.1.33.2", "192.0.2.1", "6", "1", "100")
    traps.send(*version_1, *WORDS, source="127.0.1.1")
    traps.trap(ON_BATTERY, *WORDS, source="127.0.1.2")
    traps.send("-v3", *USER, "-e", "0x8000000001020304", traps.target, "", ON_BATTERY, *WORDS, source="127.0.1.3")
    for device_id in (v1, v2c, v3):
        wait_until(lambda: traps.events(device_id), "the event")  # noqa: B023  # it is waited for here
        event = traps.events(device_id)[0]
        assert (event.code, event.severity, event.count) == ("ups_on_battery", "critical", 1)
        assert event.detail == "the UPS runs on its battery: rack 4"
        assert abs(event.at - time.time()) < 60


def test_an_inform_of_v2c_and_of_v3_is_answered_when_it_is_kept(traps: Traps) -> None:
    v2c, v3 = traps.device("127.0.2.1"), traps.device("127.0.2.2", "secure")
    known(traps, v2c, v3)
    assert traps.inform("-v2c", "-c", "public", traps.target, "", ON_BATTERY, source="127.0.2.1") == 0
    assert traps.inform("-v3", *USER, traps.target, "", ON_BATTERY, source="127.0.2.2") == 0
    # Nothing to wait for: what was answered is on disk.
    assert [one.code for device_id in (v2c, v3) for one in traps.events(device_id)] == ["ups_on_battery"] * 2


def test_an_inform_sent_twice_counts_once_and_is_answered_twice(traps: Traps) -> None:
    device_id = traps.device("127.0.2.3")
    known(traps, device_id)
    packet = inform_packet("public", ON_BATTERY, request_id=4711)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.settimeout(0.5)
        one.bind(("127.0.2.3", 0))
        one.connect(("127.0.0.1", traps.port))
        answers: list[bytes] = []

        def answered() -> bool:
            # Sent as a device does: again where nothing came, as the child may only be about to hear of the device.
            one.send(packet)
            with contextlib.suppress(TimeoutError):
                answers.append(one.recv(65536))
            return len(answers) == 2

        wait_until(answered, "two answers")
    assert answers[0] == answers[1] == packet.replace(b"\xa6", b"\xa2", 1)
    assert [event.count for event in traps.events(device_id)] == [1]


def test_what_comes_again_within_a_minute_is_counted_and_not_written_again(traps: Traps) -> None:
    device_id = traps.device("127.0.2.4")
    known(traps, device_id)
    for _ in range(3):
        assert traps.inform("-v2c", "-c", "public", traps.target, "", ON_BATTERY, source="127.0.2.4") == 0
    assert traps.inform("-v2c", "-c", "public", traps.target, "", ON_BATTERY, *WORDS, source="127.0.2.4") == 0
    assert sorted((event.count, event.detail) for event in traps.events(device_id)) == [
        (1, "the UPS runs on its battery: rack 4"),
        (3, "the UPS runs on its battery"),
    ]


def test_senders_that_are_not_known_and_wrong_credentials_are_counted_and_dropped(traps: Traps) -> None:
    v2c, v3 = traps.device("127.0.3.1"), traps.device("127.0.3.2", "secure", engine_id="8000000001aabbcc")
    other = traps.device("127.0.3.3", "secure", engine_id="8000000001ddeeff")
    known(traps, v2c, v3, other)
    before = traps.state.accepted
    weak = ("-l", "authNoPriv", *USER[2:8])
    wrong_password = [word.replace("authentication-1", "authentication-2") for word in USER]
    engine = ("-e", "0x8000000001aabbcc")
    sent: dict[str, Callable[[], object]] = {
        "unknown_sender": lambda: traps.trap(ON_BATTERY, source="127.0.3.77"),
        "wrong_community": lambda: traps.trap(ON_BATTERY, source="127.0.3.1", community="private"),
        "wrong_version": lambda: traps.trap(ON_BATTERY, source="127.0.3.2"),
        "wrong_level": lambda: traps.send("-v3", *weak, *engine, traps.target, "", ON_BATTERY, source="127.0.3.2"),
        "wrong_digest": lambda: traps.send(
            "-v3", *wrong_password, *engine, traps.target, "", ON_BATTERY, source="127.0.3.2"
        ),
        "foreign_engine": lambda: traps.send("-v3", *USER, *engine, traps.target, "", ON_BATTERY, source="127.0.3.3"),
        "not_a_notification": lambda: traps.send(
            "-v2c", "-c", "public", "-r", "0", "-t", "0.1", traps.target, "1.3.6", source="127.0.3.1", program="snmpget"
        ),
    }
    counts = {reason: traps.refused(reason) for reason in sent}
    for send in sent.values():
        send()
    wait_until(lambda: all(traps.refused(one) == count + 1 for one, count in counts.items()), "all to be counted")
    assert traps.inform("-v2c", "-c", "private", traps.target, "", ON_BATTERY, source="127.0.3.1") == 1
    assert traps.state.accepted == before
    assert [traps.events(device_id) for device_id in (v2c, v3, other)] == [[], [], []]
    wait_until(lambda: traps.diagnoses(v2c), "the diagnosis")
    assert traps.diagnoses(v2c)[0].code == "trap_refused"
    assert "another community" in traps.diagnoses(v2c)[0].detail
    metrics = traps.served.client.get("/metrics").text
    assert 'ictagent_traps_refused_total{reason="foreign_engine"} 1' in metrics


def test_garbage_and_a_flood_are_borne_and_a_quiet_device_is_still_heard(traps: Traps) -> None:
    loud, quiet = traps.device("127.0.4.1"), traps.device("127.0.4.2")
    known(traps, loud, quiet)
    good = inform_packet("public", ON_BATTERY, request_id=1)
    before, started = traps.refused("not_snmp"), traps.state.starts
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.4.1", 0))
        one.connect(("127.0.0.1", traps.port))
        for cut in range(len(good)):
            one.send(good[:cut])
        one.send(b"\x30\x84\xff\xff\xff\xff" + good)
        wait_until(lambda: traps.refused("not_snmp") > before + len(good) - 2, "the garbage to be counted")
        for number in range(3000):
            one.send(inform_packet("public", f"{ON_BATTERY}.{number}", request_id=number))
    wait_until(lambda: traps.refused("too_fast") > 1000, "the flood to be cut")
    assert traps.inform("-v2c", "-c", "public", traps.target, "", ON_BATTERY, source="127.0.4.2", retries=3) == 0
    assert [one.code for one in traps.events(quiet)] == ["ups_on_battery"]
    assert len(traps.events(loud)) <= EVENTS_AT_ONCE + 20
    assert traps.refused("too_many") > 0
    assert traps.state.starts == started


def test_a_child_that_is_killed_is_started_again_and_hears_all_it_knew(traps: Traps) -> None:
    device_id = traps.device("127.0.5.1", "secure")
    known(traps, device_id)
    words = ("-v3", *USER, traps.target, "", ON_BATTERY)
    assert traps.inform(*words, source="127.0.5.1") == 0
    killed, started = traps.state.child, traps.state.starts
    engine = json.loads((traps.folder / "state" / "snmp-engine.json").read_text())
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: traps.state.starts > started and traps.state.listening, "the next child")
    traps.port = int(traps.state.listening[0].rpartition(":")[2])
    words = ("-v3", *USER, traps.target, "", "1.3.6.1.2.1.33.2.2")
    wait_until(lambda: traps.inform(*words, source="127.0.5.1", retries=1) == 0, "the next child to hear")
    assert len(traps.events(device_id)) == 2
    now = json.loads((traps.folder / "state" / "snmp-engine.json").read_text())
    assert (now["engine_id"], now["boots"]) == (engine["engine_id"], engine["boots"] + 1)
    assert traps.served.client.get("/v1/devices").status_code == 200


def test_an_error_that_nobody_foresaw_ends_hearing_for_a_moment_only(
    traps: Traps, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener, started = traps.collector.traps, traps.state.starts
    look = listener._senders.look
    failures = iter((RuntimeError("nobody foresaw this"),))

    def failing() -> object:
        for error in failures:
            raise error
        return look()

    monkeypatch.setattr(listener._senders, "look", failing)
    wait_until(lambda: "nobody foresaw this" in traps.state.problem, "the problem to be told")
    wait_until(lambda: traps.state.starts > started and traps.state.listening, "the next child")
    assert traps.state.problem == ""
    traps.port = int(traps.state.listening[0].rpartition(":")[2])
    device_id = traps.device("127.0.5.2")
    known(traps, device_id)
    assert traps.inform("-v2c", "-c", "public", traps.target, "", ON_BATTERY, source="127.0.5.2", retries=1) == 0


def test_a_trap_has_its_device_polled_at_once(traps: Traps, agent: Snmpd) -> None:
    # Polled hourly: a poll of its own accord is too far away to be meant.
    hourly: dict[str, Any] = dict.fromkeys(("power_seconds", "utilisation_seconds", "inventory_seconds"), 3600)
    device_id = traps.device("127.0.0.1", port=agent.port, **hourly)
    known(traps, device_id)
    assert traps.polled(device_id).state == "never"
    traps.trap(COLD_START)
    wait_until(lambda: traps.polled(device_id).state == "ok", "the poll that was asked for", 30)
    assert [one.code for one in traps.events(device_id)] == ["cold_start"]


def test_a_poll_that_another_collector_asks_for_is_made_by_the_one_that_polls(traps: Traps, agent: Snmpd) -> None:
    device_id = traps.device("127.0.0.1", port=agent.port, power_seconds=3600)
    traps.collector.poller.ask_again(device_id)
    wait_until(lambda: traps.polled(device_id).state == "ok", "a poll that is asked for before the poller knows it", 30)

    def up_time() -> float:
        with traps.collector.database.read() as connection:
            return float((last_reading(connection, device_id) or {}).get("up_time_seconds", 0))

    def asked() -> list[AskedPoll]:
        with traps.collector.database.read() as connection:
            return asked_polls(connection)

    wait_until(lambda: not asked(), "it to be under way")
    before = up_time()
    with traps.collector.database.write() as connection:
        note_asked(connection, [AskedPoll(device_id, time.time_ns())])
    wait_until(lambda: up_time() > before, "the poll", 30)
    wait_until(lambda: not asked(), "it to be asked for no longer")


def test_links_and_unknown_notifications(traps: Traps) -> None:
    device_id = traps.device("127.0.6.1")
    known(traps, device_id)
    accepted = traps.state.accepted
    traps.trap("1.3.6.1.6.3.1.1.5.3", "1.3.6.1.2.1.2.2.1.1.7", "i", "7", source="127.0.6.1")
    wait_until(lambda: traps.state.accepted > accepted, "the link to be heard")
    assert (
        traps.inform("-v2c", "-c", "public", traps.target, "", "1.3.6.1.4.1.99999.0.7", *WORDS, source="127.0.6.1") == 0
    )
    assert [(one.code, one.oid, one.severity) for one in traps.events(device_id)] == [
        ("notification", "1.3.6.1.4.1.99999.0.7", "info")
    ]


def test_pages_api_command_and_points_show_events(traps: Traps) -> None:
    device_id = traps.device("127.0.7.1")
    known(traps, device_id)
    markup = ("1.3.6.1.4.1.55555.1.0", "s", "<b>=rack</b>")
    assert traps.inform("-v2c", "-c", "public", traps.target, "", ON_BATTERY, *markup, source="127.0.7.1") == 0
    page = traps.served.client.get(f"/devices/{device_id}").text
    assert "The UPS runs on its battery: &lt;b&gt;=rack&lt;/b&gt;." in page
    told = traps.served.client.get(f"/v1/devices/{device_id}/events?limit=5").json()["events"]
    assert [(one["code"], one["count"], one["oid"]) for one in told] == [("ups_on_battery", 1, ON_BATTERY)]
    assert traps.served.client.get(f"/v1/devices/{device_id}/events?limit=0").status_code == 400
    where = ["--state-directory", str(traps.folder / "state")]
    command = ["snmp", "events", "127.0.7.1", "--since", "1h", "--output"]
    table, as_json, as_csv = (
        CliRunner().invoke(main, [*command, output, *where]).output for output in ("table", "json", "csv")
    )
    assert "device 127.0.7.1" in table
    assert "critical" in table
    assert json.loads(as_json)[0]["code"] == "ups_on_battery"
    assert next(csv.DictReader(as_csv.splitlines()))["what"].endswith("<b>=rack</b>")
    traps.served.settle()
    found = traps.collector.points.read("ictagent_event", 0, 2**62, {"device_id": device_id})
    assert [(series.tags["code"], fields["severity"]) for series in found for _, fields in series.points] == [
        ("ups_on_battery", "critical")
    ]
