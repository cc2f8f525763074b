"""What the collector asks of an SNMP library: a port with two adapters (`gufo_client`, `pysnmp_client`).

Both are held to one contract (tests/snmp/test_client_contract.py): the same answers, the same errors, whatever the
device does. A client speaks to one device, one request at a time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from collector.errors import CollectorError
from collector.snmp.values import SnmpValue

MOST_ROWS = 50_000
"""A column is walked no further than so many values: some agents walk for ever."""
LONGEST_CALL_SECONDS = 120.0
"""What `get`, `get_next` or `walk` takes at most: then what was read until there is what there is."""

AuthProtocol = Literal["", "MD5", "SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512"]
PrivProtocol = Literal["", "DES", "AES-128", "AES-192", "AES-256", "AES-192-C", "AES-256-C"]
"""`-C`: with Cisco's way to make a long key of a short one, which differs where SHA-1 or MD5 authenticates."""


class SnmpError(CollectorError):
    """A device could not be read, or not wholly: what happened, and what to do. `found` is what it answered before."""

    code = "snmp_error"
    status = 502

    def __init__(self, message: str, remedy: str = "", found: Mapping[str, SnmpValue] | None = None) -> None:
        super().__init__(message, remedy)
        self.found: dict[str, SnmpValue] = dict(found or {})


class SnmpNameError(SnmpError):
    """The host name has no address."""

    code = "snmp_name"


class SnmpTimeout(SnmpError):
    """No answer within the timeout and its retries: switched off, another address, a firewall, or a wrong community."""

    code = "snmp_timeout"


class SnmpAuthError(SnmpError):
    """The device refuses the user, the password, or the protocol (SNMPv3)."""

    code = "snmp_auth"


class SnmpUserError(SnmpAuthError):
    """The device has no such user (SNMPv3): nobody's password was tried."""


class SnmpProtocolError(SnmpError):
    """The answer is no SNMP, belongs to another request, or says an error that is not "no such object"."""

    code = "snmp_protocol"


class SnmpTableError(SnmpProtocolError):
    """A walk does not come to an end: OIDs that do not increase, or a column of more than `MOST_ROWS` values."""

    code = "snmp_table"


@dataclass(frozen=True, slots=True, repr=False)
class Credential:
    """How a device is asked. Never shown: secrets stay out of messages and logs."""

    name: str = ""
    version: Literal["v1", "v2c", "v3"] = "v2c"
    community: str = ""
    user: str = ""
    auth_protocol: AuthProtocol = ""
    auth_key: str = ""
    priv_protocol: PrivProtocol = ""
    priv_key: str = ""
    context: str = ""

    def __repr__(self) -> str:
        return f"Credential({self.name or self.version!r})"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A device's address: host name or IP (IPv6 without brackets), and UDP port."""

    host: str
    port: int = 161
    timeout_seconds: float = 2.0
    retries: int = 2


class SnmpClient(Protocol):
    """One device over SNMP.

    Every method raises SnmpTimeout, SnmpAuthError or SnmpProtocolError (of `walk` also SnmpTableError); an OID that the
    device does not have is left out, never an error. What fails does not hinder the rest: the error comes at the end, and
    its `found` holds everything else.
    """

    async def get(self, oids: Iterable[str]) -> dict[str, SnmpValue]:
        """Values of single OIDs, however many; the client divides them into requests that the device can answer."""

    async def heads(self, oids: Iterable[str]) -> dict[str, SnmpValue]:
        """For each OID that has a value below it (of one value: at it), the first one. Cheap: many OIDs a request."""

    async def walk(self, columns: Iterable[str]) -> dict[str, SnmpValue]:
        """All values below some OIDs, several columns in a request."""

    async def close(self) -> None:
        """Give the socket back. A closed client is not used again."""
