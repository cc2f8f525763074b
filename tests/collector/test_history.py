"""What was true when: late and shuffled reports leave one history; half-hours that leave a series are zeroed in it."""

import random
import time
from collections import defaultdict
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from agent.report import Choice, Reading, Report
from carbon.spaces import Pue
from collector.database.engine import Database
from collector.database.schema import device_accounting, device_status, inventory, ledger_day, outbox, series_due
from collector.device_energy import half_hours, ledger_rows
from collector.estate import Placement, place, retire
from collector.history import history_edit
from collector.lines import parse_fields, parse_key, split_line
from collector.record import Recorded
from collector.rolling import Due, write_days, write_ledger
from collector.segments import load_segments
from collector.spaces import find_space, set_kind, set_pue, spaces
from collector.stores.port import StoredBatch
from tests.collector.hosts import SERVER, Host, deliver, new_host, recent_half_hour

ESTIMATE = Choice("estimate", [], {"machine": "none", "package": "the counter is gone"})


def changing_reports(host: Host) -> list[Report]:
    """Six half-hours of reports in which the choice, the memory and the host's name change on the way."""
    reports = host.reports(10_800, every=600)
    for index, report in enumerate(reports):
        if 5 <= index < 11:
            report.choice = ESTIMATE
        if index == 8:
            report.inventory = replace(SERVER, memory_bytes=768 * 10**9, host_name="web01-new")
    return reports


def roll_and_send(database: Database, host: Host) -> None:
    """Write the ledger and its series as the collector's schedule does."""
    due = Due(host.enrolled.device_id, int(time.time()), "collector-1")
    with database.write() as connection:
        write_ledger(connection, [due])
        while write_days(connection, [due]) != [0]:
            continue


def figures(database: Database, host: Host) -> list[tuple[object, ...]]:
    """The device's half-hours as pages and reports have them."""
    start = host.start - 3600
    with database.read() as connection:
        segments = load_segments(connection, start, start + 18_000, [host.enrolled.device_id])
        ids = {one for segment in segments for one in segment.meter_ids}
        rows = half_hours(segments, ledger_rows(connection, ids, start, start + 18_000))
    return [(one.half_hour, one.segment.basis, one.segment.host_name, one.energy) for one in rows]


def stored(database: Database, measurement: str, field: str) -> dict[tuple[str, str], dict[int, float]]:
    """What a store holds after the whole outbox: the last value at each time, by (host name, site)."""
    series: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    with database.read() as connection:
        for row in connection.execute(select(outbox).order_by(outbox.c.id)):
            for line in StoredBatch(row.id, bytes(row.lines), row.points, 0, 0).text().decode().splitlines():
                key, fields, unix_ns = split_line(line)
                name, tags = parse_key(key)
                if name == measurement:
                    value = parse_fields(fields)[field]
                    assert isinstance(value, float)
                    series[tags.get("host_name", ""), tags.get("site", "")][unix_ns // 10**9] = value
    return series


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_shuffled_reports_leave_the_same_figures(database: Database, seed: int) -> None:
    start = recent_half_hour(9)
    straight, shuffled = new_host(database, start), new_host(database, start)
    deliver(database, straight, *changing_reports(straight))
    roll_and_send(database, straight)
    reports = changing_reports(shuffled)
    for report in random.Random(seed).sample(reports, len(reports)):
        deliver(database, shuffled, report)
        roll_and_send(database, shuffled)
    assert figures(database, shuffled) == figures(database, straight)
    assert {basis for _, basis, _, _ in figures(database, straight)} == {"package", "estimate"}
    assert {name for _, _, name, _ in figures(database, straight)} == {"web01", "web01-new"}


def test_series_hold_what_the_ledger_says_also_after_a_late_renaming(database: Database) -> None:
    host = new_host(database, recent_half_hour(9))
    reports = changing_reports(host)
    renaming = reports.pop(8)
    deliver(database, host, *reports)
    roll_and_send(database, host)
    assert set(stored(database, "energy_half_hour", "energy_kwh")) == {("web01", "")}
    deliver(database, host, renaming)
    roll_and_send(database, host)
    expected: dict[str, dict[int, float]] = defaultdict(dict)
    for half_hour, _, name, energy in figures(database, host):
        expected[str(name)][int(str(half_hour))] = energy.total_uj / 3.6e12  # type: ignore[attr-defined]  # an Energy
    held = stored(database, "energy_half_hour", "energy_kwh")
    for name in ("web01", "web01-new"):
        found = {at: value for at, value in held[name, ""].items() if value}
        assert found == pytest.approx({at: value for at, value in expected[name].items() if value})
    left = [at for at, value in held["web01", ""].items() if value == 0]
    assert left, "half-hours that left the old name are zero there"
    days = stored(database, "energy_day", "energy_kwh")
    for name in ("web01", "web01-new"):
        assert sum(days[name, ""].values()) == pytest.approx(sum(expected[name].values()))


def test_a_late_report_does_not_set_power_now_back(database: Database) -> None:
    host = new_host(database, recent_half_hour(1))
    early, late, newest = host.reports(180)
    deliver(database, host, early, newest)
    with database.read() as connection:
        before = connection.execute(select(device_status)).one()
    deliver(database, host, late)
    with database.read() as connection:
        after = connection.execute(select(device_status)).one()
    assert after.last_sample_at == before.last_sample_at == host.start + 180
    assert after.power_watts == before.power_watts


def test_an_inventory_that_comes_late_holds_until_the_next_one(database: Database) -> None:
    host = new_host(database, recent_half_hour(4))
    first, second, third = host.reports(1800, every=600)
    second.inventory = replace(SERVER, memory_bytes=512 * 10**9)
    third.inventory = replace(SERVER, memory_bytes=1024 * 10**9)
    deliver(database, host, first, third, second)
    with database.read() as connection:
        rows = connection.execute(select(inventory).order_by(inventory.c.valid_from)).all()
        choices = connection.execute(select(device_accounting)).all()
    spans = [(row.valid_from - host.start, row.valid_to and row.valid_to - host.start) for row in rows]
    assert spans == [(0, 610), (610, 1210), (1210, None)]
    assert [f'"memory_bytes":{size * 10**9}' in row.body for row, size in zip(rows, (384, 512, 1024), strict=True)] == [
        True
    ] * 3
    assert len(choices) == 1


def test_retiring_zeroes_nothing_and_taking_it_back_writes_what_came_meanwhile(database: Database) -> None:
    host = new_host(database, recent_half_hour(6))
    device_id = host.enrolled.device_id
    first, *others = host.reports(7200, every=1800)
    deliver(database, host, first)
    roll_and_send(database, host)
    written = stored(database, "energy_half_hour", "energy_kwh")
    with database.write() as connection:
        retire(connection, device_id, "test", host.start + 1800, "collector-1")
    deliver(database, host, *others)
    roll_and_send(database, host)
    assert stored(database, "energy_half_hour", "energy_kwh") == written, "a retired device adds nothing"
    with database.write() as connection:
        retire(connection, device_id, "test", int(time.time()), "collector-1", undo=True)
    roll_and_send(database, host)
    back = stored(database, "energy_half_hour", "energy_kwh")["web01", ""]
    assert [at - host.start for at in sorted(back) if back[at]] == [0, 1800, 3600, 5400]
    assert sum(back.values()) == pytest.approx(sum(energy.total_uj for *_, energy in figures(database, host)) / 3.6e12)  # type: ignore[attr-defined]  # an Energy


def test_a_device_that_moves_has_each_half_hour_at_one_site(database: Database) -> None:
    host = new_host(database, recent_half_hour(6))
    reports = host.reports(7200, every=1800)
    deliver(database, host, *reports[:2])
    roll_and_send(database, host)
    with database.write() as connection:
        place(connection, host.enrolled.device_id, Placement(site="County Hall"), "test", host.start + 3600)
    deliver(database, host, *reports[2:])
    roll_and_send(database, host)
    held = stored(database, "energy_half_hour", "energy_kwh")
    times = {site: {at - host.start for at, value in values.items() if value} for (_, site), values in held.items()}
    assert times == {"": {0, 1800}, "County Hall": {3600, 5400}}


def test_a_move_as_at_long_ago_marks_no_days_of_which_the_ledger_has_nothing(database: Database) -> None:
    host = new_host(database, recent_half_hour(6))
    deliver(database, host, *host.reports(7200, every=1800))
    roll_and_send(database, host)
    device_id = host.enrolled.device_id
    with database.write() as connection:
        connection.execute(update(device_accounting).values(valid_from=host.start - 200 * 86_400))
        since = host.start - 100 * 86_400
        with history_edit(connection, device_id, since, int(time.time()), "collector-1"):
            place(connection, device_id, Placement(site="County Hall"), "test", since)
        marked = connection.execute(select(series_due.c.local_day)).scalars().all()
        days = connection.execute(select(ledger_day.c.local_day)).scalars().all()
    assert sorted(marked) == sorted(set(days))
    assert days


def test_a_pue_from_the_past_changes_carbon_since_then_and_no_energy(database: Database) -> None:
    host = new_host(database, recent_half_hour(9))
    device_id, now = host.enrolled.device_id, int(time.time())
    with database.write() as connection:
        place(
            connection,
            device_id,
            Placement(site="County Hall", space="Room 2", kind="data_room"),
            "test",
            host.start - 60,
        )
    deliver(database, host, *host.reports(7200, every=1800))
    roll_and_send(database, host)
    energy = stored(database, "energy_half_hour", "energy_kwh")
    carbon = stored(database, "carbon_half_hour", "s2_location_kg")["web01", "County Hall"]
    with database.write() as connection:
        room = find_space(connection, "County Hall", "Room 2")
        set_pue(connection, room, Pue(1.2, 1.2, 1.2, "measured"), host.start + 3600, now, "test", "collector-1")
    roll_and_send(database, host)
    after = stored(database, "carbon_half_hour", "s2_location_kg")["web01", "County Hall"]
    ratios = [after[at] / carbon[at] for at in sorted(carbon) if carbon[at]]
    assert ratios == pytest.approx([1, 1, 1.2 / 1.8, 1.2 / 1.8])
    assert stored(database, "energy_half_hour", "energy_kwh") == energy


def test_another_kind_of_space_holds_from_now_on_and_a_measured_pue_stays(database: Database) -> None:
    host = new_host(database, recent_half_hour(9))
    device_id, now = host.enrolled.device_id, int(time.time())

    def pue(at: int) -> float:
        with database.read() as connection:
            half_hour = at - at % 1800
            return load_segments(connection, half_hour, half_hour + 1800, [device_id])[0].pue.value

    deliver(database, host, host.report(0, 600))
    with database.write() as connection:
        wanted = Placement(site="County Hall", space="Room 2", kind="data_room")
        place(connection, device_id, wanted, "test", host.start)
        room = find_space(connection, "County Hall", "Room 2")
        set_kind(connection, room, "office", host.start + 3600)
    assert (pue(host.start), pue(host.start + 3600)) == (1.8, 1.0)
    with database.write() as connection:
        set_pue(connection, room, Pue(1.3, 1.3, 1.3, "measured"), host.start + 7200, now, "test", "collector-1")
        set_kind(connection, room, "data_room", host.start + 9000)
    assert [pue(host.start + seconds) for seconds in (0, 3600, 7200, 9000)] == [1.8, 1.0, 1.3, 1.3]
    with database.write() as connection:
        place(connection, device_id, replace(wanted, space="Room 3"), "test", host.start - 86_400)
        other = find_space(connection, "County Hall", "Room 3")
        set_pue(connection, other, Pue(1.5, 1.5, 1.5, "measured"), host.start + 3600, now, "test", "collector-1")
        set_kind(connection, other, "office", host.start + 7200)
    with database.read() as connection:
        [row] = [one for one in spaces(connection, host.start) if one.space == "Room 3"]
    assert row.pue == 1.8, "before its own PUE the space keeps what its kind let assume then"
    with database.read() as connection:
        [row] = [one for one in spaces(connection, now) if one.space == "Room 2"]
    assert (row.site, row.space, row.kind, row.pue, row.source) == (
        "County Hall",
        "Room 2",
        "data_room",
        1.3,
        "measured",
    )


def test_a_late_choice_between_two_known_ones_says_nothing_of_the_time_after_it(database: Database) -> None:
    start = recent_half_hour(9)
    figures_of = []
    for order in ((0, 1, 2, 3, 4, 5), (0, 2, 3, 5, 4, 1)):
        host = new_host(database, start)
        reports = host.reports(10_800, every=1800)
        for index in (1, 5):
            reports[index].choice = ESTIMATE
        deliver(database, host, *(reports[index] for index in order))
        roll_and_send(database, host)
        figures_of.append([(at, basis) for at, basis, *_ in figures(database, host)])
    assert figures_of[0] == figures_of[1]


def test_a_counter_reset_within_a_report_loses_nothing_of_either_epoch(database: Database) -> None:
    host = new_host(database, recent_half_hour(4))
    first, second = host.report(0, 300), host.report(310, 600)
    second.meters.append(second.meters[0]._replace(epoch="epoch-2"))
    readings = [one for one in second.readings if one.meter == 0]
    split = len(readings) // 2
    for index, one in enumerate(readings[split:]):
        after = Reading(2, one.unix_ns, one.interval_ns if index else 0, [index * 10**9], [10**9] if index else [])
        second.readings[second.readings.index(one)] = after
    results = deliver(database, host, first, second)
    assert [one.rejected_rows for one in results if isinstance(one, Recorded)] == [0, 0]
    roll_and_send(database, host)
    measured = sum(energy.measured_uj for *_, energy in figures(database, host))  # type: ignore[attr-defined]  # an Energy
    before = 300 + 10 * split
    assert measured == before * 100 * 10**6 + (len(readings) - split - 1) * 10**9


def test_an_impossible_jump_counts_nothing_and_holds_up_no_other_host(database: Database) -> None:
    bad, good = (new_host(database, recent_half_hour(4)) for _ in range(2))
    report = bad.report(0, 600)
    jump = report.readings[-2]
    assert jump.meter == 0
    report.readings[-2] = jump._replace(interval_ns=0, values=[2**63 - 1], differences=[])
    deliver(database, bad, report)
    deliver(database, good, *good.reports(1800, every=600))
    for host in (bad, good):
        roll_and_send(database, host)
    assert sum(energy.measured_uj for *_, energy in figures(database, bad)) == 0  # type: ignore[attr-defined]  # an Energy
    assert sum(energy.measured_uj for *_, energy in figures(database, good)) == 1800 * 100 * 10**6  # type: ignore[attr-defined]  # an Energy
