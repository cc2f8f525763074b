"""Packages for tests: built once on a machine, by whichever worker comes first; the others find the folder ready."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from deploy.packages.build import Release, pack
from deploy.packages.freeze import ROOT, Product, freeze
from tests.conftest import missing

WORK = ROOT / "build/packages"
RELEASE = Release("0.1.0", "1", 1_780_000_000)
TOOLS = {"objdump": "binutils", "strip": "binutils", "dpkg-deb": "dpkg", "rpm": "rpm"}


@dataclass(frozen=True, slots=True)
class Built:
    """The packages of the agent, and the folder that went into them."""

    deb: Path
    rpm: Path
    program: Path


def frozen(product: Product) -> Path:
    """The folder of a product, or a skip with the name of the missing tool. `make packages` made it, or else it takes
    a minute and a half now."""
    for tool, package in TOOLS.items():
        if shutil.which(tool) is None:
            missing(f"{tool} (Debian's {package})")
    return freeze(product, WORK, RELEASE.source_date_epoch)


def built_agent(output: Path) -> Built:
    folder = frozen("agent")
    deb, rpm = pack("agent", folder, ["deb", "rpm"], output, RELEASE)
    return Built(deb, rpm, folder / "ictagent")


def said(*command: str | Path) -> str:
    """What a program writes to stdout."""
    return subprocess.run([str(one) for one in command], check=True, capture_output=True, text=True).stdout


def deb_paths(deb: Path) -> set[str]:
    """Every file and link in a .deb."""
    lines = [line.split(maxsplit=5) for line in said("dpkg-deb", "--contents", deb).splitlines()]
    return {fields[5].split(" -> ")[0].removeprefix(".") for fields in lines if not fields[0].startswith("d")}


def rpm_paths(rpm: Path) -> set[str]:
    """Every file and link in an .rpm."""
    lines = said("rpm", "-qp", "--queryformat", "[%{FILEMODES:perms} %{FILENAMES}\n]", rpm).splitlines()
    return {line.split(maxsplit=1)[1] for line in lines if not line.startswith("d")}
