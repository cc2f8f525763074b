"""Answers as other makes' controllers give them, written after their makers' documentation, and how they give them."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.outcome import Outcome
from agent.sources import redfish_client, redfish_machine
from agent.sources.reading import RawReading
from agent.sources.redfish_client import RedfishClient
from agent.sources.redfish_machine import Machine
from tests.agent.sources.outcomes import data, failure, reason
from tests.agent.sources.redfish_trees import environment, legacy, ref, service, supplies
from tests.servers.authority import certificates
from tests.servers.redfish import PASSWORD, SESSIONS, USER, RedfishService, Tree, redfish


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    return certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def bmc(tls: tuple[Path, Path, Path]) -> Iterator[RedfishService]:
    with redfish(service("1"), *tls[1:]) as running:
        environment(running.tree, "1", 200)
        yield running


class Asked:
    """A machine that is asked again and again while its controller changes."""

    def __init__(self, running: RedfishService, folder: Path, ca: Path) -> None:
        (folder / "password").write_text(PASSWORD)
        client = RedfishClient(running.url, USER, str(folder / "password"), str(ca))
        self._machine = Machine(client, folder)

    def read(self) -> Outcome[list[RawReading]]:
        return self._machine.read()

    def watts(self) -> dict[str, tuple[str, float]]:
        found = data(self.read())
        return {name: (one.covers, one.value) for name, one in found.items() if one.kind == "power"}


# What each make answers


def ilo5() -> Tree:
    """HPE iLO 5: slashes at the ends, averages of 20 minutes, supplies that tell their output alone."""
    tree = service("1")
    average = {"AverageConsumedWatts": 190, "IntervalInMin": 20, "MaxConsumedWatts": 301, "MinConsumedWatts": 180}
    control = {"MemberId": "0", "PowerCapacityWatts": 1000, "PowerConsumedWatts": 193, "PowerMetrics": average}
    listed = [
        {
            "LastPowerOutputWatts": 95,
            "LineInputVoltage": 231,
            "PowerCapacityWatts": 500,
            "Status": {"State": "Enabled"},
        },
        {
            "LastPowerOutputWatts": 83,
            "LineInputVoltage": 230,
            "PowerCapacityWatts": 500,
            "Status": {"State": "Enabled"},
        },
    ]
    meter = {"Hpe": {"Links": {"FastPowerMeter": ref("/redfish/v1/Chassis/1/Power/FastPowerMeter/")}}}
    legacy(tree, "1", PowerControl=[control], PowerSupplies=listed, Oem=meter)
    tree["/redfish/v1/Chassis/1"]["Power"] = ref("/redfish/v1/Chassis/1/Power/")
    return tree


def ilo4() -> Tree:
    """HP iLO 4 as it came from the factory: its own interface, with the watts at the top."""
    tree = service("1")
    legacy(tree, "1", Type="PowerMetrics.0.11.0", PowerConsumedWatts=137, PowerCapacityWatts=920)
    return tree


def average_alone() -> Tree:
    tree = ilo5()
    tree["/redfish/v1/Chassis/1/Power"]["PowerControl"][0]["PowerConsumedWatts"] = None
    return tree


def ilo_with_supplies_alone() -> Tree:
    """Its meter gives nothing; one supply is not plugged in."""
    tree = ilo5()
    power = tree["/redfish/v1/Chassis/1/Power"]
    power["PowerControl"] = [{"PowerConsumedWatts": 0, "PowerMetrics": {"AverageConsumedWatts": 0}}]
    power["PowerSupplies"][1] |= {"LastPowerOutputWatts": None, "LineInputVoltage": 0}
    return tree


def lenovo() -> Tree:
    """XCC: the server's control and those of its parts, which no physical context tells apart."""
    tree = service("1")
    parts = [("CPU Sub-system Power", 71), ("Memory Sub-system Power", 22), ("Server Power Control", 164)]
    legacy(tree, "1", PowerControl=[{"Name": name, "PowerConsumedWatts": watts} for name, watts in parts])
    return tree


def cimc() -> Tree:
    """Cisco: one control, said to stand at the supplies."""
    tree = service("1")
    legacy(tree, "1", PowerControl=[{"MemberId": "1", "PhysicalContext": "PowerSupply", "PowerConsumedWatts": 262}])
    return tree


def supermicro() -> Tree:
    """Text for numbers, no MemberId, and an empty bay."""
    tree = service("1")
    bays = [{"PowerInputWatts": "88"}, {"PowerInputWatts": "91"}, {"Status": {"State": "Absent"}}]
    legacy(tree, "1", PowerControl=[{"PowerConsumedWatts": "0"}], PowerSupplies=bays)
    return tree


def supplies_elsewhere() -> Tree:
    tree = service("1")
    bay = "/redfish/v1/Chassis/1/Power/PowerSupplies/0"
    legacy(tree, "1", PowerSupplies=[ref(bay)])
    tree[bay] = {"PowerInputWatts": 120, "Status": {"State": "Enabled"}}
    return tree


def rating_as_input() -> Tree:
    """Firmware that gives a supply's rating as its input: the output is what is known."""
    tree = service("1")
    legacy(tree, "1", PowerSupplies=[{"PowerInputWatts": 900, "PowerCapacityWatts": 750, "PowerOutputWatts": 203}])
    return tree


def sensor_behind_link() -> Tree:
    """OpenBMC: the metrics link to the sensor that has the reading."""
    tree = service("1")
    environment(tree, "1", None)
    source = "/redfish/v1/Chassis/1/Sensors/power_total_power"
    tree["/redfish/v1/Chassis/1/EnvironmentMetrics"]["PowerWatts"] = {"DataSourceUri": source}
    tree[source] = {"Reading": 412.25, "ReadingUnits": "W", "Status": {"State": "Enabled"}}
    return tree


def sensors_alone() -> Tree:
    """OpenBMC without the deprecated resources."""
    tree = service("1")
    base = "/redfish/v1/Chassis/1/Sensors"
    tree["/redfish/v1/Chassis/1"]["Sensors"] = ref(base)
    units = {"fanpwm_fan0": 40, "power_psu0_input_power": 205, "power_total_power": 398.5, "voltage_total_power": 12}
    tree[base] = {"Members": [ref(f"{base}/{name}") for name in units]}
    for name, value in units.items():
        tree[f"{base}/{name}"] = {"Reading": value, "ReadingUnits": "W" if name.startswith("power") else "V"}
    return tree


def idrac_of_a_sled() -> Tree:
    """Dell: the sled, the enclosure around it with all its sleds' power, and storage. The supplies are the enclosure's."""
    names = ("System.Embedded.1", "Chassis.Embedded.1", "Enclosure.Internal.0-1")
    tree = service(
        *names,
        systems={"System.Embedded.1": {"Links": {"Chassis": [ref(f"/redfish/v1/Chassis/{one}") for one in names]}}},
    )
    sled, enclosure, storage = (tree[f"/redfish/v1/Chassis/{name}"] for name in names)
    sled |= {"ChassisType": "Sled", "Links": {"ContainedBy": ref("/redfish/v1/Chassis/Chassis.Embedded.1")}}
    enclosure["ChassisType"], storage["ChassisType"] = "Enclosure", "StorageEnclosure"
    environment(tree, "Chassis.Embedded.1", 1850)
    legacy(
        tree, "System.Embedded.1", PowerControl=[{"PowerConsumedWatts": 276}], PowerSupplies=[{"PowerInputWatts": 1850}]
    )
    return tree


def node_in_an_unnamed_enclosure() -> Tree:
    """No type tells node and enclosure apart; the system's own chassis is the one that names it."""
    names = ("Node", "Around")
    every = {"1": {"Links": {"Chassis": [ref(f"/redfish/v1/Chassis/{one}") for one in names]}}}
    tree = service(*names, systems=every)
    tree["/redfish/v1/Chassis/Node"]["Links"] = {
        "ComputerSystems": [ref("/redfish/v1/Systems/1")],
        "ContainedBy": ref("/redfish/v1/Chassis/Around"),
    }
    tree["/redfish/v1/Chassis/Around"]["Links"] = {"Contains": [ref("/redfish/v1/Chassis/Node/")]}
    environment(tree, "Around", 1600)
    environment(tree, "Node", 310)
    return tree


def board_in_its_server() -> Tree:
    """The system hangs on the board, the meter on the server around it."""
    tree = node_in_an_unnamed_enclosure()
    tree["/redfish/v1/Chassis/Node"]["ChassisType"] = "Component"
    return tree


def sled_behind_shared_supplies() -> Tree:
    tree = idrac_of_a_sled()
    tree["/redfish/v1/Chassis/System.Embedded.1/Power"]["PowerControl"] = []
    supplies(tree, "System.Embedded.1", {"InputPowerWatts": 1850})
    return tree


def server_with_a_dpu() -> Tree:
    """A card that is a computer in the chassis is no second machine."""
    links = {"Links": {"Chassis": [ref("/redfish/v1/Chassis/1")]}}
    tree = service("1", systems={"1": links, "DPU.1": {"SystemType": "DPU", **links}})
    tree["/redfish/v1/Chassis/1"]["Links"] = {
        "ComputerSystems": [ref("/redfish/v1/Systems/1/"), ref("/redfish/v1/Systems/DPU.1")]
    }
    environment(tree, "1", 350)
    return tree


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (ilo5(), ("machine_ac", 193.0)),
        (ilo4(), ("machine_ac", 137.0)),
        (average_alone(), ("machine_ac", 190.0)),
        (ilo_with_supplies_alone(), ("machine_dc", 95.0)),
        (lenovo(), ("machine_ac", 164.0)),
        (cimc(), ("machine_ac", 262.0)),
        (supermicro(), ("machine_ac", 179.0)),
        (supplies_elsewhere(), ("machine_ac", 120.0)),
        (rating_as_input(), ("machine_dc", 203.0)),
        (sensor_behind_link(), ("machine_ac", 412.25)),
        (sensors_alone(), ("machine_ac", 398.5)),
        (idrac_of_a_sled(), ("machine_ac", 276.0)),
        (node_in_an_unnamed_enclosure(), ("machine_ac", 310.0)),
        (board_in_its_server(), ("machine_ac", 1600.0)),
        (server_with_a_dpu(), ("machine_ac", 350.0)),
    ],
    ids=[
        "ilo5",
        "ilo4",
        "average alone",
        "supplies alone",
        "lenovo",
        "cimc",
        "supermicro",
        "supplies elsewhere",
        "rating as input",
        "sensor behind link",
        "sensors alone",
        "sled",
        "node",
        "board",
        "dpu",
    ],
)
def test_each_make_gives_this_machine_and_nothing_else(
    tree: Tree, expected: tuple[str, float], tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    with redfish(tree, *tls[1:]) as running:
        asked = Asked(running, tmp_path, tls[0])
        for _ in range(2):
            assert list(asked.watts().values()) == [expected]


def test_a_sled_that_gives_only_its_enclosures_supplies_has_no_meter(
    tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    with redfish(sled_behind_shared_supplies(), *tls[1:]) as running:
        assert reason(Asked(running, tmp_path, tls[0]).read())


@pytest.mark.parametrize("value", [32767, 65535])
def test_a_filler_is_no_power_of_a_machine(
    value: int, bmc: RedfishService, tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    environment(bmc.tree, "1", value)
    assert failure(Asked(bmc, tmp_path, tls[0]).read())[0] == f"the controller does not measure: it reads {value} W"


def test_joules_are_counted_and_a_lifetimes_count_comes_before_one_that_can_be_reset(
    bmc: RedfishService, tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    metrics = bmc.tree["/redfish/v1/Chassis/1/EnvironmentMetrics"]
    metrics["EnergykWh"] = {"Reading": 12.345, "LifetimeReading": 812.345}
    asked = Asked(bmc, tmp_path, tls[0])
    assert data(asked.read())["redfish/1/energy"].value == 812_345 * 3_600_000_000
    metrics["EnergyJoules"] = {"Reading": 44_444_412}
    assert data(asked.read())["redfish/1/energy"].value == 44_444_412_000_000


def test_a_reading_that_fails_once_does_not_become_another_forms(
    bmc: RedfishService, tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    legacy(bmc.tree, "1", PowerSupplies=[{"PowerInputWatts": 900}])
    asked = Asked(bmc, tmp_path, tls[0])
    assert asked.watts() == {"redfish/1": ("machine_ac", 200.0)}
    environment(bmc.tree, "1", None)
    assert "no reading of chassis 1 now" in failure(asked.read())[0]
    environment(bmc.tree, "1", 205)
    assert asked.watts() == {"redfish/1": ("machine_ac", 205.0)}


# How they give it


@pytest.mark.parametrize("way", ["http_1_0", "packs"])
def test_old_http_and_packed_answers_are_read(
    way: str, bmc: RedfishService, tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    setattr(bmc, way, True)
    asked = Asked(bmc, tmp_path, tls[0])
    for _ in range(2):
        assert asked.watts() == {"redfish/1": ("machine_ac", 200.0)}


def test_a_board_of_2012_with_a_small_key_and_old_ciphers_is_trusted_by_its_own_certificate(tmp_path: Path) -> None:
    chain, key = tmp_path / "bmc.pem", tmp_path / "bmc-key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-days", "1", "-subj", "/CN=bmc"]
    subprocess.run([*made, "-keyout", key, "-out", chain], check=True, capture_output=True)
    tree = service("1")
    environment(tree, "1", 200)
    with redfish(tree, chain, key, ciphers="AES128-SHA:@SECLEVEL=0") as running:
        assert Asked(running, tmp_path, chain).watts()


def test_a_root_that_wants_the_account_is_a_root(
    bmc: RedfishService, tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    bmc.root_is_open = False
    assert Asked(bmc, tmp_path, tls[0]).watts()


def test_slashes_that_firmware_adds_by_redirects_are_followed_for_sessions_too(
    bmc: RedfishService, tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    slashed = f"{SESSIONS}/"
    bmc.redirects = {SESSIONS: f"{bmc.url}{slashed}", "/redfish/v1/Chassis/1": "/redfish/v1/Chassis/1/"}
    assert Asked(bmc, tmp_path, tls[0]).watts()
    assert bmc.count(f"POST {slashed}") == len(bmc.tokens) == 1


@pytest.mark.parametrize(
    "body", [b"<html>Please wait</html>", b'{"PowerWatts": {"Reading": 20', b"\x1f\x8b\x08 broken"]
)
def test_an_answer_that_is_no_json_is_a_failure_and_not_a_machine_without_a_meter(
    body: bytes, bmc: RedfishService, tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    bmc.bodies["/redfish/v1/Chassis/1/EnvironmentMetrics"] = body
    assert "EnvironmentMetrics is no JSON" in failure(Asked(bmc, tmp_path, tls[0]).read())[0]


@pytest.mark.parametrize(
    "written",
    [
        lambda one: b"\xef\xbb\xbf" + json.dumps(one).encode(),
        lambda one: json.dumps({"Name": "Caf@", **one}).replace("@", "\xe9").encode("latin-1"),
        lambda one: json.dumps({"Name": "two@lines", **one}).replace("@", "\t\n").encode(),
    ],
    ids=["byte order mark", "Latin-1", "control characters"],
)
def test_carelessly_written_json_is_read(
    written: Any, bmc: RedfishService, tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    path = "/redfish/v1/Chassis/1/EnvironmentMetrics"
    bmc.bodies[path] = written(bmc.tree[path])
    assert Asked(bmc, tmp_path, tls[0]).watts() == {"redfish/1": ("machine_ac", 200.0)}


def test_finding_the_chassis_may_take_longer_than_a_reading(
    bmc: RedfishService, tls: tuple[Path, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redfish_machine, "ROUND_SECONDS", 0.0)
    asked = Asked(bmc, tmp_path, tls[0])
    assert asked.watts()
    assert "did not answer" in failure(asked.read())[0]


def test_a_controller_may_take_its_time_for_each_answer_and_is_not_looked_through_again_for_one_it_misses(
    bmc: RedfishService, tls: tuple[Path, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked(bmc, tmp_path, tls[0])
    assert asked.watts()
    monkeypatch.setattr(redfish_client, "DEADLINE_SECONDS", 0.2)
    bmc.answers.clear()
    assert "did not answer" in failure(asked.read())[0]
    monkeypatch.setattr(redfish_client, "DEADLINE_SECONDS", 20.0)
    bmc.answers.set()
    before = bmc.count("GET /redfish/v1/Systems")
    assert asked.watts()
    assert bmc.count("GET /redfish/v1/Systems") == before
