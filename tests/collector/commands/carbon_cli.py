"""Commands of `ictagent carbon` on a database alone: no collector has to run for them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from sqlalchemy import select

from agent.cli import main
from collector.database.engine import Database
from collector.database.schema import audit_log


@dataclass
class CarbonCommands:
    """`ictagent carbon ...` with the state directory of a database."""

    database: Database
    directory: Path

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, ["carbon", *arguments, "--state-directory", str(self.directory)])

    def done(self, *arguments: str) -> str:
        """What a command printed that must succeed."""
        result = self.run(*arguments)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.done(*arguments, "--output", "json"))

    def refused(self, *arguments: str) -> str:
        """The one line in which a command refused."""
        result = self.run(*arguments)
        assert result.exit_code == 1, result.output
        assert result.stderr.startswith("ictagent: ")
        return result.stderr

    def audited(self) -> list[str]:
        """What was done, oldest first."""
        with self.database.read() as connection:
            query = select(audit_log.c.action).order_by(audit_log.c.id)
            return list(connection.execute(query).scalars())
