"""ictagent's own programs as real processes: started by the installed command, heard, killed and started again."""

import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from collector.database.engine import Database, open_database
from collector.stores.embedded import EmbeddedStore
from tests.servers.process import free_port, tail, wait_until

ICTAGENT = Path(sys.executable).with_name("ictagent")
READ_TOKEN = "a-token-that-opens-pages"
_END_SECONDS = 60.0


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without settings of ictagent's, and with `extra`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ICTAGENT_")}
    return kept | {"PYTHONUNBUFFERED": "1"} | dict(extra or {})


def ictagent(*arguments: str, extra: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    """Run a command of ictagent to its end."""
    return subprocess.run(
        [str(ICTAGENT), *arguments], capture_output=True, text=True, env=environment(extra), timeout=60, check=False
    )


class Program:
    """One command of ictagent that runs until it is ended. What it writes is kept over restarts, in order."""

    def __init__(
        self,
        directory: Path,
        name: str,
        arguments: Sequence[str],
        extra: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._command = [*prefix, str(ICTAGENT), *arguments]
        self._environment = environment(extra)
        self._stdout, self._stderr = directory / f"{name}.stdout", directory / f"{name}.stderr"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def printed(self) -> str:
        """What it wrote to stdout so far, in all its lives."""
        return self._stdout.read_text(errors="replace") if self._stdout.exists() else ""

    @property
    def said(self) -> str:
        """What it wrote to stderr so far, in all its lives."""
        return self._stderr.read_text(errors="replace") if self._stderr.exists() else ""

    def begin(self) -> None:
        """Start it, and wait for nothing."""
        with self._stdout.open("ab") as out, self._stderr.open("ab") as err:
            self.process = subprocess.Popen(
                self._command, stdout=out, stderr=err, stdin=subprocess.DEVNULL, env=self._environment
            )

    def kill(self) -> None:
        """End it as a power cut would (-9)."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end by a signal; its exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(_END_SECONDS)

    def end(self) -> None:
        """However it stands, it runs no more."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def wait_said(self, words: str, seconds: float = 90.0) -> None:
        """Wait until stderr holds these words."""
        wait_until(lambda: words in self.said, f"{words!r} on stderr; it said: {tail(self._stderr)}", seconds)

    @property
    def resident_bytes(self) -> int:
        """Its largest resident memory so far."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024


class CollectorProgram(Program):
    """`ictagent collector run` on a port that it keeps over restarts; TLS where a certificate is given."""

    def __init__(
        self,
        directory: Path,
        options: Sequence[str] = (),
        certificate: tuple[Path, Path, Path] | None = None,
        state_directory: Path | None = None,
        address: str = "127.0.0.1",
        prefix: Sequence[str] = (),
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.address, self.port = address, free_port()
        self.state_directory = state_directory or directory / "collector"
        self._ca: Path | None = None
        extra: dict[str, str] = {}
        if certificate is not None:
            self._ca, chain, key = certificate
            extra = {
                "ICTAGENT_COLLECTOR_CERTIFICATE_FILE": str(chain),
                "ICTAGENT_COLLECTOR_CERTIFICATE_KEY_FILE": str(key),
            }
        self.url = f"{'https' if self._ca else 'http'}://{address}:{self.port}"
        token_file = directory / "read-token"
        token_file.write_text(READ_TOKEN)
        self._database = next((options[at + 1] for at, one in enumerate(options) if one == "--database"), "")
        arguments = ["collector", "run", "--listen", f"{address}:{self.port}", "--read-token-file", str(token_file)]
        arguments += ["--state-directory", str(self.state_directory), *options]
        super().__init__(directory, "collector", arguments, extra, prefix)

    def set(self, **settings: str) -> None:
        """Settings of the section [collector] for its next start, by their environment variables."""
        self._environment |= {f"ICTAGENT_COLLECTOR_{name}": value for name, value in settings.items()}

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.begin()
        self.wait_for_answers()

    def wait_for_answers(self) -> None:
        """Wait until it answers."""
        wait_until(self._answers, f"the collector's start; it said: {tail(self._stderr)}")

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the collector ended: {self.said[-2000:]}"
        return self.get("/healthz")[0] == 200

    def get(self, path: str) -> tuple[int, Any]:
        """Status and JSON (or text) of a page or reading route, with the reading token."""
        status, text = request(
            self.port, "GET", path, {"Authorization": f"Bearer {READ_TOKEN}"}, ca=self._ca, address=self.address
        )
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text

    def metric(self, name: str) -> float:
        """One figure of /metrics."""
        found = re.search(rf"^{re.escape(name)} (\S+)$", self.get("/metrics")[1], re.MULTILINE)
        assert found is not None, name
        return float(found[1])

    def token(self, uses: int = 1) -> str:
        """A token made by `ictagent collector token create`."""
        options = ["--label", "test", "--uses", str(uses), "--state-directory", str(self.state_directory)]
        extra = {"ICTAGENT_COLLECTOR_DATABASE": self._database} if self._database else {}
        made = ictagent("collector", "token", "create", *options, extra=extra)
        assert made.returncode == 0, made.stderr
        return made.stdout.strip()

    @contextmanager
    def database(self) -> Iterator[Database]:
        """Its database, opened beside it."""
        opened = open_database(self._database or self.state_directory / "ictagent.db")
        try:
            yield opened
        finally:
            opened.close()

    @contextmanager
    def points(self) -> Iterator[EmbeddedStore]:
        """Its embedded store, opened beside it."""
        store = EmbeddedStore(self.state_directory / "points.db")
        try:
            yield store
        finally:
            store.close()


class AgentProgram(Program):
    """`ictagent run`: a sample and a report every second."""

    def __init__(
        self,
        directory: Path,
        collector: str,
        token: str = "",
        extra: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
        state_directory: Path | None = None,
        options: Sequence[str] = ("--interval-seconds", "1", "--report-seconds", "1"),
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.state_directory = state_directory or directory / "agent"
        token_file = directory / "token"
        token_file.write_text(token)
        arguments = ["run", "--collector", collector, "--token-file", str(token_file), *options]
        arguments += ["--state-directory", str(self.state_directory)]
        super().__init__(directory, "agent", arguments, extra, prefix)

    @property
    def spooled(self) -> list[int]:
        """Numbers of the reports that wait on disk."""
        return sorted(int(path.name.split(".")[0]) for path in (self.state_directory / "spool").glob("*.json.gz"))


def request(
    port: int,
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    ca: Path | None = None,
    address: str = "127.0.0.1",
) -> tuple[int, str]:
    """One request to a program of this machine; status and body."""
    if ca is None:
        connection = http.client.HTTPConnection(address, port, timeout=15)
    else:
        context = ssl.create_default_context(cafile=str(ca))
        connection = http.client.HTTPSConnection(address, port, timeout=15, context=context)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()
