"""InfluxDB beside the embedded store: the same data in both, whatever happens to it meanwhile; and the names as declared."""

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.names import COMMON_TAGS, MEASUREMENTS
from carbon.units import kwh
from tests.collector.hosts import recent_half_hour
from tests.servers.agents import Load, hosts_since
from tests.servers.ictagent import AgentProgram, CollectorProgram
from tests.servers.influxd import Influxd
from tests.servers.process import wait_until
from tests.system.comparing import (
    Points,
    embedded_points,
    influx_points,
    ledger_by_device,
    markers,
    marks,
    memory,
    sent_memory,
    wait_for_ledger,
)

Keep = Callable[[Any], Any]
HOSTS = 40
REPORTS = 12
SERIES = ("energy_half_hour", "energy_day", "carbon_half_hour", "carbon_day")
MOST_RESIDENT_BYTES = 260 * 1024 * 1024
"""What a collector may take, with a backlog of any size: its base of some 120 MB and a few bodies of 20,000 points."""


@pytest.fixture
def collector(keep: Keep, influx: Influxd, tmp_path: Path) -> CollectorProgram:
    """A collector that writes to InfluxDB."""
    options = ["--influx-url", influx.url, "--influx-token-file", str(influx.token_file)]
    program: CollectorProgram = keep(CollectorProgram(tmp_path, options))
    program.start()
    return program


def roll(collector: CollectorProgram) -> None:
    """Write what is due of the ledger: a start does it at once."""
    assert collector.stop() == 0
    collector.start()
    wait_for_ledger(collector)


def same(collector: CollectorProgram, influx: Influxd, measurement: str) -> Points:
    """Wait until both stores hold the same points of a measurement, each with the same fields, and give them."""
    wait_until(
        lambda: embedded_points(collector, measurement) == influx_points(influx, measurement) != {},
        f"the same points of {measurement} in both stores: "
        f"{len(embedded_points(collector, measurement))} and {len(influx_points(influx, measurement))}",
        60,
    )
    return embedded_points(collector, measurement)


def test_away_then_with_a_revoked_token_nothing_is_lost_order_is_kept_and_memory_is_bounded(
    collector: CollectorProgram, influx: Influxd
) -> None:
    """Ten minutes of 200 agents are 2,000 reports; their points come here within seconds, in fewer and larger ones.

    What an outage leaves behind is a large outbox, not a long time, so the outage lasts until some 60,000 points
    wait, which is three times what the collector takes in hand at once.
    """
    target = '{target="influx"}'
    hosts = hosts_since(recent_half_hour(12), HOSTS, samples_each=12, points_each=12)
    load = Load([collector.url], collector.token(HOSTS), hosts, REPORTS)
    load.start()
    wait_until(lambda: len(influx_points(influx, "system_memory")) > HOSTS, "first points in InfluxDB", 60)
    influx.stop()
    away_from = load.acknowledged
    wait_until(lambda: load.acknowledged >= away_from + HOSTS * REPORTS // 3, "a third of the reports", 60)
    collector.wait_said("cannot be reached")
    assert collector.metric(f"ictagent_target_up{target}") == 0
    assert collector.get("/readyz")[0] == 200, "reports are still taken"
    influx.start()
    influx.revoke_token()
    collector.wait_said("answers 401", 60)
    assert "give the collector a valid token" in collector.said
    load.finish(90)
    outbox_bytes = collector.metric("ictagent_outbox_bytes")
    assert outbox_bytes > 100_000
    influx.restore_token()
    sent = sent_memory(hosts)
    wait_until(lambda: len(influx_points(influx, "system_memory")) >= len(sent), "everything in InfluxDB", 90)
    assert memory(influx_points(influx, "system_memory")) == sent
    assert markers(influx_points(influx, "hw_temperature")) == {host.device_id: REPORTS for host in hosts}
    assert collector.metric(f"ictagent_target_dead_letters_total{target}") == 0
    assert collector.metric(f"ictagent_target_skipped_old_total{target}") == 0
    assert collector.resident_bytes < MOST_RESIDENT_BYTES
    roll(collector)
    assert marks(collector) == {f"stream-of-{host.name}": (REPORTS, REPORTS) for host in hosts}
    measured = ledger_by_device(collector)
    assert measured == {host.device_id: host.energy_uj for host in hosts}
    for measurement in ("system_memory", "hw_host", "hw_component", "hw_temperature", *SERIES):
        same(collector, influx, measurement)
    energy = {
        series["tags"]["device_id"]: series["values"][0][1]
        for series in influx.query("ictagent", "SELECT SUM(energy_kwh) FROM energy_half_hour GROUP BY device_id")
    }
    totals = totals_uj(collector)
    assert energy == pytest.approx({device_id: kwh(amount) for device_id, amount in totals.items()}, rel=1e-9)
    assert all(totals[one] > measured[one] > 0 for one in measured), "the unmeasured rest is estimated and added"
    days = influx.query("ictagent", "SELECT SUM(energy_kwh) FROM energy_day")[0]["values"][0][1]
    assert days == pytest.approx(kwh(sum(totals.values())), rel=1e-9)


def totals_uj(collector: CollectorProgram) -> dict[str, int]:
    """Microjoules of each device in the ledger, by the reading API: measured and estimated."""
    start, end = recent_half_hour(14), recent_half_hour(0)
    status, answer = collector.get(f"/v1/energy?from={iso(start)}&to={iso(end)}")
    assert status == 200, answer
    found: dict[str, int] = {}
    for row in answer["half_hours"]:
        found[row["device_id"]] = found.get(row["device_id"], 0) + row["measured_uj"] + row["estimated_uj"]
    return found


def iso(unix: int) -> str:
    return datetime.datetime.fromtimestamp(unix, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_what_is_written_is_what_the_names_declare(
    collector: CollectorProgram, influx: Influxd, keep: Keep, tmp_path: Path
) -> None:
    """Every measurement, tag, field and type in InfluxDB stands in agent/names.py, and the other way round.

    docs/metrics.md is held to agent/names.py by a test of its own, so this holds it to what is written.
    """
    agent: AgentProgram = keep(AgentProgram(tmp_path, collector.url, collector.token()))
    agent.begin()
    hosts = hosts_since(recent_half_hour(4) + 600, 2, points_each=2)
    hosts[1].more_meters = True
    load = Load([collector.url], collector.token(2), hosts, 3)
    load.start()
    load.finish()
    wait_until(lambda: len(embedded_points(collector, "system_cpu")) >= 4, "four samples of the agent")
    roll(collector)
    # Nothing happened, and NESO is not asked: tests/collector/grid_intensity holds its measurement.
    expected = set(MEASUREMENTS) - {"ictagent_event", "grid_intensity"}
    wait_until(
        lambda: expected <= set(keys(influx, "FIELD")),
        f"every measurement: {expected - set(keys(influx, 'FIELD'))} are missing",
        45,
    )
    assert agent.stop() == 0
    tags, fields = keys(influx, "TAG"), keys(influx, "FIELD")
    assert set(fields) <= set(MEASUREMENTS)
    for name, found in fields.items():
        declared = MEASUREMENTS[name]
        types = {field.name: field.type for field in declared.fields}
        assert {key: types.get(key) for key in found} == found, name
        allowed = {*declared.tags, *(COMMON_TAGS if declared.about_a_device else ())}
        assert set(tags[name]) <= allowed, name
        assert set(declared.tags) <= set(tags[name]), name
        if declared.about_a_device:
            # No site is set, and an empty tag is not written.
            assert allowed - set(tags[name]) <= {"site"}, name
    for name in ("energy_half_hour", "energy_day", "carbon_half_hour", "carbon_day", "ictagent_collector"):
        assert set(fields[name]) == {field.name for field in MEASUREMENTS[name].fields}, name


def keys(influx: Influxd, kind: str) -> dict[str, dict[str, str]]:
    """Of each measurement in InfluxDB, its fields with their types, or its tags."""
    return {
        series["name"]: dict(_pair(row) for row in series["values"])
        for series in influx.query("ictagent", f"SHOW {kind} KEYS")
    }


def _pair(row: list[str]) -> tuple[str, str]:
    return row[0], row[1] if len(row) > 1 else ""
