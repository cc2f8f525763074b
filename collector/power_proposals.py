"""Proposed links of the power path in the database: noted as they are found, confirmed or rejected by a person."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from sqlalchemy import Connection, delete, select, update

from collector.database.audit import audit
from collector.database.schema import device, power_link
from collector.database.upsert import upsert
from collector.errors import BadRequest, NotFound
from collector.power_path import WantedLink, known_places, make_link
from collector.snmp.places import Place

AT_ONCE = 500
"""Proposals that one transaction writes."""
_KEY = ("parent_device_id", "place", "child_device_id")
_KEPT = ("configuration", "person")
"""Evidence that a person gave: no search takes it away."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a link is proposed: `how` is `outlet_name`, `port_alias`, `lldp`, `configuration` or `person`."""

    how: str
    detail: str


@dataclass(frozen=True, slots=True)
class Found:
    """A link that evidence speaks for. `score` is from 0 to 1."""

    parent_device_id: str
    place: str
    label: str
    child_device_id: str
    score: float
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed link as it is kept. Times are Unix seconds."""

    id: int
    parent_device_id: str
    place: str
    label: str
    child_device_id: str
    state: str
    score: float
    evidence: tuple[Evidence, ...]
    first_seen_at: int
    last_seen_at: int
    decided_at: int | None
    decided_by: str


def note_found(connection: Connection, found: Sequence[Found], now: int) -> int:
    """Keep what was found beside what is known; how many are new. What a person decided stays decided."""
    known = {
        (row.parent_device_id, row.place, row.child_device_id): json.loads(row.evidence)
        for row in connection.execute(
            select(power_link).where(power_link.c.parent_device_id.in_({one.parent_device_id for one in found}))
        )
    }
    rows = []
    for one in sorted(found, key=lambda one: (one.parent_device_id, one.place, one.child_device_id)):
        evidence = [asdict(part) for part in one.evidence]
        told = {part.how for part in one.evidence}
        before = known.get((one.parent_device_id, one.place, one.child_device_id), [])
        evidence += [part for part in before if part["how"] in _KEPT and part["how"] not in told]
        rows.append(
            {
                "parent_device_id": one.parent_device_id,
                "place": one.place,
                "label": one.label,
                "child_device_id": one.child_device_id,
                "state": "proposed",
                "score": one.score,
                "evidence": json.dumps(evidence),
                "first_seen_at": now,
                "last_seen_at": now,
                "decided_at": None,
                "decided_by": "",
            }
        )
    upsert(connection, power_link, rows, ("label", "score", "evidence", "last_seen_at"), _KEY)
    return sum(1 for row in rows if tuple(row[name] for name in _KEY) not in known)


def forget_unseen(connection: Connection, now: int) -> int:
    """Delete open proposals that a search at `now` no longer found, but for those that a person made; how many."""
    query = select(power_link.c.id, power_link.c.evidence).where(
        power_link.c.state == "proposed", power_link.c.last_seen_at < now
    )
    gone = [
        row.id
        for row in connection.execute(query)
        if not any(part["how"] in _KEPT for part in json.loads(row.evidence))
    ]
    for start in range(0, len(gone), AT_ONCE):
        connection.execute(delete(power_link).where(power_link.c.id.in_(gone[start : start + AT_ONCE])))
    return len(gone)


def proposals(
    connection: Connection, state: str | None = "proposed", device_ids: Iterable[str] | None = None
) -> list[Proposal]:
    """Proposals of a state, or of all, of devices in use; the likeliest first. `device_ids`: at either end one of these."""
    parent, child = device.alias(), device.alias()
    query = (
        select(power_link)
        .join(parent, parent.c.id == power_link.c.parent_device_id)
        .join(child, child.c.id == power_link.c.child_device_id)
        .where(parent.c.retired_at.is_(None), child.c.retired_at.is_(None), child.c.merged_into.is_(None))
        .order_by(power_link.c.score.desc(), power_link.c.parent_device_id, power_link.c.place, power_link.c.id)
    )
    if state is not None:
        query = query.where(power_link.c.state == state)
    mine = None if device_ids is None else set(device_ids)
    return [
        _proposal(cast(Mapping[str, Any], row))
        for row in connection.execute(query).mappings()
        if mine is None or row["parent_device_id"] in mine or row["child_device_id"] in mine
    ]


def find_proposal(connection: Connection, proposal_id: int) -> Proposal:
    """A proposal by its number. Raises NotFound."""
    row = connection.execute(select(power_link).where(power_link.c.id == proposal_id)).mappings().first()
    if row is None:
        raise NotFound(f"there is no proposal {proposal_id}", "see `ictagent snmp path list --state proposed`")
    return _proposal(cast(Mapping[str, Any], row))


def confirm(
    connection: Connection, proposal_id: int, actor: str, begins: int | None = None, share: float | None = None
) -> int:
    """Make a proposal a link, from `begins` on or from when it was first seen; the link's number, which is the same.

    Raises NotFound, or BadRequest for what stands already or cannot be.
    """
    one = find_proposal(connection, proposal_id)
    place = known_places(connection, one.parent_device_id).get(one.place)
    place = place or Place(one.place, one.place.partition("/")[0], one.label)
    wanted = WantedLink(
        one.parent_device_id,
        place,
        one.child_device_id,
        one.first_seen_at if begins is None else begins,
        share=share,
    )
    return make_link(connection, wanted, actor, "path.confirm")


def reject(connection: Connection, proposal_id: int, actor: str, *, undo: bool = False) -> None:
    """Say that a proposed link is not so; it is not proposed again. `undo` takes that back.

    Raises NotFound, or BadRequest for one that is confirmed, or was not rejected.
    """
    one = find_proposal(connection, proposal_id)
    now = int(time.time())
    if one.state == "confirmed":
        raise BadRequest(
            f"the proposal {proposal_id} is confirmed", "end its link, or withdraw it: `ictagent snmp path unlink`"
        )
    if undo != (one.state == "rejected"):
        raise BadRequest(f"the proposal {proposal_id} is {one.state}", "see `ictagent snmp path list --state all`")
    decided: dict[str, object] = {"state": "rejected", "decided_at": now, "decided_by": actor}
    if undo:
        decided = {"state": "proposed", "decided_at": None, "decided_by": ""}
    connection.execute(update(power_link).where(power_link.c.id == proposal_id).values(**decided))
    detail = {"proposal": proposal_id, "place": one.place, "child_device_id": one.child_device_id}
    audit(connection, now, actor, "path.unreject" if undo else "path.reject", one.parent_device_id, detail)


def _proposal(row: Mapping[str, Any]) -> Proposal:
    values = {name: row[name] for name in Proposal.__dataclass_fields__}
    values["evidence"] = tuple(Evidence(**one) for one in json.loads(values["evidence"]))
    return Proposal(**values)
