"""A spool that something damaged: the good part is sent, the bad part is kept aside and told, and the agent goes on."""

import gzip
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import SpoolError
from agent.spool import Spool
from agent.spool_directory import HIGHEST_SEQUENCE, whole_report
from tests.agent.users import become_nobody, unprivileged

MEGABYTE = 1024 * 1024
REPORT = gzip.compress(json.dumps({"stream_id": "a-stream", "rows": list(range(40))}).encode(), mtime=0)
SECOND = "000000000002.json.gz"


def with_three(folder: Path) -> Spool:
    spool = Spool(folder, 10 * MEGABYTE)
    for _ in range(3):
        spool.add(spool.next_sequence(), REPORT)
    return spool


def sent(spool: Spool) -> list[int]:
    """Numbers of what the sender gets, each of which is the report as it was written."""
    numbers = []
    while (one := spool.oldest()) is not None:
        assert one.body == REPORT
        numbers.append(one.sequence)
        spool.remove(one.sequence)
    return numbers


def test_a_report_cut_at_any_byte_is_set_aside_and_never_sent() -> None:
    assert whole_report(REPORT) == REPORT
    for length in range(len(REPORT)):
        assert whole_report(REPORT[:length]) is None


def test_a_report_with_any_one_byte_changed_is_never_sent_with_other_content() -> None:
    """All but a few bytes of the gzip header are held by its checksum; those say nothing of the report."""
    text = gzip.decompress(REPORT)
    for at in range(len(REPORT)):
        damaged = REPORT[:at] + bytes([REPORT[at] ^ 0x41]) + REPORT[at + 1 :]
        kept = whole_report(damaged)
        assert kept is None or gzip.decompress(kept) == text


@given(st.binary(max_size=300), st.binary(min_size=1, max_size=40), st.integers(0, len(REPORT)), st.integers(0, 4096))
def test_the_reader_outlives_whatever_is_in_a_file(noise: bytes, patch: bytes, at: int, zeros: int) -> None:
    text = gzip.decompress(REPORT)
    for content in (noise, REPORT[:10] + noise, REPORT[:at] + patch + REPORT[at:], REPORT[:at] + bytes(zeros)):
        kept = whole_report(content)
        assert kept is None or gzip.decompress(kept) == text or not content.startswith(REPORT[:10])
    assert whole_report(REPORT + bytes(zeros) + noise) == REPORT


@pytest.mark.parametrize("size", [0, 1, 40])
def test_a_file_cut_short_costs_its_own_report_only(size: int, tmp_path: Path) -> None:
    with_three(tmp_path).close()
    (tmp_path / SECOND).write_bytes(REPORT[:size])
    spool = Spool(tmp_path, MEGABYTE)
    assert sent(spool) == [1, 3]
    [aside] = spool.rejected_files()
    assert aside.read_bytes() == REPORT[:size]
    assert spool.take_notes() == [f"report 2 in {tmp_path} was damaged: it was moved to rejected"]
    assert spool.take_notes() == [], "told once"


def test_a_tail_of_zeros_is_cut_off_and_the_report_sent(tmp_path: Path) -> None:
    with_three(tmp_path).close()
    (tmp_path / SECOND).write_bytes(REPORT + bytes(4096))
    assert sent(Spool(tmp_path, MEGABYTE)) == [1, 2, 3]


Damage = Callable[[Path], object]


def a_directory(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()
    (path / "note").write_text("mine")


@pytest.mark.parametrize("name", [SECOND, "stream", "lock", "000000001005.json.gz", ".stream.new"])
def test_a_directory_in_the_place_of_a_file_is_moved_aside_with_what_is_in_it(name: str, tmp_path: Path) -> None:
    with_three(tmp_path).close()
    a_directory(tmp_path / name)
    spool = Spool(tmp_path, MEGABYTE)
    for _ in range(5):
        spool.add(spool.next_sequence(), REPORT)
    assert [number for number in sent(spool) if number <= 3] == ([1, 3] if name == SECOND else [1, 2, 3])
    [aside] = (tmp_path / "rejected").iterdir()
    assert (aside / "note").read_text() == "mine"
    assert any(str(tmp_path / name) in note for note in spool.take_notes())
    assert spool.rejected_files() == []


@pytest.mark.parametrize("name", ["spool", "spool/rejected"])
def test_a_file_in_the_place_of_a_directory_is_moved_aside(name: str, tmp_path: Path) -> None:
    place = tmp_path / name
    place.parent.mkdir(exist_ok=True)
    place.write_text("mine")
    spool = Spool(tmp_path / "spool", MEGABYTE)
    spool.add(spool.next_sequence(), REPORT)
    assert sent(spool) == [1]
    [aside] = [path for path in place.parent.iterdir() if path.is_file() and path.name.startswith(f"{place.name}-")]
    assert aside.read_text() == "mine"
    [note] = spool.take_notes()
    assert note == f"{place} is no directory: it was moved to {aside}"


@pytest.mark.parametrize(
    "name", ["1.json.gz", "99999999999999999999.json.gz", "٠٠٠٠٠٠٠٠٠٠٠٥.json.gz", "-00000000005.json.gz", "note"]
)
def test_a_foreign_file_is_left_where_it_is_and_takes_no_number(name: str, tmp_path: Path) -> None:
    with_three(tmp_path).close()
    (tmp_path / name).write_bytes(REPORT)
    spool = Spool(tmp_path, MEGABYTE)
    assert sent(spool) == [1, 2, 3]
    assert spool.next_sequence() < HIGHEST_SEQUENCE
    assert (tmp_path / name).exists()
    assert spool.take_notes() == []


@pytest.mark.parametrize(
    "content",
    [
        b'{"stream_id": "abcdefgh", "reserved": 1000000000000000000000000000000}',
        b'{"stream_id": "abcdefgh", "reserved": true}',
        b'{"stream_id": "abc\\u0000defgh", "reserved": 5}',
        b'{"stream_id": "abcdefgh", "reserved": 5, "branch": 7}',
        bytes(80),
        bytes(range(120, 200)),
    ],
)
def test_a_damaged_stream_file_begins_a_new_stream_and_is_told(content: bytes, tmp_path: Path) -> None:
    with_three(tmp_path).close()
    (tmp_path / "stream").write_bytes(content)
    spool = Spool(tmp_path, MEGABYTE)
    assert spool.stream_id != "abcdefgh"
    assert spool.take_notes() == [f"{tmp_path / 'stream'} was damaged: a new stream is begun"]
    assert sent(spool) == [1, 2, 3]
    assert 3 < spool.next_sequence() < HIGHEST_SEQUENCE


@given(st.binary(max_size=120))
def test_no_stream_file_breaks_the_start(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "stream").write_bytes(content)
        spool = Spool(Path(folder), MEGABYTE)
        number = spool.next_sequence()
        spool.add(number, REPORT)
        assert 0 < number < HIGHEST_SEQUENCE
        assert sent(spool) == [number]
        spool.close()


def test_a_directory_removed_under_the_agent_stops_nothing(tmp_path: Path) -> None:
    spool = with_three(tmp_path)
    (tmp_path / "rejected").rmdir()
    assert spool.rejected_files() == []
    spool.reject(1, "refused")
    assert len(spool.rejected_files()) == 1
    assert sent(spool) == [2, 3]


def test_a_spool_of_another_user_is_refused_with_what_to_do() -> None:
    with unprivileged() as folder:
        (folder / "spool").mkdir(mode=0o700)
        become_nobody()
        if os.access(folder / "spool", os.W_OK):
            os.chmod(folder / "spool", 0o500)  # noqa: PTH101  # a user that is nobody already owns it
        with pytest.raises(SpoolError, match=r"Permission denied.*; set state_directory"):
            Spool(folder / "spool", MEGABYTE)


def test_a_report_that_may_not_be_read_is_set_aside_and_kept() -> None:
    with unprivileged() as folder:
        with_three(folder / "spool").close()
        (folder / "spool" / SECOND).chmod(0)
        for path in [folder / "spool", *(folder / "spool").iterdir()]:
            if os.geteuid() == 0 and path.name != SECOND:
                os.chown(path, 65534, 65534)
        become_nobody()
        spool = Spool(folder / "spool", MEGABYTE)
        assert sent(spool) == [1, 3]
        assert len(spool.rejected_files()) == 1
        spool.close()
