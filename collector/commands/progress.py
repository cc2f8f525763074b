"""A bar of progress on a terminal; elsewhere nothing, so that logs stay clean."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from collector.taking import Progress, silent


@contextmanager
def progress_bar(label: str) -> Iterator[Progress]:
    """Draws how many of all steps are done."""
    if not sys.stderr.isatty():
        yield silent
        return
    with click.progressbar(length=1, label=label, file=sys.stderr) as bar:
        written = 0

        def progress(done: int, steps: int) -> None:
            nonlocal written
            bar.length = steps
            bar.update(done - written)
            written = done

        yield progress
