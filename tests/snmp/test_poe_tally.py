"""What a switch gives at its ports is kept by local day, once, with who is seen there."""

from sqlalchemy import select

from agent.report import Report, SampleTime
from collector.database.engine import Database
from collector.database.neighbourhood import poe_day
from collector.snmp.devices import NewDevice, PollOutcome, add_device, note_polls
from collector.snmp.feeds import Feeds
from collector.snmp.neighbours import Neighbour
from collector.snmp.places import Place
from collector.snmp.poe_tally import PoeTally, PortTold, ports_of
from tests.collector.registers import midnight

NS = 10**9
START = midnight("2026-06-10")


def polled(tally: PoeTally, seconds: range, watts: dict[str, float]) -> None:
    for second in seconds:
        at = SampleTime((START + second) * NS, (second + 1) * NS)
        tally.add(at, [Place(f"poe_port/{port}", "poe_port", port, each) for port, each in watts.items()])


def test_watts_become_energy_over_the_time_that_was_read() -> None:
    tally = PoeTally()
    polled(tally, range(0, 301, 60), {"1.1": 6.0, "1.2": 0.0})
    polled(tally, range(1000, 1061, 60), {"1.1": 6.0})  # silent in between
    told = tally.told([])
    assert told is not None
    assert (told.seconds, told.ports) == (360, {"poe_port/1.1": PortTold(360 * 6000)})
    tally.written()
    assert tally.told([]) is None


def test_a_port_says_whom_the_switch_sees_there() -> None:
    tally = PoeTally()
    polled(tally, range(0, 61, 60), {"1.1": 6.0, "1.2": 6.0, "1.3": 6.0, "1.4": 6.0})

    def at(number: int, *capabilities: str, asked: float | None = None) -> Neighbour:
        return Neighbour("lldp", number, f"Gi1/0/{number}", capabilities=capabilities, asked_watts=asked)

    told = tally.told([at(1, "telephone", "bridge"), at(1), at(2, "access_point"), at(3), at(4, asked=8.0)])
    assert told is not None
    assert {meter: (one.name, one.seen) for meter, one in told.ports.items()} == {
        "poe_port/1.1": ("Gi1/0/1", "desk_phone"),
        "poe_port/1.2": ("Gi1/0/2", "access_point"),
        "poe_port/1.3": ("Gi1/0/3", ""),
        "poe_port/1.4": ("Gi1/0/4", "other"),
    }


def test_every_port_is_counted_with_a_poll_and_no_meter_of_it_is_made() -> None:
    feeds = Feeds()
    for second in range(0, 601, 60):
        report = Report("s", 1, "snmp", "boot")
        at = SampleTime((START + second) * NS, (second + 1) * NS)
        feeds.add(report, at, [Place("poe_port/1.1", "poe_port", "1.1", 5.0)])
        assert not report.meters
    told = feeds.poe.told([])
    assert told is not None
    assert told.ports["poe_port/1.1"].millijoules == 600 * 5000


def test_days_are_local_and_add_up_over_restarts(sqlite_database: Database) -> None:
    with sqlite_database.write() as connection:
        switch = add_device(connection, NewDevice("127.0.0.9", kind="switch"), "test")
    for begins, watts in ((0, 6.0), (600, 3.0), (86_400, 1.0)):
        tally = PoeTally()
        polled(tally, range(begins, begins + 601, 60), {"1.1": watts})
        with sqlite_database.write() as connection:
            note_polls(connection, [PollOutcome(switch, START + begins + 600, "ok", poe=tally.told([]))])
    with sqlite_database.read() as connection:
        rows = connection.execute(select(poe_day).order_by(poe_day.c.local_day)).all()
    assert [(one.local_day, one.seconds) for one in rows] == [("2026-06-10", 1200), ("2026-06-11", 600)]
    assert ports_of(rows[0].ports)["poe_port/1.1"].millijoules == 600 * 9000
