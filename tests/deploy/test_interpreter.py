"""What the recipe of the interpreter is fed with. Running it takes minutes: `make packages-old-glibc`."""

import re
import runpy
import shutil
import subprocess

from deploy.packages.freeze import ROOT
from tests.conftest import missing

RECIPE = ROOT / "deploy/interpreter"
SCRIPT = (RECIPE / "build.sh").read_text(encoding="utf-8")
SUMS = (RECIPE / "sources.sha256").read_text(encoding="utf-8").splitlines()


def _pinned() -> dict[str, str]:
    """The version of each source package, without Debian's epoch, which is in no file's name."""
    found = re.findall(r"^(?:CPYTHON=|LIBRARIES=\")(.*?)\"?$", SCRIPT, re.MULTILINE)
    packages = dict(one.split("=", 1) for line in found for one in line.split())
    return {name: version.split(":")[-1] for name, version in packages.items()}


def test_every_source_of_a_pinned_version_has_its_sum_and_no_other_has() -> None:
    assert all(re.fullmatch(r"[0-9a-f]{64}  \S+", line) for line in SUMS)
    files = [line.split()[1] for line in SUMS]
    assert len(_pinned()) == 5
    expected = set[str]()
    for name, version in _pinned().items():
        own = {file for file in files if file.startswith(f"{name}_{version}.")}
        assert {file.removeprefix(f"{name}_{version}") for file in own} == {".dsc", ".debian.tar.xz"}
        upstream = {file for file in files if file.startswith(f"{name}_{version.rpartition('-')[0]}.orig")}
        assert upstream
        expected |= own | upstream
    assert sorted(expected) == sorted(files)


def test_the_compiler_is_one_version_of_one_content() -> None:
    lines = [line for line in (RECIPE / "zig.txt").read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    assert len(lines) == 1
    assert re.fullmatch(r"ziglang==[0-9.]+ --hash=sha256:[0-9a-f]{64}", lines[0])


def test_the_interpreter_takes_no_wheel_for_a_newer_glibc_than_its_own() -> None:
    compatible = runpy.run_path(str(RECIPE / "_manylinux.py"))["manylinux_compatible"]
    assert "GLIBC=${GLIBC:-2.28}" in SCRIPT
    assert compatible(2, 28, "x86_64")
    assert not compatible(2, 31, "x86_64")
    # build.sh writes the glibc that it compiles for into this line.
    assert re.search(r"^GLIBC = \(2, 28\)$", (RECIPE / "_manylinux.py").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_recipe_is_sound_shell() -> None:
    if shutil.which("shellcheck") is None:
        missing("shellcheck (Debian's shellcheck)")
    done = subprocess.run(
        ["shellcheck", "--shell=sh", str(RECIPE / "build.sh")], check=False, capture_output=True, text=True
    )
    assert done.stdout == ""
