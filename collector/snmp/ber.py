"""SNMP's encoding (BER, X.690, as RFC 3417 section 8 narrows it): reading packets strictly, and writing them.

What reads names the part that must come next, so a packet cannot lead it deeper or further than it means to go.
"""

from collector.snmp.oids import arcs

INTEGER, OCTETS, NULL, OID, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
IP_ADDRESS, COUNTER, GAUGE, TIME_TICKS, OPAQUE, COUNTER_64 = 0x40, 0x41, 0x42, 0x43, 0x44, 0x46
_MOST_ARCS = 128
_LARGEST_ARC = 2**32 - 1
_LONGEST_INTEGER = 9
"""Octets: 64 bits and the sign's own."""


class Broken(ValueError):
    """These octets are not what was to come."""


class Reader:
    """Parts one after the other, from `at` up to `end` of the octets."""

    __slots__ = ("at", "end", "octets")

    def __init__(self, octets: bytes, at: int = 0, end: int | None = None) -> None:
        self.octets = octets
        self.at = at
        self.end = len(octets) if end is None else end

    @property
    def tag(self) -> int | None:
        """The tag of the next part, None at the end."""
        return self.octets[self.at] if self.at < self.end else None

    @property
    def content(self) -> bytes:
        """All that is left."""
        return self.octets[self.at : self.end]

    def enter(self, tag: int | None = None) -> "Reader":
        """The content of the next part, which must have this tag, and go on behind it. Raises Broken."""
        at = self.at + 2
        if at > self.end or (tag is not None and self.octets[self.at] != tag):
            raise Broken("another part")
        length = self.octets[at - 1]
        if length & 0x80:
            count = length & 0x7F
            if not 1 <= count <= 4 or at + count > self.end:
                raise Broken("no length")
            length = int.from_bytes(self.octets[at : at + count], "big")
            at += count
        if at + length > self.end:
            raise Broken("cut off")
        self.at = at + length
        return Reader(self.octets, at, at + length)

    def string(self, tag: int = OCTETS) -> bytes:
        return self.enter(tag).content

    def integer(self, tag: int = INTEGER) -> int:
        return signed(self.string(tag))

    def close(self) -> None:
        """Raise Broken where something is left."""
        if self.at != self.end:
            raise Broken("something left")


def signed(content: bytes) -> int:
    if not 1 <= len(content) <= _LONGEST_INTEGER:
        raise Broken("no integer")
    return int.from_bytes(content, "big", signed=True)


def unsigned(content: bytes) -> int:
    """A counter or gauge. Some agents leave the leading zero away."""
    if not 1 <= len(content) <= _LONGEST_INTEGER:
        raise Broken("no integer")
    return int.from_bytes(content, "big")


def oid_text(content: bytes) -> str:
    """An object identifier as text. Raises Broken.

    >>> oid_text(bytes.fromhex("2b06010401bf08"))
    '1.3.6.1.4.1.8072'
    """
    numbers: list[int] = []
    value = 0
    if not content or content[-1] & 0x80:
        raise Broken("no object identifier")
    for octet in content:
        value = value << 7 | octet & 0x7F
        if value > _LARGEST_ARC or len(numbers) >= _MOST_ARCS:
            raise Broken("no object identifier")
        if not octet & 0x80:
            numbers.append(value)
            value = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def part(tag: int, *contents: bytes) -> bytes:
    """One part: its tag, its length, and its contents one after the other."""
    content = b"".join(contents)
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def integer_part(value: int, tag: int = INTEGER) -> bytes:
    """
    >>> integer_part(128).hex(), integer_part(-1).hex()
    ('02020080', '0201ff')
    """
    magnitude = value if value >= 0 else ~value
    return part(tag, value.to_bytes(magnitude.bit_length() // 8 + 1, "big", signed=True))


def oid_part(oid: str) -> bytes:
    """
    >>> oid_part("1.3.6.1.4.1.8072").hex()
    '06072b06010401bf08'
    """
    first, second, *rest = arcs(oid)
    content = bytearray()
    for arc in (first * 40 + second, *rest):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(arc & 0x7F | 0x80)
        content.extend(reversed(septets))
    return part(OID, bytes(content))
