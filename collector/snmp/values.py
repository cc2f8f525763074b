"""Values as SNMP agents give them, and the numbers and texts in them.

Integers of every kind are `int`, octet strings `bytes`, object identifiers `Oid`, addresses `str`, the floats that
some agents wrap into Opaque `float`.
"""

import math
import re
import struct
from typing import TypeAlias


class Oid(str):
    """An object identifier as a value."""

    __slots__ = ()


SnmpValue: TypeAlias = int | float | bytes | Oid | str

_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d{1,2})?")
_BETWEEN_DIGITS = re.compile(r"[\s:.\-]")


def number(value: SnmpValue, which: int = 0) -> float | None:
    """The number in a value: itself, or of a text the first one (`which` 0) or the last (-1); None where none is.

    >>> number(b"57.1 W"), number(b"N/A"), number(b"PSU 2: 48.5 W", -1)
    (57.1, None, 48.5)
    """
    if isinstance(value, (int, float)):
        return float(value) if math.isfinite(value) else None
    found = _NUMBER.findall(text(value))
    return float(found[which]) if found else None


def text(value: SnmpValue) -> str:
    """A value as people read it: octets as UTF-8 or Latin-1 without control characters, numbers in decimal.

    >>> text(b"APC\\x00"), text(45)
    ('APC', '45')
    """
    if isinstance(value, bytes):
        try:
            decoded = value.decode("utf-8")
        except UnicodeDecodeError:
            decoded = value.decode("latin-1")
        if decoded.isprintable():
            return decoded.strip()
        return "".join(c if c.isprintable() else " " for c in decoded.replace("\0", "")).strip()
    return str(value)


def mac_of(value: SnmpValue) -> str:
    """A MAC address as `00:1b:2c:3d:4e:5f`, from its six octets or however it is written, or "" for what is none.

    >>> mac_of(b"\\x00\\x1b\\x2c\\x3d\\x4e\\x5f"), mac_of("001b.2c3d.4e5f"), mac_of(b"00-1B-2C-3D-4E-5F "), mac_of("port 1")
    ('00:1b:2c:3d:4e:5f', '00:1b:2c:3d:4e:5f', '00:1b:2c:3d:4e:5f', '')
    """
    binary = value if isinstance(value, bytes) and len(value) == 6 else b""
    digits = binary.hex() or _BETWEEN_DIGITS.sub("", text(value)).lower()
    if re.fullmatch(r"[0-9a-f]{12}", digits) is None or digits in ("0" * 12, "f" * 12):
        return ""
    return ":".join(digits[place : place + 2] for place in range(0, 12, 2))


def opaque(content: bytes) -> SnmpValue:
    """What an Opaque holds: net-snmp's float (0x9f 0x78) or double (0x9f 0x79), else its octets."""
    if len(content) == 7 and content[:3] == b"\x9f\x78\x04":
        return float(struct.unpack(">f", content[3:])[0])
    if len(content) == 11 and content[:3] == b"\x9f\x79\x08":
        return float(struct.unpack(">d", content[3:])[0])
    return content
