"""The responder that answers from recordings of real devices (`replay.py` beside the recordings), as a process."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.process import stop


@contextmanager
def replay(folder: Path, *, delay: float = 0.0, loss: float = 0.0) -> Iterator[int]:
    """Answers from `folder`/snmprec, the community being a recording's name. Gives the port."""
    command = [sys.executable, str(folder / "replay.py"), str(folder / "snmprec"), "--port", "0"]
    command += ["--delay", str(delay), "--loss", str(loss)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        words = process.stdout.readline().split()
        yield int(words[1])
    finally:
        stop(process)
