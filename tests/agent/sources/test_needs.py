"""What a service must be allowed for the sources of its host."""

from pathlib import Path

import pytest

from agent.settings import AgentSettings
from agent.sources import NEEDS, SOURCES, ipmi_dcmi, needs_of
from agent.sources.needs import NOTHING, Needs, together
from tests.agent import trees


def test_every_source_says_what_it_needs() -> None:
    assert list(NEEDS) == list(SOURCES)


def test_a_machine_without_sensors_needs_the_network_alone(tmp_path: Path) -> None:
    assert needs_of(tmp_path) == Needs(address_families=frozenset({"AF_INET", "AF_INET6"}))
    assert needs_of(tmp_path, ["redfish"]) == NOTHING


@pytest.mark.parametrize(("mode", "capabilities"), [(0o444, set()), (0o400, {"CAP_DAC_READ_SEARCH"})])
def test_counters_of_roots_alone_need_the_capability_to_read_them(
    mode: int, capabilities: set[str], tmp_path: Path
) -> None:
    trees.zone(tmp_path, "intel-rapl:0", "package-0")
    (tmp_path / "sys/class/powercap/intel-rapl:0/energy_uj").chmod(mode)
    assert NEEDS["rapl"](tmp_path).capabilities == capabilities
    assert "CAP_DAC_READ_SEARCH" not in needs_of(tmp_path, ["rapl"]).capabilities
    file = trees.chip(tmp_path, 0, "power_meter", "ACPI000D:00", power1_average="5") / "power1_average"
    file.chmod(mode)
    assert NEEDS["acpi_meter"](tmp_path).capabilities == capabilities
    file = trees.chip(tmp_path, 1, "pmbus", "1-0058", power1_input="5") / "power1_input"
    file.chmod(mode)
    assert NEEDS["hwmon"](tmp_path).capabilities == capabilities


def test_a_controller_needs_its_device_and_its_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trees.write(tmp_path, {"dev/ipmi0": "", "usr/bin/ipmitool": "#!/bin/sh"})
    (tmp_path / "usr/bin/ipmitool").chmod(0o755)
    monkeypatch.setattr(ipmi_dcmi, "_DIRECTORIES", str(tmp_path / "usr/bin"))
    needs = NEEDS["ipmi_dcmi"](tmp_path)
    assert needs.devices == {"/dev/ipmi0"}
    assert needs.capabilities == {"CAP_DAC_OVERRIDE"}
    assert needs.programs == {str(tmp_path / "usr/bin/ipmitool")}


def test_needs_join() -> None:
    first, second = Needs(frozenset({"A"}), devices=frozenset({"/dev/a"})), Needs(frozenset({"B"}))
    assert together([first, second]) == Needs(frozenset({"A", "B"}), frozenset({"/dev/a"}))


@pytest.mark.parametrize("name", SOURCES)
def test_making_a_source_reads_and_connects_to_nothing(name: str, tmp_path: Path) -> None:
    settings = AgentSettings(redfish_url="https://192.0.2.1", redfish_user="x", redfish_password_file="/nowhere")
    source = SOURCES[name](settings, tmp_path)
    assert source.read()
    source.close()
