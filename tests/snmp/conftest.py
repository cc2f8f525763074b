"""What the tests of polled devices share: an snmpd that is there, or the reason why they are skipped."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import missing
from tests.servers.process import free_port
from tests.servers.snmpd import Snmpd, available, snmpd


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Snmpd]:
    """A real net-snmp agent with the community `public`."""
    if not available():
        missing("net-snmp's agent (Debian package snmpd)")
    with snmpd(tmp_path / "snmpd", free_port()) as one:
        yield one
