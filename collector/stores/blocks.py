"""Blocks of the embedded store: the points of one series that came together, as one text.

A report holds a minute of each of its series, so a block costs little more than a point would. Its text has a line for
each point, `fields time`, as line protocol has it behind the key.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from agent.names import FieldType
from agent.report import Value
from collector.lines import field_types, parse_fields, split_line
from collector.stores.port import Written

LONGEST_NS = 3600 * 10**9
"""A block goes when its last point is too old, and is read when any of its points is asked for."""
_TYPES: dict[FieldType, type] = {"float": float, "integer": int, "boolean": bool, "string": str}
_SHAPES: dict[FieldType, str] = {
    "float": r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?",
    "integer": r"-?\d{1,19}i",
    "boolean": "(?:true|false)",
    "string": r'"(?:\\.|[^"\\])*"',
}
"""Values as line protocol has them."""


@dataclass(frozen=True, slots=True)
class Block:
    """Points of the series `key`; `first_ns` and `last_ns` are the earliest and latest of their times."""

    key: str
    first_ns: int
    last_ns: int
    points: str


def blocks_of(lines: Iterable[str], oldest_ns: int, written: Written) -> list[Block]:
    """Lines as blocks: each run of lines of one series is one. Those not kept are put down in `written`."""
    blocks: list[Block] = []
    key, prefix, quick = "", "", _NOTHING
    times: list[int] = []
    points: list[str] = []

    def close() -> None:
        if times:
            blocks.append(Block(key, min(times), max(times), "\n".join(points)))
            times.clear()
            points.clear()

    for line in lines:
        try:
            if not (prefix and line.startswith(prefix)):
                close()
                prefix = ""
                key = split_line(line)[0]
                quick = _quick_check(key.split(",", 1)[0])
                prefix = f"{key} "
            point = line[len(prefix) :]
            match = quick.fullmatch(point)
            unix_ns = int(match[1]) if match else _checked_time(line)
        except ValueError as error:
            written.dead.append((line, str(error)))
            continue
        if unix_ns < oldest_ns:
            written.skipped_old += 1
            continue
        if times and abs(unix_ns - times[0]) > LONGEST_NS:
            close()
        times.append(unix_ns)
        points.append(point)
    close()
    return blocks


_NOTHING = re.compile(r"(?!)")


@cache
def _quick_check(measurement: str) -> re.Pattern[str]:
    """What a good point of a measurement looks like; its group is the time.

    Raises ValueError for a measurement that is not known.
    """
    try:
        types = field_types(measurement)
    except KeyError:
        raise ValueError(f"measurement {measurement[:60]} is not known") from None
    fields = "|".join(f"{name}={_SHAPES[kind]}" for name, kind in types.items())
    return re.compile(rf"(?:{fields})(?:,(?:{fields}))* (-?\d{{1,19}})", re.ASCII | re.DOTALL)


def _checked_time(line: str) -> int:
    """The time of a line that the quick check did not take. Raises ValueError saying why it cannot be kept."""
    key, fields, unix_ns = split_line(line)
    measurement = key.split(",", 1)[0]
    types = field_types(measurement)
    for name, value in parse_fields(fields).items():
        if name not in types:
            raise ValueError(f"field {measurement}.{name[:60]} is not known")
        wanted = _TYPES[types[name]]
        if type(value) is not wanted:
            raise ValueError(f"field type conflict: {name} is {type(value).__name__}, not {wanted.__name__}")
    return unix_ns


def points_of(texts: Iterable[str]) -> list[tuple[int, dict[str, Value]]]:
    """Points of one series in order of time, from its blocks in the order in which they were written."""
    found: dict[int, dict[str, Value]] = {}
    for text in texts:
        for fields, unix_ns in _split(text):
            found.setdefault(int(unix_ns), {}).update(parse_fields(fields))
    return sorted(found.items())


def merged(standing: str, new: str) -> str:
    """The points of two blocks as one: other fields are added, the same field takes the value of `new`."""
    found: dict[str, str] = {}
    for fields, unix_ns in (*_split(standing), *_split(new)):
        found[unix_ns] = _merged_fields(found[unix_ns], fields) if unix_ns in found else fields
    return "\n".join(f"{fields} {unix_ns}" for unix_ns, fields in found.items())


def _split(text: str) -> Sequence[tuple[str, str]]:
    """Fields and time of each point."""
    return [(point.rpartition(" ")[0], point.rpartition(" ")[2]) for point in text.split("\n")]


def _merged_fields(standing: str, new: str) -> str:
    """A field set with another's values added; those of `new` hold. Both stay as they were written."""
    fields = {text.partition("=")[0]: text for text in (*_split_fields(standing), *_split_fields(new))}
    return ",".join(fields.values())


def _split_fields(fields: str) -> list[str]:
    if '"' not in fields:
        return fields.split(",")
    parts, begin, quoted, escaped = [], 0, False, False
    for index, character in enumerate(fields):
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            parts.append(fields[begin:index])
            begin = index + 1
    return [*parts, fields[begin:]]
