"""What the running agent says of itself in `<state>/status.json`, and `ictagent status` reads."""

import json
import logging
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from agent.files import read_plain_text, write_durably
from agent.report import Choice, SourceState

logger = logging.getLogger(__name__)

STATUS_FILE = "status.json"


@dataclass(slots=True)
class AgentStatus:
    """One agent's state. Times are Unix seconds; None where it has not happened.

    `last_report_at` is when the collector last acknowledged a report, `last_problem` what hinders sending now (empty:
    nothing), `stopped_at` when the agent ended in order, `key_expires_at` None where the key does not expire.
    """

    version: str
    pid: int
    collector: str
    started_at: int
    written_at: int
    report_seconds: float
    stopped_at: int | None = None
    last_report_at: int | None = None
    last_problem: str = ""
    spool_reports: int = 0
    spool_bytes: int = 0
    rejected_reports: int = 0
    dropped_reports: int = 0
    key_id: str = ""
    key_expires_at: int | None = None
    sources: list[SourceState] = field(default_factory=list)
    choice: Choice = field(default_factory=lambda: Choice("estimate"))


def write_status(directory: Path, status: AgentStatus) -> None:
    """Replace the file. A disk that is full costs a warning, never a sample."""
    try:
        write_durably(directory / STATUS_FILE, json.dumps(asdict(status), indent=1).encode(), 0o644)
    except OSError as error:
        logger.warning("the status cannot be kept in %s: %s", directory, error.strerror)


def read_status(directory: Path) -> AgentStatus | None:
    """What the agent of a state directory last said, or None where it said nothing that can be read.

    Raises OSError other than FileNotFoundError, above all PermissionError.
    """
    try:
        stored = json.loads(read_plain_text(directory / STATUS_FILE, follow=False))
        known = {one.name for one in fields(AgentStatus)}
        status = AgentStatus(**{name: value for name, value in stored.items() if name in known})
        status.sources = [SourceState(**one) for one in stored.get("sources", [])]
        status.choice = Choice(**stored.get("choice", {"basis": "estimate"}))
    except (FileNotFoundError, ValueError, TypeError, AttributeError, RecursionError):
        # Not there, cut off by a full disk, or written by another release.
        return None
    return status
