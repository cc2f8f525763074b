"""What class profiles an organisation holds for true, and since when: its own where it has set them, else the packaged.

Every state is dated, so that a figure of last year stays what last year's habits made it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, Row, select

from carbon.class_profiles import ClassProfile, packaged_profiles
from carbon.device_classes import CLASSES
from carbon.errors import CarbonError
from collector.database.audit import audit
from collector.database.dated import begin, history, valid_at, withdraw
from collector.database.schema import class_profile
from collector.errors import BadRequest, NotFound
from collector.estate_version import touch

FIGURES = tuple(one.name for one in fields(ClassProfile) if one.name not in ("device_class", "source"))
"""What a profile says beside its class and its source."""
_NOTHING: dict[str, Any] = {**dict.fromkeys(FIGURES, 0), "other_days": "off", "source": ""}


@dataclass(frozen=True, slots=True)
class ProfileStretch:
    """What held of a class from `since` to before `until` (Unix seconds; 0: always, None: still).

    `profile` is None for a class that has no packaged default and none of its own. `own` marks the organisation's own.
    """

    profile: ClassProfile | None
    since: int
    until: int | None
    own: bool


def profile_stretches(connection: Connection, organisation_id: int) -> dict[str, list[ProfileStretch]]:
    """Each class's profiles in order of time, without gaps; classes that never had one are not there."""
    mine = class_profile.c.organisation_id == organisation_id
    query = select(class_profile).where(mine).order_by(class_profile.c.valid_from, class_profile.c.id)
    rows: dict[str, list[Row[Any]]] = {name: [] for name in packaged_profiles()}
    for row in connection.execute(query):
        rows.setdefault(row.device_class, []).append(row)
    return {name: _stretches(name, rows[name]) for name in CLASSES if name in rows}


def profile_at(stretches: Sequence[ProfileStretch], at: int) -> ProfileStretch:
    """What holds at a time (Unix seconds)."""
    return next(one for one in stretches if one.since <= at and (one.until is None or at < one.until))


def set_profile(
    connection: Connection,
    organisation_id: int,
    device_class: str,
    changes: Mapping[str, Any],
    since: int,
    actor: str,
    now: int,
) -> ClassProfile:
    """Let a profile of the organisation's own hold from `since` (Unix seconds) until the next that is known; answer it.

    What is not among the changes stays as it is then. Raises BadRequest where that makes no profile.
    """
    _require_class(device_class)
    held = _held(connection, organisation_id, device_class, since)
    if held is None and (missing := [name for name in FIGURES if name not in changes]):
        words = ", ".join(f"--{name.replace('_', '-')}" for name in missing)
        raise BadRequest(f"there is no profile of {device_class} to begin with", f"give {words} as well")
    before = {name: getattr(held, name) for name in FIGURES} if held else {}
    try:
        profile = ClassProfile(**{"device_class": device_class, **before, **changes})
    except CarbonError as error:
        raise BadRequest(str(error), f"see `ictagent estate profile show {device_class}`") from error
    values = {name: getattr(profile, name) for name in (*FIGURES, "source")}
    owner = {"organisation_id": organisation_id, "device_class": device_class}
    begin(connection, class_profile, owner, {**values, "packaged": False, "actor": actor}, since)
    audit(connection, now, actor, "profile.set", device_class, {**changes, "since": since})
    touch(connection)
    return profile


def reset_profile(
    connection: Connection, organisation_id: int, device_class: str, since: int, actor: str, now: int
) -> None:
    """Let the packaged default hold again from `since` on, or none where there is none."""
    _require_class(device_class)
    owner = {"organisation_id": organisation_id, "device_class": device_class}
    held = valid_at(history(connection, class_profile, owner), since)
    if held is None or held.packaged:
        raise BadRequest(f"{device_class} has no profile of its own then", "see `ictagent estate profile list`")
    begin(connection, class_profile, owner, {**_NOTHING, "packaged": True, "actor": actor}, since)
    audit(connection, now, actor, "profile.reset", device_class, {"since": since})
    touch(connection)


def undo_profile(
    connection: Connection, organisation_id: int, device_class: str, since: int, actor: str, now: int
) -> None:
    """Take back what was set or reset from `since` on: what held before it holds on. Raises NotFound."""
    owner = {"organisation_id": organisation_id, "device_class": device_class}
    undone = withdraw(connection, class_profile, owner, since)
    if undone is None:
        raise NotFound(
            f"nothing of {device_class} was set from that day on", f"see `ictagent estate profile show {device_class}`"
        )
    detail = {"since": since, "packaged": undone.packaged, **{name: getattr(undone, name) for name in FIGURES}}
    audit(connection, now, actor, "profile.undo", device_class, {**detail, "source": undone.source})
    touch(connection)


def _require_class(name: str) -> None:
    if name not in CLASSES:
        raise BadRequest(f"{name} is no class of devices", f"use one of {', '.join(CLASSES)}")


def _held(connection: Connection, organisation_id: int, device_class: str, at: int) -> ClassProfile | None:
    stretches = profile_stretches(connection, organisation_id).get(device_class)
    return profile_at(stretches, at).profile if stretches else None


def _stretches(name: str, rows: Sequence[Row[Any]]) -> list[ProfileStretch]:
    default = packaged_profiles().get(name)
    found: list[ProfileStretch] = []
    ends = 0
    for row in rows:
        if row.valid_to is not None and row.valid_to <= row.valid_from:
            continue  # set anew for the same day
        if row.valid_from > ends:
            found.append(ProfileStretch(default, ends, row.valid_from, own=False))
        own = default if row.packaged else _profile(row)
        found.append(ProfileStretch(own, row.valid_from, row.valid_to, own=not row.packaged))
        if row.valid_to is None:
            return found
        ends = row.valid_to
    return [*found, ProfileStretch(default, ends, None, own=False)]


def _profile(row: Row[Any]) -> ClassProfile:
    return ClassProfile(**{name: getattr(row, name) for name in ("device_class", *FIGURES, "source")})
