"""What the benchmarks share: processor seconds and memory of a process, medians beside targets, and the machine's facts."""

import datetime
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from tests.servers.process import tail, wait_until

ROOT = Path(__file__).parents[2]
ICTAGENT = [sys.executable, "-m", "agent"]
"""The command `ictagent` of this checkout, to be run with `ROOT` as working directory."""
_TICKS = os.sysconf("SC_CLK_TCK")
IDLE_SECONDS = 3.0
"""A server that used no more than `IDLE_SHARE` of one processor for so long has done all its work."""
IDLE_SHARE = 0.02


def need(program: str, package: str) -> None:
    """End with the remedy when a peer is not installed: half a benchmark says nothing."""
    if shutil.which(program) is None:
        give_up(f"{program} is missing", f"apt-get install --no-install-recommends {package}")


def give_up(problem: str, remedy: str) -> NoReturn:
    """End the benchmark with what is wrong and what to do."""
    sys.exit(f"{Path(sys.argv[0]).name}: {problem}; {remedy}")


def cpu_seconds(pid: int) -> float:
    """User and system seconds of a process since it started, all its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory_kb(pid: int) -> tuple[int, int]:
    """Resident and proportional set size. The second counts a page shared by n processes as an nth."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    found = dict(re.findall(r"^(Rss|Pss): +(\d+) kB", text, re.MULTILINE))
    return int(found["Rss"]), int(found["Pss"])


def wait_until_idle(pid: int, seconds: float = 120.0) -> None:
    """Wait until a process rests. Raises TimeoutError when it does not."""
    deadline = time.monotonic() + seconds
    used = cpu_seconds(pid)
    while time.monotonic() < deadline:
        time.sleep(IDLE_SECONDS)
        before, used = used, cpu_seconds(pid)
        if used - before <= IDLE_SHARE * IDLE_SECONDS:
            return
    raise TimeoutError(f"process {pid} did not come to rest within {seconds} s")


@contextmanager
def running(command: Sequence[str], log: Path, ready: Callable[[], object]) -> Iterator[int]:
    """A server in a process of its own, by its process id, once it is `ready`; what it says goes to `log`.

    Ended afterwards. Ends the benchmark with the server's last words when it does not start or ends by itself.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        wait_until(lambda: process.poll() is not None or ready(), f"the start of {command[0]}")
        if process.poll() is not None:
            give_up(f"{' '.join(command)} does not start", f"its last words: {tail(log)}")
        yield process.pid
        if process.poll() is not None:
            give_up(f"{' '.join(command)} ended by itself", f"its last words: {tail(log)}")
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def median(values: Sequence[float]) -> float:
    return float(statistics.median(values))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1)]


def verdict(name: str, value: float, target: float, *, at_most: bool, unit: str = "") -> None:
    """One line: what was measured beside its target, met or missed."""
    met = value <= target if at_most else value >= target
    bound = "at most" if at_most else "at least"
    print(f"  {name:<58} {value:>10,.2f}{unit}   target {bound} {target:,g}{unit}: {'met' if met else 'MISSED'}")


def figure(name: str, ours: str, peer: str = "") -> None:
    """One line of figures: ours, and the peer's beside it."""
    print(f"  {name:<58} {ours:>24} {peer:>24}")


def print_machine(title: str) -> None:
    """The heading of a benchmark: what it is, when and where it ran."""
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    print(f"{title}   {today}")
    print(
        f"  {os.cpu_count()} x {model[1] if model else platform.machine()}, {memory:.0f} GiB, "
        f"Linux {platform.release().split('-')[0]}, Python {platform.python_version()}, "
        f"load before {os.getloadavg()[0]:.1f}"
    )
    sys.stdout.flush()
