"""The name of the host that a guest of Hyper-V runs on, which Hyper-V tells every guest.

The integration service (`hv_kvp_daemon`) keeps what the host says in `/var/lib/hyperv/.kvp_pool_3`, which everybody may
read: records of a key of 512 bytes and a value of 2048, each ended by NUL.
Source: Linux include/uapi/linux/hyperv.h and tools/hv/hv_kvp_daemon.c; Microsoft, "Data Exchange: Using key-value pairs
to share information between the host and guest on Hyper-V" (PhysicalHostName, PhysicalHostNameFullyQualified).
"""

from pathlib import Path

_POOL = "var/lib/hyperv/.kvp_pool_3"
_KEY_BYTES, _VALUE_BYTES = 512, 2048
_MOST_RECORDS = 64
_KEYS = ("PhysicalHostNameFullyQualified", "PhysicalHostName")
_LONGEST_NAME = 253


def read_host_of_guest(root: Path) -> str:
    """The host's name, fully qualified where it says so, in lower case; "" where nothing tells it."""
    try:
        with (root / _POOL).open("rb") as file:
            content = file.read(_MOST_RECORDS * (_KEY_BYTES + _VALUE_BYTES))
    except OSError:
        return ""
    told: dict[str, str] = {}
    for begin in range(0, len(content), _KEY_BYTES + _VALUE_BYTES):
        record = content[begin : begin + _KEY_BYTES + _VALUE_BYTES]
        key, value = (_text(part) for part in (record[:_KEY_BYTES], record[_KEY_BYTES:]))
        told[key] = value
    found = next((told[key] for key in _KEYS if told.get(key)), "").strip().lower()
    return found if found.isprintable() and len(found) <= _LONGEST_NAME else ""


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode(errors="replace")
