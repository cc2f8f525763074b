"""A report as it comes off the wire: unpacked within bounds, decoded, its envelope checked.

The shape is `agent.report.Report`; `WireReport` repeats its fields (a test compares them) with the bounds that a
collector must hold an unknown sender to, and with rows as plain tuples, which decode in less than half the time.
Envelope errors refuse the report. A bad row, reading or guest costs only itself: when the whole does not decode, they
are decoded one by one and the bad ones are returned as `Refused`.
"""

import hashlib
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Protocol, TypeVar

import msgspec
from msgspec import Meta

from agent.report import FORMAT_VERSION, Choice, Event, Guest, Inventory, Meter, SampleTime, Series, SourceState, Value
from collector.errors import ReportTooLarge, ReportUnreadable

LARGEST_BODY_BYTES = 4 * 1024 * 1024
LARGEST_UNPACKED_BYTES = 8 * 1024 * 1024
"""A minute's report of a large host is 50 kB; an agent's spool never joins reports, so these are generous. Decoded,
the worst of it takes 25 times as much memory, so this bound is also the one on what a sender can make us hold."""
MOST_VALUES = 1_000_000
"""Values of all lists in one report. A few kilobytes of gzip unpack to millions of empty ones, and each costs time."""
MOST_WRONG = 10_000
"""Rows, and readings, of a wrong type in one report: each is decoded by itself, and nobody else is served meanwhile."""
MOST_METERS = 1000
MOST_REASONS = 50
"""Reasons counted apart in one report. Some name what the sender wrote, so there is no end to their number."""

Name = Annotated[str, Meta(max_length=256)]
Nanoseconds = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Position = Annotated[int, Meta(ge=0, le=1_000_000)]

WireRow = tuple[Position, Nanoseconds, list[Value]]
WireReading = tuple[Position, Nanoseconds, Nanoseconds, list[int | float], list[int]]
T = TypeVar("T")


class _Envelope(msgspec.Struct, forbid_unknown_fields=False):
    """All of a report but its rows, readings and guests."""

    stream_id: Annotated[str, Meta(min_length=8, max_length=64, pattern="^[A-Za-z0-9_-]+$")]
    sequence: Annotated[int, Meta(ge=1, le=2**53)]
    agent_version: Annotated[str, Meta(max_length=64)]
    boot_id: Annotated[str, Meta(max_length=64)]
    samples: list[SampleTime] = []
    series: list[Series] = []
    meters: Annotated[list[Meter], Meta(max_length=MOST_METERS)] = []
    sources: Annotated[list[SourceState], Meta(max_length=64)] = []
    choice: Choice = msgspec.field(default_factory=lambda: Choice("estimate"))
    inventory: Inventory | None = None
    events: Annotated[list[Event], Meta(max_length=1000)] = []
    version: int = FORMAT_VERSION


class WireReport(_Envelope):
    """See `agent.report.Report`."""

    rows: list[WireRow] = []
    readings: list[WireReading] = []
    guests: Annotated[list[Guest], Meta(max_length=MOST_METERS)] = []


class _LenientReport(_Envelope):
    """A report whose rows, readings and guests are still JSON, each to be decoded by itself."""

    rows: list[msgspec.Raw] = []
    readings: list[msgspec.Raw] = []
    guests: Annotated[list[msgspec.Raw], Meta(max_length=MOST_METERS)] = []


class _Version(msgspec.Struct):
    version: int = FORMAT_VERSION


@dataclass(slots=True)
class Refused:
    """Rows of one report that were not kept: how many for each reason, and one example of each."""

    reasons: dict[str, tuple[int, str]] = field(default_factory=dict)

    def add(self, reason: str, example: object) -> None:
        """Count one more for `reason`; the first example of a reason is kept, shortened."""
        if len(self.reasons) >= MOST_REASONS and reason not in self.reasons:
            reason = "further reasons"
        count, kept = self.reasons.get(reason, (0, ""))
        self.reasons[reason] = (count + 1, kept or str(example)[:200])

    @property
    def count(self) -> int:
        return sum(count for count, _ in self.reasons.values())


class OwnPoints(Protocol):
    """Points of one sample of a report that the collector made itself, and therefore need no check."""

    def lines(self, tags: Mapping[str, str]) -> list[str]:
        """Their line protocol, with the device's tags."""


@dataclass(slots=True)
class Received:
    """A decoded report, the SHA-256 of its JSON text (its identity's content), and the rows already refused.

    `points` are what the collector's own polls add to it.
    """

    report: WireReport
    sha256: bytes
    refused: Refused
    points: OwnPoints | None = None


_report_decoder = msgspec.json.Decoder(WireReport)
_version_decoder = msgspec.json.Decoder(_Version)
_lenient_decoder = msgspec.json.Decoder(_LenientReport)
_row_decoder = msgspec.json.Decoder(WireRow)
_reading_decoder = msgspec.json.Decoder(WireReading)
_guest_decoder = msgspec.json.Decoder(Guest)


def unpack(body: bytes, content_encoding: str) -> bytes:
    """The JSON text of a request body. Never unpacks more than `LARGEST_UNPACKED_BYTES`.

    Raises ReportUnreadable for a damaged or unknown encoding and ReportTooLarge for one that unpacks to too much.
    """
    if content_encoding in ("", "identity"):
        return body
    if content_encoding != "gzip":
        raise ReportUnreadable(
            "content-encoding", f"content encoding {content_encoding!r} is not known", "send gzip or identity"
        )
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        text = unpacker.decompress(body, LARGEST_UNPACKED_BYTES + 1)
    except zlib.error as error:
        raise ReportUnreadable("body", f"the body is not valid gzip ({error})", "send the report again") from error
    if len(text) > LARGEST_UNPACKED_BYTES:
        raise ReportTooLarge(f"the report unpacks to more than {LARGEST_UNPACKED_BYTES} bytes")
    if not unpacker.eof:
        raise ReportUnreadable("body", "the body's gzip stream is cut short", "send the report again")
    if unpacker.unused_data:
        raise ReportUnreadable("body", "bytes follow the body's gzip stream", "send one gzip member")
    return text


def receive(body: bytes, content_encoding: str) -> Received:
    """The report in a request body.

    Raises ReportUnreadable naming the field whose envelope is wrong, or ReportTooLarge.
    """
    text = _without_nul(unpack(body, content_encoding))
    if text.count(b",") > MOST_VALUES:
        raise ReportTooLarge(f"the report holds more than {MOST_VALUES} values", "send smaller reports")
    sha256 = hashlib.sha256(text).digest()
    refused = Refused()
    try:
        report = _decode(text, refused)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ReportUnreadable("body", f"the body is not JSON ({error})", "send UTF-8 JSON") from error
    if report.version != FORMAT_VERSION:
        _check_version(text)
    return Received(report, sha256, refused)


_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


def _without_nul(text: bytes) -> bytes:
    """The text with U+FFFD for each NUL character: PostgreSQL cannot hold one, and firmware likes to end names in it."""
    return _NUL.sub(rb"\1\\ufffd", text) if b"\\u0000" in text else text


def _decode(text: bytes, refused: Refused) -> WireReport:
    """Decode as a whole, and if that fails with rows and readings one by one."""
    try:
        return _report_decoder.decode(text)
    except msgspec.ValidationError:
        _check_version(text)
    try:
        lenient = _lenient_decoder.decode(text)
    except msgspec.ValidationError as error:
        path = _path_of(error)
        raise ReportUnreadable(path, str(error), f"send `{path}` as the report format says") from error
    report = WireReport(**{name: getattr(lenient, name) for name in _Envelope.__struct_fields__})
    report.rows = _each(lenient.rows, _row_decoder, refused, "row")
    report.readings = _each(lenient.readings, _reading_decoder, refused, "reading")
    report.guests = _each(lenient.guests, _guest_decoder, refused, "guest")
    return report


def _check_version(text: bytes) -> None:
    try:
        version = _version_decoder.decode(text).version
    except msgspec.ValidationError as error:
        raise ReportUnreadable("version", str(error), "send a report object with a whole number `version`") from error
    if version != FORMAT_VERSION:
        raise ReportUnreadable(
            "version",
            f"report version {version} is not known here, which reads version {FORMAT_VERSION}",
            "bring collector and agent to the same release, the collector first",
        )


def _each(raws: list[msgspec.Raw], decoder: msgspec.json.Decoder[T], refused: Refused, what: str) -> list[T]:
    kept: list[T] = []
    wrong = 0
    for raw in raws:
        try:
            kept.append(decoder.decode(raw))
        except msgspec.MsgspecError as error:
            wrong += 1
            if wrong > MOST_WRONG:
                raise ReportUnreadable(
                    f"{what}s", f"more than {MOST_WRONG} are of a wrong type", "send them as the report format says"
                ) from error
            refused.add(f"{what} of a wrong type", f"{bytes(raw)[:100]!r}: {error}")
    return kept


_PATH = re.compile(r"at `\$\.(?P<path>.+)`|required field `(?P<missing>[^`]+)`")


def _path_of(error: Exception) -> str:
    """The field a msgspec message speaks of: `$.samples[3]` gives `samples[3]`; a missing one is named by itself."""
    found = _PATH.search(str(error))
    return (found["path"] or found["missing"]) if found else "body"
