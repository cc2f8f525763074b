"""`ictagent snmp discover --neighbours`: what polled devices see at their ports and the estate does not know."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import click

from agent.commands.common import echo_json, echo_table
from collector.snmp.suggestions import Suggestion


def show(output: str, found: Sequence[Suggestion], told: Mapping[str, str], asking: bool) -> None:
    """The suggestions; `told` says of addresses that were asked what came of it."""
    if output == "json":
        echo_json({"neighbours": [_as_json(one, told) for one in found]})
        return
    if not found:
        click.echo("polled devices see no neighbours that the estate does not know")
        return
    header = ("kind", "name", "model", "MAC address", "address", "seen at", "")
    echo_table(header, [_row(one, told, asking) for one in found])
    if not asking and any(one.allowed for one in found):
        click.echo("with --add those that may be asked are, and what answers is polled", err=True)


def _row(one: Suggestion, told: Mapping[str, str], asking: bool) -> tuple[str, ...]:
    seen = one.neighbour
    places = [f"{place.device} {place.port}".strip() for place in one.seen_at]
    where = places[0] if len(places) == 1 else f"{places[0]} and {len(places) - 1} more"
    address = one.allowed or next(iter(seen.addresses), "")
    if one.allowed:
        note = told.get(one.allowed, "did not answer" if asking else "may be asked")
    else:
        note = "not in snmp_networks" if address else "tells no address"
    texts = (seen.kind, seen.system_name or seen.chassis_id, seen.model, seen.mac, address)
    return (*(text or "-" for text in texts), where, note)


def _as_json(one: Suggestion, told: Mapping[str, str]) -> dict[str, object]:
    seen = asdict(one.neighbour)
    for name in ("if_index", "port"):
        del seen[name]
    return {
        **seen,
        "kind": one.neighbour.kind,
        "mac": one.neighbour.mac,
        "may_be_asked": one.allowed or None,
        "seen_at": [asdict(place) for place in one.seen_at],
        "last_seen_at": one.last_seen_at,
        "outcome": told.get(one.allowed, "") if one.allowed else "",
    }
