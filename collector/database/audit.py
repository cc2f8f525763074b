"""The audit log: every administrative act, who did it, to what."""

import json
from collections.abc import Mapping

from sqlalchemy import Connection, insert

from collector.database.schema import audit_log


def audit(connection: Connection, at: int, actor: str, action: str, subject: str, detail: Mapping[str, object]) -> None:
    """Write down an act in the transaction that does it. `at` in Unix seconds; `detail` must hold no secret."""
    connection.execute(
        insert(audit_log).values(
            at=at, actor=actor, action=action, object=subject, detail=json.dumps(detail, sort_keys=True)
        )
    )
