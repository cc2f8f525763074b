"""The management controller over Redfish: a real HTTPS service with trees after the DMTF schemas, and an iDRAC's answers."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.outcome import Outcome
from agent.sources import redfish_client
from agent.sources.doubt import TOLERATED_REPETITIONS
from agent.sources.reading import RawReading
from agent.sources.redfish_client import RedfishClient
from agent.sources.redfish_machine import Machine
from tests.agent import trees
from tests.agent.sources.outcomes import data, failure, reason
from tests.agent.sources.redfish_trees import UUID, environment, legacy, ref, service, supplies
from tests.servers.authority import certificates
from tests.servers.redfish import PASSWORD, SESSIONS, USER, RedfishService, Tree, redfish


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    return certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def bmc(tls: tuple[Path, Path, Path]) -> Iterator[RedfishService]:
    _, chain, key = tls
    with redfish(service("1"), chain, key) as running:
        yield running


def machine(
    bmc: RedfishService, folder: Path, ca: Path | str, only: frozenset[str] = frozenset(), password: str = PASSWORD
) -> Machine:
    file = folder / "bmc-password"
    file.write_text(f"{password}\n")
    return Machine(RedfishClient(bmc.url, USER, str(file), str(ca)), folder, only)


def asked(tree: Tree, tls: tuple[Path, Path, Path], folder: Path) -> Outcome[list[RawReading]]:
    """What a service with this tree comes to."""
    ca, chain, key = tls
    with redfish(tree, chain, key) as running:
        one = machine(running, folder, ca)
        outcome = one.read()
        one.close()
        return outcome


def watts(outcome: Outcome[list[RawReading]]) -> dict[str, tuple[str, float]]:
    return {name: (one.covers, one.value) for name, one in data(outcome).items() if one.kind == "power"}


# Which figure


def test_environment_metrics_come_before_supplies_and_these_before_the_deprecated_power(
    bmc: RedfishService, tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    legacy(bmc.tree, "1", PowerControl=[{"PowerConsumedWatts": 301}])
    supplies(bmc.tree, "1", {"InputPowerWatts": 151.0}, {"InputPowerWatts": 151.5})
    environment(bmc.tree, "1", 303)
    assert watts(machine(bmc, tmp_path, tls[0]).read()) == {"redfish/1": ("machine_ac", 303.0)}
    environment(bmc.tree, "1", None)
    assert watts(machine(bmc, tmp_path, tls[0]).read()) == {"redfish/1": ("machine_ac", 302.5)}
    del bmc.tree["/redfish/v1/Chassis/1"]["PowerSubsystem"]
    assert watts(machine(bmc, tmp_path, tls[0]).read()) == {"redfish/1": ("machine_ac", 301.0)}


def test_an_energy_counter_is_a_meter_beside_the_watts_where_it_counts_finely(
    tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    tree = service("1")
    environment(tree, "1", 303, 1234.567)
    found = data(asked(tree, tls, tmp_path))["redfish/1/energy"]
    assert (found.kind, found.covers, found.value) == ("counter", "machine_ac", 4_444_441_200_000_000)
    for coarse in (1234, 1234.5, None, -1.001, "1.001"):
        environment(tree, "1", 303, coarse)
        assert list(data(asked(tree, tls, tmp_path))) == ["redfish/1"]


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ([{"InputPowerWatts": 100}, {"InputPowerWatts": 0}], ("machine_ac", 100.0)),
        ([{"InputPowerWatts": 100}, {"InputPowerWatts": None, "State": "Absent"}], ("machine_ac", 100.0)),
        ([{"InputPowerWatts": None, "OutputPowerWatts": 90}, {"OutputPowerWatts": 80}], ("machine_dc", 170.0)),
        ([{"InputPowerWatts": 100}, {"InputPowerWatts": None}], None),
        ([{"InputPowerWatts": "100"}], ("machine_ac", 100.0)),
        ([{"InputPowerWatts": "N/A"}], None),
        ([{"InputPowerWatts": True}], None),
        ([{"InputPowerWatts": -5}], None),
        ([], None),
    ],
)
def test_a_sum_of_supplies_lacks_none_that_is_in_use(
    readings: list[dict[str, Any]],
    expected: tuple[str, float] | None,
    tls: tuple[Path, Path, Path],
    tmp_path: Path,
) -> None:
    tree = service("1")
    supplies(tree, "1", *readings)
    outcome = asked(tree, tls, tmp_path)
    if expected is None:
        assert reason(outcome) == "the controller gives no power of this machine's chassis"
    else:
        assert watts(outcome) == {"redfish/1": expected}


@pytest.mark.parametrize(
    ("power", "expected"),
    [
        ({"PowerControl": [{"PowerConsumedWatts": 211}, {"PowerConsumedWatts": 60}]}, ("machine_ac", 211.0)),
        (
            {"PowerControl": [{"PhysicalContext": "CPU", "PowerConsumedWatts": 60}, {"PowerConsumedWatts": 211}]},
            ("machine_ac", 211.0),
        ),
        (
            {"PowerControl": [{}], "PowerSupplies": [{"PowerInputWatts": 90}, {"PowerInputWatts": 95}]},
            ("machine_ac", 185.0),
        ),
        ({"PowerSupplies": [{"LastPowerOutputWatts": 80, "PowerInputWatts": None}]}, ("machine_dc", 80.0)),
        ({"PowerSupplies": [{"PowerOutputWatts": None, "LastPowerOutputWatts": 80}]}, ("machine_dc", 80.0)),
        ({"PowerControl": [{"PowerConsumedWatts": None}], "PowerSupplies": [None, 5]}, None),
        ({"PowerControl": "none", "PowerSupplies": {}}, None),
    ],
)
def test_the_deprecated_power_resource_gives_the_chassis_or_its_supplies(
    power: dict[str, Any], expected: tuple[str, float] | None, tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    tree = service("1")
    legacy(tree, "1", **power)
    outcome = asked(tree, tls, tmp_path)
    assert (watts(outcome) if expected else reason(outcome)) == (
        {"redfish/1": expected} if expected else "the controller gives no power of this machine's chassis"
    )


def test_an_idracs_answers_give_what_it_consumes_and_not_its_supplies_rating(
    shared: Path, tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    captured = shared / "hosts/redfish/dell"
    name = "System.Embedded.1"
    tree = service(name, systems={name: {}})
    tree[f"/redfish/v1/Systems/{name}"] = json.loads((captured / "dell_systems.json").read_text())
    tree[f"/redfish/v1/Chassis/{name}"] = json.loads((captured / "dell_chassis.json").read_text())
    tree[f"/redfish/v1/Chassis/{name}/Power"] = json.loads((captured / "dell_power.json").read_text())
    assert watts(asked(tree, tls, tmp_path)) == {f"redfish/{name}": ("machine_ac", 429.0)}


@pytest.mark.parametrize("status", [404, 500])
def test_a_resource_the_firmware_stumbles_over_leaves_the_older_form(
    status: int, bmc: RedfishService, tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    environment(bmc.tree, "1", 303)
    bmc.statuses["/redfish/v1/Chassis/1/EnvironmentMetrics"] = status
    one = machine(bmc, tmp_path, tls[0])
    assert f"answers {status}" in failure(one.read())[0]
    legacy(bmc.tree, "1", PowerControl=[{"PowerConsumedWatts": 301}])
    assert watts(one.read()) == {"redfish/1": ("machine_ac", 301.0)}


# Which chassis


def test_what_lies_within_a_chassis_is_not_added_to_it_and_what_stands_beside_it_is(
    tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    every = [ref(f"/redfish/v1/Chassis/{name}") for name in ("A", "B", "GPU1", "Backplane")]
    tree = service("A", "B", "GPU1", "Backplane", systems={"1": {"Links": {"Chassis": every}}})
    tree["/redfish/v1/Chassis/GPU1"]["Links"] = {"ContainedBy": ref("/redfish/v1/Chassis/A/")}
    for name, value in (("A", 400), ("B", 150), ("GPU1", 90)):
        environment(tree, name, value)
    assert watts(asked(tree, tls, tmp_path)) == {"redfish/A+B": ("machine_ac", 550.0)}


def test_a_chassis_that_stops_measuring_is_a_failure_and_not_a_smaller_machine(
    tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    every = [ref(f"/redfish/v1/Chassis/{name}") for name in ("A", "B")]
    tree = service("A", "B", systems={"1": {"Links": {"Chassis": every}}})
    environment(tree, "A", 400)
    environment(tree, "B", 150)
    with redfish(tree, *tls[1:]) as bmc:
        one = machine(bmc, tmp_path, tls[0])
        assert watts(one.read()) == {"redfish/A+B": ("machine_ac", 550.0)}
        environment(tree, "B", None)
        assert "no reading of chassis B" in failure(one.read())[0]
        environment(tree, "B", 160)
        assert watts(one.read()) == {"redfish/A+B": ("machine_ac", 560.0)}


def several_systems() -> Tree:
    systems = {
        "left": {"UUID": "00112233-4455-6677-8899-aabbccddeeff", "Links": {"Chassis": [ref("/redfish/v1/Chassis/L")]}},
        "right": {"UUID": UUID.upper(), "Links": {"Chassis": [ref("/redfish/v1/Chassis/R")]}},
    }
    tree = service("L", "R", systems=systems)
    environment(tree, "L", 111)
    environment(tree, "R", 222)
    return tree


def test_of_several_systems_the_one_with_this_machines_uuid_is_read(
    tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    trees.write(tmp_path, {"sys/class/dmi/id/product_uuid": UUID})
    assert watts(asked(several_systems(), tls, tmp_path)) == {"redfish/R": ("machine_ac", 222.0)}


def test_of_several_systems_none_is_taken_at_random_and_the_setting_decides(
    tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    with redfish(several_systems(), *tls[1:]) as bmc:
        why, remedy = failure(machine(bmc, tmp_path, tls[0]).read())
        assert why == "the controller serves 2 systems, and this machine's UUID cannot be read"
        assert "redfish_chassis" in remedy
        assert watts(machine(bmc, tmp_path, tls[0], frozenset({"L"})).read()) == {"redfish/L": ("machine_ac", 111.0)}
        assert "is not there" in failure(machine(bmc, tmp_path, tls[0], frozenset({"L", "M"})).read())[0]


def test_a_chassis_that_feeds_several_systems_is_not_this_machine(tls: tuple[Path, Path, Path], tmp_path: Path) -> None:
    tree = service("Enclosure")
    nodes = [ref("/redfish/v1/Systems/1"), ref("/redfish/v1/Systems/2")]
    tree["/redfish/v1/Chassis/Enclosure"]["Links"] = {"ComputerSystems": nodes}
    environment(tree, "Enclosure", 2000)
    assert "feeds several systems" in failure(asked(tree, tls, tmp_path))[0]


def test_collections_are_read_over_all_their_pages_and_never_for_ever(
    tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    tree = service("A", "B", systems={"1": {}})
    environment(tree, "B", 150)
    tree["/redfish/v1/Chassis"] = {
        "Members": [ref("/redfish/v1/Chassis/A")],
        "Members@odata.nextLink": "/redfish/v1/Chassis/page2",
    }
    tree["/redfish/v1/Chassis/page2"] = {
        "Members": [ref("/redfish/v1/Chassis/B")],
        "Members@odata.nextLink": "/redfish/v1/Chassis/page2",
    }
    assert watts(asked(tree, tls, tmp_path)) == {"redfish/B": ("machine_ac", 150.0)}


# Sessions


def test_one_session_serves_all_readings_and_is_ended(
    bmc: RedfishService, tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    environment(bmc.tree, "1", 200)
    one = machine(bmc, tmp_path, tls[0])
    for _ in range(3):
        assert data(one.read())
    assert bmc.count(f"POST {SESSIONS}") == len(bmc.tokens) == 1
    one.close()
    assert bmc.tokens == {}


def test_a_session_that_the_controller_ended_is_opened_again(
    bmc: RedfishService, tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    environment(bmc.tree, "1", 200)
    one = machine(bmc, tmp_path, tls[0])
    assert data(one.read())
    bmc.end_all_sessions()
    assert data(one.read())
    assert bmc.count(f"POST {SESSIONS}") == 2


def test_a_refused_password_is_not_tried_until_the_account_is_locked(
    bmc: RedfishService, tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    one = machine(bmc, tmp_path, tls[0], password="wrong")
    for _ in range(3):
        why, remedy = failure(one.read())
        assert why == "the controller: it refuses the account: The account is not known."
        assert "redfish_password_file" in remedy
    assert bmc.count(f"POST {SESSIONS}") == 1


def test_a_controller_without_sessions_is_asked_with_each_question(
    bmc: RedfishService, tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    bmc.offers_sessions = False
    environment(bmc.tree, "1", 200)
    assert data(machine(bmc, tmp_path, tls[0]).read())


@pytest.mark.parametrize(
    "refusal",
    [
        (503, "The maximum number of sessions is reached."),
        (400, "The session establishment failed due to the number of simultaneous sessions exceeding the limit."),
        (500, "RAC0218: The maximum number of user sessions is reached."),
    ],
)
def test_while_all_sessions_are_taken_the_account_goes_with_each_question(
    refusal: tuple[int, str], bmc: RedfishService, tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    bmc.most_sessions, bmc.session_refusal = 0, refusal
    environment(bmc.tree, "1", 200)
    one = machine(bmc, tmp_path, tls[0])
    for _ in range(2):
        assert data(one.read())
    assert bmc.count(f"POST {SESSIONS}") == 1
    bmc.takes_basic = False
    for _ in range(2):
        why, remedy = failure(one.read())
        assert f"it opens no session: {refusal[0]}: {refusal[1]}" in why
        assert "end unused sessions" in remedy
    # Nothing was locked: the first session that is free serves.
    bmc.most_sessions = 1
    assert data(one.read())


def test_a_password_file_that_is_missing_is_named(
    bmc: RedfishService, tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    one = machine(bmc, tmp_path, tls[0])
    (tmp_path / "bmc-password").unlink()
    assert "bmc-password cannot be read" in failure(one.read())[0]
    assert bmc.asked == []


# TLS


def test_nothing_is_sent_to_a_controller_that_is_not_trusted(bmc: RedfishService, tmp_path: Path) -> None:
    other = certificates(tmp_path / "other")
    for ca in ("system", other[0], other[1]):
        why, remedy = failure(machine(bmc, tmp_path, ca).read())
        assert why.startswith("the controller: its certificate is not trusted:")
        assert "redfish_ca" in remedy
    assert bmc.asked == []


def test_a_certificate_in_a_name_that_nobody_uses_is_trusted_by_its_file(tmp_path: Path) -> None:
    # As controllers make them for themselves: no address, and out of date.
    chain, key = tmp_path / "bmc.pem", tmp_path / "bmc-key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"]
    subprocess.run(
        [*made, "-subj", "/CN=idrac-ABC1234", "-keyout", key, "-out", chain], check=True, capture_output=True
    )
    tree = service("1")
    environment(tree, "1", 200)
    with redfish(tree, chain, key) as bmc:
        assert data(machine(bmc, tmp_path, chain).read())
        assert "not trusted" in failure(machine(bmc, tmp_path, "system").read())[0]


def test_a_file_without_a_certificate_is_named(bmc: RedfishService, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing\n")
    why, remedy = failure(machine(bmc, tmp_path, tmp_path / "empty.pem").read())
    assert "empty.pem cannot be read" in why
    assert "redfish_ca" in remedy


# Controllers that fail


def test_a_controller_that_hangs_is_given_up(
    bmc: RedfishService, tls: tuple[Path, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redfish_client, "DEADLINE_SECONDS", 0.5)
    bmc.answers.clear()
    began = time.monotonic()
    assert failure(machine(bmc, tmp_path, tls[0]).read())[0] == "the controller: it did not answer in 0.5 s"
    assert time.monotonic() - began < 3


def test_a_controller_that_is_away_and_one_that_is_busy_fail_with_what_to_do(
    bmc: RedfishService, tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    environment(bmc.tree, "1", 200)
    bmc.statuses["/redfish/v1/Chassis/1/EnvironmentMetrics"] = 503
    assert "answers 503" in failure(machine(bmc, tmp_path, tls[0]).read())[0]
    bmc.url = "https://127.0.0.1:9"
    assert (
        failure(machine(bmc, tmp_path, tls[0]).read())[0] == "the controller: it cannot be reached: Connection refused"
    )


@pytest.mark.parametrize("value", [0, 0.0])
def test_a_controller_that_reads_no_power_is_not_believed(
    value: float, tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    tree = service("1")
    environment(tree, "1", value)
    assert failure(asked(tree, tls, tmp_path))[0] == "the controller does not measure: it reads 0 W"


def test_a_controller_whose_watts_never_follow_the_load_is_found_out_and_believed_again_when_they_do(
    bmc: RedfishService, tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    environment(bmc.tree, "1", 210)
    one = machine(bmc, tmp_path, tls[0])
    busy = total = 0
    for number in range(TOLERATED_REPETITIONS + 3):
        busy, total = busy + (90 if number % 2 else 5), total + 100
        trees.write(tmp_path, {"proc/stat": f"cpu  {busy} 0 0 {total - busy} 0 0 0 0 0 0"})
        outcome = one.read()
        if number < TOLERATED_REPETITIONS:
            assert data(outcome)
    assert failure(outcome)[0] == (
        "the controller does not measure: it keeps reading 210 W while the load goes from 5% to 90%"
    )
    environment(bmc.tree, "1", 211)
    assert data(one.read())


def test_a_machine_at_steady_load_may_draw_the_same_for_hours(
    bmc: RedfishService, tls: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    environment(bmc.tree, "1", 210)
    one = machine(bmc, tmp_path, tls[0])
    for number in range(1, TOLERATED_REPETITIONS + 5):
        trees.write(tmp_path, {"proc/stat": f"cpu  {number * 50} 0 0 {number * 50} 0 0 0 0 0 0"})
        assert data(one.read())


@pytest.mark.parametrize("body", [[], "text", {"Members": "none"}, {"Members": [{"@odata.id": "http://[bad/x"}, 5]}])
def test_answers_that_make_no_sense_are_no_reading(body: Any, tls: tuple[Path, Path, Path], tmp_path: Path) -> None:
    tree = service("1")
    tree["/redfish/v1/Systems"] = body
    tree["/redfish/v1/Chassis"] = body
    assert reason(asked(tree, tls, tmp_path))
