"""What every store must do, held to the embedded store and to a real InfluxDB alike."""

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import pytest

from agent.report import Value
from collector.lines import SeriesTemplate
from collector.stores.embedded import EmbeddedStore
from collector.stores.influx import InfluxSettings, InfluxStore
from collector.stores.port import Store
from tests.collector.batches import NS, batch_of, memory_line
from tests.conftest import missing
from tests.servers import victoriametrics as victoria
from tests.servers.influxd import Influxd

NOW = (time.time_ns() // NS - 60) * NS
Points = list[tuple[int, dict[str, Value]]]


class Readable(Protocol):
    """A store, and how a test reads its points back."""

    @property
    def store(self) -> Store: ...

    def points(self, measurement: str, tags: Mapping[str, str]) -> Points: ...


class Embedded:
    def __init__(self, path: Path) -> None:
        self.store = EmbeddedStore(path)

    def points(self, measurement: str, tags: Mapping[str, str]) -> Points:
        found = self.store.read(measurement, 0, 2**62, tags)
        return sorted((point for series in found for point in series.points), key=lambda point: point[0])


class Influx:
    def __init__(self, server: Influxd) -> None:
        self._server = server
        self.store = InfluxStore(InfluxSettings(server.url, "ictagent", token_file=server.token_file))

    def points(self, measurement: str, tags: Mapping[str, str]) -> Points:
        where = " AND ".join(f"\"{name}\" = '{value}'" for name, value in tags.items()) or "time > 0"
        found: Points = []
        statement = f'SELECT * FROM "{measurement}" WHERE {where}'  # noqa: S608  # the test's own names
        for series in self._server.query("ictagent", statement):
            for row in series["values"]:
                values = dict(zip(series["columns"], row, strict=True))
                unix_ns = values.pop("time")
                fields = {name: value for name, value in values.items() if value is not None and name not in TAGS}
                found.append((unix_ns, fields))
        return found


TAGS = {"device_id", "host_name", "site", "kind", "hw_id", "hw_type", "hw_parent", "code", "source", "disk"}


@pytest.fixture(params=["embedded", "influx"])
def readable(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Readable]:
    one: Readable = (
        Embedded(tmp_path / "points.db") if request.param == "embedded" else Influx(request.getfixturevalue("influx"))
    )
    yield one
    one.store.close()


def test_what_is_written_is_read_back(readable: Readable) -> None:
    template = SeriesTemplate("system_cpu", {"device_id": "d1", "host_name": "web 01,x=y"}, ["busy_ratio", "load_1m"])
    rows: list[tuple[int, list[Value]]] = [(NOW, [0.1, 1]), (NOW + 1, [0.5, None]), (NOW + 2, [1e-7, 2.5e22])]
    written = readable.store.write([batch_of(template.lines(rows))])
    assert (written.dead, written.skipped_old) == ([], 0)
    assert readable.points("system_cpu", {"host_name": "web 01,x=y"}) == [
        (NOW, {"busy_ratio": 0.1, "load_1m": 1.0}),
        (NOW + 1, {"busy_ratio": 0.5}),
        (NOW + 2, {"busy_ratio": 1e-7, "load_1m": 2.5e22}),
    ]
    assert readable.points("system_cpu", {"host_name": "other"}) == []


def test_texts_come_back_as_they_were(readable: Readable) -> None:
    texts = ['he said "no"', "back\\slash\\", "a,b=c d", "zwölf 💡", "nel\x85 ls\u2028 vt\x0b", "100%s %d", "\\n", '"']
    template = SeriesTemplate("ictagent_event", {"device_id": "d1", "code": "x"}, ["detail"])
    lines = template.lines([(NOW + index, [text]) for index, text in enumerate(texts)])
    assert readable.store.write([batch_of(lines)]).dead == []
    assert readable.points("ictagent_event", {"code": "x"}) == [
        (NOW + index, {"detail": text}) for index, text in enumerate(texts)
    ]


def test_the_same_batch_twice_changes_nothing(readable: Readable) -> None:
    batches = [batch_of([memory_line(NOW + index, index) for index in range(50)], number) for number in (1, 2)]
    readable.store.write(batches[:1])
    before = readable.points("system_memory", {})
    readable.store.write(batches)
    readable.store.write(batches)
    assert readable.points("system_memory", {}) == before
    assert len(before) == 50


def test_the_later_value_of_a_field_wins_and_other_fields_are_added(readable: Readable) -> None:
    key = "system_memory,device_id=d1"
    readable.store.write([batch_of([f"{key} used_bytes=1,total_bytes=9 {NOW}", f"{key} used_bytes=2 {NOW}"])])
    assert readable.points("system_memory", {}) == [(NOW, {"used_bytes": 2.0, "total_bytes": 9.0})]
    readable.store.write([batch_of([f"{key} used_bytes=3 {NOW}"], 2), batch_of([f"{key} swap_used_bytes=4 {NOW}"], 3)])
    assert readable.points("system_memory", {}) == [
        (NOW, {"used_bytes": 3.0, "total_bytes": 9.0, "swap_used_bytes": 4.0})
    ]


def test_later_batches_win_over_earlier_ones_of_one_write(readable: Readable) -> None:
    batches = [batch_of([memory_line(NOW, number)], number) for number in range(1, 60)]
    readable.store.write(batches)
    assert readable.points("system_memory", {}) == [(NOW, {"used_bytes": 59.0})]


def test_a_bad_line_is_given_back_with_the_reason_and_the_good_ones_are_kept(readable: Readable) -> None:
    bad = f"system_memory,device_id=d1 used_bytes=oops {NOW}"
    lines = [memory_line(NOW + index) for index in range(20)]
    written = readable.store.write([batch_of([*lines[:7], bad, *lines[7:]])])
    assert [line for line, _ in written.dead] == [bad]
    assert written.dead[0][1]
    assert len(readable.points("system_memory", {})) == 20


def test_a_field_of_another_type_is_given_back_and_the_good_ones_are_kept(readable: Readable) -> None:
    readable.store.write([batch_of([memory_line(NOW)])])
    bad = [f'system_memory,device_id=d1,kind=host used_bytes="much" {NOW + index}' for index in (5, 6)]
    good = [memory_line(NOW + index) for index in range(1, 5)]
    written = readable.store.write([batch_of([good[0], bad[0], good[1], good[2], bad[1], good[3]])])
    assert [line for line, _ in written.dead] == bad
    assert all("field type conflict" in reason for _, reason in written.dead)
    assert len(readable.points("system_memory", {})) == 5


def test_the_same_points_reach_a_second_kind_of_server(tmp_path: Path) -> None:
    if absent := victoria.missing_program():
        missing(f"{absent} (Debian package victoria-metrics)")
    with victoria.victoriametrics(tmp_path / "victoria") as server:
        store = InfluxStore(InfluxSettings(server.url, "ictagent"))
        written = store.write([batch_of([memory_line(NOW + index * NS, index) for index in range(5)])])
        store.close()
        assert (written.dead, written.skipped_old) == ([], 0)
        [series] = server.export("system_memory_used_bytes")
    assert series["values"] == [0, 1, 2, 3, 4]
    assert series["timestamps"] == [(NOW + index * NS) // 10**6 for index in range(5)]
    assert series["metric"]["host_name"] == "web01"


def test_the_points_reach_the_server_that_the_environment_names(tmp_path: Path) -> None:
    url = os.environ.get("ICTAGENT_TEST_INFLUXDB_URL")
    if not url:
        pytest.skip("ICTAGENT_TEST_INFLUXDB_URL names no InfluxDB 2 or 3 to try")
    token = tmp_path / "token"
    token.write_text(os.environ.get("ICTAGENT_TEST_INFLUXDB_TOKEN", ""))
    org = os.environ.get("ICTAGENT_TEST_INFLUXDB_ORG", "-")
    bucket = os.environ.get("ICTAGENT_TEST_INFLUXDB_BUCKET", "ictagent")
    store = InfluxStore(InfluxSettings(url, bucket, org, token))
    bad = f'system_memory,device_id=d1,kind=host used_bytes="much" {NOW + 5}'
    first = store.write([batch_of([memory_line(NOW + index) for index in range(5)])])
    second = store.write([batch_of([memory_line(NOW + 6), bad, memory_line(NOW + 7)])])
    store.close()
    assert first.dead == []
    assert [line for line, _ in second.dead] == [bad]
