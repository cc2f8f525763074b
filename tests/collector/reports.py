"""Reports as JSON, to be spoiled in every way before they are sent."""

import gzip
import json
import time
from typing import Any

NS = 10**9

Json = dict[str, Any]


def plain_report(now_ns: int | None = None, **changes: Any) -> Json:
    """A good report of one sample: processor load, one temperature, a package counter; with fields replaced."""
    at = (time.time_ns() if now_ns is None else now_ns) - 10 * NS
    report: Json = {
        "stream_id": "stream-0001",
        "sequence": 1,
        "agent_version": "0.1.0",
        "boot_id": "boot-1",
        "samples": [[at, 1000 * NS]],
        "series": [
            ["system_cpu", {}, ["busy_ratio", "user_ratio"]],
            ["hw_temperature", {"hw_id": "k10temp/Tctl", "hw_type": "cpu"}, ["temperature_celsius"]],
        ],
        "rows": [[0, at, [0.5, 0.25]], [1, at, [41.5]]],
        "meters": [["rapl/package-0", "rapl", "counter", "package", "epoch-1", ""]],
        "readings": [[0, at, 10 * NS, [5_000_000_000], [1_000_000_000]]],
        "sources": [],
        "choice": {"basis": "package", "meters": ["rapl/package-0"], "why_not": {}},
        "inventory": None,
        "events": [],
        "version": 1,
    }
    return {**report, **changes}


def text_of(report: Json) -> bytes:
    """The report as JSON, without the order that an agent keeps to."""
    return json.dumps(report).encode()


def packed(report: Json) -> bytes:
    """The body of a request that sends the report."""
    return gzip.compress(text_of(report), mtime=0)
