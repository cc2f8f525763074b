"""What polls find of a device is told when it lasts, and no longer than it is true."""

from pathlib import Path

import pytest
from sqlalchemy import select, update

from collector.database.engine import Database
from collector.database.schema import diagnosis, snmp_device
from collector.queries import device_detail
from collector.service import Collector
from collector.settings import CollectorSettings
from collector.snmp.client import SnmpTimeout
from collector.snmp.device_power import DiagnosisFound
from collector.snmp.devices import NewDevice, PollOutcome, add_device, note_polls
from collector.snmp.held_diagnoses import PROBLEM_CODES, DiagnosesChanged, HeldDiagnoses, diagnoses_of
from tests.servers.process import wait_until
from tests.servers.snmpd import Snmpd

DIFFER = DiagnosisFound("outlets_differ", "the outlets add up to 90 W, the inlets to 100 W", "look for outlets")
JUDGED = {"outlets_differ"}


def polls(held: HeldDiagnoses, pattern: str) -> list[DiagnosesChanged]:
    """What is to be written after polls that found the difference (x) or did not (-)."""
    found = []
    for one in pattern:
        held.note([DIFFER] if one == "x" else [], JUDGED)
        if (changed := held.changed()) is not None:
            found.append(changed)
            held.written()
    return found


BEGUN, ENDED = DiagnosesChanged(hold=(DIFFER,)), DiagnosesChanged(ended=("outlets_differ",))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("xx", []),
        ("xxxxxxx", [BEGUN]),
        ("x-x-xx-xx-x-", []),
        ("xxx--x--xx-x", [BEGUN]),
        ("xxx---", [BEGUN, ENDED]),
        ("xxx---xxx", [BEGUN, ENDED, BEGUN]),
        # What an earlier run told and is no longer true is ended too, once.
        ("-------", [ENDED]),
    ],
)
def test_a_diagnosis_is_held_over_three_polls(pattern: str, expected: list[DiagnosesChanged]) -> None:
    assert polls(HeldDiagnoses(), pattern) == expected


def test_what_could_not_be_written_is_written_with_the_next_poll() -> None:
    held = HeldDiagnoses()
    for _ in range(3):
        held.note([DIFFER], JUDGED)
    assert held.changed() == held.changed() == BEGUN
    held.written()
    assert held.changed() is None
    assert held.held() == BEGUN


def test_a_poll_judges_what_it_asked_about() -> None:
    silent = SnmpTimeout("no answer from the table", "ask less")
    found, judged = diagnoses_of({"power"}, [DIFFER], [], has_profile=True)
    assert found == [DIFFER]
    assert judged.isdisjoint(PROBLEM_CODES), "a poll of power does not end the problem of another part"
    found, judged = diagnoses_of({"power", "utilisation"}, [DIFFER], [silent], has_profile=True)
    assert [(one.code, one.remedy) for one in found] == [("snmp_timeout", "ask less")]
    assert "outlets_differ" not in judged, "outlets that did not answer are no difference"
    assert set(PROBLEM_CODES) <= judged
    found, judged = diagnoses_of({"utilisation"}, [DIFFER], [], has_profile=False)
    assert [one.code for one in found] == ["no_profile"]
    assert "outlets_differ" not in judged


def test_a_polled_devices_diagnoses_stand_beside_the_hosts(postgres_database: Database) -> None:
    database = postgres_database
    with database.write() as connection:
        device_id = add_device(connection, NewDevice("10.0.0.1"), "test")

    def write(changed: DiagnosesChanged, at: int) -> list[tuple[str, str, str, int]]:
        with database.write() as connection:
            note_polls(connection, [PollOutcome(device_id, at, "ok", diagnoses=changed)])
        with database.read() as connection:
            told = device_detail(connection, device_id).diagnoses
        return [(one["code"], one["detail"], one["remedy"], one["first_at"]) for one in told]

    expected = [("outlets_differ", DIFFER.message, DIFFER.remedy, 1000)]
    assert write(BEGUN, 1000) == expected
    assert write(DiagnosesChanged(), 1060) == expected
    assert write(BEGUN, 1300) == expected, "it has been so since it began"
    assert write(ENDED, 1360) == []


def test_the_poller_tells_of_a_device_that_no_profile_knows_and_of_its_end(
    tmp_path: Path, agent: Snmpd, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector = Collector(CollectorSettings(state_directory=tmp_path / "state"))
    known: dict[str, object] = {}
    monkeypatch.setattr("collector.snmp.device_state.profiles", lambda: known)
    with collector.database.write() as connection:
        device_id = add_device(connection, NewDevice("127.0.0.1", agent.port), "test")
        connection.execute(update(snmp_device).values(power_seconds=1))

    def told() -> list[str]:
        with collector.database.read() as connection:
            query = select(diagnosis.c.code).where(diagnosis.c.device_id == device_id)
            return list(connection.execute(query).scalars())

    collector.start()
    try:
        wait_until(lambda: told() == ["no_profile"], "the diagnosis")
        assert collector.poller.polls >= 3
        monkeypatch.undo()
        wait_until(lambda: told() == [], "its end")
    finally:
        collector.stop()
