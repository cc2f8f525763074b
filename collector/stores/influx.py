"""InfluxDB as a store: one ready body of line protocol a write, and its answers told apart.

400 and 422 speak of lines: the body is halved until the bad ones stand alone, and those are given back with the
server's reason; rewriting the good ones changes nothing. 401, 403, 404, 429 and 5xx are conditions of the server:
everything is kept and tried again. 413 halves the body. Points older than the retention are skipped and counted.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import urllib3
from influxdb_client.client.exceptions import InfluxDBError
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException

from collector.errors import TargetUnavailable
from collector.stores.port import StoredBatch, Written

_REMEDIES = {
    401: "give the collector a valid token (influx_token_file): points are kept until then",
    403: "let the token write to the bucket: points are kept until then",
    404: "make the bucket (database), or correct influx_bucket: points are kept until then",
    429: "the server asks for patience; it is tried again",
}
_OLD = ("points beyond retention policy", "partial write: points beyond retention policy", "outside retention policy")


@dataclass(frozen=True, slots=True)
class InfluxSettings:
    """How to reach InfluxDB: `bucket` is database or database/retention policy on 1.x. The token is in a file."""

    url: str
    bucket: str
    org: str = "-"
    token_file: Path | None = None
    timeout_seconds: float = 10.0
    retention_days: float | None = None


class InfluxStore:
    """Writes through influxdb-client, synchronously: its batching mode loses what a dying process holds."""

    name = "influx"

    def __init__(self, settings: InfluxSettings, clock: Callable[[], int] = time.time_ns) -> None:
        self._settings = settings
        self._clock = clock
        self._client: InfluxDBClient | None = None
        self._token = ""

    def write(self, batches: Sequence[StoredBatch]) -> Written:
        written = Written()
        oldest = 0
        if self._settings.retention_days is not None:
            oldest = self._clock() - int(self._settings.retention_days * 86_400e9)
        fresh = [batch for batch in batches if batch.last_ns >= oldest]
        written.skipped_old += sum(batch.points for batch in batches if batch.last_ns < oldest)
        body = b"".join(batch.text() for batch in fresh)
        if body:
            self._send(body, written)
        return written

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def _send(self, body: bytes, written: Written) -> None:
        """Write a body, or what of it can be written. Order within it is kept: halves go one after the other."""
        try:
            self._post(body)
        except (ApiException, InfluxDBError) as error:
            status = _status(error)
            reason = _reason(error)
            if status in (400, 422):
                self._bisect(body, reason, written)
            elif status == 413 and body.count(b"\n") > 1:
                for half in _halves(body):
                    self._send(half, written)
            elif status == 413:
                written.dead.append((body.decode(errors="replace").rstrip("\n"), "larger than the server takes"))
            else:
                raise self._unavailable(status, reason, error) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise TargetUnavailable(
                f"InfluxDB at {self._settings.url} cannot be reached: {error}", "start it; points are kept until then"
            ) from error

    def _bisect(self, body: bytes, reason: str, written: Written) -> None:
        if any(words in reason for words in _OLD):
            # The server kept the others of this body: only those too old are gone, and it says how many.
            dropped = reason.rpartition("dropped=")[2].split()[0].rstrip('"}') if "dropped=" in reason else "1"
            written.skipped_old += int(dropped) if dropped.isdigit() else 1
            return
        if body.count(b"\n") <= 1:
            written.dead.append((body.decode(errors="replace").rstrip("\n"), reason))
            return
        for half in _halves(body):
            self._send(half, written)

    def _post(self, body: bytes) -> None:
        client = self._connected()
        with client.write_api(write_options=SYNCHRONOUS) as api:
            api.write(bucket=self._settings.bucket, record=body, write_precision=WritePrecision.NS)

    def _connected(self) -> InfluxDBClient:
        token = self._read_token()
        if self._client is None or token != self._token:
            if self._client is not None:
                self._client.close()
            self._token = token
            self._client = InfluxDBClient(
                url=self._settings.url,
                token=token or "-",
                org=self._settings.org,
                timeout=int(self._settings.timeout_seconds * 1000),
                enable_gzip=True,
                retries=False,
            )
        return self._client

    def _read_token(self) -> str:
        path = self._settings.token_file
        if path is None:
            return ""
        try:
            return path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise TargetUnavailable(f"the token file {path} cannot be read: {error}", "put the token there") from error

    def _unavailable(self, status: int, reason: str, error: Exception) -> TargetUnavailable:
        headers = getattr(error, "headers", None) or {}
        after = str(headers.get("Retry-After", ""))
        remedy = _REMEDIES.get(status, "see the server's log; points are kept until it answers")
        return TargetUnavailable(
            f"InfluxDB at {self._settings.url} answers {status}: {reason[:200]}",
            remedy,
            float(after) if after.isdigit() else None,
        )


def _halves(body: bytes) -> tuple[bytes, bytes]:
    """A body of several lines cut at a line's end near its middle."""
    lines = body.splitlines(keepends=True)
    middle = len(lines) // 2
    return b"".join(lines[:middle]), b"".join(lines[middle:])


def _status(error: Exception) -> int:
    response = getattr(error, "response", None)
    return int(getattr(error, "status", None) or getattr(response, "status", 0) or 0)


def _reason(error: Exception) -> str:
    body = getattr(error, "body", None) or getattr(error, "message", None) or error
    return body.decode(errors="replace") if isinstance(body, bytes) else str(body)
