"""The spool: reports survive a kill and a full disk, numbers are never used twice, and it is bounded and says so."""

import gzip
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent.branch import branched_epoch
from agent.errors import SpoolError
from agent.report import Event, Meter, Report, encode
from agent.spool import Spool
from tests.agent.disks import fill
from tests.servers.process import wait_until

MEGABYTE = 1024 * 1024
REPOSITORY = Path(__file__).parents[2]


def body(text: str = "report", size: int = 0) -> bytes:
    """A gzip body, of about `size` bytes."""
    return gzip.compress(text.encode() + os.urandom(size), compresslevel=0)


def filled(folder: Path, reports: int) -> Spool:
    spool = Spool(folder, 10 * MEGABYTE)
    for _ in range(reports):
        sequence = spool.next_sequence()
        spool.add(sequence, body(str(sequence)))
    return spool


def drained(spool: Spool) -> list[tuple[int, bytes]]:
    found = []
    while (one := spool.oldest()) is not None:
        found.append((one.sequence, gzip.decompress(one.body)))
        spool.remove(one.sequence)
    return found


def test_reports_come_out_in_the_order_in_which_they_went_in_also_after_a_restart(tmp_path: Path) -> None:
    filled(tmp_path, 12).close()
    spool = Spool(tmp_path, 10 * MEGABYTE)
    assert spool.reports == 12
    assert drained(spool) == [(number, str(number).encode()) for number in range(1, 13)]
    assert (spool.reports, spool.size_bytes) == (0, 0)


def test_a_restart_keeps_the_stream_and_uses_no_number_twice(tmp_path: Path) -> None:
    spool = filled(tmp_path, 3)
    drained(spool)
    stream_id, last = spool.stream_id, spool.next_sequence()
    spool.close()
    spool = Spool(tmp_path, 10 * MEGABYTE)
    assert spool.stream_id == stream_id
    assert spool.next_sequence() > last


WRITER = """
import gzip, os, sys
from pathlib import Path
from agent.spool import Spool
spool = Spool(Path(sys.argv[1]), 50 * 1024 * 1024)
while True:
    sequence = spool.next_sequence()
    spool.add(sequence, gzip.compress(os.urandom(20_000), 0))
    # The number is on the pipe only after the report is on disk.
    os.write(1, b"%d\\n" % sequence)
"""


def test_an_agent_killed_while_it_writes_loses_no_report_that_was_kept_and_uses_no_number_twice(
    tmp_path: Path,
) -> None:
    given: list[int] = []
    for round_number in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, cwd=REPOSITORY
        )
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(20 + 7 * round_number)]
        process.send_signal(signal.SIGKILL)
        kept = [int(line) for line in lines + process.stdout.read().split(b"\n") if line.strip()]
        process.stdout.close()
        process.wait()
        assert not set(kept) & set(given)
        given += kept
    assert given == sorted(given)
    spool = Spool(tmp_path, 50 * MEGABYTE)
    assert not list(tmp_path.glob(".*.new"))
    waiting = []
    while (one := spool.oldest()) is not None:
        waiting.append(one.sequence)
        assert len(gzip.decompress(one.body)) == 20_000
        spool.remove(one.sequence)
    # A report may have been written in the moment before the kill, its number not yet told.
    assert set(given) <= set(waiting)
    assert len(waiting) <= len(given) + 3
    assert spool.counters.unreadable == 0
    assert spool.next_sequence() > max(waiting)


def test_a_full_spool_drops_its_oldest_reports_and_counts_them(tmp_path: Path) -> None:
    spool = Spool(tmp_path, MEGABYTE)
    for _ in range(12):
        spool.add(spool.next_sequence(), body(size=100_000))
    assert spool.size_bytes <= MEGABYTE
    assert sum(path.stat().st_size for path in tmp_path.glob("*.json.gz")) == spool.size_bytes
    assert spool.counters.dropped == 2
    oldest = spool.oldest()
    assert oldest is not None
    assert oldest.sequence == 3


def test_a_single_report_larger_than_the_limit_is_kept(tmp_path: Path) -> None:
    spool = Spool(tmp_path, MEGABYTE)
    spool.add(spool.next_sequence(), body(size=2 * MEGABYTE))
    assert spool.oldest() is not None


def test_a_full_disk_is_named_and_reports_go_on_by_themselves_when_there_is_space_again(small_disk: Path) -> None:
    spool = filled(small_disk / "spool", 3)
    ballast = fill(small_disk)
    for _ in range(5):
        sequence = spool.next_sequence()
        with pytest.raises(SpoolError, match=r"No space left on device.*stay in memory; free space on its disk"):
            spool.add(sequence, body(str(sequence)))
    spool.flush_memory()
    assert (spool.reports, len(list(spool.directory.glob("*.json.gz")))) == (8, 3)
    ballast.unlink()
    spool.flush_memory()
    assert len(list(spool.directory.glob("*.json.gz"))) == 8
    assert drained(spool) == [(number, str(number).encode()) for number in range(1, 9)]
    assert spool.counters.dropped == 0


def test_reports_can_be_sent_from_memory_while_the_disk_is_full_and_in_order(small_disk: Path) -> None:
    spool = filled(small_disk / "spool", 1)
    fill(small_disk)
    for _ in range(70):
        with pytest.raises(SpoolError):
            spool.add(spool.next_sequence(), body())
    assert spool.counters.dropped == 10
    sequences = [sequence for sequence, _ in drained(spool)]
    assert sequences == [1, *range(12, 72)]


def test_a_spool_that_starts_on_a_full_disk_goes_on_in_memory_and_says_what_to_do(small_disk: Path) -> None:
    ballast = fill(small_disk)
    spool = Spool(small_disk / "spool", MEGABYTE)
    stream_id = spool.stream_id
    for _ in range(3):
        sequence = spool.next_sequence()
        with pytest.raises(SpoolError, match=r"No space left on device.*stay in memory; free space on its disk"):
            spool.add(sequence, body(str(sequence)))
    assert "free space" in spool.problem
    assert spool.reports == 3
    ballast.unlink()
    spool.flush_memory()
    assert spool.problem == ""
    spool.close()
    spool = Spool(small_disk / "spool", MEGABYTE)
    assert spool.stream_id == stream_id, "the stream that was begun in memory is kept"
    assert drained(spool) == [(number, str(number).encode()) for number in (1, 2, 3)]
    assert spool.next_sequence() > 3


def test_a_spool_whose_directory_finds_no_room_is_made_when_there_is_some(small_disk: Path) -> None:
    """As on a file system that has no block, or no inode, left for a directory."""
    subprocess.run(["mount", "-o", "remount,nr_inodes=2", str(small_disk)], check=True)
    (small_disk / "last").touch()
    spool = Spool(small_disk / "spool", MEGABYTE)
    for _ in range(2):
        sequence = spool.next_sequence()
        with pytest.raises(SpoolError, match="free space on its disk"):
            spool.add(sequence, body(str(sequence)))
    assert not (small_disk / "spool").exists()
    subprocess.run(["mount", "-o", "remount,nr_inodes=100", str(small_disk)], check=True)
    spool.flush_memory()
    spool.close()
    assert drained(Spool(small_disk / "spool", MEGABYTE)) == [(1, b"1"), (2, b"2")]


def test_numbers_that_cannot_be_reserved_on_a_full_disk_are_those_of_a_new_stream(small_disk: Path) -> None:
    """A crash before there is room again must not give a number of the old stream twice."""
    filled(small_disk / "spool", 3).close()
    fill(small_disk)
    spool = Spool(small_disk / "spool", MEGABYTE)
    old = spool.stream_id
    sequence = spool.next_sequence()
    assert spool.stream_id != old
    with pytest.raises(SpoolError):
        spool.add(sequence, body())
    assert [sequence for sequence, _ in drained(spool)] == [1, 2, 3, sequence]
    # As after a kill: nothing of it was written.
    spool._lock.close()  # type: ignore[union-attr]  # a killed process's lock is gone
    again = Spool(small_disk / "spool", MEGABYTE)
    assert again.stream_id == old
    assert (again.next_sequence(), again.stream_id) != (sequence, spool.stream_id)


@pytest.mark.parametrize("content", [b"", b"not gzip", b"\0" * 100])
def test_a_damaged_report_is_set_aside_and_the_others_are_sent(content: bytes, tmp_path: Path) -> None:
    filled(tmp_path, 3).close()
    (tmp_path / "000000000002.json.gz").write_bytes(content)
    spool = Spool(tmp_path, MEGABYTE)
    assert [sequence for sequence, _ in drained(spool)] == [1, 3]
    [aside] = spool.rejected_files()
    assert aside.name.endswith("000000000002-unreadable.json.gz")
    assert aside.read_bytes() == content
    assert (spool.counters.unreadable, spool.counters.rejected) == (1, 1)


def test_a_report_that_someone_deleted_stops_nothing(tmp_path: Path) -> None:
    spool = filled(tmp_path, 3)
    (tmp_path / "000000000001.json.gz").unlink()
    assert [sequence for sequence, _ in drained(spool)] == [2, 3]


def test_files_of_others_in_the_spool_are_left_alone(tmp_path: Path) -> None:
    for name in ("note.txt", "x1.json.gz", "000000000009.json"):
        (tmp_path / name).write_text("mine")
    spool = filled(tmp_path, 1)
    assert [sequence for sequence, _ in drained(spool)] == [1]
    assert (tmp_path / "note.txt").read_text() == "mine"


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"stream_id": "x", "reserved": 5}', '{"stream_id": 7}', "[" * 10**5]
)
def test_a_damaged_stream_file_begins_a_new_stream_and_keeps_the_reports(content: str, tmp_path: Path) -> None:
    spool = filled(tmp_path, 3)
    old = spool.stream_id
    spool.close()
    (tmp_path / "stream").write_text(content)
    spool = Spool(tmp_path, MEGABYTE)
    assert spool.stream_id != old
    assert spool.reports == 3
    assert spool.next_sequence() > 3


def test_a_second_agent_is_refused_and_told_what_to_do(tmp_path: Path) -> None:
    spool = Spool(tmp_path, MEGABYTE)
    with pytest.raises(SpoolError, match=r"another agent uses the spool .*; stop it, or set state_directory"):
        Spool(tmp_path, MEGABYTE)
    spool.close()
    Spool(tmp_path, MEGABYTE).close()


def report_of(spool: Spool, sequence: int) -> bytes:
    report = Report(spool.stream_id, sequence, "0.1.0", "boot-1")
    report.meters = [
        Meter("rapl/package-0", "rapl", "counter", "package", "epoch-1"),
        Meter("acpi/power1", "acpi_meter", "power", "machine_ac", ""),
    ]
    report.events = [Event(1, "spool_dropped", str(sequence))]
    return encode(report)


def with_reports(folder: Path, reports: int) -> Spool:
    spool = Spool(folder, 10 * MEGABYTE)
    for _ in range(reports):
        sequence = spool.next_sequence()
        spool.add(sequence, report_of(spool, sequence))
    return spool


def read(spool: Spool) -> list[dict[str, Any]]:
    return [json.loads(text) for _, text in drained(spool)]


def test_a_new_stream_numbers_what_waits_anew_on_a_branch_of_its_own(tmp_path: Path) -> None:
    spool = with_reports(tmp_path, 4)
    old = spool.stream_id
    spool.new_stream()
    spool.renumber()
    stream_id = spool.stream_id
    assert stream_id != old
    waiting = read(spool)
    assert [report["events"][0]["detail"] for report in waiting] == ["1", "2", "3", "4"], "in their order"
    assert [report["sequence"] for report in waiting] == sorted({report["sequence"] for report in waiting})
    assert {report["stream_id"] for report in waiting} == {stream_id}
    [epochs] = {tuple(meter[4] for meter in report["meters"]) for report in waiting}
    assert epochs == (branched_epoch("epoch-1", spool.branch), "")
    assert epochs[0] != "epoch-1"
    spool.close()
    again = Spool(tmp_path, MEGABYTE)
    assert (again.stream_id, again.branch) == (stream_id, spool.branch)


def test_a_renumbering_that_a_crash_cut_short_goes_on_and_names_epochs_as_before(tmp_path: Path) -> None:
    spool = with_reports(tmp_path, 3)
    second = (tmp_path / "000000000002.json.gz").read_bytes()
    spool.new_stream()
    spool.renumber()
    # Killed after the second one's successor was written and before the second was deleted.
    (tmp_path / "000000000002.json.gz").write_bytes(second)
    spool.close()
    spool = Spool(tmp_path, MEGABYTE)
    stream_id = spool.stream_id
    spool.renumber()
    waiting = read(spool)
    assert sorted(report["events"][0]["detail"] for report in waiting) == ["1", "2", "2", "3"]
    assert {report["stream_id"] for report in waiting} == {stream_id}
    assert len({report["sequence"] for report in waiting}) == 4
    assert {report["meters"][0][4] for report in waiting} == {branched_epoch("epoch-1", spool.branch)}


def test_what_is_no_report_is_set_aside_when_all_are_numbered_anew(tmp_path: Path) -> None:
    spool = with_reports(tmp_path, 2)
    (tmp_path / "000000000001.json.gz").write_bytes(gzip.compress(b"[1, 2]"))
    spool.new_stream()
    spool.renumber()
    assert [report["events"][0]["detail"] for report in read(spool)] == ["2"]
    assert [gzip.decompress(path.read_bytes()) for path in spool.rejected_files()] == [b"[1, 2]"]


def test_what_is_in_memory_is_numbered_anew_too(small_disk: Path) -> None:
    spool = with_reports(small_disk / "spool", 1)
    fill(small_disk)
    for _ in range(2):
        sequence = spool.next_sequence()
        with pytest.raises(SpoolError):
            spool.add(sequence, report_of(spool, sequence))
    (small_disk / "ballast").unlink()
    spool.new_stream()
    spool.renumber()
    waiting = read(spool)
    assert [report["events"][0]["detail"] for report in waiting] == ["1", "2", "3"]
    assert {report["stream_id"] for report in waiting} == {spool.stream_id}


def test_rejected_reports_are_kept_for_a_look_but_never_more_than_16_mb(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 100 * MEGABYTE)
    for _ in range(20):
        sequence = spool.next_sequence()
        spool.add(sequence, body(size=MEGABYTE))
        spool.reject(sequence, "refused")
    kept = spool.rejected_files()
    assert len(kept) == 15
    assert sum(path.stat().st_size for path in kept) <= 16 * MEGABYTE
    assert kept[-1].name.endswith("000000000020-refused.json.gz")
    assert spool.counters.rejected == 20


def test_the_spool_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    spool = filled(tmp_path / "state/spool", 1)
    report = spool.directory / "000000000001.json.gz"
    assert report.stat().st_mode & 0o077 == 0
    assert (spool.directory / "rejected").stat().st_mode & 0o077 == 0


def test_a_report_is_on_disk_in_one_piece_or_not_at_all(tmp_path: Path) -> None:
    """Readers beside the writer never see half a report."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, cwd=REPOSITORY)
    seen: dict[str, int] = {}
    try:
        wait_until(lambda: len(list(tmp_path.glob("0*.json.gz"))) > 5, "the first reports")

        def looked() -> bool:
            for path in tmp_path.glob("0*.json.gz"):
                seen[path.name] = path.stat().st_size
            return len(seen) > 30

        wait_until(looked, "more reports")
    finally:
        process.kill()
        process.communicate()
    assert set(seen.values()) == {len(gzip.compress(bytes(20_000), 0))}
