"""A report off the wire: read within bounds, refused whole for its envelope, row by row for its rows."""

import dataclasses
import gzip
import json
import string
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.report import FORMAT_VERSION, Report
from collector.errors import ReportTooLarge, ReportUnreadable
from collector.wire import (
    LARGEST_UNPACKED_BYTES,
    MOST_METERS,
    MOST_REASONS,
    MOST_VALUES,
    MOST_WRONG,
    Refused,
    WireReport,
    receive,
    unpack,
)
from tests.collector.reports import Json, packed, plain_report, text_of

ROOT = Path(__file__).parents[2]


def refusal(body: bytes, encoding: str = "") -> ReportUnreadable:
    with pytest.raises(ReportUnreadable) as caught:
        receive(body, encoding)
    assert caught.value.status == 400
    assert caught.value.remedy
    return caught.value


def with_rows(rows: str, **changes: Any) -> bytes:
    """A report whose rows are this JSON text, which Python's json would not write."""
    report = plain_report(**changes)
    del report["rows"]
    return text_of(report)[:-1] + b', "rows": ' + rows.encode() + b"}"


def test_the_wire_has_the_fields_of_the_agents_report() -> None:
    assert set(WireReport.__struct_fields__) == {field.name for field in dataclasses.fields(Report)}


def test_a_good_report_is_read_with_nothing_refused() -> None:
    report = plain_report()
    received = receive(packed(report), "gzip")
    assert [list(row) for row in received.report.rows] == report["rows"]
    assert received.report.meters[0].name == "rapl/package-0"
    assert received.refused.count == 0


def test_compressed_or_not_a_report_is_the_same_report() -> None:
    report = plain_report()
    assert receive(packed(report), "gzip").sha256 == receive(text_of(report), "").sha256
    assert receive(text_of(report), "identity").sha256 != receive(text_of({**report, "sequence": 2}), "").sha256


@pytest.mark.parametrize("kept", [1, 10, 40, -9, -8, -1])
def test_a_truncated_body_is_refused(kept: int) -> None:
    assert refusal(packed(plain_report())[:kept], "gzip").field == "body"


def test_what_is_no_gzip_has_bytes_behind_it_or_a_wrong_checksum_is_refused() -> None:
    body = packed(plain_report())
    spoiled = body[:-8] + bytes([body[-8] ^ 1]) + body[-7:]
    for one in (b"", b"plain", body + b"x", body + body, spoiled):
        assert refusal(one, "gzip").field == "body"


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "GZIP2"])
def test_an_unknown_encoding_is_named(encoding: str) -> None:
    error = refusal(packed(plain_report()), encoding)
    assert error.field == "content-encoding"
    assert repr(encoding) in error.message


def test_a_body_that_unpacks_to_too_much_is_too_large() -> None:
    with pytest.raises(ReportTooLarge) as caught:
        unpack(gzip.compress(b" " * (LARGEST_UNPACKED_BYTES + 1)), "gzip")
    assert caught.value.status == 413
    assert len(unpack(gzip.compress(b" " * LARGEST_UNPACKED_BYTES), "gzip")) == LARGEST_UNPACKED_BYTES


def bytes_grown(body: str) -> tuple[str, int]:
    """What `receive` comes to for a body, given as an expression, and by how much the process grew over it."""
    program = f"""
import gzip, resource, sys
from collector.errors import CollectorError
from collector.wire import LARGEST_UNPACKED_BYTES, receive
from tests.collector.test_wire import with_rows
body = {body}
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    received = receive(body, 'gzip')
    outcome = f'{{len(received.report.rows)}} rows, {{received.refused.count}} refused'
except CollectorError as error:
    outcome = error.code
print(outcome, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024, sep='|')
"""
    outcome, grown = subprocess.check_output([sys.executable, "-c", program], text=True, cwd=ROOT).split("|")
    return outcome, int(grown)


def test_a_zip_bomb_takes_no_more_memory_than_the_bound() -> None:
    outcome, grown = bytes_grown("gzip.compress(bytes(2**29), 1)")
    assert outcome == "report_too_large"
    assert grown < 4 * LARGEST_UNPACKED_BYTES


def test_the_most_rows_that_fit_take_bounded_memory() -> None:
    count = (MOST_VALUES - 100) // "[0,1,[]],".count(",")
    outcome, grown = bytes_grown(f"""gzip.compress(with_rows('[' + '[0,1,[]],' * {count} + '[0,1,"wrong"]]'), 1)""")
    assert outcome == f"{count} rows, 1 refused"
    assert grown < 40 * LARGEST_UNPACKED_BYTES


@pytest.mark.parametrize("where", ["rows", "readings", "samples", "series", "events"])
def test_a_small_body_that_unpacks_to_millions_of_values_is_refused_at_once(where: str) -> None:
    report = plain_report() | {where: ["VALUES"]}
    text = text_of(report).replace(b'"VALUES"', b"0," * 4_000_000 + b"0")
    started = time.monotonic()
    with pytest.raises(ReportTooLarge, match=f"holds more than {MOST_VALUES} values"):
        receive(gzip.compress(text, 1), "gzip")
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("where", ["rows", "readings"])
def test_a_report_of_rows_that_are_none_is_refused_whole_and_soon(where: str) -> None:
    wrong: list[Any] = [0] * MOST_WRONG
    assert receive(packed(plain_report() | {where: wrong}), "gzip").refused.count == MOST_WRONG
    started = time.monotonic()
    assert refusal(text_of(plain_report() | {where: [0] * 900_000})).field == where
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not JSON",
        b"\xef\xbb\xbf" + text_of(plain_report()),
        text_of(plain_report()).decode().encode("utf-16"),
        text_of(plain_report()) + b"x",
        text_of(plain_report(agent_version="?")).replace(b'"?"', b'"\xff\xfe"'),
        with_rows('[[0, 1, ["\xfc"]]]').decode().encode("latin-1"),
        with_rows("[[0, 1, [NaN, 1]]]"),
        with_rows("[[0, 1, [-Infinity, 1]]]"),
        with_rows("[[0, 1, [0x10, 1]]]"),
        with_rows('[[0, 1, ["\\ud800"]]]'),
    ],
    ids=["empty", "words", "BOM", "UTF-16", "tail", "bytes", "Latin-1", "NaN", "Infinity", "hexadecimal", "surrogate"],
)
def test_what_is_not_json_is_refused_whole(body: bytes) -> None:
    assert refusal(body).field == "body"


@pytest.mark.parametrize("depth", [2_000, 1_000_000])
@pytest.mark.parametrize("where", ["rows", "row", "unknown"])
def test_deep_nesting_is_refused(depth: int, where: str) -> None:
    deep = "[" * depth + "]" * depth
    bodies = {
        "rows": with_rows(deep),
        "row": with_rows(f'[[0, 1, "wrong"], {deep}]'),
        "unknown": with_rows('[[0, 1, "wrong"]]')[:-1] + b', "later": ' + deep.encode() + b"}",
    }
    assert refusal(bodies[where]).field == "body"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"sequence": -1}, "sequence"),
        ({"sequence": 0}, "sequence"),
        ({"sequence": "1"}, "sequence"),
        ({"sequence": 1.5}, "sequence"),
        ({"sequence": 10**400}, "sequence"),
        ({"stream_id": 7}, "stream_id"),
        ({"stream_id": "short"}, "stream_id"),
        ({"stream_id": "a/b/c/d/e/f"}, "stream_id"),
        ({"agent_version": "1" * 65}, "agent_version"),
        ({"samples": [[1, 2], [1]]}, "samples[1]"),
        ({"samples": {"wall_ns": 1}}, "samples"),
        ({"samples": [[1.5, 2]]}, "samples[0][0]"),
        ({"series": [["system_cpu", {"a": 1}, []]]}, "series[0][1][...]"),
        ({"meters": [["a", "rapl", "guess", "package", "e"]]}, "meters[0][2]"),
        ({"meters": [["a", "rapl", "counter", "package", "e"]] * (MOST_METERS + 1)}, "meters"),
        ({"rows": "all"}, "rows"),
        ({"rows": None}, "rows"),
        ({"readings": {}}, "readings"),
        ({"sources": [{"source": "rapl", "outcome": "perhaps"}]}, "sources[0].outcome"),
        ({"choice": {"basis": "hope"}}, "choice.basis"),
        ({"inventory": {"cpu_sockets": "two"}}, "inventory.cpu_sockets"),
        ({"events": [{}]}, "unix_ns"),
    ],
)
def test_a_wrong_envelope_is_refused_by_its_fields_name(changes: Json, field: str) -> None:
    error = refusal(packed(plain_report(**changes)), "gzip")
    assert error.field == field
    assert field in error.message


def test_a_missing_field_is_named() -> None:
    report = plain_report()
    del report["stream_id"]
    assert refusal(text_of(report)).field == "stream_id"


@pytest.mark.parametrize("version", [FORMAT_VERSION + 1, 0, -3])
def test_another_version_is_refused_as_that_whatever_else_is_in_it(version: int) -> None:
    for changes in ({}, {"sequence": "one"}, {"rows": [["?"]]}):
        error = refusal(text_of(plain_report(version=version, **changes)))
        assert error.field == "version"
        assert "same release" in error.remedy


@pytest.mark.parametrize("body", [b"[]", b"null", b"12", b'"report"', b'{"version": "1"}'])
def test_what_is_no_report_object_is_refused(body: bytes) -> None:
    assert refusal(body).field == "version"


def test_fields_of_a_newer_agent_are_let_pass() -> None:
    assert receive(text_of(plain_report(colour="green")), "").refused.count == 0


BAD_ROWS = [
    "[0]",
    '[0, 1, "text"]',
    "[0, 1, [[]]]",
    "[0, 1, [1e400, 1]]",
    "[0, 1, [" + "9" * 5000 + "]]",
    "[0, " + "9" * 400 + ", [1]]",
    "[0, 1.5, [1]]",
    "[-1, 1, [1]]",
    "[true, 1, [1]]",
    "[0, -1, [1]]",
    "{}",
    "null",
    '[0, 1, [{"a": 1}]]',
]


def test_a_row_of_a_wrong_type_costs_only_itself() -> None:
    good = ["[0, 5, [1, 2]]", "[0, 6, [null, true]]", '[1, 7, ["text"]]']
    rows = [good[0], *BAD_ROWS, good[1], *BAD_ROWS, good[2]]
    received = receive(with_rows(f"[{', '.join(rows)}]"), "")
    assert received.report.rows == [(0, 5, [1, 2]), (0, 6, [None, True]), (1, 7, ["text"])]
    count, example = received.refused.reasons["row of a wrong type"]
    assert count == received.refused.count == 2 * len(BAD_ROWS)
    assert "[0]" in example
    assert len(received.report.readings) == 1


def test_a_reading_of_a_wrong_type_costs_only_itself() -> None:
    good = plain_report()["readings"][0]
    readings = [good, [0, 1, 2, ["5"], []], good[:4], good]
    received = receive(text_of(plain_report(readings=readings)), "")
    assert len(received.report.readings) == 2
    assert received.refused.reasons["reading of a wrong type"][0] == 2
    assert len(received.report.rows) == 2


def test_a_nul_character_is_replaced_since_no_database_need_hold_it() -> None:
    report = plain_report(agent_version="a\0b", sources=[{"source": "\\u0000\0", "outcome": "data", "reason": "\\\0"}])
    received = receive(text_of(report), "")
    assert received.report.agent_version == "a\ufffdb"
    assert received.report.sources[0].source == "\\u0000\ufffd"
    assert received.report.sources[0].reason == "\\\ufffd"


def test_reasons_are_counted_and_there_is_an_end_to_their_number() -> None:
    refused = Refused()
    for number in range(MOST_REASONS + 100):
        refused.add(f"measurement not known here: m{number}", f"row {number}")
    refused.add("measurement not known here: m0", "again")
    assert refused.count == MOST_REASONS + 101
    assert len(refused.reasons) == MOST_REASONS + 1
    assert refused.reasons["measurement not known here: m0"] == (2, "row 0")
    assert refused.reasons["further reasons"] == (100, f"row {MOST_REASONS}")


def read_or_refuse(body: bytes, encoding: str) -> None:
    """Only the two refusals may come of any bytes."""
    try:
        received = receive(body, encoding)
    except (ReportUnreadable, ReportTooLarge) as error:
        assert error.message
    else:
        assert isinstance(received.report, WireReport)


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=200), st.sampled_from(["", "gzip", "identity", "x"]))
def test_no_bytes_raise_anything_but_a_refusal(body: bytes, encoding: str) -> None:
    read_or_refuse(body, encoding)
    read_or_refuse(gzip.compress(body), "gzip")


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_no_spoiled_report_raises_anything_but_a_refusal(data: st.DataObject) -> None:
    body = bytearray(text_of(plain_report(now_ns=1_700_000_000_000_000_000)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body)))
        end = min(len(body), at + data.draw(st.integers(0, 6)))
        body[at:end] = data.draw(st.one_of(st.binary(max_size=6), st.sampled_from([b"[", b"]", b'"', b"1e999", b"-"])))
    read_or_refuse(bytes(body), "")


anything = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**30), 10**30),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(string.printable, max_size=8),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=12,
)


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(st.sampled_from(list(plain_report())), anything, min_size=1, max_size=3))
def test_no_value_in_place_of_another_raises_anything_but_a_refusal(changes: Json) -> None:
    read_or_refuse(text_of(plain_report(**changes)), "")


@settings(deadline=None, max_examples=150)
@given(st.lists(st.one_of(anything, st.just("good")), max_size=12))
def test_good_rows_beside_bad_ones_are_all_kept(rows: list[Any]) -> None:
    good = [0, 7, [0.5, 0.25]]
    mixed = [good if row == "good" else row for row in rows]
    received = receive(json.dumps({**plain_report(), "rows": mixed}).encode(), "")
    assert [list(row) for row in received.report.rows].count(good) == mixed.count(good)
    assert len(received.report.rows) + received.refused.count == len(mixed)
