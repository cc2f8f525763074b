"""`ictagent snmp path`: which outlet or port feeds which device: proposals, and the links that a person makes of them."""

import csv
import datetime
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection

from agent.commands.common import echo_json, echo_table, output_option
from agent.errors import AgentError
from carbon.calendar import day_bounds
from carbon.wording import fixed
from collector.commands.common import actor, database_of, plain_errors
from collector.device_energy import rules_of
from collector.errors import BadRequest, CollectorError, NotFound
from collector.estate import find_device
from collector.power_path import (
    WantedLink,
    end_link,
    find_place,
    known_places,
    links,
    make_link,
    take_up_link,
    withdraw_link,
)
from collector.power_proposals import Evidence, Found, confirm, note_found, proposals, reject
from collector.power_view import shown_links, shown_proposals
from collector.snmp.devices import find_polled
from collector.snmp.path_search import search

_STATE = click.option("--state-directory", type=click.Path(path_type=Path), help="Where the collector's data are kept.")
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Check and say what would be done; change nothing.")
_FROM = click.option("--from", "since", type=click.DateTime(["%Y-%m-%d"]), help="Local day from which it holds.")
_SHARE = click.option("--share", type=float, help="Part of what passes there that goes to the device, above 0 to 1.")
_STATES = ("proposed", "confirmed", "rejected", "all")
COLUMNS = ("parent", "place", "child", "share", "from", "to")


@click.group("path")
def path() -> None:
    """Which outlet of a PDU or UPS, and which PoE port, feeds which device.

    Proposals come from outlets' names, from what is written beside ports, and from neighbours that a switch sees. Only
    a person makes a link of one.

    \b
    Examples:
      ictagent snmp path find
      ictagent snmp path list
      ictagent snmp path confirm 3 4 9
      ictagent snmp path link pdu-1 web01 --place outlet/7
      ictagent snmp path unlink 3 --to 2026-11-02
    """


@path.command("find", epilog="\b\nExample:\n  ictagent snmp path find")
@_STATE
def find(state_directory: Path | None) -> None:
    """Look for proposals now; the collector does so by itself every quarter of an hour."""
    with database_of(state_directory) as database, plain_errors():

        def write(handler: Callable[[Connection], int]) -> int:
            with database.write() as connection:
                return handler(connection)

        new = search(database, write, int(time.time()))
        with database.read() as connection:
            count = len(proposals(connection))
    click.echo(f"{new} new; {count} proposed: ictagent snmp path list")


@path.command("list", epilog="\b\nExamples:\n  ictagent snmp path list\n  ictagent snmp path list --state confirmed")
@click.option("--state", type=click.Choice(_STATES), default="proposed", show_default=True, help="Which of them.")
@click.option("--device", help="Only of this device, at either end.")
@_STATE
@output_option()
def list_paths(state: str, device: str | None, state_directory: Path | None, output: str) -> None:
    """Proposals, the likeliest first, or links, with what speaks for them and what passes now."""
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        mine = None if device is None else [_device(connection, device)]
        found = shown_links(connection, links(connection, mine), now) if state in ("confirmed", "all") else []
        wanted = [] if state == "confirmed" else proposals(connection, None if state == "all" else state, mine)
        proposed = shown_proposals(connection, [one for one in wanted if one.state != "confirmed"])
    if output == "json":
        echo_json({"links": [asdict(one) for one in found], "proposals": [asdict(one) for one in proposed]})
        return
    if proposed:
        rows = [
            (
                str(one.id),
                one.parent_name,
                _place(one.place, one.label),
                one.child_name,
                one.state,
                f"{one.score:.2f}",
                "; ".join(one.evidence),
            )
            for one in proposed
        ]
        echo_table(("id", "feeding", "place", "device", "state", "score", "evidence"), rows)
    if found:
        linked = [
            (
                str(one.id),
                one.parent_name,
                _place(one.place, one.label),
                _place(one.child_name, one.child_place),
                "not known" if one.share is None else f"{one.share:g}",
                _day(one.valid_from),
                "" if one.valid_to is None else _day(one.valid_to),
                "" if one.watts is None else f"{one.watts:.1f} W",
            )
            for one in found
        ]
        echo_table(("id", "feeding", "place", "device", "share", "from", "until", "power"), linked)
    if not proposed and not found:
        click.echo(_NONE.get(state, "there is none"), err=True)


@path.command("places", epilog="\b\nExample:\n  ictagent snmp path places pdu-1")
@click.argument("device")
@_STATE
@output_option()
def list_places(device: str, state_directory: Path | None, output: str) -> None:
    """The places of a device that can feed others: outlets, branches, PoE ports, and the whole."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        found = list(known_places(connection, _device(connection, device)).values())
    if output == "json":
        echo_json([{**asdict(one), "source": one.source} for one in found])
        return
    rows = [
        (
            one.meter,
            one.label,
            "" if one.watts is None else f"{one.watts:.1f} W",
            "" if one.energy_kwh is None else f"{fixed(one.energy_kwh, 3)} kWh",
            one.source if one.measures else "not measured",
        )
        for one in found
    ]
    echo_table(("place", "name", "power", "counter", "source"), rows)


@path.command("confirm", epilog="\b\nExample:\n  ictagent snmp path confirm 3 4 9 --from 2026-04-01")
@click.argument("ids", type=int, nargs=-1, required=True)
@_FROM
@_SHARE
@_DRY_RUN
@_STATE
def confirm_paths(
    ids: Sequence[int],
    since: datetime.datetime | None,
    share: float | None,
    dry_run: bool,
    state_directory: Path | None,
) -> None:
    """Make proposals links, from when they were first seen or --from. One that cannot be stops all."""
    with _change(state_directory, dry_run) as connection:
        begins = None if since is None else _begin(connection, since)
        for one in ids:
            confirm(connection, one, actor(), begins, share)
    click.echo(f"{len(ids)} {'would be ' if dry_run else ''}confirmed")


@path.command("reject", epilog="\b\nExamples:\n  ictagent snmp path reject 5\n  ictagent snmp path reject 5 --undo")
@click.argument("ids", type=int, nargs=-1, required=True)
@click.option("--undo", is_flag=True, help="Propose them again.")
@_DRY_RUN
@_STATE
def reject_paths(ids: Sequence[int], undo: bool, dry_run: bool, state_directory: Path | None) -> None:
    """Say that proposed links are not so; they are not proposed again."""
    with _change(state_directory, dry_run) as connection:
        for one in ids:
            reject(connection, one, actor(), undo=undo)
    click.echo(f"{len(ids)} {'would be ' if dry_run else ''}{'proposed again' if undo else 'rejected'}")


@path.command(
    "link",
    epilog="\b\nExamples:\n  ictagent snmp path link pdu-1 web01 --place outlet/7\n"
    "  ictagent snmp path link ups-1 pdu-1 --from 2026-04-01",
)
@click.argument("feeding")
@click.argument("device")
@click.option(
    "--place", default="", help="Outlet or port: its place, name or number; without it all that passes through."
)
@_FROM
@click.option("--to", "until", type=click.DateTime(["%Y-%m-%d"]), help="Local day before which it ended.")
@click.option("--into", help="Meter of DEVICE that it feeds, such as inlet/1; without it the device.")
@_SHARE
@_DRY_RUN
@_STATE
def link(
    feeding: str,
    device: str,
    place: str,
    since: datetime.datetime | None,
    until: datetime.datetime | None,
    into: str | None,
    share: float | None,
    dry_run: bool,
    state_directory: Path | None,
) -> None:
    """Say that FEEDING feeds DEVICE, from now on or --from. Both are device ids, names or addresses.

    Without --share an outlet or PoE port goes to the device wholly; of a branch, a UPS or a whole PDU the part is not
    known, and the device's own readings tell it. With --into it feeds a meter of DEVICE: one of several inlets.
    """
    with _change(state_directory, dry_run) as connection:
        wanted = _wanted(connection, feeding, place, device, since, until, share)
        if into is not None:
            wanted = replace(wanted, child_place=find_place(connection, wanted.child_device_id, into))
        number = make_link(connection, wanted, actor())
    what = f"{feeding} {_place(wanted.place.meter, wanted.place.label)} feeds {device}"
    if wanted.child_place is not None:
        what += f" at {wanted.child_place.meter}"
    click.echo(f"it could be: {what}" if dry_run else f"link {number}: {what}")


@path.command(
    "unlink",
    epilog="\b\nExamples:\n  ictagent snmp path unlink 3\n  ictagent snmp path unlink 3 --to 2026-11-02\n"
    "  ictagent snmp path unlink 3 --undo\n  ictagent snmp path unlink 3 --as-if-never",
)
@click.argument("ids", type=int, nargs=-1, required=True)
@click.option("--to", "until", type=click.DateTime(["%Y-%m-%d"]), help="Local day before which it ended; now without.")
@click.option("--undo", is_flag=True, help="Take an ended link up again.")
@click.option("--as-if-never", is_flag=True, help="It was never so: the past too is without it.")
@_DRY_RUN
@_STATE
def unlink(
    ids: Sequence[int],
    until: datetime.datetime | None,
    undo: bool,
    as_if_never: bool,
    dry_run: bool,
    state_directory: Path | None,
) -> None:
    """End links: the past keeps what was so. A link that never was so is withdrawn with --as-if-never."""
    if sum((until is not None, undo, as_if_never)) > 1:
        raise click.UsageError("give one of --to, --undo and --as-if-never")
    with _change(state_directory, dry_run) as connection:
        ends = int(time.time()) if until is None else _begin(connection, until)
        for one in ids:
            if undo:
                take_up_link(connection, one, actor())
            elif as_if_never:
                withdraw_link(connection, one, actor())
            else:
                end_link(connection, one, ends, actor())
    done = "taken up again" if undo else "withdrawn" if as_if_never else "ended"
    click.echo(f"{len(ids)} {'would be ' if dry_run else ''}{done}")


@path.command(
    "import",
    epilog="\b\nExamples:\n  ictagent snmp path import racks.csv --dry-run\n"
    "  ictagent snmp path import racks.csv --confirm",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--confirm", "confirmed", is_flag=True, help="Make links of the rows; else they are proposals.")
@_DRY_RUN
@_STATE
def import_paths(file: Path, confirmed: bool, dry_run: bool, state_directory: Path | None) -> None:
    """Take what feeds what from a CSV file: columns parent, place, child, and where known share, from, to (days).

    A wrong row is named with its line, and then nothing is taken. Rows that are linked so already change nothing. Share
    and days are for --confirm; who confirms a proposal gives them then.
    """
    rows = _rows(file)
    count = same = 0
    with _change(state_directory, dry_run) as connection:
        found: list[Found] = []
        for line, row in rows:
            try:
                wanted = _wanted(
                    connection,
                    row["parent"],
                    row.get("place", ""),
                    row["child"],
                    _date(row.get("from", "")),
                    _date(row.get("to", "")),
                    float(row["share"]) if row.get("share") else None,
                )
                if _stands(connection, wanted):
                    same += 1
                elif confirmed:
                    make_link(connection, wanted, actor(), "path.import")
                    count += 1
                else:
                    found.append(_found(wanted, f"{file.name}, line {line}"))
            except (CollectorError, ValueError) as error:
                message = error.message if isinstance(error, CollectorError) else str(error)
                remedy = error.remedy if isinstance(error, CollectorError) else "correct the row"
                raise BadRequest(f"{file}, line {line}: {message}; nothing was taken", remedy) from error
        if found:
            note_found(connection, found, int(time.time()))
            count = len(found)
    what = "linked" if confirmed else "proposed"
    click.echo(f"{count} {'would be ' if dry_run else ''}{what}; {same} stand so already")


@contextmanager
def _change(state_directory: Path | None, dry_run: bool) -> Iterator[Connection]:
    """A transaction, which a dry run undoes."""
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        yield connection
        if dry_run:
            connection.rollback()


def _device(connection: Connection, name: str) -> str:
    """The id of a device by id, name or polled address. Raises NotFound, or BadRequest for several."""
    try:
        return find_polled(connection, name).device_id
    except NotFound:
        return find_device(connection, name)


def _wanted(
    connection: Connection,
    feeding: str,
    place: str,
    device: str,
    since: datetime.datetime | None,
    until: datetime.datetime | None,
    share: float | None,
) -> WantedLink:
    parent = _device(connection, feeding)
    begins = int(time.time()) if since is None else _begin(connection, since)
    ends = None if until is None else _begin(connection, until)
    return WantedLink(parent, find_place(connection, parent, place), _device(connection, device), begins, ends, share)


def _begin(connection: Connection, day: datetime.datetime) -> int:
    """When a local day begins (Unix seconds)."""
    return day_bounds(day.date(), rules_of(connection).time_zone)[0]


def _stands(connection: Connection, wanted: WantedLink) -> bool:
    """Whether the pair is linked at the beginning of the wanted time already."""
    return any(
        (one.parent_device_id, one.place, one.child_device_id)
        == (wanted.parent_device_id, wanted.place.meter, wanted.child_device_id)
        for one in links(connection, [wanted.child_device_id], wanted.begins)
    )


def _found(wanted: WantedLink, where: str) -> Found:
    evidence = (Evidence("configuration", where),)
    place = wanted.place
    return Found(wanted.parent_device_id, place.meter, place.label, wanted.child_device_id, 1.0, evidence)


def _rows(file: Path) -> list[tuple[int, dict[str, str]]]:
    """The rows of a CSV file with their lines. Raises AgentError naming what is wrong and where."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AgentError(f"{file} cannot be read as UTF-8 text ({type(error).__name__})") from error
    reader = csv.DictReader(text.splitlines())
    names = reader.fieldnames or []
    unknown = sorted(set(names) - set(COLUMNS))
    if unknown or not {"parent", "child"} <= set(names):
        what = f"the column {unknown[0]!r} is not known" if unknown else "the columns parent and child are needed"
        raise AgentError(f"{file}: {what}; columns: {', '.join(COLUMNS)}")
    rows: list[tuple[int, dict[str, str]]] = []
    for row in reader:
        values: dict[str, Any] = {name: text.strip() for name, text in row.items() if name and text and text.strip()}
        if not values.get("parent") or not values.get("child"):
            raise AgentError(f"{file}, line {reader.line_num}: parent and child are needed; nothing was taken")
        rows.append((reader.line_num, values))
    return rows


def _date(text: str) -> datetime.datetime | None:
    """A day as 2026-04-01. Raises ValueError."""
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d") if text else None  # noqa: DTZ007  # a local day
    except ValueError as error:
        raise ValueError(f"{text!r} is no day such as 2026-04-01") from error


_NONE = {
    "proposed": "nothing is proposed; look for proposals: ictagent snmp path find; what is linked: --state confirmed",
    "confirmed": "nothing is linked yet; look for proposals: ictagent snmp path find",
    "rejected": "no proposal was rejected",
}
"""What is told where there is nothing to list, by state."""


def _place(place: str, label: str) -> str:
    return f"{place} ({label})" if label and label != place else place


def _day(at: int) -> str:
    return f"{datetime.datetime.fromtimestamp(at, datetime.UTC):%Y-%m-%d %H:%M} UTC"
