"""Telling two pasts of one host apart: the one that the collector knows, and the one that a snapshot brought back.

A virtual machine restored from a snapshot has its counters, the numbers of its reports and the epochs of its meters
back as they were. The collector already has readings of those epochs, with higher counts and later times, so what the
restored machine counts from there on would seem counted before. It is told by the numbers: the collector has other
content under one (409). From then on the host is on a *branch*, named by the stream that it begins: every cumulative
meter's epoch is renamed by it, always in the same way, so that a report sent again still counts once.
"""

import gzip
import hashlib
import json
import zlib
from collections.abc import Sequence

from agent.report import Meter


def branched_epoch(epoch: str, branch: str) -> str:
    """The name of an epoch on a branch; without a branch, or without an epoch (meters of power), the name it has."""
    if not branch or not epoch:
        return epoch
    return hashlib.sha256(f"{branch} {epoch}".encode()).hexdigest()[:12]


def branched_meters(meters: Sequence[Meter], branch: str) -> list[Meter]:
    """Meters as a report on this branch names them."""
    return [meter._replace(epoch=branched_epoch(meter.epoch, branch)) for meter in meters]


def renumbered(body: bytes, branch: str, stream_id: str, sequence: int) -> bytes | None:
    """An encoded report under another stream and number, on a branch; None where it is no report."""
    try:
        report = json.loads(gzip.decompress(body))
        report["stream_id"], report["sequence"] = stream_id, sequence
        report["meters"] = branched_meters([Meter(*one) for one in report["meters"]], branch)
    except (OSError, EOFError, zlib.error, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    text = json.dumps(report, separators=(",", ":"), ensure_ascii=False)
    return gzip.compress(text.encode(), 6, mtime=0)


def stream_of(body: bytes) -> str:
    """The stream that an encoded report belongs to, or nothing where it is no report."""
    try:
        return str(json.loads(gzip.decompress(body))["stream_id"])
    except (OSError, EOFError, zlib.error, ValueError, TypeError, KeyError, RecursionError):
        return ""
