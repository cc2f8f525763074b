"""Fixtures of the system tests: real processes that are ended however the test ends, and the servers beside them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from tests.conftest import missing
from tests.servers import influxd as influx_server
from tests.servers.ictagent import Program

P = TypeVar("P", bound=Program)
Keep = Callable[[P], P]


@pytest.fixture
def keep() -> Iterator[Callable[[P], P]]:
    """Gives a program back and ends it after the test."""
    kept: list[Program] = []

    def register(program: P) -> P:
        kept.append(program)
        return program

    yield register
    for program in kept:
        program.end()


@pytest.fixture
def influx(tmp_path: Path) -> Iterator[influx_server.Influxd]:
    """A real InfluxDB behind nginx, with the database `ictagent`."""
    if absent := influx_server.missing_program():
        missing(f"{absent} (Debian packages influxdb and nginx-light)")
    with influx_server.influxd(tmp_path / "influxd") as server:
        yield server
