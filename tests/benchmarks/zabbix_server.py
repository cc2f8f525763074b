"""The far end of an active Zabbix agent, in a process of its own: it says what to measure and takes what comes.

    python tests/benchmarks/zabbix_server.py PORT LOG

The items are of the kinds that Zabbix's own template for Linux asks of an active agent, each every ten seconds. Every
delivery adds a line to LOG with the number of values in it, so that a benchmark can see that the agent works.
Protocol: Zabbix manual 6.0, appendix "Zabbix agent protocol" (active checks) and "Header": `ZBXD`, flags, length.
"""

import asyncio
import json
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

INTERVAL_SECONDS = 10
_MODES = ("user", "system", "nice", "iowait", "idle", "interrupt", "softirq", "steal")
KEYS = (
    *(f"system.cpu.util[,{mode}]" for mode in _MODES),
    *(f"system.cpu.load[all,avg{minutes}]" for minutes in (1, 5, 15)),
    "system.cpu.switches",
    "system.cpu.intr",
    "system.uptime",
    *(f"vm.memory.size[{part}]" for part in ("total", "available", "pavailable")),
    *(f"system.swap.size[,{part}]" for part in ("total", "free", "pfree")),
    *(f"vfs.fs.size[/,{part}]" for part in ("total", "used", "pused")),
    "vfs.fs.inode[/,pfree]",
    "vfs.file.contents[/proc/diskstats]",
    *(f"net.if.{way}[lo{part}]" for way in ("in", "out") for part in ("", ",packets", ",errors", ",dropped")),
    "proc.num[]",
    "proc.num[,,run]",
)
_COMPRESSED = 2


def _packet(message: dict[str, Any]) -> bytes:
    body = json.dumps(message).encode()
    return b"ZBXD\x01" + struct.pack("<II", len(body), 0) + body


async def _read(reader: asyncio.StreamReader) -> dict[str, Any]:
    head = await reader.readexactly(13)
    length, _ = struct.unpack("<II", head[5:])
    body = await reader.readexactly(length)
    message: dict[str, Any] = json.loads(zlib.decompress(body) if head[4] & _COMPRESSED else body)
    return message


async def main() -> None:
    log = Path(sys.argv[2])
    items = [
        {"key": key, "key_orig": key, "itemid": number, "delay": f"{INTERVAL_SECONDS}s", "lastlogsize": 0, "mtime": 0}
        for number, key in enumerate(KEYS, start=1)
    ]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        message = await _read(reader)
        if message["request"] == "active checks":
            writer.write(_packet({"response": "success", "data": items}))
        else:
            values = message.get("data", [])
            with log.open("a", encoding="ascii") as lines:
                lines.write(f"{len(values)}\n")
            writer.write(_packet({"response": "success", "info": f"processed: {len(values)}; failed: 0"}))
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1])) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
