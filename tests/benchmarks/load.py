"""The load generator of the ingest benchmark: ready bodies over kept HTTP connections, in a process of its own.

    python tests/benchmarks/load.py < specification.json > result.json

It only sends what was built before and notes when each answer came, so that it stays far from its own limit; the
processor time it used is part of the result, to show that.
"""

import asyncio
import json
import pickle
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Load:
    """What to send. `bodies` is a pickled list of (sender, body); the requests of one sender keep their order.

    `headers` are those of each sender. Without `requests_per_second` each connection sends as fast as it is answered;
    with it requests have fixed times, and an answer's delay counts from then: a server that stalls cannot hide it.
    """

    port: int
    path: str
    bodies: str
    headers: list[dict[str, str]]
    connections: int
    status: int
    clocks: bool
    requests_per_second: float = 0.0


@dataclass(slots=True)
class Result:
    """What came of it: the time of each answer in seconds after its request was due, and what was answered wrongly."""

    requests: int = 0
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    body_bytes: int = 0
    delays: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


Request = tuple[float, int, bytes]
"""When it is due (seconds after the start, 0: at once), its sender, its body."""


async def _connection(load: Load, requests: list[Request], start: float, result: Result) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", load.port)
    for due, sender, body in requests:
        if (wait := start + due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        begun = start + due if load.requests_per_second else time.perf_counter()
        writer.write(_head(load, sender, len(body)) + body)
        status, answer = await _answer(reader)
        result.delays.append(time.perf_counter() - begun)
        if status != load.status:
            result.wrong.append(f"{status} {answer[:300].decode(errors='replace')}")
    writer.close()
    await writer.wait_closed()


def _head(load: Load, sender: int, length: int) -> bytes:
    lines = [f"POST {load.path} HTTP/1.1", "Host: 127.0.0.1", "Content-Encoding: gzip", f"Content-Length: {length}"]
    if load.clocks:
        lines.append(f"X-Ictagent-Wall-Ns: {time.time_ns()}")
        lines.append(f"X-Ictagent-Boot-Ns: {time.clock_gettime_ns(time.CLOCK_BOOTTIME)}")
    lines += [f"{name}: {value}" for name, value in load.headers[sender].items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = next((line.partition(":")[2] for line in head.split("\r\n") if line.startswith("content-length:")), "0")
    return int(head.split(" ", 2)[1]), await reader.readexactly(int(length))


async def send(load: Load, bodies: list[tuple[int, bytes]]) -> Result:
    """Send all bodies and wait for all answers. A sender's requests go over one connection, in order."""
    queues: list[list[Request]] = [[] for _ in range(load.connections)]
    for index, (sender, body) in enumerate(bodies):
        due = index / load.requests_per_second if load.requests_per_second else 0.0
        queues[sender % load.connections].append((due, sender, body))
    result = Result(requests=len(bodies), body_bytes=sum(len(body) for _, body in bodies))
    used, start = time.process_time(), time.perf_counter()
    await asyncio.gather(*(_connection(load, queue, start, result) for queue in queues))
    result.wall_seconds = time.perf_counter() - start
    result.cpu_seconds = time.process_time() - used
    return result


def main() -> None:
    load = Load(**json.load(sys.stdin))
    bodies = pickle.loads(Path(load.bodies).read_bytes())  # noqa: S301  # the benchmark wrote it a moment ago
    json.dump(asdict(asyncio.run(send(load, bodies))), sys.stdout)


if __name__ == "__main__":
    main()
