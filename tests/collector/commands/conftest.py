"""A running collector with four hosts, and the command line beside it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from agent.cli import main
from collector.database.schema import audit_log
from collector.estate import Placement
from tests.collector.web.estate_of_tests import PLUG, Machine, desktop, guest, server, settle_in
from tests.collector.web.served import Enrolled, Served, serving

HOSTS = (
    Machine(server("web01"), "machine", (PLUG,), 200, 300, Placement("County Hall")),
    Machine(server("db01"), "machine", (PLUG,), 150, 250, Placement("Depot", "Cupboard", "passive_cupboard")),
    Machine(desktop("pc01")),
    Machine(guest("vm01")),
)


@dataclass
class Installation:
    """A collector that runs, its hosts by name, and commands on its state directory."""

    served: Served
    hosts: dict[str, Enrolled]
    directory: Path

    def run(self, *arguments: str, **options: Any) -> Result:
        """A command with this installation's state directory."""
        return CliRunner().invoke(main, [*arguments, "--state-directory", str(self.directory)], **options)

    def done(self, *arguments: str, **options: Any) -> str:
        """What a command printed that must succeed."""
        result = self.run(*arguments, **options)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *arguments: str) -> Any:
        """What a command printed as JSON."""
        return json.loads(self.done(*arguments, "--output", "json"))

    def refused(self, *arguments: str) -> str:
        """The one line in which a command refused."""
        result = self.run(*arguments)
        assert result.exit_code == 1, result.output
        assert result.stdout == ""
        assert result.stderr.startswith("ictagent: ")
        assert result.stderr.count("\n") == 1
        return result.stderr

    def audited(self) -> list[tuple[str, str, str, dict[str, Any]]]:
        """Actor, action, object and detail of administrative acts by the command line, oldest first."""
        query = select(audit_log).where(audit_log.c.actor.like("cli:%")).order_by(audit_log.c.id)
        with self.served.collector.database.read() as connection:
            return [(row.actor, row.action, row.object, json.loads(row.detail)) for row in connection.execute(query)]


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Installation]:
    """An installation to which no host belongs yet."""
    with serving(tmp_path) as served:
        yield Installation(served, {}, tmp_path)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """An installation with HOSTS and five hours of their history."""
    with serving(tmp_path) as served:
        yield Installation(served, settle_in(served, HOSTS, days=0.2), tmp_path)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The same, shared by the tests of a module that change nothing."""
    directory = tmp_path_factory.mktemp("untouched")
    with serving(directory) as served:
        yield Installation(served, settle_in(served, HOSTS, days=0.2), directory)
