"""Polled devices from the wire to pages and ledger, on real agents."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select, update

from collector.commands.snmp import snmp
from collector.database.schema import device, device_accounting, meter, snmp_device
from collector.estate_version import touch
from collector.queries import devices
from collector.service import Collector
from collector.settings import CollectorSettings
from collector.snmp import device_state, poller
from collector.snmp.devices import (
    NewDevice,
    add_device,
    last_reading,
    polled_devices,
    remove_device,
    restore_device,
)
from tests.collector.web.served import serving
from tests.servers.process import free_port, wait_until
from tests.servers.snmpd import Snmpd


@pytest.fixture
def collector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    # How often it is looked whether devices were added or removed.
    monkeypatch.setattr(poller, "LOOK_SECONDS", 0.5)
    settings = CollectorSettings(state_directory=tmp_path / "state", snmp_credentials=str(tmp_path / "credentials"))
    one = Collector(settings)
    one.start()
    yield one
    one.stop()


def add(collector: Collector, port: int, **changes: Any) -> str:
    """Have a device polled often; its id."""
    often = {
        "inventory_seconds": 60,
        "timeout_seconds": 1.0,
        "retries": 0,
    }
    with collector.database.write() as connection:
        device_id = add_device(connection, NewDevice("127.0.0.1", port, **(often | changes)), "test")
        # More often than people may ask: no test waits for the next poll.
        connection.execute(update(snmp_device).values(power_seconds=1, utilisation_seconds=2))
    return device_id


def row(collector: Collector, device_id: str) -> Any:
    with collector.database.read() as connection:
        return next(one for one in polled_devices(connection) if one.device_id == device_id)


def shown(collector: Collector, device_id: str) -> dict[str, Any]:
    with collector.database.read() as connection:
        return last_reading(connection, device_id) or {}


def points(collector: Collector, measurement: str, device_id: str) -> list[dict[str, Any]]:
    """The fields of every point of a device's measurement, with its tags."""
    found = collector.points.read(measurement, 0, 2**62, {"device_id": device_id})
    return [series.tags | fields for series in found for _, fields in series.points]


def test_a_device_is_read_and_its_interfaces_and_power_are_kept(collector: Collector, agent: Snmpd) -> None:
    device_id = add(collector, agent.port, name="the switch", site="County Hall")
    wait_until(lambda: row(collector, device_id).state == "ok", "the first poll", 60)
    reading = shown(collector, device_id)
    assert reading["identity"]["name"] == "snmpd-of-the-test"
    assert "lo" in [one["name"] for one in reading["interfaces"]]
    wait_until(lambda: len(points(collector, "interface", device_id)) >= 2, "two polls of the interfaces", 60)
    loopback = [one for one in points(collector, "interface", device_id) if one["ifName"] == "lo"]
    assert loopback[0]["site"] == "County Hall"
    assert loopback[0]["host_name"] == "the switch"
    assert loopback[0]["ifOperStatus"] == 1
    assert isinstance(loopback[0]["ifHCInOctets"], int)
    wait_until(lambda: points(collector, "hw_host", device_id), "the device's power", 60)
    power = points(collector, "hw_host", device_id)[0]
    assert (power["method"], power["source"]) == ("estimated", "snmp_kind")
    assert power["power_low_watts"] < power["power_watts"] < power["power_high_watts"]
    with collector.database.read() as connection:
        chosen = connection.execute(select(device_accounting.c.meters)).scalar_one()
        meters = list(connection.execute(select(meter.c.name)).scalars())
    assert json.loads(chosen) == meters == ["snmp_kind/power"]


def test_a_dead_device_holds_no_other_up_and_says_why(collector: Collector, agent: Snmpd) -> None:
    dead = [add(collector, free_port()) for _ in range(5)]
    alive = add(collector, agent.port)
    wait_until(lambda: row(collector, alive).state == "ok", "the living device", 60)
    began = time.monotonic()
    count = len(points(collector, "network_device", alive))
    wait_until(lambda: len(points(collector, "network_device", alive)) >= count + 2, "two more polls", 60)
    assert time.monotonic() - began < 30
    wait_until(lambda: all(row(collector, one).state == "silent" for one in dead), "all silences to be noticed", 60)
    silent = row(collector, dead[0])
    assert "127.0.0.1" in silent.last_error
    assert silent.last_remedy
    assert silent.failures >= 1
    assert silent.next_try_at > time.time()
    with collector.database.read() as connection:
        assert f"{silent.host}:{silent.port}" in {one.host_name for one in devices(connection)}
        assert connection.execute(select(device.c.id).where(device.c.id == dead[0])).scalar() == dead[0]


def test_an_error_that_nobody_foresaw_ends_no_devices_polling(
    collector: Collector, agent: Snmpd, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = device_state.DeviceState.read
    fails = [True]

    async def read_badly(self: Any, *arguments: Any) -> Any:
        if fails.pop() if fails else False:
            raise ValueError("a sensor of minus seven kinds")
        return await read(self, *arguments)

    monkeypatch.setattr(device_state.DeviceState, "read", read_badly)
    device_id = add(collector, agent.port)
    wait_until(lambda: "minus seven kinds" in row(collector, device_id).last_error, "the error to be told", 60)
    with collector.database.write() as connection:
        connection.execute(update(snmp_device).values(name="asked again"))
        touch(connection)
    wait_until(lambda: row(collector, device_id).state == "ok", "the next poll", 60)


def test_a_removed_device_is_polled_no_longer_and_can_be_taken_back(collector: Collector, agent: Snmpd) -> None:
    device_id = add(collector, agent.port)
    wait_until(lambda: row(collector, device_id).state == "ok", "the first poll", 60)
    with collector.database.write() as connection:
        remove_device(connection, device_id, "test", collector.collector_id)
    wait_until(lambda: device_id not in collector.poller._tasks, "the poller to notice", 60)
    with collector.database.read() as connection:
        assert polled_devices(connection) == []
        assert [one.device_id for one in polled_devices(connection, removed=True)] == [device_id]
    with collector.database.write() as connection:
        restore_device(connection, device_id, "test", collector.collector_id)
    wait_until(lambda: row(collector, device_id).state == "ok", "it to be polled again", 60)


def test_a_credential_that_is_not_there_is_named_with_its_file(collector: Collector, agent: Snmpd) -> None:
    device_id = add(collector, agent.port, credential="switches")
    wait_until(lambda: row(collector, device_id).failures, "the failure", 60)
    assert "switches.toml" in row(collector, device_id).last_error


def test_a_polled_device_can_be_tried_by_hand(tmp_path: Path, agent: Snmpd) -> None:
    collector = Collector(CollectorSettings(state_directory=tmp_path))
    add(collector, agent.port)
    collector.stop()
    tried = CliRunner().invoke(snmp, ["test", "127.0.0.1", "--state-directory", str(tmp_path)])
    assert tried.exit_code == 0, tried.output
    assert re.search(r"^profiles: .*linux", tried.output, re.MULTILINE), tried.output
    assert re.search(r"^readings: \d+, interfaces: [1-9]", tried.output, re.MULTILINE), tried.output


def test_pages_and_api_show_a_polled_device(tmp_path: Path, agent: Snmpd) -> None:
    settings = CollectorSettings(state_directory=tmp_path / "state", snmp_credentials=str(tmp_path / "credentials"))
    with serving(tmp_path / "state", settings=settings) as served:
        device_id = add(served.collector, agent.port, name="<b>the switch</b>")
        wait_until(lambda: row(served.collector, device_id).state == "ok", "the first poll", 60)
        wait_until(
            lambda: "the switch" in served.client.get("/").text and shown(served.collector, device_id), "the list", 60
        )
        page = served.client.get(f"/devices/{device_id}").text
        assert f"127.0.0.1:{agent.port}" in page
        assert "Physical machine" not in page
        assert "<b>the switch" not in page
        assert '<th scope="row">lo</th>' in page
        told = served.client.get(f"/v1/devices/{device_id}/network").json()
        assert told["polling"]["state"] == "ok"
        assert "lo" in [one["name"] for one in told["reading"]["interfaces"]]
        assert served.client.get("/v1/devices/000000000000/network").status_code == 404
