"""A wheelhouse holds what an installation without an index needs, at the versions of constraints.txt."""

import hashlib
import os
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest

from agent import __version__
from deploy.wheelhouse import SUMS, collect

AGENT = ("click", "psutil")


def _wheel_of_what_is_installed(name: str, folder: Path) -> None:
    """An installed distribution as a wheel again: tests have no package index."""
    installed = distribution(name)
    files = [one for one in installed.files or [] if ".." not in one.parts and "__pycache__" not in one.parts]
    tag = (installed.read_text("WHEEL") or "").partition("Tag: ")[2].split()[0]
    with zipfile.ZipFile(folder / f"{name}-{installed.version}-{tag}.whl", "w") as wheel:
        for one in files:
            wheel.write(str(one.locate()), str(one))


@pytest.fixture(scope="module")
def wheelhouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    index, output = tmp_path_factory.mktemp("index"), tmp_path_factory.mktemp("wheelhouse")
    for name in AGENT:
        _wheel_of_what_is_installed(name, index)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_FIND_LINKS", str(index))
        patch.setenv("PIP_NO_BUILD_ISOLATION", "false")  # pip's way to say: build with what is installed
        collect(output, "", [], [])
    return output


def test_the_agents_wheelhouse_holds_its_three_wheels_with_their_sums(wheelhouse: Path) -> None:
    wheels = sorted(path.name for path in wheelhouse.glob("*.whl"))
    assert [name.split("-")[0] for name in wheels] == ["click", "ictagent", "psutil"]
    lines = (wheelhouse / SUMS).read_text().splitlines()
    assert lines == [f"{hashlib.sha256((wheelhouse / name).read_bytes()).hexdigest()}  {name}" for name in wheels]
    subprocess.run(["sha256sum", "--check", "--strict", SUMS], check=True, cwd=wheelhouse, capture_output=True)


def test_a_wheelhouse_is_all_that_an_installation_needs(wheelhouse: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "host", with_pip=False)
    python = tmp_path / "host/bin/python"
    # This environment's pip installs into the other, which needs none of its own.
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-index"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    subprocess.run([*command, "--find-links", str(wheelhouse), "ictagent"], check=True, env=environment)
    said = subprocess.run([str(python.with_name("ictagent")), "--version"], check=True, capture_output=True, text=True)
    assert said.stdout.strip() == f"ictagent, version {__version__}"
