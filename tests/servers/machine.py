"""A machine that boots: systemd-nspawn on a throw-away layer above a Debian root, with a network cable to this one.

Everything it is made of hangs on one process that dies with the test's: the first of a process namespace of its own, with
mounts and the end of the cable in namespaces of their own. Killed or failed, nothing is left but empty control groups,
which the next machine sweeps away. The machine has no way to any network but the other end of its cable.
"""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from tests.servers.process import tail, wait_until

PROGRAMS = {
    "systemd-nspawn": "systemd-container",
    "debootstrap": "debootstrap",
    "ip": "iproute2",
    "setpriv": "util-linux",
    "unshare": "util-linux",
    "nsenter": "util-linux",
}
"""What it takes, with the Debian package of each."""
DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL")
_PLACE = Path("/run/machine")
_REBOOTED = 133
"""systemd-nspawn's exit status when the machine wants to be started again (systemd-nspawn@.service)."""
_GROUPS = "ictagent-test-"
_BOOT_SECONDS = 90.0


def missing_program() -> str:
    """The Debian package of a program that is not here, or nothing."""
    absent = (package for name, package in PROGRAMS.items() if shutil.which(name) is None)
    return next(absent, "" if _hierarchies() else "a mounted cgroup2")


class Machine:
    """One machine. `here` is this side's address of the cable, `there` the machine's."""

    def __init__(self, directory: Path, root: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._lower = root
        self._log = directory / "machine.log"
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._keeper: subprocess.Popen[bytes] | None = None
        self._holder = self._leader = 0
        self._groups: list[Path] = []
        # Of 198.18.0.0/15, which is for tests between two devices (RFC 2544): four addresses for each process number.
        first = (198 << 24) + (18 << 16) + 4 * (os.getpid() % 32768)
        self.here, self.there = (".".join(str(n) for n in (first + at).to_bytes(4, "big")) for at in (1, 2))
        self._cable = f"ict{os.getpid()}"

    def path(self, path: str) -> Path:
        """A path of the machine as this side sees it."""
        return Path(f"/proc/{self._holder}/root{_PLACE}/root") / path.lstrip("/")

    @property
    def log(self) -> str:
        """The end of what it wrote to its console."""
        return tail(self._log, 4000)

    def start(self) -> None:
        """Make it and boot it."""
        _sweep()
        script = (
            f"mount -t tmpfs tmpfs /run && mkdir -p {_PLACE}/upper {_PLACE}/work {_PLACE}/root && "
            f"mount -t overlay overlay -o lowerdir={self._lower},upperdir={_PLACE}/upper,workdir={_PLACE}/work "
            f"{_PLACE}/root && touch {_PLACE}/ready && exec sleep infinity"
        )
        spaces = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"]
        with self._log.open("ab") as said:
            self._keeper = subprocess.Popen(
                [*DIES_WITH_US, "unshare", *spaces, "sh", "-c", script],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
        wait_until(self._held, f"the machine's mounts: {self.log}", 10)
        pid = str(self._holder)
        inside = ("nsenter", "--target", pid, "--net")
        _do("ip", "link", "add", self._cable, "type", "veth", "peer", "name", "host0", "netns", pid)
        _do("ip", "address", "add", f"{self.here}/30", "dev", self._cable)
        _do("ip", "link", "set", self._cable, "up")
        _do(*inside, "ip", "address", "add", f"{self.there}/30", "dev", "host0")
        for link in ("lo", "host0"):
            _do(*inside, "ip", "link", "set", link, "up")
        self._boot()

    def _held(self) -> bool:
        assert self._keeper is not None
        self._holder = next(iter(_children(self._keeper.pid)), 0)
        return Path(f"/proc/{self._holder}/root{_PLACE}/ready").exists()

    def _boot(self) -> None:
        self._groups = [hierarchy / f"{_GROUPS}{os.getpid()}" for hierarchy in _hierarchies()]
        for group in self._groups:
            group.mkdir(exist_ok=True)
        join = "".join(f"echo $$ > {group}/cgroup.procs && " for group in self._groups)
        options = [f"--directory={_PLACE}/root", "--network-namespace-path=/proc/1/ns/net"]
        options += ["--register=no", "--keep-unit", "--link-journal=no", "--resolv-conf=off", "--timezone=off"]
        command = ["systemd-nspawn", "--quiet", "--boot", "--machine=host-under-test", "--console=pipe", *options]
        within = ["nsenter", "--target", str(self._holder), "--mount", "--pid"]
        with self._log.open("ab") as said:
            self._nspawn = subprocess.Popen(
                ["sh", "-c", f'{join}exec "$@"', "sh", *within, *command],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env=os.environ | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
            )
        wait_until(self._booted, f"the machine's start: {self.log}", _BOOT_SECONDS)

    def _booted(self) -> bool:
        assert self._nspawn is not None
        assert self._nspawn.poll() is None, f"systemd-nspawn ended: {self.log}"
        self._leader = _first_process(self._nspawn.pid)
        return self._leader > 0 and self.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded")

    def run(self, *command: str, seconds: float = 150.0) -> "subprocess.CompletedProcess[str]":
        """Run a command in it as root and give what came of it."""
        clean = [
            "env",
            "--ignore-environment",
            "--chdir=/root",
            "HOME=/root",
            "LANG=C.UTF-8",
            "PATH=/usr/sbin:/usr/bin",
        ]
        return subprocess.run(
            ["nsenter", "--target", str(self._leader), "--all", "--", *clean, *command],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        )

    def do(self, *command: str) -> str:
        """Run a command in it that must succeed; what it printed."""
        done = self.run(*command)
        assert done.returncode == 0, f"{' '.join(command)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def reboot(self) -> None:
        """Have it start again, in order."""
        assert self._nspawn is not None
        self.run("systemctl", "reboot")
        assert self._nspawn.wait(_BOOT_SECONDS) == _REBOOTED, self.log
        self._boot()

    def journal(self, unit: str) -> str:
        """The unit's messages."""
        return self.run("journalctl", "--no-pager", "--unit", unit).stdout

    def end(self) -> None:
        """However it stands, nothing of it is left."""
        if self._keeper is not None:
            self._keeper.kill()
            self._keeper.wait()
        if self._nspawn is not None:
            self._nspawn.wait()
        if self._groups:
            # The kernel ends what was in the namespaces a moment later.
            wait_until(lambda: all(_remove(group) for group in self._groups), "the end of its control groups", 20)


def _do(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")


def _hierarchies() -> list[Path]:
    """Where cgroup2 is mounted, and the hierarchy of systemd's name beside it on a host with both kinds."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return [
        Path(where)
        for _, where, kind, options, *_ in mounts
        if kind == "cgroup2" or (kind == "cgroup" and "name=systemd" in options.split(","))
    ]


def _first_process(below: int) -> int:
    """The machine's process number 1 as this side counts, or 0 where it is not there yet: the one that is number 1 in a
    process namespace within the holder's."""
    for child in _children(below):
        with contextlib.suppress(FileNotFoundError):
            status = Path(f"/proc/{child}/status").read_text()
            numbers = next(line for line in status.splitlines() if line.startswith("NSpid:")).split()[1:]
            if len(numbers) > 2 and numbers[-1] == "1":
                return child
            if found := _first_process(child):
                return found
    return 0


def _children(pid: int) -> Sequence[int]:
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _remove(group: Path) -> bool:
    """Remove a control group with those below it; whether it is gone."""
    for base, _, _ in os.walk(group, topdown=False):
        with contextlib.suppress(OSError):
            Path(base).rmdir()
    return not group.exists()


def _sweep() -> None:
    """Remove what machines of tests that were killed have left. Groups with processes in them stay."""
    for hierarchy in _hierarchies():
        for left_over in hierarchy.glob(f"{_GROUPS}*"):
            # A younger one may be another machine's that is about to start.
            if time.time() - left_over.stat().st_mtime > 60:
                _remove(left_over)
