"""A running collector asked from beside: its database, its commands, and one with an authority of its own."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select

from collector.database.schema import audit_log, report_sequence, report_stream
from tests.servers.ictagent import CollectorProgram, ictagent


class OwnAuthority(CollectorProgram):
    """A collector with `--tls own`; what asks it here trusts its authority as it stands on disk."""

    def __init__(self, directory: Path, address: str = "127.0.0.1", prefix: Sequence[str] = ()) -> None:
        super().__init__(directory, ["--tls", "own"], address=address, prefix=prefix)
        self.url = f"https://{address}:{self.port}"
        self._ca = self.state_directory / "authority/ca.pem"

    def token(self, uses: int = 1) -> str:
        options = ["--label", "test", "--uses", str(uses), "--state-directory", str(self.state_directory)]
        made = ictagent("collector", "token", "create", *options, extra={"ICTAGENT_COLLECTOR_TLS": "own"})
        assert made.returncode == 0, made.stderr
        return made.stdout.strip()


def reports_by_key(collector: CollectorProgram) -> dict[str, int]:
    """How many reports are recorded for each key."""
    query = select(report_stream.c.key_id, report_sequence.c.sequence).join(
        report_sequence, report_sequence.c.report_stream_id == report_stream.c.id
    )
    counted: dict[str, int] = {}
    with collector.database() as database, database.read() as connection:
        for row in connection.execute(query):
            counted[row.key_id] = counted.get(row.key_id, 0) + 1
    return counted


def accepted(collector: CollectorProgram) -> int:
    """How many reports are recorded."""
    return sum(reports_by_key(collector).values())


def command(collector: CollectorProgram, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """A command that works on the collector's database, run to its good end."""
    extra = {"ICTAGENT_COLLECTOR_DATABASE": collector._database} if collector._database else {}
    done = ictagent(*arguments, "--state-directory", str(collector.state_directory), extra=extra)
    assert done.returncode == 0, done.stderr
    return done


def acts(collector: CollectorProgram) -> list[str]:
    """What the audit log holds, in order."""
    with collector.database() as database, database.read() as connection:
        return list(connection.execute(select(audit_log.c.action).order_by(audit_log.c.id)).scalars())
