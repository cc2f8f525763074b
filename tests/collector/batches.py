"""Batches of points as the outbox holds them."""

from collections.abc import Sequence

from collector.prepare import pack
from collector.stores.port import StoredBatch

NS = 10**9


def batch_of(lines: Sequence[str], number: int = 1) -> StoredBatch:
    """Lines as one batch of the outbox."""
    times = [int(line.rpartition(" ")[2]) for line in lines if line.rpartition(" ")[2].isdigit()]
    packed = pack(lines, times)
    assert packed is not None
    return StoredBatch(number, packed.lines, packed.points, packed.first_ns, packed.last_ns)


def memory_line(unix_ns: int, used: float = 1.5, host: str = "web01") -> str:
    return f"system_memory,device_id=d1,host_name={host},kind=host used_bytes={used} {unix_ns}"
