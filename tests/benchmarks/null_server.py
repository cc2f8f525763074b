"""A server that takes everything and keeps nothing: the far end of what is measured, in a process of its own.

    python tests/benchmarks/null_server.py PORT

It answers as InfluxDB does to a write (204), and as a collector does to an agent's enrolment and reports (200).
"""

import asyncio
import sys

ANSWERS = {
    "/v1/enrol": b'{"key": "null.null", "key_id": "null", "device_id": "null"}',
    "/v1/reports": b'{"accepted": true, "duplicate": false, "rejected_rows": 0}',
}


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except asyncio.IncompleteReadError:
            break
        length = next(
            (line.partition(":")[2] for line in head.lower().split("\r\n") if line.startswith("content-length:")), "0"
        )
        await reader.readexactly(int(length))
        answer = ANSWERS.get(head.split(" ")[1])
        if answer is None:
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))
    writer.close()


async def main() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", int(sys.argv[1]), limit=64 * 1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
