"""Measures in the database: entered by hand or found again and again, with owner, state and what is left out.

A measure that a rule finds anew is the same row: its figures follow the data, its state stays a person's. A dismissal
ends by its day, then the measure is open again.
"""

import datetime
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from carbon.errors import CarbonError
from carbon.measures.measure import CONFIDENCES, Measure
from collector.database.audit import audit
from collector.database.schema import measure, measure_exclusion
from collector.documents import withdraw_proved
from collector.errors import BadRequest, NotFound
from collector.taking import Who

BY_HAND = "by_hand"
NO_DEVICE = "by hand: "
"""With a measure's title: what it saves of no device that is known."""


@dataclass(frozen=True, slots=True)
class KeptMeasure:
    """A measure with its number, owner and state; days are YYYY-MM-DD or "", `seen_at` when it was last found."""

    id: int
    measure: Measure
    owner: str
    state: str
    reason: str
    until: str
    done_on: str
    seen_at: int


def measures_of(connection: Connection, organisation_id: int, today: datetime.date) -> list[KeptMeasure]:
    """All of an organisation, accepted ones first, then by saving: the order in which they are added up."""
    rows = connection.execute(select(measure).where(measure.c.organisation_id == organisation_id))
    found = [_kept(row, today) for row in rows]
    order = {"accepted": 0, "open": 1, "dismissed": 2}
    return sorted(found, key=lambda one: (order[one.state], -one.measure.total_uj, one.id))


def find_measure(connection: Connection, organisation_id: int, number: int, today: datetime.date) -> KeptMeasure:
    """One by its number. Raises NotFound."""
    query = select(measure).where(measure.c.organisation_id == organisation_id, measure.c.id == number)
    row = connection.execute(query).first()
    if row is None:
        raise NotFound(f"there is no measure {number}", "see `ictagent carbon measure list`")
    return _kept(row, today)


def add_measure(connection: Connection, organisation_id: int, new: Measure, owner: str, who: Who) -> int:
    """Keep a measure by hand; its number. Raises BadRequest where there is one of this title."""
    query = select(measure.c.id).where(
        measure.c.organisation_id == organisation_id, measure.c.rule == BY_HAND, measure.c.key == new.title
    )
    if connection.execute(query).first() is not None:
        raise BadRequest(f"there is a measure {new.title!r} already", "give it another title")
    number = _insert(connection, organisation_id, new, new.title, owner, who)
    audit(connection, who.now, who.actor, "carbon.measure.add", str(number), _values(new))
    return number


def keep_found(connection: Connection, organisation_id: int, found: Iterable[Measure], who: Who) -> tuple[int, int]:
    """Keep what rules found: how many are new, and how many were known and are seen again."""
    excluded = exclusions(connection, organisation_id)
    new = known = 0
    for one in found:
        if is_excluded(one, excluded):
            continue
        key = " ".join(sorted(one.saved_uj))
        wanted = (measure.c.organisation_id == organisation_id) & (measure.c.rule == one.rule) & (measure.c.key == key)
        values = {**_values(one), "seen_at": who.now}
        if connection.execute(update(measure).where(wanted).values(**values)).rowcount:
            known += 1
        else:
            _insert(connection, organisation_id, one, key, "", who)
            new += 1
    audit(connection, who.now, who.actor, "carbon.measure.find", str(organisation_id), {"new": new, "known": known})
    return new, known


def set_state(
    connection: Connection, organisation_id: int, number: int, state: str, who: Who, reason: str = "", until: str = ""
) -> None:
    """Accept, dismiss (with a reason, and a day until which it holds, or "" for always) or open a measure again."""
    if state == "dismissed" and not reason.strip():
        raise BadRequest("a dismissal needs its reason", "give it with --reason")
    _change(connection, organisation_id, number, {"state": state, "reason": reason, "until": until}, state, who)


def set_owner(connection: Connection, organisation_id: int, number: int, owner: str, who: Who) -> None:
    """Say who sees to a measure."""
    _change(connection, organisation_id, number, {"owner": owner}, "owner", who)


def set_done(connection: Connection, organisation_id: int, number: int, day: datetime.date | None, who: Who) -> None:
    """Say from which day on a measure is carried out; None: not after all. It is accepted by that."""
    values = {"done_on": "" if day is None else day.isoformat()}
    _change(connection, organisation_id, number, values | ({"state": "accepted"} if day else {}), "done", who)


def exclude(connection: Connection, organisation_id: int, rule: str, device_id: str, reason: str, who: Who) -> int:
    """Let a rule never propose a device ("": anything) again; the number of that. Open proposals of it are taken away."""
    if (rule, device_id) in exclusions(connection, organisation_id):
        raise BadRequest(f"{rule} leaves {device_id or 'everything'} out already", "nothing is to be done")
    values = {"organisation_id": organisation_id, "rule": rule, "device_id": device_id, "reason": reason}
    made = connection.execute(insert(measure_exclusion).values(**values, added_at=who.now, actor=who.actor))
    number = int((made.inserted_primary_key or (0,))[0])
    gone = (measure.c.organisation_id == organisation_id) & (measure.c.rule == rule) & (measure.c.state == "open")
    for row in connection.execute(select(measure.c.id, measure.c.saved).where(gone)).all():
        if not device_id or device_id in json.loads(row.saved):
            connection.execute(measure.delete().where(measure.c.id == row.id))
    audit(connection, who.now, who.actor, "carbon.measure.exclude", str(number), values)
    return number


def include(connection: Connection, organisation_id: int, number: int, reason: str, who: Who) -> None:
    """Take an exclusion back. Raises NotFound."""
    wanted = (measure_exclusion.c.id == number) & (measure_exclusion.c.organisation_id == organisation_id)
    withdraw_proved(connection, measure_exclusion, wanted, "exclusion", number, reason, who)


def exclusions(connection: Connection, organisation_id: int) -> dict[tuple[str, str], Row[Any]]:
    """What stands, by rule and device."""
    query = select(measure_exclusion).where(
        measure_exclusion.c.organisation_id == organisation_id, measure_exclusion.c.withdrawn_at.is_(None)
    )
    return {(row.rule, row.device_id): row for row in connection.execute(query.order_by(measure_exclusion.c.id))}


def is_excluded(one: Measure, excluded: Collection[tuple[str, str]]) -> bool:
    """Whether a measure is of what its rule leaves out."""
    return any((one.rule, device) in excluded for device in (*one.saved_uj, ""))


def _change(
    connection: Connection, organisation_id: int, number: int, values: dict[str, Any], what: str, who: Who
) -> None:
    wanted = (measure.c.organisation_id == organisation_id) & (measure.c.id == number)
    if not connection.execute(update(measure).where(wanted).values(**values)).rowcount:
        raise NotFound(f"there is no measure {number}", "see `ictagent carbon measure list`")
    audit(connection, who.now, who.actor, f"carbon.measure.{what}", str(number), values)


def _insert(connection: Connection, organisation_id: int, new: Measure, key: str, owner: str, who: Who) -> int:
    empty = dict.fromkeys(("reason", "until", "done_on"), "")
    made = connection.execute(
        insert(measure).values(
            organisation_id=organisation_id,
            rule=new.rule,
            key=key,
            owner=owner,
            state="open",
            found_at=who.now,
            seen_at=who.now,
            actor=who.actor,
            **empty,
            **_values(new),
        )
    )
    return int((made.inserted_primary_key or (0,))[0])


def _values(new: Measure) -> dict[str, Any]:
    return {
        "title": new.title,
        "saved": json.dumps(dict(new.saved_uj), sort_keys=True),
        "confidence": new.confidence,
        "why": new.why,
        "embodied_g": new.embodied_g,
        "cost_pence": new.cost_pence,
    }


def _kept(row: Row[Any], today: datetime.date) -> KeptMeasure:
    lapsed = row.state == "dismissed" and row.until and row.until < today.isoformat()
    one = Measure(row.rule, row.title, json.loads(row.saved), row.confidence, row.why, row.embodied_g, row.cost_pence)
    state = "open" if lapsed else row.state
    return KeptMeasure(row.id, one, row.owner, state, row.reason, row.until, row.done_on, row.seen_at)


def by_hand(
    title: str,
    saved_uj: int,
    devices: Sequence[str],
    confidence: str,
    why: str,
    embodied_g: int = 0,
    cost_pence: int | None = None,
) -> Measure:
    """A measure that a person enters: its saving over its devices in equal parts, over none by its title alone.

    Raises BadRequest for what makes no sense.
    """
    if confidence not in CONFIDENCES:
        raise BadRequest(f"{confidence} is no confidence", f"use one of {', '.join(CONFIDENCES)}")
    of = list(devices) or [NO_DEVICE + title]
    share, left = divmod(saved_uj, len(of))
    try:
        saved = {device: share + (place < left) for place, device in enumerate(of)}
        return Measure(BY_HAND, title, saved, confidence, why, embodied_g, cost_pence)  # type: ignore[arg-type]  # checked above
    except CarbonError as error:
        raise BadRequest(str(error), "correct it") from error
