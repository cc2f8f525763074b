"""Line protocol comes back as it was written, here and from a real InfluxDB."""

import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.report import Value
from collector.lines import SeriesTemplate, field_types, parse_fields, parse_key, series_key, split_line
from collector.stores.influx import InfluxSettings, InfluxStore
from tests.collector.batches import batch_of
from tests.servers.influxd import Influxd

NOW = time.time_ns()
TEXTS = [
    "plain",
    'a "quoted" one',
    "back\\slash",
    "end\\",
    "a,b=c d",
    "ünï¢ødé 💡",
    "nel\x85\u2028\x0b\x0c\x1c",
    "%s %d",
    "'",
    "#",
]

texts = st.one_of(st.text(max_size=12), st.text('\\",= \n\r\ta%', max_size=12), st.sampled_from(TEXTS))
tag_values = texts.filter(lambda text: "\0" not in text)
numbers = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**63), 2**63 - 1), st.none())


def tag_as_written(text: str) -> str:
    """What line protocol can hold of a tag: no line's end and no backslash."""
    return text.replace("\n", " ").replace("\r", " ").replace("\\", "/")


def text_as_written(text: str) -> str:
    return text.replace("\n", " ").replace("\r", " ")


def read_back(line: str) -> tuple[str, dict[str, str], dict[str, Value], int]:
    key, fields, unix_ns = split_line(line)
    return *parse_key(key), parse_fields(fields), unix_ns


@settings(deadline=None, max_examples=300)
@given(
    st.dictionaries(st.sampled_from(["device_id", "host_name", "site", "mount_point"]), tag_values),
    st.lists(numbers, min_size=2, max_size=2),
    st.integers(0, 2**63 - 1),
)
def test_numbers_and_tags_come_back_as_they_were(tags: dict[str, str], values: list[Value], unix_ns: int) -> None:
    template = SeriesTemplate("system_filesystem", tags, ["total_bytes", "used_bytes"])
    lines = template.lines([(unix_ns, values)])
    expected = {
        name: value for name, value in zip(["total_bytes", "used_bytes"], values, strict=True) if value is not None
    }
    assert len(lines) == bool(expected)
    for line in lines:
        assert "\n" not in line
        measurement, found_tags, fields, at = read_back(line)
        assert (measurement, at) == ("system_filesystem", unix_ns)
        assert found_tags == {name: tag_as_written(value) for name, value in tags.items() if value}
        assert {name: float(value or 0) for name, value in fields.items()} == {
            name: float(value or 0) for name, value in expected.items()
        }
        assert all(type(value) is float for value in fields.values())


@settings(deadline=None, max_examples=300)
@given(tag_values, texts, texts, st.integers(0, 2**63 - 1))
def test_texts_come_back_as_they_were(code: str, outcome: str, reason: str, unix_ns: int) -> None:
    template = SeriesTemplate("ictagent_source", {"source": code, "host_name": outcome}, ["outcome", "reason"])
    [line] = template.lines([(unix_ns, [outcome, reason])])
    _, tags, fields, at = read_back(line)
    assert fields == {"outcome": text_as_written(outcome), "reason": text_as_written(reason)}
    assert tags == {name: tag_as_written(text) for name, text in (("source", code), ("host_name", outcome)) if text}
    assert at == unix_ns


@settings(deadline=None, max_examples=200)
@given(tag_values, st.floats(0, 1e6), texts)
def test_mixed_series_come_back_as_they_were(host: str, watts: float, source: str) -> None:
    template = SeriesTemplate("hw_host", {"host_name": host}, ["power_watts", "source", "energy_joules", "method"])
    rows: list[tuple[int, list[Value]]] = [(NOW, [watts, source, None, "measured"]), (NOW, [None, None, None, None])]
    [line] = template.lines(rows)
    assert read_back(line)[2] == {"power_watts": watts, "source": text_as_written(source), "method": "measured"}


@settings(deadline=None, max_examples=300)
@given(st.one_of(st.text(max_size=40), st.text('\\",= a1i.', max_size=40)))
def test_no_text_takes_more_than_a_value_error(text: str) -> None:
    for read in (split_line, parse_fields, parse_key):
        try:
            read(text)
        except ValueError:
            continue


def test_a_line_of_escapes_without_an_end_is_refused_at_once() -> None:
    started = time.monotonic()
    for text in ("\\ " * 20_000, 'm f="' + '\\"' * 20_000, "a=1," * 20_000 + "\\", 'm "a""b"' * 5_000):
        with pytest.raises(ValueError, match="not a line"):
            split_line(text)
    assert time.monotonic() - started < 2


def test_tags_are_sorted_and_empty_ones_left_out() -> None:
    assert series_key("m", {"b": "2", "a": "1", "c": ""}) == "m,a=1,b=2"


def test_types_are_those_of_the_names() -> None:
    assert field_types("hw_host")["power_watts"] == "float"
    assert field_types("hw_host")["method"] == "string"


def test_a_real_influxdb_reads_the_same_values(influx: Influxd) -> None:
    values = [0.1, 1e-300, 1.7e308, 5, 2**53, -1.5, 123456789.123456789, 1e22, 2**63 - 1]
    lines: list[str] = []
    for index, text in enumerate(TEXTS):
        tags = {"source": f"{text} {index}", "host_name": text}
        template = SeriesTemplate("ictagent_source", tags, ["outcome", "reason"])
        lines += template.lines([(NOW + index, [text, None if index % 2 else f"{text}\n{text}"])])
    template = SeriesTemplate("system_filesystem", {"mount_point": "/srv/a b,c"}, ["total_bytes"])
    lines += template.lines([(NOW + index, [value]) for index, value in enumerate(values)])
    store = InfluxStore(InfluxSettings(influx.url, "ictagent", token_file=influx.token_file))
    assert store.write([batch_of(lines)]).dead == []
    store.close()
    found: dict[tuple[str, int], dict[str, Value]] = {}
    tagged: dict[int, dict[str, str]] = {}
    for measurement in ("ictagent_source", "system_filesystem"):
        statement = f"SELECT * FROM {measurement} GROUP BY *"  # noqa: S608  # the test's own names
        for series in influx.query("ictagent", statement):
            for row in series["values"]:
                fields = dict(zip(series["columns"], row, strict=True))
                at = fields.pop("time")
                found[measurement, at] = {name: value for name, value in fields.items() if value is not None}
                if measurement == "ictagent_source":
                    tagged[at] = series["tags"]
    for line in lines:
        measurement, tags, written, at = read_back(line)
        assert found[measurement, at].keys() == written.keys()
        for name, value in written.items():
            read = found[measurement, at][name]
            if isinstance(value, float):
                assert isinstance(read, float | int)
                assert math.isclose(read, value, rel_tol=1e-15)
            else:
                assert read == value
        if measurement == "ictagent_source":
            assert tagged[at] == tags
