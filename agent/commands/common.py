"""What commands share: options, tables on stdout, logging on stderr."""

import json
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from agent.service import JournalFormatter, stderr_is_the_journal

SETTLE_SECONDS = 25.0
"""How long a command waits for a management controller's first answer: longer than the controller is given."""

F = TypeVar("F", bound=Callable[..., Any])


def output_option(*choices: str) -> Callable[[F], F]:
    """`--output table|json`."""
    return click.option(
        "--output", type=click.Choice(choices or ("table", "json")), default="table", show_default=True, help="Format."
    )


root_option = click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("/"),
    show_default=True,
    help="Root of /sys, /proc and /etc, for captured trees.",
)
"""`--root DIRECTORY`: look at a captured tree instead of this host's own."""


def echo_json(value: object) -> None:
    """JSON on stdout, readable and stable."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def echo_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A plain table with aligned columns. What a terminal might obey (a host name may hold anything) shows as `?`."""
    texts = [[_printable(str(cell)) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[column]) for row in texts) for column in range(len(header))]
    for row in texts:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(one if one.isprintable() else "?" for one in text)


def log_to_stderr(level: str) -> None:
    """One line a message; the journal adds the time, and takes each line's priority from its beginning."""
    handler = logging.StreamHandler(sys.stderr)
    form = JournalFormatter if stderr_is_the_journal() else logging.Formatter
    handler.setFormatter(form("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler], force=True)
    set_log_level(level)


def set_log_level(level: str) -> None:
    """From now on messages of this level and above are said."""
    root = logging.getLogger()
    root.setLevel(level.upper())
    # Each start of theirs is worth ten lines to them and none to anybody else.
    for name in ("alembic", "apscheduler"):
        logging.getLogger(name).setLevel(logging.NOTSET if level == "debug" else max(logging.WARNING, root.level))
