"""Two hosts that send with one key: found by their taking turns, told apart, and the copy refused until it has its own.

A sender is one machine in one boot with one stream. A host goes from one sender to the next (a reboot, a new stream
after its disk was restored) and does not come back to an earlier one; only a snapshot of its memory makes it, and then
what came after the snapshot is not heard of again. Two hosts with one key come back after each other, again and again.
So: senders of two machines are two hosts when one of them comes back after the other; senders of what seems one
machine (a clone keeps the machine id) when both did, three times in all.

The copy is whose machine is not the key's first owner's; of two alike, who was first heard of later. A report that the
copy made in an earlier boot may be the original's, from a copied spool: it is taken under the old key, where its
number makes sure that it counts once.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from agent.machine import machine_evidence
from collector.database.dated import begin, history
from collector.database.schema import agent_key, inventory, key_sender
from collector.diagnoses import diagnose
from collector.errors import CloneDetected
from collector.estate_version import touch
from collector.history import history_edit

PROVING_RETURNS = 3
WINDOW_SECONDS = 6 * 3600
"""Within it returns are counted together. Agents report at least hourly."""
FORGET_SECONDS = 35 * 86_400


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends a report: evidence of its machine, its host name and boot at sending, and the hash its secret has.

    `own`: the report was made in this boot, so by this sender. `collector_id` is the collector's that heard it.
    """

    machine: str
    host_name: str
    boot_id: str
    secret_sha256: str
    own: bool
    collector_id: str


@dataclass(frozen=True, slots=True)
class Heard:
    """The key's state at this report: its device, the machine of its first owner, and who sent with it last."""

    key_id: str
    device_id: str
    owner: str
    last_id: int | None
    last: tuple[str, str, str]
    """Machine, boot and stream of the last sender."""


def hear(
    connection: Connection, key: Heard, sender: Sender, stream_id: str, recorded: bool, now: int
) -> CloneDetected | None:
    """Note who sends, in the transaction that records the report; the refusal, if it is the copy of another host.

    `recorded`: the report is a repetition, which is answered as such whoever sends it. The key's row is locked.
    """
    name = (sender.machine, sender.boot_id, stream_id)
    if key.last_id is not None and _is(name, key.last):
        return None
    rows = connection.execute(select(key_sender).where(key_sender.c.key_id == key.key_id)).all()
    named = {(row.machine, row.boot_id, row.stream_id): row for row in rows}
    mine = named.get(name) or next((row for one, row in named.items() if _is(name, one)), None)
    if mine is None:
        is_clone = sender.machine != key.owner and any(row.is_clone and row.machine == sender.machine for row in rows)
        values = {"machine": sender.machine, "boot_id": sender.boot_id, "stream_id": stream_id}
        of_key = {"key_id": key.key_id, "host_name": sender.host_name}
        counts = {"first_at": now, "returns": 0, "returned_at": 0, "is_clone": is_clone and bool(sender.machine)}
        added = insert(key_sender).values(**values, **of_key, **counts).returning(key_sender)
        mine = connection.execute(added).one()
        _forget(connection, key, now)
        came_back = False
    else:
        came_back = not mine.is_clone
    if mine.is_clone:
        return _refusal(sender, recorded)
    if not key.owner and sender.machine:
        connection.execute(update(agent_key).where(agent_key.c.id == key.key_id).values(machine=sender.machine))
    other = next((row for row in rows if row.id == key.last_id), None)
    if came_back and other is not None:
        returns = mine.returns + 1 if mine.returned_at > now - WINDOW_SECONDS else 1
        changes = {"returns": returns, "returned_at": now}
        connection.execute(update(key_sender).where(key_sender.c.id == mine.id).values(changes))
        if _are_two(mine, returns, other, now):
            clone = _copy_of(key.owner, rows, mine, other)
            original = other if clone is mine else mine
            _tell_apart(connection, key, original, clone, sender.collector_id, now)
            return _refusal(sender, recorded) if clone is mine else None
    _last(connection, key, mine.id)
    return None


def _is(one: tuple[str, str, str], other: tuple[str, str, str]) -> bool:
    """Whether two names (machine, boot, stream) are one sender's. In one boot and one stream a host may read more of its
    machine at times and less at others: the firmware's UUID is root's, or goes with a capability of the service."""
    return one == other or (one[1:] == other[1:] and bool(one[1]))


def is_copy(connection: Connection, key_id: str, machine: str, boot_id: str) -> bool:
    """Whether a machine in this boot was told to be the copy of a key's owner.

    Of two that are alike even in their boot (copied with their memory) it cannot be said: neither is called one here.
    """
    query = select(
        key_sender.c.machine, key_sender.c.boot_id, key_sender.c.is_clone, agent_key.c.machine.label("owner")
    )
    rows = connection.execute(query.join(agent_key).where(key_sender.c.key_id == key_id)).all()
    if here := [row.is_clone for row in rows if (row.machine, row.boot_id) == (machine, boot_id)]:
        return all(here)
    return any(row.is_clone and row.machine == machine != row.owner for row in rows if machine)


def _are_two(mine: Row[Any], returns: int, other: Row[Any], now: int) -> bool:
    # In one boot (containers, a copied memory) the machine proves less: see `_is`.
    if mine.machine and other.machine and mine.machine != other.machine and mine.boot_id != other.boot_id:
        return True
    others = other.returns if other.returned_at > now - WINDOW_SECONDS else 0
    return others >= 1 and returns + others >= PROVING_RETURNS


def _copy_of(owner: str, rows: Sequence[Row[Any]], one: Row[Any], two: Row[Any]) -> Row[Any]:
    """Of two senders, the one that is the copy."""

    def age(row: Row[Any]) -> tuple[bool, int, int, int]:
        machine = min(other.id for other in rows if other.machine == row.machine)
        boot = min(other.id for other in rows if (other.machine, other.boot_id) == (row.machine, row.boot_id))
        return bool(owner) and row.machine != owner, machine, boot, row.id

    return max(one, two, key=age)


def _tell_apart(
    connection: Connection, key: Heard, original: Row[Any], clone: Row[Any], collector_id: str, now: int
) -> None:
    """Mark the copy, say so at the device, and give the device its own inventory back."""
    connection.execute(update(key_sender).where(key_sender.c.id == clone.id).values(is_clone=True))
    _last(connection, key, original.id)
    diagnose(
        connection,
        key.device_id,
        "key_shared",
        f"two hosts send with this host's key: {_words(original)}, whose key it is, and {_words(clone)}, a copy",
        "the copy is refused until it has a key of its own: give it a token (token_file); in images leave out the "
        "agent's state directory",
        now,
    )
    _restore_inventory(connection, key.device_id, original.machine, clone.machine, collector_id, now)
    touch(connection)


def _words(row: Row[Any]) -> str:
    machine = f"machine {row.machine}" if row.machine else "a machine without an id"
    return f"{row.host_name or 'a host without a name'} ({machine}, boot {row.boot_id or 'unknown'})"


def _refusal(sender: Sender, recorded: bool) -> CloneDetected | None:
    """What a copy's report is answered; None where it is taken under the old key all the same."""
    if recorded or not sender.own:
        return None
    return CloneDetected(
        "this key belongs to another host, of which this one is a copy",
        "give this host a token of its own (token_file): its reports are kept until then",
    )


def _restore_inventory(
    connection: Connection, device_id: str, original: str, clone: str, collector_id: str, now: int
) -> None:
    """Where the copy's inventory holds, let the original's newest hold again from now on."""
    rows = history(connection, inventory, {"device_id": device_id})
    machines = [_machine_of(row.body) for row in rows]
    if not rows or original == clone or machines[-1] != clone or original not in machines:
        return
    newest = rows[len(machines) - 1 - machines[::-1].index(original)]
    kept = {name: getattr(newest, name) for name in ("body", "sha256", "host_name", "platform", "link_uuid")}
    version = 1 + max(row.version for row in rows)
    with history_edit(connection, device_id, now, now, collector_id):
        begin(connection, inventory, {"device_id": device_id}, {**kept, "version": version}, now)


def _machine_of(body: str) -> str:
    found = json.loads(body)
    return machine_evidence(found.get("machine_id", ""), found.get("system_uuid", ""))


def _last(connection: Connection, key: Heard, row_id: int) -> None:
    connection.execute(update(agent_key).where(agent_key.c.id == key.key_id).values(last_sender=row_id))


def _forget(connection: Connection, key: Heard, now: int) -> None:
    """Senders of long ago; copies stay known, and so does who sent last."""
    old = (key_sender.c.key_id == key.key_id) & (key_sender.c.first_at < now - FORGET_SECONDS)
    kept = key_sender.c.is_clone if key.last_id is None else key_sender.c.is_clone | (key_sender.c.id == key.last_id)
    connection.execute(delete(key_sender).where(old, ~kept))
