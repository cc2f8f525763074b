"""What the collector and its child that hears notifications say to each other: a line of JSON each."""

from typing import Literal

from msgspec import Struct

from collector.snmp.client import AuthProtocol, PrivProtocol


class SenderLine(Struct):
    """A known device at one of its addresses, with its credential."""

    device_id: str
    address: str
    port: int
    version: Literal["v1", "v2c", "v3"]
    community: str
    user: str
    auth_protocol: AuthProtocol
    auth_key: str
    priv_protocol: PrivProtocol
    priv_key: str
    engine_id: str


class Begin(Struct, tag=True):
    """Listen there, as this engine. The first line to the child."""

    listen: list[str]
    engine_id: str
    boots: int


class Senders(Struct, tag=True):
    """The known devices, all of them."""

    senders: list[SenderLine]


class Kept(Struct, tag=True):
    """A notification was recorded, or (`recorded` false) could not be."""

    key: str
    recorded: bool


class Listening(Struct, tag=True):
    """The sockets are there."""

    addresses: list[str]


class Failed(Struct, tag=True):
    """The child cannot do its work, and ends."""

    message: str


class Heard(Struct, tag=True):
    """A notification that counts. Values are numbers, or texts as people read them."""

    device_id: str
    key: str
    oid: str
    variables: list[tuple[str, int | float | str]]


class Refusals(Struct, tag=True):
    """How many packets did not count since the child started, by reason; and of each reason the last sender."""

    totals: dict[str, int]
    last: dict[str, str]
    devices: dict[str, str]
    """Known devices whose packets were refused since the last such line, with the reason."""


ToChild = Begin | Senders | Kept
ToCollector = Listening | Failed | Heard | Refusals
