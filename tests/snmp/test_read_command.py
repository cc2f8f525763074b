"""`ictagent snmp read`: what it prints, how it ends, and that its JSON is as docs/snmp.md says."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from agent.cli import main
from collector.snmp.client import Credential
from collector.snmp.device_power import DevicePower
from collector.snmp.identity import DeviceIdentity
from collector.snmp.interfaces import Interface
from collector.snmp.readings import Reading
from collector.snmp.utilisation import MemoryUse, ProcessorLoad
from tests.conftest import missing
from tests.servers import snmpd as net_snmp
from tests.servers.hostile_snmp import (
    COUNTER32,
    COUNTER64,
    GAUGE32,
    GEN_ERR,
    Arcs,
    Hostile,
    Packets,
    Request,
    dotted,
    integer,
    object_id,
    octets,
    responder,
)
from tests.servers.process import free_port
from tests.servers.snmpd import Snmpd, snmpd

IF, IFX, UPS = "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1", "1.3.6.1.2.1.33.1"
USER = Credential("", "v3", "", "reader", "SHA-256", "authentication-1", "AES-256", "privacy-word-2")
DOCS = Path(__file__).parents[2] / "docs" / "snmp.md"


def a_ups() -> dict[Arcs, bytes]:
    """A small UPS after UPS-MIB (RFC 1628), with one interface after IF-MIB."""
    values = {
        "1.3.6.1.2.1.1.1.0": octets("A UPS of the test"),
        "1.3.6.1.2.1.1.2.0": object_id(dotted("1.3.6.1.2.1.33.2")),
        "1.3.6.1.2.1.1.5.0": octets("ups1"),
        f"{UPS}.1.1.0": octets("ACME"),
        f"{UPS}.1.2.0": octets("Power 900"),
        f"{UPS}.2.4.0": integer(97),
        f"{UPS}.4.4.1.4.1": integer(460),
        f"{UPS}.4.4.1.5.1": integer(51),
        f"{IF}.1.3": integer(3),
        f"{IF}.2.3": octets("eth0"),
        f"{IF}.5.3": integer(100_000_000, GAUGE32),
        f"{IF}.7.3": integer(1),
        f"{IF}.8.3": integer(1),
        f"{IF}.10.3": integer(17, COUNTER32),
        f"{IFX}.1.3": octets("eth0"),
        f"{IFX}.6.3": integer(2**40, COUNTER64),
        f"{IFX}.10.3": integer(2**41, COUNTER64),
        f"{IFX}.18.3": octets("uplink"),
    }
    return {dotted(oid): value for oid, value in values.items()}


def read(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["snmp", "read", *arguments])


def quick(port: int, *arguments: str) -> Result:
    return read(f"127.0.0.1:{port}", "--timeout", "0.3", "--retries", "1", *arguments)


@pytest.fixture
def ups() -> Iterator[int]:
    with responder(Hostile(a_ups())) as port:
        yield port


def test_a_device_is_shown_for_people(ups: int) -> None:
    shown = quick(ups)
    assert shown.exit_code == 0, shown.output
    text = re.sub(r" +", " ", shown.stdout)
    assert "name ups1" in text
    assert "power 460 W (ups_output)" in text
    assert "power 460 W ups_output" in text
    assert "3 eth0 uplink 100 Mbit/s up 1099511627776 2199023255552" in text


def test_the_json_holds_what_was_read(ups: int) -> None:
    found: dict[str, Any] = json.loads(quick(ups, "--output", "json").stdout)
    assert found["device"]["name"] == "ups1"
    assert found["device"]["kind"] == "ups"
    assert (found["power"]["watts"], found["power"]["basis"], found["power"]["poe_watts"]) == (460, "ups_output", None)
    power = [one for one in found["readings"] if one["quantity"] == "power"]
    assert [(one["oid"], one["unit"], one["value"], one["role"]) for one in power] == [
        (f"{UPS}.4.4.1.4.1", "W", 460, "ups_output")
    ]
    (interface,) = found["interfaces"]
    assert interface["index"] == 3
    assert (interface["speed_bits"], interface["admin_up"], interface["oper_up"]) == (10**8, True, True)
    assert (interface["in_octets"], interface["out_octets"], interface["counter_bits"]) == (2**40, 2**41, 64)
    assert found["diagnoses"] == []


def test_the_json_is_as_documented(ups: int) -> None:
    found = json.loads(quick(ups, "--output", "json").stdout)
    documented = {
        place: set(re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE))
        for place, part in re.findall(r"^### `([\w.]+)`\n(.*?)(?=^##|\Z)", DOCS.read_text(), re.MULTILINE | re.DOTALL)
    }
    assert documented.pop("top") == set(found)
    shapes: dict[str, set[str]] = {
        "device": {one.name for one in fields(DeviceIdentity)},
        "power": {one.name for one in fields(DevicePower)} - {"diagnoses"},
        "readings": {one.name for one in fields(Reading)},
        "utilisation.processors": {one.name for one in fields(ProcessorLoad)},
        "utilisation.memory": {one.name for one in fields(MemoryUse)},
        "interfaces": {one.name for one in fields(Interface)},
        "diagnoses": {"code", "message"},
    }
    assert documented == shapes
    assert set(found["readings"][0]) == shapes["readings"]
    assert set(found["interfaces"][0]) == shapes["interfaces"]
    assert set(found["power"]) == shapes["power"]


def test_what_fails_of_a_device_that_answers_is_a_diagnosis() -> None:
    def mangle(request: Request, honest: bytes) -> Packets:
        bad = [place for place, oid in enumerate(request.oids, 1) if oid[:10] == dotted(f"{IFX}")[:10]]
        if request.oids[0][:9] == dotted(f"{UPS}.4")[:9] and request.kind != 0xA0:
            return  # this table is never answered
        yield 0.0, request.failed(GEN_ERR, bad[0]) if bad else honest

    with responder(Hostile(a_ups(), mangle=mangle)) as port:
        shown = quick(port, "--output", "json")
    found = json.loads(shown.stdout)
    assert shown.exit_code == 0
    assert found["device"]["name"] == "ups1"
    assert found["interfaces"][0]["name"] == "eth0"
    assert {one["code"] for one in found["diagnoses"]} <= {"snmp_protocol", "snmp_timeout"}
    assert found["diagnoses"]
    assert f"127.0.0.1:{port}" in found["diagnoses"][0]["message"]


def test_a_device_that_no_profile_is_for_is_told() -> None:
    values = {dotted("1.3.6.1.2.1.1.2.0"): object_id(dotted("1.3.6.1.4.1.55555.9"))}
    with responder(Hostile(values)) as port:
        found = json.loads(quick(port, "--output", "json").stdout)
    assert [one["code"] for one in found["diagnoses"]] == ["no_profile"]
    assert "1.3.6.1.4.1.55555.9" in found["diagnoses"][0]["message"]


def test_silence_is_a_failure_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / "community").write_text("not-this-one\n")
    with responder(Hostile(a_ups())) as port:
        shown = quick(port, "--community-file", str(tmp_path / "community"))
    assert shown.exit_code == 1
    assert f"127.0.0.1:{port} did not answer" in shown.stderr
    assert "community" in shown.stderr
    assert "not-this-one" not in shown.output + shown.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("127.0.0.1:99999",), 1, "no address"),
        (("h", "--community-file", "/nowhere"), 78, "/nowhere: No such file"),
        (("h", "--v3-user", "u", "--v3-auth-file", "{short}"), 78, "less than 8 characters"),
        (("h", "--v3-user", "u", "--v3-priv-file", "{short}"), 78, "privacy needs authentication"),
        (("h", "--v3-user", "u", "--community-file", "{short}"), 2, "give one of them"),
        (("h", "--v3-auth-file", "{short}"), 2, "need --v3-user"),
        (("h", "--v3-user", "u", "--v3-auth-protocol", "ROT13"), 2, "ROT13"),
        (("h", "--timeout", "0"), 2, "--timeout"),
        ((), 2, "HOST"),
    ],
)
def test_what_cannot_work_is_told_before_anything_is_sent(
    tmp_path: Path, arguments: tuple[str, ...], status: int, said: str
) -> None:
    short = tmp_path / "short"
    short.write_text("secret7")
    shown = read(*(one.replace("{short}", str(short)) for one in arguments))
    assert shown.exit_code == status
    assert said in shown.stderr
    assert "secret7" not in shown.stderr


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Snmpd]:
    if not net_snmp.available():
        missing("snmpd (Debian package snmpd)")
    with snmpd(tmp_path / "snmpd", free_port(), users=(USER,), host="::1") as one:
        yield one


def test_a_real_agent_is_read_by_v3_at_an_ipv6_address(tmp_path: Path, agent: Snmpd) -> None:
    for name, key in (("auth", USER.auth_key), ("priv", USER.priv_key)):
        (tmp_path / name).write_text(f"{key}\n")
    shown = read(
        *(f"[::1]:{agent.port}", "--output", "json", "--v3-user", "reader", "--v3-priv-protocol", "AES-256"),
        *("--v3-auth-file", str(tmp_path / "auth"), "--v3-priv-file", str(tmp_path / "priv")),
    )
    assert shown.exit_code == 0, shown.stderr
    found = json.loads(shown.stdout)
    assert found["device"]["name"] == "snmpd-of-the-test"
    assert "lo" in {one["name"] for one in found["interfaces"]}
    assert found["utilisation"]["memory"]
