"""Object identifiers as texts, `1.3.6.1.2.1.1.1.0`, without a leading dot: what people read in MIBs and recordings."""

import re
from functools import lru_cache

_OID = re.compile(r"[0-2](?:\.(?:0|[1-9]\d{0,9}))+")


@lru_cache(maxsize=16_384)  # devices have the same tables, and are asked the same again and again
def arcs(oid: str) -> tuple[int, ...]:
    """The numbers of an OID, which sort as SNMP does.

    >>> arcs("1.3.6") < arcs("1.3.10")
    True
    """
    return tuple(map(int, oid.split("."))) if oid else ()


def is_oid(text: str) -> bool:
    """Whether a text is an OID in our spelling."""
    return _OID.fullmatch(text) is not None


def is_below(oid: str, root: str) -> bool:
    """Whether an OID lies in the subtree of another, or is it.

    >>> is_below("1.3.6.1", "1.3.6"), is_below("1.3.61", "1.3.6")
    (True, False)
    """
    return oid == root or oid.startswith(root + ".")


def is_instance(oid: str) -> bool:
    """Whether a profile's OID names one value (it ends in `.0`) and not a column.

    >>> is_instance("1.3.6.1.2.1.1.1.0"), is_instance("1.3.6.1.2.1.2.2.1.2")
    (True, False)
    """
    return oid.endswith(".0")


def part(index: str, begin: int | None, end: int | None) -> str:
    """Some arcs of an index, counted as Python's slices are.

    >>> part("1.5.2", 0, 2), part("1.5.2", -1, None)
    ('1.5', '2')
    """
    return ".".join(index.split(".")[begin:end])
