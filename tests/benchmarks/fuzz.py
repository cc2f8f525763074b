"""Fuzz everything that others' bytes reach, for as long as one likes.

    python -m tests.benchmarks.fuzz --minutes 10 [--seed N]

Prints cases, answers by code, the slowest case, memory, and each finding with the seed that makes it again. Exit 1 with
findings. The targets are those of tests/collector/test_fuzz.py: reports, enrolment and keys through the whole
application in process and over a real socket; tokens, keys and headers; settings, spool and state files.
"""

import argparse
import logging
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random, randrange

from collector.web import connection
from tests.collector import fuzz_parsers, fuzz_socket
from tests.collector.fuzzed import Fuzzed
from tests.collector.web.served import serving

CHECK_EVERY = 500
RECYCLED_EVERY = 20_000
"""Cases after which the collector in process begins with an empty database."""


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--minutes", type=float, default=10.0)
    asked.add_argument("--seed", type=int, default=None)
    options = asked.parse_args()
    seed = randrange(2**32) if options.seed is None else options.seed
    logging.disable(logging.CRITICAL)
    # What does not arrive whole is ended; half a minute for each would leave time for nothing else.
    connection.ARRIVAL_SECONDS = 0.2
    with tempfile.TemporaryDirectory() as directory, serving(Path(directory) / "served") as served:
        run = Run(Path(directory), seed, int(served.host.rpartition(":")[2]), served.enrol("fuzzed").key)
        run.until(time.monotonic() + options.minutes * 60)
        assert served.client.get("/healthz").status_code == 200
    run.tell()
    return 1 if run.findings else 0


class Run:
    """Cases of all targets in turn, each with a seed of its own."""

    def __init__(self, directory: Path, seed: int, port: int, key: str) -> None:
        self.findings: dict[str, str] = {}
        self._seed, self._directory, self._port, self._key = seed, directory, port, key
        self._cases: Counter[str] = Counter()
        self._answers: Counter[str] = Counter()
        self._socket_answers: Counter[str] = Counter()
        self._slowest = 0.0
        self._started = time.monotonic()
        self._memory = [resident_bytes()]

    def until(self, end: float) -> None:
        number = 0
        while time.monotonic() < end and len(self.findings) < 20:
            fuzzed = Fuzzed(self._directory / f"fuzzed-{number}")
            targets = self._targets(fuzzed)
            for _ in range(RECYCLED_EVERY):
                number += 1
                name, target = targets[number % len(targets)]
                self._one(name, target, self._seed + number)
                if number % CHECK_EVERY == 0:
                    self._one("check", lambda _: fuzzed.check(), self._seed + number)  # noqa: B023  # called here
                    self._memory.append(resident_bytes())
                if time.monotonic() >= end:
                    break
            self._answers += fuzzed.answers
            self._slowest = max(self._slowest, fuzzed.slowest)
            fuzzed.close()

    def _targets(self, fuzzed: Fuzzed) -> list[tuple[str, Callable[[Random], None]]]:
        def of_file(target: Callable[[Random, Path], None]) -> Callable[[Random], None]:
            folder = self._directory / target.__name__
            folder.mkdir(exist_ok=True)
            return lambda chance: target(chance, folder)

        targets: list[tuple[str, Callable[[Random], None]]] = [("report", fuzzed.report)] * 8
        targets += [("enrolment", fuzzed.enrolment), ("key routes", fuzzed.key_routes)]
        targets += [(target.__name__, of_file(target)) for target in fuzz_parsers.FILES]
        targets += [(target.__name__, target) for target in fuzz_parsers.TEXTS]
        return [*targets, *[("socket", self._over_the_socket)] * 3]

    def _over_the_socket(self, chance: Random) -> None:
        fuzz_socket.case(self._port, self._key, self._cases["socket"] + 1, chance, self._socket_answers)

    def _one(self, name: str, target: Callable[[Random], None], seed: int) -> None:
        self._cases[name] += 1
        try:
            target(Random(seed))
        except Exception as error:  # noqa: BLE001  # whatever it is, it is a finding
            place = traceback.extract_tb(error.__traceback__)[-1]
            kind = f"{name}: {type(error).__name__} at {place.filename}:{place.lineno}"
            self.findings.setdefault(kind, f"seed {seed}: {str(error)[:1500]}")

    def tell(self) -> None:
        print(f"seed {self._seed}, {time.monotonic() - self._started:.0f} s, {sum(self._cases.values())} cases")
        for title, counted in (
            ("cases", self._cases),
            ("answers", self._answers),
            ("over the socket", self._socket_answers),
        ):
            print(f"{title}: " + ", ".join(f"{name} {count}" for name, count in sorted(counted.items())))
        print(f"slowest request {self._slowest:.2f} s")
        megabytes = [one / 1e6 for one in self._memory]
        print(f"resident: first {megabytes[0]:.0f} MB, last {megabytes[-1]:.0f} MB, most {max(megabytes):.0f} MB")
        print(f"findings: {len(self.findings)}")
        for kind, case in self.findings.items():
            print(f"  {kind}: {case}")


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


if __name__ == "__main__":
    sys.exit(main())
