"""Taking over the outbox of a collector that died: its batches are delivered, and what they may have made old is renewed."""

import time
from collections.abc import Iterable, Sequence

from isal import igzip
from sqlalchemy import Connection

from collector.database.locks import adopt_outbox
from collector.database.schema import series_due
from collector.database.upsert import upsert
from collector.device_energy import rules_of
from collector.lines import parse_key, split_line
from collector.series import NS

_DAILY = "energy_day,"
"""Every change of a half-hour writes its day too: the days alone tell what a batch rewrites."""


def adopt(connection: Connection, items: Sequence[str]) -> list[int]:
    """Take over dead collectors' batches, some hundreds at a time; how many each of these collectors took.

    A batch that waited may hold half-hours that were rewritten and delivered since by another collector. Days that
    it speaks of are therefore marked, and the ledger's next round writes them once more, after it.
    """
    return [_adopt(connection, one, int(time.time())) for one in items]


def _adopt(connection: Connection, collector_id: str, now: int) -> int:
    adopted = adopt_outbox(connection, collector_id, now)
    days = {
        (device_id, rules_of(connection, device_id).day(unix_ns // NS).isoformat())
        for device_id, unix_ns in _days(adopted)
    }
    upsert(connection, series_due, [{"device_id": one, "local_day": day} for one, day in sorted(days)])
    return len(adopted)


def _days(batches: Iterable[bytes]) -> set[tuple[str, int]]:
    """Device and time of every daily point in compressed batches."""
    found = set()
    for batch in batches:
        for line in igzip.decompress(batch).decode().splitlines():
            if line.startswith(_DAILY):
                key, _, unix_ns = split_line(line)
                found.add((parse_key(key)[1]["device_id"], unix_ns))
    return found
