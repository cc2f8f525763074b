"""A Debian 12 for machines of tests, made once by debootstrap from the mirror that apt is configured for, and kept.

It lies in the user's cache by the hash of its recipe; machines work on a layer above it and never change it.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from tests.servers.process import tail

SUITE = "bookworm"
INCLUDED = ("systemd", "systemd-sysv", "dbus")
"""What boots, and what systemctl talks through; ictagent's package brings the rest that it needs."""
_SECONDS = 400


def mirror() -> str:
    """The address from which apt of this machine would take Debian 12; empty where it takes none from the network."""
    form = "$(ORIGIN) $(CODENAME) $(COMPONENT) $(REPO_URI)"
    try:
        listed = subprocess.run(
            ["apt-get", "indextargets", "--format", form, "Created-By: Packages"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
    found = [line.split()[-1] for line in listed.splitlines() if line.startswith(f"Debian {SUITE} main http")]
    return found[0] if found else ""


def debian_root(address: str) -> Path:
    """The root of the system, made where it is not there yet (some 45 s). Raises RuntimeError with debootstrap's log."""
    recipe = f"{SUITE} minbase {INCLUDED} {address}"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ictagent-tests"
    cache.mkdir(parents=True, exist_ok=True)
    root = cache / f"debian-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    with (cache / "lock").open("w") as lock:
        # Another run of the tests may be making it.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.is_dir():
            for left_over in cache.glob("*.partial"):
                shutil.rmtree(left_over)
            partial = root.with_suffix(".partial")
            _bootstrap(partial, address, cache / "debootstrap.log")
            partial.rename(root)
    return root


def _bootstrap(directory: Path, address: str, log: Path) -> None:
    # Without it dpkg waits for the disk after every file of a system that is thrown away if anything fails.
    swift = ["eatmydata"] if shutil.which("eatmydata") else []
    command = [*swift, "debootstrap", "--variant=minbase", f"--include={','.join(INCLUDED)}", SUITE, str(directory)]
    with log.open("wb") as said:
        done = subprocess.run(
            [*command, address], stdout=said, stderr=said, env=os.environ | _proxy(), timeout=_SECONDS, check=False
        )
    if done.returncode:
        raise RuntimeError(f"debootstrap failed ({done.returncode}): {tail(log)}")
    for archive in (directory / "var/cache/apt/archives").glob("*.deb"):
        archive.unlink()


def _proxy() -> dict[str, str]:
    """apt's proxy, which debootstrap's wget knows nothing of."""
    asked = ["apt-config", "shell", "http_proxy", "Acquire::http::Proxy"]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    value = said.removeprefix("http_proxy=").strip("'")
    return {"http_proxy": value} if value else {}
