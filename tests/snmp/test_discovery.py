"""`ictagent snmp discover` on real agents at several loopback addresses."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from agent.cli import main
from collector.commands.common import database_of
from collector.commands.snmp_discover import _progress
from collector.database.schema import audit_log
from collector.errors import BadRequest
from collector.service import Collector
from collector.settings import CollectorSettings
from collector.snmp.client import Credential, Endpoint
from collector.snmp.devices import NewDevice, PollOutcome, add_device, note_polls, polled_devices
from collector.snmp.discovery import Discovery, addresses_of
from collector.snmp.engine_id import engine_id, engine_of
from collector.snmp.identity import DeviceIdentity
from collector.snmp.neighbours import Neighbour
from collector.snmp.opening import open_client
from collector.snmp.refusals import FILE, Refusals, refusals_in
from collector.snmp.same_device import same_by
from tests.conftest import missing
from tests.servers.process import free_port
from tests.servers.snmpd import Snmpd, available

USER = Credential("right", "v3", "", "reader", "SHA-256", "authentication-1", "AES-128", "privacy-word-2")
NETWORK = "127.0.77.0/28"
PACKETS_IN = "1.3.6.1.2.1.11.1.0"
WRONG_DIGESTS = "1.3.6.1.6.3.15.1.1.5.0"


class Site:
    """A collector's state directory with credentials, agents in NETWORK, and commands on them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.state, self.credentials = folder / "state", folder / "credentials"
        self.credentials.mkdir()
        self.collector = Collector(
            CollectorSettings(state_directory=self.state, snmp_credentials=str(self.credentials))
        )
        self.collector.start()
        self.agents: list[Snmpd] = []

    def agent(self, last: int, engine: str, **changes: Any) -> Snmpd:
        host = f"127.0.77.{last}"
        one = Snmpd(self.folder / f"{host}", host, port=self.port, **changes)
        one.start(engine)
        self.agents.append(one)
        return one

    def credential(self, name: str, password: str = USER.auth_key, user: str = USER.user) -> None:
        path = self.credentials / f"{name}.toml"
        path.write_text(
            f'version = "v3"\nuser = "{user}"\nauth_password = "{password}"\npriv_password = "{USER.priv_key}"\n'
        )
        path.chmod(0o600)

    def run(self, *arguments: str, networks: str = NETWORK) -> Result:
        environment = {
            "ICTAGENT_COLLECTOR_SNMP_CREDENTIALS": str(self.credentials),
            "ICTAGENT_COLLECTOR_SNMP_NETWORKS": networks,
        }
        given = ("snmp", "discover", *arguments, "--state-directory", str(self.state))
        return CliRunner().invoke(main, given, env=environment)

    def found(self, *arguments: str) -> Any:
        port = () if "--port" in arguments else ("--port", str(self.port))
        result = self.run(NETWORK, *arguments, *port, "--rate", "500", "--output", "json")
        assert result.exit_code == 0, result.output
        assert result.stderr == ""
        return json.loads(result.stdout)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    if not available():
        missing("net-snmp's agent (Debian package snmpd)")
    one = Site(tmp_path)
    yield one
    one.collector.stop()
    for agent in one.agents:
        agent.stop()


def asked_of(agent: Snmpd, oid: str) -> Any:
    async def ask() -> Any:
        client = open_client(Endpoint(agent.host, agent.port), Credential(version="v2c", community=agent.community))
        try:
            return (await client.get([oid])).get(oid)
        finally:
            await client.close()

    return asyncio.run(ask())


def test_devices_are_found_told_apart_and_added_once(site: Site) -> None:
    site.agent(1, "engine-one")
    site.agent(2, "engine-two", more="sysDescr A secret place", community="hidden", users=(USER,))
    site.agent(3, "engine-one")
    site.credential("right")
    proposed = site.found()
    assert [(one["address"], one["credential"]) for one in proposed["devices"]] == [
        ("127.0.77.1", "public"),
        ("127.0.77.2", "right"),
        ("127.0.77.3", "public"),
    ]
    assert proposed["devices"][0]["name"] == "snmpd-of-the-test"
    assert proposed["devices"][0]["engine_id"].endswith(b"engine-one".hex())
    assert proposed["devices"][2]["same_as"] == {"device_id": None, "host": "127.0.77.1", "by": "engine id"}
    # Nothing is polled that nobody added.
    assert (proposed["asked"], proposed["polled_already"]) == (14, 0)
    added = site.found("--add", "--site", "County Hall")
    assert [bool(one["added"]) for one in added["devices"]] == [True, True, False]
    with database_of(site.state) as database, database.read() as connection:
        polled = {one.host: (one.credential, one.port) for one in polled_devices(connection)}
        acts = list(connection.execute(select(audit_log.c.action).order_by(audit_log.c.id)).scalars())
    assert polled == {"127.0.77.1": ("public", site.port), "127.0.77.2": ("right", site.port)}
    assert acts.count("snmp.add") == acts.count("snmp.discover") == 2
    again = site.found()
    assert [one["address"] for one in again["devices"]] == ["127.0.77.3"]
    assert again["polled_already"] == 2


def test_a_device_that_moved_is_told_and_not_added(site: Site) -> None:
    site.agent(4, "engine-moved")
    before = site.found()["devices"][0]
    identity = {name: before[name] for name in DeviceIdentity.__dataclass_fields__}
    with database_of(site.state) as database, database.write() as connection:
        device_id = add_device(connection, NewDevice("192.0.2.9", site.port), "test")
        reading = json.dumps({"identity": identity})
        note_polls(connection, [PollOutcome(device_id, int(time.time()), "ok", reading=reading)])
    moved = site.found("--add")["devices"][0]
    assert moved["same_as"] == {"device_id": device_id, "host": "192.0.2.9", "by": "engine id"}
    assert moved["added"] is None
    table = site.run(NETWORK, "--port", str(site.port), "--rate", "500")
    assert f"device {device_id}, polled at 192.0.2.9 (by engine id)" in table.stdout
    assert table.stderr == ""


def test_a_refused_user_is_tried_once_a_day_whatever_its_credential(site: Site) -> None:
    agent = site.agent(5, "engine-locks", community="hidden", users=(USER,))
    site.credential("a-wrong", "not-the-password")
    site.credential("b-wrong", "nor-is-this-one")
    site.credential("c-unknown", user="nobody")
    for _ in range(2):
        told = site.found("--credential", "c-unknown", "--credential", "a-wrong", "--credential", "b-wrong")
        assert told["devices"] == []
        assert [one["address"] for one in told["problems"]] == ["127.0.77.5"]
        assert asked_of(agent, WRONG_DIGESTS) == 1
    assert "not-the-password" not in json.dumps(told) + (site.state / FILE).read_text()
    assert "refused the user reader" in told["problems"][0]["message"]
    # A day later it is tried again; the right one succeeds and leaves nothing behind.
    site.credential("a-wrong")
    entries = json.loads((site.state / FILE).read_text())
    (site.state / FILE).write_text(json.dumps([{**one, "at": one["at"] - 86_500} for one in entries]))
    assert site.found("--credential", "a-wrong")["devices"][0]["credential"] == "a-wrong"
    assert json.loads((site.state / FILE).read_text()) == []
    assert asked_of(agent, WRONG_DIGESTS) == 1


def test_a_user_whose_request_gets_no_answer_counts_as_refused(site: Site) -> None:
    # net-snmp says nothing to what it cannot decrypt.
    site.agent(7, "engine-mute", community="hidden", users=(USER,))
    site.credential("right")
    path = site.credentials / "right.toml"
    path.write_text(path.read_text().replace(USER.priv_key, "not-the-privacy-password"))
    assert site.found("--credential", "right")["devices"] == []
    site.credential("right")
    told = site.found("--credential", "right")
    assert told["devices"] == []
    assert "ictagent snmp add 127.0.77.7" in told["problems"][0]["message"]


def test_how_far_it_is_is_told_to_a_terminal_alone(capsys: pytest.CaptureFixture[str]) -> None:
    tell = _progress(2)
    tell(1, 0)
    assert capsys.readouterr() == ("", "")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("sys.stderr.isatty", lambda: True)
        tell = _progress(2)
        tell(1, 0)
        tell(2, 1)
    out, error = capsys.readouterr()
    assert out == ""
    assert error == "\r1 of 2 addresses asked, 0 answered\r2 of 2 addresses asked, 1 answered\n"


def test_a_try_whose_end_is_not_known_counts_as_refused(tmp_path: Path) -> None:
    Refusals(tmp_path / FILE).note("8000", "127.0.77.1", "reader")
    again = Refusals(tmp_path / FILE)
    assert again.standing("8000", "127.0.77.9") == again.standing("9000", "127.0.77.1") == "reader"
    assert again.standing("9000", "127.0.77.9") == ""
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_only_one_discovery_runs_and_a_spoiled_file_stops_it(site: Site) -> None:
    with refusals_in(site.state):
        assert "another discovery" in site.run(NETWORK).stderr
    (site.state / FILE).write_text("[{")
    assert FILE in site.run(NETWORK).stderr


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ("127.0.78.0/28", "snmp_networks"),
        ("127.0.77.0/27", "snmp_networks"),
        ("::1/128", "snmp_networks"),
        ("127.0.77.1/28", "host bits"),
        ("somewhere", "no network"),
    ],
)
def test_a_network_that_is_not_listed_is_refused_with_the_remedy(site: Site, network: str, said: str) -> None:
    result = site.run(network)
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stdout == ""


def test_networks_are_a_22_at_most_and_settings_are_checked(site: Site) -> None:
    assert len(addresses_of("10.1.0.0/22", ["10.0.0.0/8"])) == 1022
    with pytest.raises(BadRequest) as told:
        addresses_of("10.1.0.0/21", ["10.0.0.0/8"])
    assert "10.1.0.0/22" in told.value.remedy
    assert len(addresses_of("2001:db8::/118", ["2001:db8::/32"])) == 1023
    assert "snmp_networks" in site.run(NETWORK, networks="10.1.0.1/8").stderr


def test_questions_keep_to_the_rate(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    public = Credential("public", community="public")
    run = Discovery([public], Refusals(tmp_path / FILE), free_port(), 20, lambda *said: heard.append(said))
    began = time.monotonic()
    nothing = asyncio.run(run.run([f"127.0.77.{last}" for last in range(1, 6)]))
    assert nothing.found == []
    # Ten questions, since a silent address is asked twice.
    assert time.monotonic() - began >= 9 / 20
    assert heard[-1] == (5, 0)


def test_an_engine_id_is_asked_without_a_user(site: Site) -> None:
    agent = site.agent(6, "engine-six", community="hidden")
    found = asyncio.run(engine_id(Endpoint(agent.host, agent.port)))
    assert bytes.fromhex(found).endswith(b"engine-six")
    assert asyncio.run(engine_id(Endpoint(agent.host, free_port(), 0.2))) == ""


@pytest.mark.parametrize(
    "packet", [b"", b"0", b"0\x81", b"0\x84\xff\xff\xff\xff", b"0\x05\x02\x01\x03\x30\x80", b"\xff" * 60]
)
def test_what_is_no_answer_gives_no_engine_id(packet: bytes) -> None:
    assert engine_of(packet, 1) == ""


def test_what_tells_that_two_are_one() -> None:
    plain = DeviceIdentity(vendor="ACME", hardware="A1", name="sw1", sys_object_id="1.3.6.1.4.1.1")
    with_serial = DeviceIdentity(vendor="ACME", serial="X1", name="sw1", engine_id="80")
    assert same_by(with_serial, DeviceIdentity(vendor="ACME", serial="X1", name="renamed")) == "serial"
    # The serial decides, whatever was copied along with the configuration.
    assert same_by(with_serial, DeviceIdentity(vendor="ACME", serial="X2", name="sw1", engine_id="80")) == ""
    assert same_by(with_serial, DeviceIdentity(name="sw1", engine_id="80")) == "engine id"
    assert same_by(with_serial, DeviceIdentity(name="sw2", engine_id="80")) == ""
    assert same_by(with_serial, DeviceIdentity(name="sw1", engine_id="81")) == ""
    assert same_by(plain, plain) == "name"
    assert same_by(plain, DeviceIdentity(hardware="A2", name="sw1", sys_object_id="1.3.6.1.4.1.1")) == ""
    assert same_by(DeviceIdentity(), DeviceIdentity()) == ""


def test_neighbours_are_suggested_and_asked_only_when_told_to(site: Site) -> None:
    agent = site.agent(1, "engine-one")
    inside = Neighbour("lldp", 1, "Gi1/0/1", "mac", "00:1b:2c:00:00:01", system_name="ap", addresses=("127.0.77.1",))
    outside = Neighbour("lldp", 2, "Gi1/0/2", "mac", "00:1b:2c:00:00:02", system_name="far", addresses=("10.9.9.9",))
    with site.collector.database.write() as connection:
        switch = add_device(connection, NewDevice("127.0.77.9", site.port, name="edge"), "test")
        note_polls(connection, [PollOutcome(switch, 1000, "ok", neighbours=(inside, outside))])
    first, before = asked_of(agent, PACKETS_IN), asked_of(agent, PACKETS_IN)
    listed = site.run("--neighbours", "--output", "json")
    assert listed.exit_code == 0, listed.output
    told = {one["system_name"]: one for one in json.loads(listed.stdout)["neighbours"]}
    assert (told["ap"]["may_be_asked"], told["far"]["may_be_asked"]) == ("127.0.77.1", None)
    assert told["ap"]["seen_at"] == [{"device_id": switch, "device": "edge", "port": "Gi1/0/1"}]
    assert asked_of(agent, PACKETS_IN) - before == before - first
    added = site.run("--neighbours", "--add", "--site", "County Hall", "--port", str(site.port))
    assert added.exit_code == 0, added.output
    assert "not in snmp_networks" in added.stdout
    with site.collector.database.read() as connection:
        assert [one.host for one in polled_devices(connection)] == ["127.0.77.1", "127.0.77.9"]
    # It is known now by the address that it is polled at.
    left = json.loads(site.run("--neighbours", "--output", "json").stdout)["neighbours"]
    assert [one["system_name"] for one in left] == ["far"]


def test_neighbours_are_of_no_network(site: Site) -> None:
    assert site.run(NETWORK, "--neighbours").exit_code == 2
    assert site.run().exit_code == 2
