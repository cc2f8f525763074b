"""The project itself: what it needs, what a wheel holds, and that two machines install the same."""

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

import click
import pytest

import agent
from agent.cli import COMMANDS, main
from tests.servers.ictagent import ictagent

ROOT = Path(__file__).parents[1]
ROOMS = ("agent", "collector", "carbon", "dashboards")
NOT_PINNED = {"ictagent", "pip", "setuptools", "wheel"}
"""What a fresh environment has before anything is installed, and ictagent itself."""


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _name(requirement: str) -> str:
    """The normalised name of a requirement or distribution (PEP 503)."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def _extras_of(requirement: str) -> set[str]:
    found = re.match(r"[A-Za-z0-9._-]+\[([^\]]*)\]", requirement)
    return {one.strip() for one in found[1].split(",")} if found else set()


def _pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return {_name(line): line.partition("==")[2] for line in lines if line and not line.startswith("#")}


def _needed(name: str, extras: frozenset[str], seen: set[tuple[str, frozenset[str]]]) -> set[str]:
    """Names of all distributions that one pulls in and that are installed here, itself included."""
    if (name, extras) in seen:
        return set()
    seen.add((name, extras))
    try:
        found = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return set()  # for another Python or platform
    needed = {name}
    for requirement in found.requires or []:
        marker = requirement.partition(";")[2]
        wanted = re.search(r"extra == ['\"]([^'\"]+)['\"]", marker)
        if wanted is None or wanted[1] in extras:
            needed |= _needed(_name(requirement), frozenset(_extras_of(requirement)), seen)
    return needed


def test_an_agent_installs_psutil_and_click_and_nothing_else(project: dict[str, Any]) -> None:
    assert {_name(one) for one in project["project"]["dependencies"]} == {"psutil", "click"}
    assert _needed("ictagent", frozenset(), set()) == {"ictagent", "psutil", "click"}


def test_there_are_the_extras_that_the_documentation_names(project: dict[str, Any]) -> None:
    extras = project["project"]["optional-dependencies"]
    assert set(extras) == {"collector", "snmp", "reports", "dashboards", "all", "packaging", "dev"}
    assert [_extras_of(one) for one in extras["all"]] == [{"collector", "reports", "dashboards"}]


def test_every_distribution_of_the_dev_extra_is_pinned_to_what_is_installed() -> None:
    pins = _pins()
    needed = _needed("ictagent", frozenset({"dev"}), set()) - NOT_PINNED
    assert len(needed) > 60
    assert sorted(needed - pins.keys()) == []
    assert {name: metadata.version(name) for name in needed} == {name: pins[name] for name in needed}


def test_nothing_is_pinned_that_nothing_needs() -> None:
    needed = _needed("ictagent", frozenset({"dev"}), set())
    assert sorted(_pins().keys() - needed) == []


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_of_the_table_is_where_the_table_says(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.name == name
    assert command.help


def test_the_version_is_the_packages() -> None:
    told = ictagent("--version")
    assert (told.returncode, told.stdout.strip()) == (0, f"ictagent, version {agent.__version__}")
    assert metadata.version("ictagent") == agent.__version__


def test_running_the_agent_imports_nothing_of_the_collector() -> None:
    script = (
        "import sys; from agent.cli import main; main(['run', '--help'], standalone_mode=False); "
        "import agent.loop; print(sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    told = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = told.stdout.splitlines()[-1]
    assert "'agent'" in loaded
    for other in ("collector", "carbon", "sqlalchemy", "msgspec"):
        assert f"'{other}'" not in loaded


def test_the_licence_is_mit_and_each_packaged_data_file_has_its_source(project: dict[str, Any]) -> None:
    assert project["project"]["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License\n")
    data = ROOT / "carbon" / "data"
    sources = (data / "SOURCES.md").read_text(encoding="utf-8")
    files = {path.name for path in data.iterdir() if path.is_file() and path.name != "SOURCES.md"}
    assert files
    assert sorted(name for name in files if f"## {name}\n" not in sources) == []


def test_contracts_hold_every_arrow_between_the_rooms(project: dict[str, Any]) -> None:
    linter = project["tool"]["importlinter"]
    assert linter["root_packages"] == list(ROOMS)
    forbidden = {
        (source, target)
        for contract in linter["contracts"]
        for source in contract["source_modules"]
        for target in contract["forbidden_modules"]
        if target in ROOMS
    }
    allowed = {("collector", "agent"), ("collector", "carbon"), ("dashboards", "agent")}
    assert {(source, target) for source in ROOMS for target in ROOMS if source != target} - allowed == forbidden


def test_a_wheel_holds_everything_the_product_reads(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    built = subprocess.run([*command, "-w", str(tmp_path), str(ROOT)], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    [wheel] = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *ROOMS], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    here = {name for name in listed if (ROOT / name).is_file()}
    assert here - names == set()
    kinds = ("templates/estate.html", "static/style.css", "versions/0001_first_schema.py", "data/factors.json")
    assert [kind for kind in kinds if not any(name.endswith(kind) for name in names)] == []
    strangers = {name for name in names - here if ".dist-info/" not in name}
    assert strangers == set()


def test_generated_and_secret_files_are_not_in_the_tree() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in listed if re.search(r"\.(db|pem|key|pyc|whl)$|__pycache__|(^|/)\.env$", name)] == []
