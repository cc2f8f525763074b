"""InfluxDB line protocol: written fast from rows of one series, and read back for the embedded store.

Numbers are float fields, except those that `agent.names` calls integer or boolean; a field never changes type. None
is a field left out, a row without any field is no line. Timestamps are nanoseconds.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

import msgspec

from agent.names import MEASUREMENTS, FieldType
from agent.report import Value

_TAG_ESCAPES = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ ", "\n": "\\ ", "\r": "\\ ", "\\": "/"})
"""A backslash in a tag cannot be written unambiguously in line protocol; it becomes a slash."""
_TEXT_ESCAPES = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": " ", "\r": " "})


@cache
def field_types(measurement: str) -> Mapping[str, FieldType]:
    """The type of each field of a measurement."""
    return {field.name: field.type for field in MEASUREMENTS[measurement].fields}


def series_key(measurement: str, tags: Mapping[str, str]) -> str:
    """Measurement and tags as line protocol begins with them: tags sorted, empty ones left out, all escaped."""
    parts = [f"{name}={escaped_tag(value)}" for name, value in sorted(tags.items()) if value]
    return ",".join([measurement, *parts])


@lru_cache(maxsize=8192)
def escaped_tag(value: str) -> str:
    """A tag's value as a series key has it."""
    return value.translate(_TAG_ESCAPES)


@lru_cache(maxsize=512)
def _field_part(measurement: str, names: tuple[str, ...]) -> tuple[tuple[tuple[str, FieldType], ...], str]:
    """The fields with their types, and where all are numbers the pattern of a line behind its key; else ""."""
    types = field_types(measurement)
    fields = tuple((name, types[name]) for name in names)
    numbers = all(kind == "float" for _, kind in fields)
    return fields, " " + ",".join(f"{name}=%s" for name in names) + " %d" if numbers else ""


class SeriesTemplate:
    """Writes rows of one series. The parts that do not change are prepared once."""

    def __init__(self, measurement: str, tags: Mapping[str, str], fields: Sequence[str]) -> None:
        self._key = series_key(measurement, tags)
        self._fields, pattern = _field_part(measurement, tuple(fields))
        self._pattern = self._key.replace("%", "%%") + pattern if pattern else ""

    def lines(self, rows: Sequence[tuple[int, Sequence[Value]]]) -> list[str]:
        """One line for each row (unix_ns, values in the order of the fields) that has a value at all."""
        pattern = self._pattern
        if not pattern or not rows or any(None in values for _, values in rows):
            return [line for unix_ns, values in rows if (line := self._line(unix_ns, values))]
        # msgspec writes numbers in a quarter of the time that Python takes, also the shortest text that is exact.
        texts = msgspec.json.encode([values for _, values in rows]).decode()[2:-2].split("],[")
        return [pattern % (*text.split(","), unix_ns) for text, (unix_ns, _) in zip(texts, rows, strict=True)]

    def _line(self, unix_ns: int, values: Sequence[Value]) -> str:
        fields = [
            f"{name}={_text_of(value, kind)}"
            for (name, kind), value in zip(self._fields, values, strict=True)
            if value is not None
        ]
        return f"{self._key} {','.join(fields)} {unix_ns}" if fields else ""


def escaped_text(value: str) -> str:
    """What stands between the quotes of a text."""
    return value.translate(_TEXT_ESCAPES)


def _text_of(value: Value, kind: FieldType) -> str:
    if kind == "string":
        return f'"{escaped_text(str(value))}"'
    if kind == "integer":
        return f"{value}i"
    if kind == "boolean":
        return "true" if value else "false"
    return str(value)


_LINE = re.compile(r"(?P<key>(?:\\.|[^\\ ])+) (?P<fields>(?:[^\"]|\"(?:\\.|[^\"\\])*\")+) (?P<time>-?\d+)", re.DOTALL)
_FIELD = re.compile(r"(?P<name>(?:\\.|[^\\=])+)=(?P<value>\"(?:\\.|[^\"\\])*\"|[^,]*)(?:,|$)", re.DOTALL)
_TAG = re.compile(r",(?P<name>(?:\\.|[^\\=,])+)=(?P<value>(?:\\.|[^\\,])*)")


def split_line(line: str) -> tuple[str, str, int]:
    """Series key, field set and time of a line. Raises ValueError for a text that is no line."""
    # Without texts and escapes, which most lines are, the two spaces can only be the separators.
    if '"' not in line and "\\" not in line:
        parts = line.split(" ")
        if len(parts) == 3:
            return parts[0], parts[1], int(parts[2])
    elif match := _LINE.fullmatch(line):
        return match["key"], match["fields"], int(match["time"])
    raise ValueError(f"not a line of line protocol: {line[:80]!r}")


def parse_fields(text: str) -> dict[str, Value]:
    """Names and values of a field set. Raises ValueError where it cannot be one."""
    fields: dict[str, Value] = {}
    position = 0
    while position < len(text):
        match = _FIELD.match(text, position)
        if match is None:
            raise ValueError(f"not a field set: {text[:80]!r}")
        fields[match["name"]] = _value_of(match["value"])
        position = match.end()
    return fields


def parse_key(key: str) -> tuple[str, dict[str, str]]:
    """Measurement and tags of a series key."""
    measurement = key.split(",", 1)[0]
    tags = {
        re.sub(r"\\(.)", r"\1", match["name"]): re.sub(r"\\(.)", r"\1", match["value"])
        for match in _TAG.finditer(key, len(measurement))
    }
    return measurement, tags


def _value_of(text: str) -> Value:
    if text.startswith('"'):
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    if text.endswith("i"):
        return int(text[:-1])
    if text in ("true", "false"):
        return text == "true"
    return float(text)
