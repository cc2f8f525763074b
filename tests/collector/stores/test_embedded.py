"""The embedded store: fourteen days, read by tags and time, rebuilt when it is damaged, patient when the disk is full."""

import os
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from collector.errors import TargetUnavailable
from collector.stores.embedded import KEPT_NS, EmbeddedStore
from tests.collector.batches import NS, batch_of, memory_line
from tests.collector.small_disk import small_disk

NOW = (time.time_ns() // NS - 60) * NS
DAY = 24 * 3600 * NS


class Clock:
    def __init__(self, now_ns: int = NOW) -> None:
        self.now_ns = now_ns

    def __call__(self) -> int:
        return self.now_ns


def times(store: EmbeddedStore, start_ns: int = 0, end_ns: int = 2**62) -> list[int]:
    return [unix_ns for series in store.read("system_memory", start_ns, end_ns) for unix_ns, _ in series.points]


def test_all_files_are_for_their_owner_only(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        store = EmbeddedStore(tmp_path / "points.db")
        store.write([batch_of([memory_line(NOW, 1, "web01")])])
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
        store.close()
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(("points.db", "points.db-wal", "points.db-shm"), 0o600)


def test_points_are_read_by_their_tags(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "points.db")
    store.write([batch_of([memory_line(NOW, 1, "web01"), memory_line(NOW, 2, "web02"), memory_line(NOW, 3, "a\\,b")])])
    assert [one.tags["host_name"] for one in store.read("system_memory", 0, 2**62)] == ["a,b", "web01", "web02"]
    [found] = store.read("system_memory", 0, 2**62, {"host_name": "a,b", "kind": "host"})
    assert found.points == [(NOW, {"used_bytes": 3.0})]
    assert found.tags == {"device_id": "d1", "host_name": "a,b", "kind": "host"}
    assert store.read("system_memory", 0, 2**62, {"host_name": "web01", "site": "x"}) == []
    assert len(store.read("system_memory", 0, 2**62, {"site": ""})) == 3, "an empty tag is one that is not there"
    store.close()


def test_points_are_read_from_start_to_before_end_in_order_of_time(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "points.db")
    store.write([batch_of([memory_line(NOW + second * NS) for second in (4, 2, 0, 3, 1)])])
    assert times(store, NOW + NS, NOW + 3 * NS) == [NOW + NS, NOW + 2 * NS]
    assert times(store) == [NOW + second * NS for second in range(5)]
    store.close()


def test_the_latest_point_is_that_of_the_newest_time(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "points.db")
    store.write([batch_of([memory_line(NOW, 1)]), batch_of([memory_line(NOW - DAY, 2)], 2)])
    [found] = store.latest("system_memory", {"device_id": "d1"})
    assert found.points == [(NOW, {"used_bytes": 1.0})]
    assert store.latest("system_cpu") == []
    store.close()


def test_points_are_kept_fourteen_days(tmp_path: Path) -> None:
    clock = Clock()
    store = EmbeddedStore(tmp_path / "points.db", clock)
    assert KEPT_NS == 14 * DAY
    written = store.write([batch_of([memory_line(NOW - KEPT_NS - 1), memory_line(NOW - KEPT_NS), memory_line(NOW)])])
    assert (written.skipped_old, times(store)) == (1, [NOW - KEPT_NS, NOW])
    clock.now_ns += DAY
    store.write([batch_of([memory_line(NOW + DAY)], 2)])
    assert times(store) == [NOW, NOW + DAY]
    clock.now_ns += 14 * DAY
    store.write([batch_of([memory_line(clock.now_ns)], 3)])
    assert times(store) == [NOW + DAY, clock.now_ns]
    store.close()


def test_much_that_is_old_is_deleted_a_part_at_a_time(tmp_path: Path) -> None:
    clock = Clock()
    store = EmbeddedStore(tmp_path / "points.db", clock)
    store.write([batch_of([memory_line(NOW + index, index, f"web{index % 9}") for index in range(45_000)])])
    clock.now_ns += KEPT_NS + DAY
    left = []
    for number in range(4):
        store.write([batch_of([memory_line(clock.now_ns + number)], 2 + number)])
        left.append(len(times(store, 0, clock.now_ns)))
    assert left == [25_000, 5_000, 0, 0]
    store.close()


def test_an_unknown_measurement_or_field_is_given_back(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "points.db")
    bad = [f"moods,device_id=d1 mood=1 {NOW}", f"system_memory mood=1 {NOW}", f"system_memory used_bytes=1i {NOW}", "?"]
    written = store.write([batch_of([bad[0], memory_line(NOW), *bad[1:]])])
    assert [line for line, _ in written.dead] == bad
    assert ["not known" in reason for _, reason in written.dead] == [True, True, False, False]
    assert times(store) == [NOW]
    store.close()


@pytest.mark.parametrize("damage", ["header", "pages"])
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "points.db"
    store = EmbeddedStore(path)
    store.write([batch_of([memory_line(NOW + index) for index in range(3000)])])
    store.close()
    _spoil(path, 0 if damage == "header" else 100)
    store = EmbeddedStore(path)
    batch = batch_of([memory_line(NOW)], 2)
    try:
        store.write([batch])
    except TargetUnavailable as error:
        assert "damaged" in error.message  # which of the two tries finds the damage is SQLite's choice
        store.write([batch])
    assert times(store) == [NOW]
    assert (tmp_path / "points.damaged").stat().st_size > 0
    store.close()


def test_damage_while_it_runs_heals_and_readers_see_the_new_file(tmp_path: Path) -> None:
    path = tmp_path / "points.db"
    store = EmbeddedStore(path)
    store.write([batch_of([memory_line(NOW + index) for index in range(3000)])])
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert len(times(store)) == 3000
    _spoil(path, 0)
    store._connection.close()
    store._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    batch = batch_of([memory_line(NOW)], 2)
    with pytest.raises(TargetUnavailable, match="damaged"):
        store.write([batch])
    store.write([batch])
    assert times(store) == [NOW]
    store.close()


def _spoil(path: Path, begin: int) -> None:
    with path.open("r+b") as file:
        file.seek(begin)
        file.write(b"\xa5" * (path.stat().st_size - begin))


def test_a_full_disk_is_said_and_heals_by_itself(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 4) as disk:
        store = EmbeddedStore(disk.path / "points.db")
        store.write([batch_of([memory_line(NOW)])])
        disk.fill()
        batch = batch_of([memory_line(NOW + index, index) for index in range(20_000)], 2)
        for _ in range(2):
            with pytest.raises(TargetUnavailable) as caught:
                store.write([batch])
            assert "free space" in caught.value.remedy
        assert times(store) == [NOW], "what was there is read on, and nothing half written is"
        disk.make_room()
        assert store.write([batch]).dead == []
        assert len(times(store)) == 20_000
        store.close()


def test_many_threads_read_while_one_writes(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "points #1?.db")
    store.write([batch_of([memory_line(NOW)])])
    stop, failures = threading.Event(), list[Exception]()

    def read() -> None:
        while not stop.is_set():
            try:
                assert times(store)[0] == NOW
            except Exception as error:  # noqa: BLE001  # handed to the test below
                failures.append(error)
                return

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(20):
        store.write([batch_of([memory_line(NOW + 1 + number * 500 + index) for index in range(500)], 2 + number)])
    stop.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert len(times(store)) == 10_001
    store.close()
