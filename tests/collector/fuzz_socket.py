"""Raw requests, spoiled, over a real socket: whatever comes, the server answers in HTTP or ends the connection."""

import contextlib
import gzip
import json
import re
import socket
import time
from collections import Counter
from random import Random

from tests.collector import mutations

ALLOWED = {b"200", b"400", b"401", b"403", b"404", b"405", b"409", b"413", b"100", b"303"}
"""Never a 500: everything else is refused in words, or by HTTP itself."""


def case(port: int, key: str, sequence: int, chance: Random, answers: Counter[str]) -> None:
    """Send one spoiled request, and read its answer or the connection's end."""
    now_ns = time.time_ns()
    body, encoding = mutations.body(sequence, now_ns, chance)
    if len(body) > 100_000:
        body = gzip.compress(json.dumps(mutations.report(sequence, now_ns)).encode())
    lines = [
        f"{chance.choice(['POST'] * 8 + ['GET', 'PUT', 'HEAD', 'CONNECT'])} "
        f"{chance.choice(['/v1/reports'] * 6 + ['/v1/enrol', '/', '/static/../../etc/passwd', '/%ff%00', '*'])} HTTP/1.1",
        "Host: 127.0.0.1",
        *(f"{name}: {value}" for name, value in mutations.headers(key, now_ns, chance).items()),
        f"Content-Encoding: {encoding}",
    ]
    framing = chance.randrange(6)
    if framing == 0:
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        lines.append("Transfer-Encoding: chunked")
    else:
        lines.append(f"Content-Length: {len(body) + (chance.choice([-1, 1, 10**12, -(10**3)]) if framing == 1 else 0)}")
    if framing == 2:
        lines.append(
            chance.choice(
                ["Content-Length: 5", "Transfer-Encoding: gzip", "Upgrade: websocket", "Expect: 100-continue"]
            )
        )
    head = "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")
    if chance.random() < 0.5:
        head = mutations.spoil_bytes(head, chance)
    heard = b""
    found: list[bytes] = []
    # Until it answers, or ends what does not arrive whole.
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as connection,
        contextlib.suppress(ConnectionResetError, BrokenPipeError),
    ):
        connection.sendall(head + body)
        while not set(found) - {b"100"} and (piece := connection.recv(65536)):
            heard += piece
            found = re.findall(rb"HTTP/1\.1 (\d{3})", heard)
    answers[found[-1].decode() if found else "ended"] += 1
    assert set(found) <= ALLOWED, (heard[:500], head, body[:500])
