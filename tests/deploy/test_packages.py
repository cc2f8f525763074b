"""What the packages hold and ask for. Installing, upgrading and purging them for real is tests/system's."""

import platform
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from deploy.packages.build import SHIPPED_BY, Format, nfpm_configuration, pack
from deploy.packages.elf import ElfNeeds, elf_files, needs
from deploy.packages.freeze import Product
from tests.deploy.packaging import RELEASE, Built, deb_paths, rpm_paths, said

pytestmark = pytest.mark.timeout(900)  # the first test makes the package, where `make packages` did not


def _field(deb: Path, name: str) -> str:
    return said("dpkg-deb", "--field", deb, name).strip()


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def test_the_agents_package_brings_the_program_and_owns_nothing_in_etc_or_var(agent_package: Built) -> None:
    paths = deb_paths(agent_package.deb)
    assert {"/usr/bin/ictagent", "/usr/lib/ictagent/ictagent"} <= paths
    own = ("/usr/lib/ictagent/", "/usr/share/doc/ictagent-agent/")
    assert sorted(path for path in paths if not path.startswith(own)) == [
        "/usr/bin/ictagent",
        "/usr/share/bash-completion/completions/ictagent",
    ]


def test_deb_and_rpm_hold_the_same_files(agent_package: Built) -> None:
    assert rpm_paths(agent_package.rpm) == deb_paths(agent_package.deb)


def test_the_agents_package_has_nothing_of_the_collectors(agent_package: Built) -> None:
    parts = {
        path.split("/")[5].split(".")[0].split("-")[0] for path in deb_paths(agent_package.deb) if "_internal/" in path
    }
    assert {"psutil", "click", "libpython3"} <= parts
    assert not {"collector", "carbon", "dashboards", "sqlalchemy", "cryptography", "vl_convert"} & parts


def test_the_packages_ask_for_the_glibc_that_their_files_ask_for(agent_package: Built) -> None:
    needed = needs(agent_package.program.parent)
    assert needed.asked_by
    assert _numbers("2.17") <= _numbers(needed.glibc) <= _numbers(platform.libc_ver()[1])
    assert _field(agent_package.deb, "Depends") == f"libc6 (>= {needed.glibc}), zlib1g"
    required = said("rpm", "-qp", "--requires", agent_package.rpm).splitlines()
    assert [line for line in required if not line.startswith("rpmlib(")] == [f"glibc >= {needed.glibc}", "zlib"]


def _configuration(product: Product, packed: Format) -> dict[str, Any]:
    needed = ElfNeeds("2.28", ("libpython",), ("libstdc++.so.6",))
    return nfpm_configuration(product, packed, Path("program"), Path("extras"), needed, RELEASE)


def test_one_machine_has_one_of_the_packages_and_the_collectors_serves_for_the_agents(agent_package: Built) -> None:
    other = "ictagent-collector"
    assert (_field(agent_package.deb, "Conflicts"), _field(agent_package.deb, "Replaces")) == (other, other)
    assert said("rpm", "-qp", "--conflicts", agent_package.rpm).split() == [other]
    for packed in get_args(Format):
        told = _configuration("collector", packed)
        assert (told["conflicts"], told["provides"]) == (["ictagent-agent"], ["ictagent-agent"])


def test_no_rpm_makes_a_collector_of_every_host_with_the_agent(agent_package: Built) -> None:
    # `dnf upgrade` installs whatever obsoletes a package that is there, and nfpm writes `replaces` as that.
    assert said("rpm", "-qp", "--obsoletes", agent_package.rpm) == ""
    assert "replaces" not in _configuration("collector", "rpm")


def test_the_collectors_package_leaves_the_systems_own_libraries_to_the_system(collector_program: Path) -> None:
    names = {path.name for path in elf_files(collector_program.parent)}
    assert not {name for name in names if re.match(r"lib(c|m|stdc\+\+|gcc_s)\.so", name)}
    missing = needs(collector_program.parent).missing
    assert "libstdc++.so.6" in missing
    assert set(missing) <= SHIPPED_BY.keys()
    assert _configuration("collector", "deb")["depends"] == ["libc6 (>= 2.28)", "libstdc++6"]
    assert _configuration("collector", "rpm")["depends"] == ["glibc >= 2.28", "libstdc++"]


def test_packed_again_a_package_is_the_same_to_the_byte(agent_package: Built, tmp_path: Path) -> None:
    deb, rpm = pack("agent", agent_package.program.parent, ["deb", "rpm"], tmp_path, RELEASE)
    assert deb.read_bytes() == agent_package.deb.read_bytes()
    assert rpm.read_bytes() == agent_package.rpm.read_bytes()
