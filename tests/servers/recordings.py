"""Recordings of real devices (snmprec files): read into a snapshot without a network between."""

from collections.abc import Iterator
from pathlib import Path

from collector.snmp.oids import is_oid
from collector.snmp.snapshot import Snapshot
from collector.snmp.values import Oid, SnmpValue, opaque


def recording(path: Path) -> Snapshot:
    """A recording as the snapshot of a device that was asked for everything. Where an OID repeats, the first holds."""
    values: dict[str, SnmpValue] = {}
    for line in path.read_text(encoding="utf-8", errors="surrogateescape").split("\n"):
        for oid, value in _value(line):
            values.setdefault(oid, value)
    return Snapshot(values)


def _value(line: str) -> Iterator[tuple[str, SnmpValue]]:
    oid, tag, content = (*line.split("|", 2), "", "")[:3]
    oid = oid.strip().lstrip(".")
    if not is_oid(oid) or not tag:
        return
    kind = int(tag.rstrip("xe:"))
    try:
        raw = _octets(tag, content)
    except ValueError:
        return  # a value that is not what its tag says
    if kind in (2, 65, 66, 67, 70):
        try:
            yield oid, int(content or 0)
        except ValueError:
            return
    elif kind == 4:
        yield oid, raw
    elif kind == 6:
        yield oid, Oid(content.strip().lstrip("."))
    elif kind == 64:
        yield oid, ".".join(map(str, raw)) if tag.endswith("x") else content
    elif kind == 68:
        yield oid, opaque(raw)


def _octets(tag: str, content: str) -> bytes:
    if tag.endswith("x"):
        return bytes.fromhex(content)
    if tag.endswith("e"):
        return content.encode("utf-8", "surrogateescape").decode("unicode_escape").encode("latin-1", "replace")
    return content.encode("utf-8", "surrogateescape")
