"""What a notification says, whichever version of SNMP it came by: an OID and variables (RFC 3416; v1 by RFC 3584)."""

from dataclasses import dataclass

from collector.snmp.ber import (
    COUNTER,
    COUNTER_64,
    GAUGE,
    INTEGER,
    IP_ADDRESS,
    NULL,
    OCTETS,
    OID,
    OPAQUE,
    SEQUENCE,
    TIME_TICKS,
    Broken,
    Reader,
    oid_text,
    signed,
    unsigned,
)
from collector.snmp.identity import SYS_UP_TIME
from collector.snmp.values import Oid, SnmpValue, opaque

TRAP_V1, INFORM, TRAP_V2 = 0xA4, 0xA6, 0xA7
RESPONSE, REPORT = 0xA2, 0xA8
NOTIFICATIONS = frozenset({TRAP_V1, INFORM, TRAP_V2})
SNMP_TRAP_OID = "1.3.6.1.6.3.1.1.4.1.0"
GENERIC_TRAPS = "1.3.6.1.6.3.1.1.5"
"""snmpTraps of SNMPv2-MIB: coldStart is .1, and so on as v1 counts them from 0."""
_ENTERPRISE_SPECIFIC = 6
MOST_VARIABLES = 64
_UNSIGNED = frozenset({COUNTER, GAUGE, TIME_TICKS, COUNTER_64})


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification. `variables` are those beside its own OID and the sender's time, in order."""

    oid: str
    variables: tuple[tuple[str, SnmpValue], ...]
    confirmed: bool
    """Whether the sender waits for an answer: an inform."""


def read_pdu(pdu: Reader, tag: int) -> Notification:
    """A notification from the content of its PDU. Raises Broken."""
    if tag == TRAP_V1:
        return _version_1(pdu)
    for _ in range(3):  # request id, error status and index
        pdu.integer()
    variables = _variables(pdu)
    own = next((value for oid, value in variables if oid == SNMP_TRAP_OID), None)
    if not isinstance(own, Oid):
        raise Broken("a notification without its OID")
    rest = tuple(one for one in variables if one[0] not in (SNMP_TRAP_OID, SYS_UP_TIME))
    return Notification(str(own), rest, tag == INFORM)


def _version_1(pdu: Reader) -> Notification:
    enterprise = oid_text(pdu.string(OID))
    pdu.string(IP_ADDRESS)  # whoever sends writes here what it likes: a sender is known by where packets come from
    generic, specific = pdu.integer(), pdu.integer()
    pdu.string(TIME_TICKS)
    if not 0 <= generic <= _ENTERPRISE_SPECIFIC or not 0 <= specific < 2**31:
        raise Broken("no kind of trap")
    oid = f"{enterprise}.0.{specific}" if generic == _ENTERPRISE_SPECIFIC else f"{GENERIC_TRAPS}.{generic + 1}"
    return Notification(oid, tuple(_variables(pdu)), False)


def _variables(pdu: Reader) -> list[tuple[str, SnmpValue]]:
    listed = pdu.enter(SEQUENCE)
    pdu.close()
    found: list[tuple[str, SnmpValue]] = []
    while listed.tag is not None:
        if len(found) >= MOST_VARIABLES:
            raise Broken("too many variables")
        one = listed.enter(SEQUENCE)
        oid = oid_text(one.string(OID))
        value = _value(one)
        one.close()
        if value is not None:
            found.append((oid, value))
    return found


def _value(variable: Reader) -> SnmpValue | None:
    """The next value; None where it is none (NULL, no such object)."""
    tag = variable.tag
    content = variable.enter().content
    if tag == INTEGER:
        return signed(content)
    if tag in _UNSIGNED:
        return unsigned(content)
    if tag == OCTETS:
        return content
    if tag == OID:
        return Oid(oid_text(content))
    if tag == IP_ADDRESS:
        return ".".join(map(str, content))
    if tag == OPAQUE:
        return opaque(content)
    if tag in (NULL, 0x80, 0x81, 0x82):
        return None
    raise Broken("a value of no known kind")
