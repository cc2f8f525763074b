"""`ictagent estate show --tree`: the metering tree of a month, drawn with how each part's energy is known."""

import datetime
import time
from collections.abc import Iterator
from dataclasses import asdict, fields
from typing import Any

import click

from agent.commands.common import echo_json, echo_table
from carbon.units import kwh_exact
from carbon.wording import fixed
from collector.database.engine import Database
from collector.device_energy import rules_of
from collector.errors import BadRequest
from collector.metering_view import EstateTree, Shares, TreeNode, estate_tree
from collector.organisation import read_organisation
from collector.power_view import device_names

_HEADER = ("what", "kWh", "measured", "estimated", "profile", "not explained", "meter kWh", "read", "note")


def show_tree(
    database: Database,
    site: str | None,
    month: datetime.datetime | None,
    organisation: str | None,
    guests: bool,
    output: str,
) -> None:
    """Print the tree of a month."""
    now = int(time.time())
    with database.read() as connection:
        day = month.date() if month else rules_of(connection).day(now - now % 1800)
        owner = read_organisation(connection, organisation)
        found = estate_tree(connection, day.isoformat()[:7], now, owner.id, site, guests=guests)
        names = device_names(connection, {one.device_id for one in found.alarms})
    if site is not None and not found.sites:
        raise BadRequest(f"there is nothing at a site {site} in {found.month}", "see `ictagent estate site list`")
    if output == "json":
        echo_json(_json(found))
        return
    click.echo(f"{found.month}, {found.organisation}\n")
    rows = [row for one in found.sites for row in _rows(one, 0)]
    echo_table(_HEADER, [*rows, _row("all", found.shares, None, "", "")])
    for what, amount in (
        ("measured and not counted, because devices or readings are missing", found.withheld_uj),
        ("of whole buildings and not ICT", found.not_ict_uj),
        ("made on site, apart", found.generated_uj),
    ):
        if amount:
            click.echo(f"{_kwh(amount)} kWh {what}")
    if found.host_missing:
        click.echo(f"virtual machines whose host is not known: {', '.join(found.host_missing)}")
    for one in found.alarms:
        day = datetime.datetime.fromtimestamp(one.start, datetime.UTC).date()
        click.echo(
            f"alarm: meter {one.meter_id} of {names[one.device_id]} measured {_kwh(one.measured_uj)} kWh on {day}, "
            f"and its parts {_kwh(one.parts_uj)} kWh: a link is wrong, or a meter is"
        )


def _rows(node: TreeNode, depth: int) -> Iterator[tuple[str, ...]]:
    name = "  " * depth + node.name
    note = node.note
    if node.outside_uj:
        note = f"{_kwh(node.outside_uj)} kWh beside: {note}"
    if node.alarms:
        note = f"{node.alarms} alarms; {note}".removesuffix("; ")
    coverage = "" if node.coverage is None else f"{node.coverage:.0%}"
    yield _row(
        name,
        node.shares,
        node.meter_uj,
        coverage,
        note,
        plain=node.kind in ("site", "space") or node.coverage is not None,
    )
    for child in node.children:
        yield from _rows(child, depth + 1)


def _row(
    name: str, shares: Shares, meter_uj: int | None, coverage: str, note: str, *, plain: bool = True
) -> tuple[str, ...]:
    whole = shares.total_uj
    parts = (shares.measured_uj, shares.estimated_uj, shares.profile_uj, shares.unexplained_uj)
    return (
        name,
        _kwh(whole) if whole or (plain and meter_uj is None) else "",
        *(_kwh(one) if one else "" for one in parts),
        "" if meter_uj is None else _kwh(meter_uj),
        coverage,
        note,
    )


def _kwh(amount_uj: int) -> str:
    return fixed(kwh_exact(amount_uj), 1)


def _json(found: EstateTree) -> dict[str, Any]:
    """The tree with the totals of its shares."""
    body = asdict(found)

    def add_totals(node: Any) -> None:
        if isinstance(node, dict):
            if set(node) == {one.name for one in fields(Shares)}:
                shares = Shares(**node)
                del node["errors"]
                node |= {"total_uj": shares.total_uj, "low_uj": shares.low_uj, "high_uj": shares.high_uj}
            for child in list(node.values()):
                add_totals(child)
        elif isinstance(node, list):
            for child in node:
                add_totals(child)

    add_totals(body)
    return body
