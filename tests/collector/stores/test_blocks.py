"""Blocks of the embedded store: nothing of a batch is lost or changed, and later values hold wherever blocks overlap."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.names import MEASUREMENTS
from agent.report import Value
from collector.lines import SeriesTemplate, parse_fields, split_line
from collector.stores.blocks import LONGEST_NS, blocks_of, merged, points_of
from collector.stores.embedded import EmbeddedStore
from collector.stores.port import Written
from tests.collector.batches import batch_of

NOW = 1_795_500_000 * 10**9
VALUES: dict[str, st.SearchStrategy[Value]] = {
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "integer": st.integers(-(2**63), 2**63 - 1),
    "boolean": st.booleans(),
    "string": st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\n\r")),
}


@st.composite
def written_lines(draw: st.DrawFn) -> list[str]:
    """Lines as the collector writes them, of some measurements with texts, numbers and flags, in runs of one series."""
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 4))):
        one = MEASUREMENTS[draw(st.sampled_from(["system_cpu", "hw_host", "ictagent_event", "ictagent_source"]))]
        fields = draw(st.lists(st.sampled_from(one.fields), min_size=1, max_size=3, unique_by=lambda one: one.name))
        tags = {
            "device_id": draw(st.sampled_from(["d1", "d2"])),
            "host_name": draw(st.sampled_from(["a", "a b", "a\\b"])),
        }
        template = SeriesTemplate(one.name, tags, [field.name for field in fields])
        rows = [
            (NOW + draw(st.integers(0, 3)), [draw(VALUES[field.type]) for field in fields])
            for _ in range(draw(st.integers(1, 3)))
        ]
        lines += template.lines(rows)
    return lines


@given(written_lines())
def test_blocks_hold_every_point_of_a_batch_as_it_was(lines: list[str]) -> None:
    expected: dict[str, dict[int, dict[str, Value]]] = {}
    for line in lines:
        key, fields, unix_ns = split_line(line)
        expected.setdefault(key, {}).setdefault(unix_ns, {}).update(parse_fields(fields))
    written = Written()
    texts: dict[str, list[str]] = {}
    for block in blocks_of(lines, 0, written):
        assert block.first_ns <= block.last_ns
        texts.setdefault(block.key, []).append(block.points)
    assert written == Written()
    assert {key: dict(points_of(found)) for key, found in texts.items()} == expected


@given(written_lines(), written_lines())
def test_two_blocks_merged_read_as_the_two(first: list[str], second: list[str]) -> None:
    one, other = blocks_of(first, 0, Written())[0].points, blocks_of(second, 0, Written())[0].points
    assert points_of([merged(one, other)]) == points_of([one, other])


@pytest.mark.parametrize("value", ["1.2.3", "1e", "--1", "1i", "true", "", "0x1", '"1"'])
def test_what_is_no_number_is_given_back_in_the_middle_of_a_block(value: str) -> None:
    good = f"system_memory,device_id=d1 used_bytes=1.5 {NOW}"
    bad = f"system_memory,device_id=d1 used_bytes={value} {NOW + 1}"
    written = Written()
    assert [block.points for block in blocks_of([good, bad], 0, written)] == [f"used_bytes=1.5 {NOW}"]
    assert [line for line, _ in written.dead] == [bad]


def test_a_block_spans_an_hour_at_most() -> None:
    times = [NOW, NOW + LONGEST_NS, NOW + LONGEST_NS + 1, NOW + 3 * LONGEST_NS]
    lines = [f"system_memory,device_id=d1 used_bytes=1 {unix_ns}" for unix_ns in times]
    assert [(one.first_ns, one.last_ns) for one in blocks_of(lines, 0, Written())] == [
        (times[0], times[1]),
        (times[2], times[2]),
        (times[3], times[3]),
    ]


@pytest.mark.parametrize("at_once", [True, False])
def test_later_values_hold_where_blocks_overlap(tmp_path: Path, *, at_once: bool) -> None:
    store = EmbeddedStore(tmp_path / "points.db", lambda: NOW)

    def line(at: int, value: float) -> str:
        return f"system_memory,device_id=d1 used_bytes={value} {NOW + at}"

    wide, narrow, last = [line(at, 1) for at in (0, 1, 2)], [line(1, 2)], [line(at, 3) for at in (2, 3)]
    batches = [batch_of(lines, number + 1) for number, lines in enumerate((wide, narrow, last))]
    for part in [batches] if at_once else [[one] for one in batches]:
        store.write(part)
    [series] = store.read("system_memory", NOW, NOW + 4)
    assert [fields["used_bytes"] for _, fields in series.points] == [1, 2, 3, 3]
    assert store.latest("system_memory")[0].points == [(NOW + 3, {"used_bytes": 3})]
    store.close()
