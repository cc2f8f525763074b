"""VictoriaMetrics from Debian: a second server that takes line protocol on the v2 write path. It drops bad lines with 204."""

import http.client
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.servers.process import free_port, listening, stop, tail, wait_until


def missing_program() -> str:
    """The program that is not installed, or nothing."""
    return "" if shutil.which("victoria-metrics") else "victoria-metrics"


class VictoriaMetrics:
    """A running server. Its series are named measurement_field."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.url = f"http://127.0.0.1:{port}"

    def export(self, name: str) -> list[dict[str, Any]]:
        """Every sample of the series of a name: labels, values and timestamps in milliseconds."""
        self._get("/internal/force_flush")
        answer = self._get("/api/v1/export?" + urlencode({"match[]": name}))
        return [json.loads(line) for line in answer.splitlines()]

    def _get(self, path: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        connection.request("GET", path)
        body = connection.getresponse().read()
        connection.close()
        return body


@contextmanager
def victoriametrics(directory: Path) -> Iterator[VictoriaMetrics]:
    """A server with an empty store."""
    directory.mkdir(parents=True, exist_ok=True)
    port = free_port()
    log = directory / "log"
    command = [
        "victoria-metrics",
        f"-storageDataPath={directory / 'data'}",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-retentionPeriod=1y",
        "-memory.allowedBytes=64MB",
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        wait_until(lambda: listening(port), f"VictoriaMetrics: {tail(log)}")
        yield VictoriaMetrics(port)
    finally:
        stop(process)
