"""InfluxDB as a store: one ready body of line protocol a write, and its answers told apart.

400 and 422 from InfluxDB speak of lines: the body is divided until the bad ones stand alone, and those are given back
with the server's reason; rewriting the good ones changes nothing. 401, 403, 404, 429 and 5xx are conditions of the
server, and so is any 400 that is not InfluxDB's own: everything is kept and tried again. 413 halves the body. Points
older than the retention are skipped and counted.
"""

import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import urllib3
from influxdb_client.client.exceptions import InfluxDBError
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException
from influxdb_client.service.write_service import WriteService
from isal import igzip

from collector.errors import TargetUnavailable
from collector.stores.port import StoredBatch, Written

_REMEDIES = {
    400: "see that influx_url and influx_bucket name an InfluxDB and a bucket of it: points are kept until then",
    401: "give the collector a valid token (influx_token_file): points are kept until then",
    403: "let the token write to the bucket: points are kept until then",
    404: "make the bucket (database), or correct influx_bucket: points are kept until then",
    429: "the server asks for patience; it is tried again",
}
_OLD = ("points beyond retention policy", "outside retention policy")
_OF_THE_REQUEST = ("database is required", "bucket is required")
"""What InfluxDB answers with 400 to a request whose lines it has not read."""
_CONFLICT = re.compile(r'input field "(?P<field>.+)" on measurement "(?P<measurement>.+)" is type')
_DROPPED = re.compile(r"dropped=(?P<count>\d+)")


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
        """Write a body, or what of it can be written; parts of it go one after the other, in order."""
        parts = [body]
        while parts:
            part = parts.pop()
            try:
                self._post(part)
            except (ApiException, InfluxDBError) as error:
                status = _status(error)
                reason = _message(error)
                if status in (400, 422) and reason and not any(words in reason for words in _OF_THE_REQUEST):
                    parts.extend(reversed(_divide(part, reason, written)))
                elif status == 413:
                    parts.extend(reversed(_divide(part, "larger than the server takes", written)))
                else:
                    raise self._unavailable(status, reason or _text(error), error) from error
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise TargetUnavailable(
                    f"InfluxDB at {self._settings.url} cannot be reached: {error}",
                    "start it; points are kept until then",
                ) from error

    def _post(self, body: bytes) -> None:
        # Compressed here: the client would do it at level 9, which takes ten times as long as all else of a write.
        WriteService(self._connected().api_client).post_write(
            self._settings.org,
            self._settings.bucket,
            igzip.compress(body, compresslevel=1),
            precision=WritePrecision.NS,
            content_encoding="gzip",
            content_type="text/plain; charset=utf-8",
        )

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
        after = str(headers.get("Retry-After", "")).strip()
        remedy = _REMEDIES.get(status, "see the server's log; points are kept until it answers")
        return TargetUnavailable(
            f"InfluxDB at {self._settings.url} answers {status}: {reason[:200]}",
            remedy,
            float(after) if after.isdigit() else None,
        )


def _divide(body: bytes, reason: str, written: Written) -> list[bytes]:
    """The parts of a refused body that are still to be written, in order; what is certain now is put down in `written`.

    InfluxDB 1.x keeps the good lines of a body and says how many it dropped; others keep none. Either way the parts
    are fewer lines each time, so it ends; and where the server names a field or a count, after few requests.
    """
    lines = body.splitlines(keepends=True)
    dropped = int(found["count"]) if (found := _DROPPED.search(reason)) else None
    whole = len(lines) == 1 or dropped == len(lines)
    if any(words in reason for words in _OLD):
        if whole:
            written.skipped_old += len(lines)
            return []
        if dropped:
            # Retention is a limit in time: the oldest lines are gone. Among the others may be bad ones not told of yet.
            written.skipped_old += dropped
            oldest = set(sorted(range(len(lines)), key=lambda index: _time_of(lines[index]))[:dropped])
            return [b"".join(line for index, line in enumerate(lines) if index not in oldest)]
    elif whole:
        written.dead.extend((line.decode(errors="replace").rstrip("\n"), reason) for line in lines)
        return []
    elif conflict := _CONFLICT.search(reason):
        measurement, field = conflict["measurement"].encode(), conflict["field"].encode() + b"="
        of_field = [line.startswith((measurement + b",", measurement + b" ")) and field in line for line in lines]
        if 0 < sum(of_field) < len(lines):
            suspects = b"".join(line for line, suspect in zip(lines, of_field, strict=True) if suspect)
            return [suspects, b"".join(line for line, suspect in zip(lines, of_field, strict=True) if not suspect)]
    middle = len(lines) // 2
    return [b"".join(lines[:middle]), b"".join(lines[middle:])]


def _time_of(line: bytes) -> int:
    return int(line.rpartition(b" ")[2])


def _status(error: Exception) -> int:
    response = getattr(error, "response", None)
    return int(getattr(error, "status", None) or getattr(response, "status", 0) or 0)


def _text(error: Exception) -> str:
    body = getattr(error, "body", None) or getattr(error, "message", None) or error
    return body.decode(errors="replace") if isinstance(body, bytes) else str(body)


def _message(error: Exception) -> str:
    """What InfluxDB says in its answer's JSON; nothing where the answer is not InfluxDB's, but a proxy's."""
    try:
        answer = json.loads(_text(error))
    except ValueError:
        return ""
    found = (answer.get("error") or answer.get("message")) if isinstance(answer, dict) else None
    return found if isinstance(found, str) else ""
