"""What is read over the network is what is read of the recording itself: nothing lost, nothing made up on the way.

By default every eighth recording; `ICTAGENT_TEST_RECORDINGS=all` takes all.
"""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.snmp.client import Credential, Endpoint
from collector.snmp.device import evaluate_whole
from collector.snmp.estimate import with_estimate
from collector.snmp.interfaces import interfaces
from collector.snmp.opening import Library, open_client
from collector.snmp.reader import LiveReading, as_json, read_device
from tests.conftest import SHARED
from tests.servers.recordings import recording
from tests.servers.replay import replay

RECORDINGS = SHARED / "snmp"
ALL = sorted(path.stem for path in RECORDINGS.glob("snmprec/*.snmprec"))
SAMPLE = ALL if os.environ.get("ICTAGENT_TEST_RECORDINGS") == "all" else ALL[::8]


@pytest.fixture(scope="module")
def port(shared: Path) -> Iterator[int]:
    with replay(shared / "snmp") as one:
        yield one


def direct(name: str) -> dict[str, Any]:
    snapshot = recording(RECORDINGS / "snmprec" / f"{name}.snmprec")
    device = with_estimate(evaluate_whole(snapshot))
    return as_json(LiveReading(device, interfaces(snapshot), list(device.power.diagnoses)))


def over_the_network(
    name: str, port: int, library: Library = "", version: str = "v2c", timeout: float = 2.0, retries: int = 1
) -> dict[str, Any]:
    async def run() -> LiveReading:
        credential = Credential(version="v1" if version == "v1" else "v2c", community=name)
        client = open_client(Endpoint("127.0.0.1", port, timeout, retries), credential, library)
        try:
            return await read_device(client)
        finally:
            await client.close()

    return as_json(asyncio.run(run()))


def without_missing_profiles(found: dict[str, Any]) -> dict[str, Any]:
    """That no profile holds is a diagnosis of a live reading alone."""
    return {**found, "diagnoses": [one for one in found["diagnoses"] if one["code"] != "no_profile"]}


@pytest.mark.parametrize("name", SAMPLE)
def test_the_network_gives_what_the_recording_gives(name: str, port: int) -> None:
    assert without_missing_profiles(over_the_network(name, port)) == direct(name)


@pytest.mark.parametrize("name", SAMPLE[::10])
@pytest.mark.parametrize(("library", "version"), [("pysnmp", "v2c"), ("gufo", "v1"), ("pysnmp", "v1")])
def test_so_it_does_with_either_library_and_version(name: str, library: Library, version: str, port: int) -> None:
    found, expected = over_the_network(name, port, library, version), direct(name)
    assert found["device"] == expected["device"]
    if version == "v2c":
        assert without_missing_profiles(found) == expected


@pytest.mark.parametrize("name", SAMPLE[3::16])
def test_so_it_does_where_packets_are_late_and_lost(name: str, shared: Path) -> None:
    with replay(shared / "snmp", delay=0.02, loss=0.1) as port:
        found = over_the_network(name, port, timeout=0.4, retries=5)
    assert without_missing_profiles(found) == direct(name)
