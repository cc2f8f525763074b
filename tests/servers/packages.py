"""The agent's Debian package as a release builds it, and the same as a later release."""

import subprocess
import sys
from pathlib import Path


def agent_package(directory: Path) -> Path:
    """Build it from this checkout. Raises CalledProcessError with what the build said."""
    build = [sys.executable, "-m", "deploy.packages.build", "--package", "agent", "--format", "deb"]
    done = subprocess.run(
        [*build, "--output", str(directory)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    if done.returncode:
        raise RuntimeError(f"the package was not built ({done.returncode}): {done.stdout[-2000:]}{done.stderr[-4000:]}")
    return next(directory.glob("ictagent-agent_*.deb"))


def later(package: Path, version: str) -> Path:
    """A package with the same files, under a higher version."""
    folder = package.with_suffix(f".{version}")
    _do("dpkg-deb", "--raw-extract", str(package), str(folder))
    control = folder / "DEBIAN/control"
    lines = control.read_text().splitlines()
    control.write_text("".join(f"Version: {version}\n" if x.startswith("Version:") else f"{x}\n" for x in lines))
    made = package.with_name(f"ictagent-agent_{version}_amd64.deb")
    _do("dpkg-deb", "--root-owner-group", "-Znone", "--build", str(folder), str(made))
    return made


def _do(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
