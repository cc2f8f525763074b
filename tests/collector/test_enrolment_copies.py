"""Two hosts with one key are found by their taking turns, and the copy is told apart; a restored snapshot is no copy."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import select

from agent.machine import machine_evidence
from agent.report import BOOT_CLOCK_HEADER, BOOT_ID_HEADER, MACHINE_HEADER, WALL_CLOCK_HEADER, encode
from collector.clones import WINDOW_SECONDS, is_copy
from collector.database.engine import Database
from collector.database.schema import diagnosis, inventory, report_sequence
from collector.errors import CloneDetected, SequenceConflict
from collector.record import Recorded
from tests.collector.hosts import NS, SERVER, Host, new_host, recent_half_hour
from tests.collector.ingesting import Sender

ORIGINAL, CLONE = machine_evidence("m1", ""), machine_evidence("m2", "")


@dataclass
class Machine:
    """One machine that runs an agent with the host's key: where it is, and what stands in its spool."""

    sender: Sender
    host: Host
    machine: str
    boot: str
    name: str = "web01"
    at: int = 0

    def next(self, boot: str | None = None, ahead_seconds: float = 0) -> Recorded:
        """Make the next minute's report, in an earlier boot if so said, and send it."""
        report = self.host.report(self.at, self.at + 60)
        self.at += 70
        report.boot_id = boot or self.boot
        received_ns = time.time_ns() + int(ahead_seconds * NS)
        return self.sender.send_body(encode(report), self.headers(received_ns), received_ns)

    def headers(self, now_ns: int) -> dict[str, str]:
        return {
            "authorization": f"Bearer {self.host.enrolled.key}",
            "content-encoding": "gzip",
            WALL_CLOCK_HEADER.lower(): str(now_ns),
            BOOT_CLOCK_HEADER.lower(): str(now_ns - self.host.start * NS + NS),
            BOOT_ID_HEADER.lower(): self.boot,
            MACHINE_HEADER.lower(): f"{self.machine or '-'} {self.name}",
        }


@pytest.fixture
def sender(database: Database) -> Iterator[Sender]:
    one = Sender(database)
    yield one
    one.close()


@pytest.fixture
def original(database: Database, sender: Sender) -> Machine:
    return Machine(sender, new_host(database, recent_half_hour()), ORIGINAL, "boot-1")


def copy_of(original: Machine, machine: str, boot: str, stream: str | None = None, name: str = "web02") -> Machine:
    """A machine made of the original's image, as the original is now."""
    host = replace(original.host, stream_id=stream or original.host.stream_id)
    return Machine(original.sender, host, machine, boot, name, original.at)


def codes(database: Database) -> dict[str, str]:
    with database.read() as connection:
        return {row.code: row.detail for row in connection.execute(select(diagnosis))}


def recorded_reports(database: Database) -> int:
    with database.read() as connection:
        return len(connection.execute(select(report_sequence)).all())


def take_turns(machines: Sequence[Machine], rounds: int) -> list[type[Exception] | None]:
    """Each sends a report in turn; what each was answered. On a conflict of numbers a machine begins a new stream."""
    answers: list[type[Exception] | None] = []
    for round_ in range(rounds):
        for number, machine in enumerate(machines):
            try:
                machine.next()
                answers.append(None)
            except SequenceConflict:
                machine.host.stream_id = f"stream-new-{number}-{round_}"
                answers.append(SequenceConflict)
            except CloneDetected:
                answers.append(CloneDetected)
    return answers


def test_a_copy_on_another_machine_is_refused_as_soon_as_the_original_comes_back(
    database: Database, original: Machine
) -> None:
    original.next()
    clone = copy_of(original, CLONE, "boot-2", "stream-0002")
    clone.next()
    assert "key_shared" not in codes(database), "so far it may be the same host with a new machine id"
    original.next()
    detail = codes(database)["key_shared"]
    assert f"web01 (machine {ORIGINAL}, boot boot-1), whose key it is" in detail
    assert f"web02 (machine {CLONE}, boot boot-2), a copy" in detail
    before = recorded_reports(database)
    for _ in range(3):
        with pytest.raises(CloneDetected) as caught:
            clone.next()
    assert "token" in caught.value.remedy
    original.next()
    assert recorded_reports(database) == before + 1


def test_the_copy_is_refused_after_a_reboot_and_with_a_new_stream_too(database: Database, original: Machine) -> None:
    original.next()
    clone = copy_of(original, CLONE, "boot-2", "stream-0002")
    clone.next()
    original.next()
    for boot, stream in (("boot-3", "stream-0002"), ("boot-3", "stream-0003"), ("boot-4", "stream-0004")):
        clone.boot, clone.host.stream_id = boot, stream
        with pytest.raises(CloneDetected):
            clone.next()
    original.boot = "boot-5"
    original.next()
    with database.read() as connection:
        key_id = original.host.enrolled.key_id
        assert is_copy(connection, key_id, CLONE, "boot-9")
        assert not is_copy(connection, key_id, ORIGINAL, "boot-5")
        assert not is_copy(connection, key_id, "", "boot-9")


def test_a_copy_that_kept_the_machine_id_is_found_by_both_coming_back(database: Database, original: Machine) -> None:
    original.next()
    clone = copy_of(original, ORIGINAL, "boot-2", "stream-0002")
    answers = take_turns([clone, original], 5)
    assert answers[1::2] == [None] * 5, "the original is never refused"
    assert answers[:4:2] == [None, None]
    assert answers[6::2] == [CloneDetected, CloneDetected]
    assert "key_shared" in codes(database)


def test_a_live_copy_in_the_same_boot_and_spool_is_found_too(database: Database, original: Machine) -> None:
    """A virtual machine copied with its memory: same machine, boot and stream, until a number is used twice."""
    original.next()
    clone = copy_of(original, ORIGINAL, "boot-1")
    clone.host.watts = 77
    answers = take_turns([original, clone], 6)
    with database.read() as connection:
        assert not is_copy(connection, original.host.enrolled.key_id, ORIGINAL, "boot-1"), "it may be either"
    assert SequenceConflict in answers, "one of the two began a new stream"
    assert answers[-1] is CloneDetected
    assert answers[::2] == [None] * 6
    assert "key_shared" in codes(database)


def test_machines_that_tell_no_id_are_told_apart_all_the_same(database: Database, original: Machine) -> None:
    original.machine = ""
    original.next()
    clone = copy_of(original, "", "boot-2", "stream-0002")
    assert take_turns([clone, original], 5)[-2:] == [CloneDetected, None]
    assert "a machine without an id" in codes(database)["key_shared"]


def test_of_two_copies_whose_template_never_ran_the_first_keeps_the_key(database: Database, original: Machine) -> None:
    first = copy_of(original, machine_evidence("m3", ""), "boot-3", "stream-0003")
    second = copy_of(original, machine_evidence("m4", ""), "boot-4", "stream-0004")
    assert take_turns([first, second], 3) == [None, None, None, CloneDetected, None, CloneDetected]


def test_reports_of_an_earlier_boot_in_a_copied_spool_count_once_whoever_sends_them(
    database: Database, original: Machine
) -> None:
    original.next()
    clone = copy_of(original, CLONE, "boot-2")
    waiting = original.host.report(original.at, original.at + 60)
    clone.next("boot-2")
    original.host.sequence += 10
    original.next()
    # Now it is known for a copy. What waited in the spool when the image was made is the original's.
    now = time.time_ns()
    waiting.sequence = 40
    body = encode(waiting)
    assert not clone.sender.send_body(body, clone.headers(now), now).duplicate
    assert original.sender.send_body(body, original.headers(now), now).duplicate
    assert clone.sender.send_body(body, clone.headers(now), now).duplicate
    with pytest.raises(CloneDetected):
        clone.next()


def test_a_repetition_is_answered_as_such_even_to_a_copy(database: Database, original: Machine) -> None:
    original.next()
    clone = copy_of(original, CLONE, "boot-2", "stream-0002")
    report = clone.host.report(clone.at, clone.at + 60)
    report.boot_id = "boot-2"
    now = time.time_ns()
    assert not clone.sender.send_body(encode(report), clone.headers(now), now).duplicate
    original.next()
    assert clone.sender.send_body(encode(report), clone.headers(now), now).duplicate


def test_the_device_gets_its_own_inventory_back(database: Database, sender: Sender) -> None:
    original = Machine(sender, new_host(database, recent_half_hour()), ORIGINAL, "boot-1")
    original.next()
    clone = copy_of(original, CLONE, "boot-2", "stream-0002")
    clone.host.sequence, clone.host.inventory = 0, replace(SERVER, machine_id="m2", host_name="web02", cpu_sockets=1)
    clone.next()
    assert host_name(database) == "web02"
    original.next()
    assert host_name(database) == "web01"
    with database.read() as connection:
        assert len(connection.execute(select(inventory)).all()) == 3


def host_name(database: Database) -> str:
    with database.read() as connection:
        query = select(inventory.c.host_name).where(inventory.c.valid_to.is_(None))
        found: str = connection.execute(query).scalar_one()
        return found


# What is no copy


def test_a_reboot_is_no_copy(database: Database, original: Machine) -> None:
    for boot in range(8):
        original.boot = f"boot-{boot}"
        original.next()
        original.next()
    assert "key_shared" not in codes(database)


def test_a_disk_restored_from_a_snapshot_is_no_copy(database: Database, original: Machine) -> None:
    """Same machine, a new boot, and numbers that were used since: a new stream, and nothing else."""
    for round_ in range(6):
        for _ in range(3):
            original.next()
        original.host.sequence -= 2
        original.host.watts += 10
        original.boot = f"boot-restored-{round_}"
        with pytest.raises(SequenceConflict):
            original.next()
        original.host.stream_id = f"stream-{round_:04d}"
    assert "key_shared" not in codes(database)


def test_a_machine_thrown_back_to_one_snapshot_of_its_memory_again_and_again_is_no_copy(
    database: Database, original: Machine
) -> None:
    """A training room's virtual machine: the same boot and stream come back every time, and nothing else does."""
    original.next()
    stream, sequence = original.host.stream_id, original.host.sequence
    for round_ in range(8):
        original.host.stream_id, original.host.sequence = stream, sequence
        original.host.watts += 10
        if round_:
            with pytest.raises(SequenceConflict):
                original.next()
            original.host.stream_id = f"stream-back-{round_}"
        original.next()
        original.next()
    assert "key_shared" not in codes(database)


def test_a_new_machine_id_or_mainboard_is_no_copy(database: Database, original: Machine) -> None:
    original.next()
    for number in range(4):
        original.machine = machine_evidence(f"m{number + 10}", "")
        original.next()
        original.boot = f"boot-{number + 10}"
        original.next()
    assert "key_shared" not in codes(database)


def test_returns_of_long_ago_prove_nothing(database: Database, original: Machine) -> None:
    """Two snapshots of one machine's memory, taken up in turn, a day after each other."""
    other = copy_of(original, ORIGINAL, "boot-2", "stream-0002", "web01")
    for day in range(6):
        ahead = day * (WINDOW_SECONDS + 1)
        assert not original.next(ahead_seconds=ahead).duplicate
        assert not other.next(ahead_seconds=ahead).duplicate
    assert "key_shared" not in codes(database)


def test_an_agent_of_an_earlier_release_is_heard_as_before(database: Database, original: Machine) -> None:
    """It sends no machine: reboots and new streams are no copies."""
    original.machine = ""
    for boot in range(4):
        original.boot = f"boot-{boot}"
        original.next()
    assert "key_shared" not in codes(database)


def test_a_host_that_may_read_its_uuid_at_times_is_no_copy(database: Database, original: Machine) -> None:
    """The firmware's UUID is root's to read: it goes from the evidence and comes again with the service's capabilities."""
    for machine in (ORIGINAL, machine_evidence("m1", "uuid")) * 4:
        original.machine = machine
        original.next()
        original.next()
    assert "key_shared" not in codes(database)


def test_copies_in_one_boot_are_found_all_the_same(database: Database, original: Machine) -> None:
    """System containers of one host, made of one image: they share their kernel's boot, and not their machine id."""
    original.next()
    clone = copy_of(original, CLONE, "boot-1", "stream-0002")
    answers = take_turns([clone, original], 5)
    assert answers[-2:] == [CloneDetected, None]
    assert "key_shared" in codes(database)
