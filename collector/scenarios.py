"""Scenarios of an organisation by name: saved, listed, removed."""

import json
from dataclasses import asdict
from decimal import Decimal

from sqlalchemy import Connection, delete, insert, select

from carbon.scenario import Scenario
from collector.database.audit import audit
from collector.database.schema import scenario
from collector.errors import BadRequest, NotFound
from collector.taking import Who


def save_scenario(connection: Connection, organisation_id: int, name: str, body: Scenario, who: Who) -> None:
    """Save a scenario; one of the same name is replaced. Raises BadRequest for a name that is empty."""
    if not name.strip():
        raise BadRequest("a scenario needs a name", "give it")
    text = json.dumps(asdict(body), default=str, sort_keys=True)
    mine = (scenario.c.organisation_id == organisation_id) & (scenario.c.name == name)
    connection.execute(delete(scenario).where(mine))
    values = {"organisation_id": organisation_id, "name": name, "body": text}
    connection.execute(insert(scenario).values(**values, saved_at=who.now, actor=who.actor))
    audit(connection, who.now, who.actor, "carbon.scenario.save", name, json.loads(text))


def scenarios(connection: Connection, organisation_id: int) -> dict[str, Scenario]:
    """All by name."""
    query = select(scenario).where(scenario.c.organisation_id == organisation_id).order_by(scenario.c.name)
    return {row.name: _read(row.body) for row in connection.execute(query)}


def find_scenario(connection: Connection, organisation_id: int, name: str) -> Scenario:
    """One by its name. Raises NotFound."""
    found = scenarios(connection, organisation_id)
    if name not in found:
        raise NotFound(f"there is no scenario {name}", "see `ictagent carbon scenario list`")
    return found[name]


def remove_scenario(connection: Connection, organisation_id: int, name: str, who: Who) -> None:
    """Take a scenario away. Raises NotFound."""
    body = find_scenario(connection, organisation_id, name)
    mine = (scenario.c.organisation_id == organisation_id) & (scenario.c.name == name)
    connection.execute(delete(scenario).where(mine))
    audit(
        connection, who.now, who.actor, "carbon.scenario.remove", name, {"body": json.dumps(asdict(body), default=str)}
    )


def _read(text: str) -> Scenario:
    body = json.loads(text)
    trend = body.pop("trend")
    return Scenario(**body, trend=None if trend is None else Decimal(trend))
