"""`ictagent carbon report|export`: the footprint of a period for people, and its exact rows as files."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from agent.commands.common import echo_table
from carbon.export_rows import BY, DEFAULT_BY
from carbon.report import Report
from carbon.report_summary import summary
from collector.commands.carbon_options import ORGANISATION, STATE
from collector.commands.carbon_period import Months, period_options
from collector.commands.carbon_reading import read_report
from collector.commands.common import plain_errors
from collector.reports.formats import BINARY, FORMATS, RETURNS, ROWS, Format, file_of, format_of, return_of
from collector.web.charts import printable

F = TypeVar("F", bound=Callable[..., Any])
_BY = click.option(
    "--by",
    type=click.Choice(BY),
    multiple=True,
    help="What exact rows are divided by, beside the financial year; may be given again. "
    f"Without: {', '.join(DEFAULT_BY)}.",
)
_FILE = click.option(
    "--output-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write it; its ending says the format. Without, stdout.",
)


@click.command(
    epilog="\b\nExamples:\n"
    "  ictagent carbon report                                  this financial year, on the terminal\n"
    "  ictagent carbon report --from FY2024 --output-file ict-2024.pdf\n"
    "  ictagent carbon report --from 2024-04 --to 2024-09 --format html > half-year.html"
)
@period_options
@ORGANISATION
@_BY
@click.option("--format", "form", type=click.Choice(["text", *FORMATS]), help="Format; text on the terminal without.")
@_FILE
@STATE
def report(
    first: Months | None,
    last: Months | None,
    organisation: str | None,
    by: tuple[str, ...],
    form: str | None,
    output_file: Path | None,
    state_directory: Path | None,
) -> None:
    """The footprint of a period in plain English: three significant figures and a range, charts with their tables.

    Page (html) and tagged PDF are for members; csv, xlsx and json hold the exact figures, as of `carbon export`.
    """
    chosen = form or (format_of(output_file.name) if output_file is not None else None) or "text"
    if chosen == "text" and output_file is not None:
        raise click.UsageError(
            f"name the format of {output_file.name}: --format {'|'.join(FORMATS)}, or such an ending"
        )
    found = read_report(first, last, organisation, state_directory)
    if chosen == "text":
        _show(found)
    else:
        with plain_errors():
            _write(file_of(found, _format(chosen), by or DEFAULT_BY), _format(chosen), output_file)


@click.command(
    epilog="\b\nExamples:\n"
    "  ictagent carbon export --from FY2024 > ict-2024.csv\n"
    "  ictagent carbon export --from FY2023 --to FY2024 --by site --by month --output-file sites.xlsx\n"
    "  ictagent carbon export --from FY2024 --rows lines\n"
    "  ictagent carbon export --from FY2024 --for councils-tool --output-file councils-tool.xlsx"
)
@period_options
@ORGANISATION
@_BY
@click.option(
    "--format", "form", type=click.Choice(FORMATS), help="Format; csv without, or what the file's ending says."
)
@click.option(
    "--rows", type=click.Choice(ROWS), default="electricity", show_default=True, help="Which table a CSV holds."
)
@click.option(
    "--for", "return_name", type=click.Choice(list(RETURNS)), help="The rows that a return of others asks for."
)
@_FILE
@STATE
def export(
    first: Months | None,
    last: Months | None,
    organisation: str | None,
    by: tuple[str, ...],
    form: str | None,
    rows: str,
    return_name: str | None,
    output_file: Path | None,
    state_directory: Path | None,
) -> None:
    """The exact rows of a footprint: kWh to the microjoule, kgCO2e to the gram, with factors, coverage and range.

    Columns and units: docs/carbon-reports.md. A workbook has summary, data, lines, method and evidence; its totals are
    formulas.
    """
    chosen = _format(form or (format_of(output_file.name) if output_file is not None else None) or "csv")
    if return_name is not None and chosen not in ("csv", "xlsx"):
        raise click.UsageError(f"--for {return_name} is csv or xlsx, not {chosen}")
    if rows != "electricity" and (chosen != "csv" or return_name is not None):
        raise click.UsageError("--rows is of a CSV of the report; the other formats hold all tables")
    found = read_report(first, last, organisation, state_directory)
    with plain_errors():
        made = return_of(found, return_name, chosen) if return_name else file_of(found, chosen, by or DEFAULT_BY, rows)
    _write(made, chosen, output_file)
    if found.state != "final":
        click.echo(summary(found).state, err=True)
    for name in found.not_reported:
        click.echo(f"not reported: {printable(name)}", err=True)


def _format(name: str) -> Format:
    return next(one for one in FORMATS if one == name)


def _write(made: bytes, form: Format, output_file: Path | None) -> None:
    if output_file is None:
        if form in BINARY and sys.stdout.isatty():
            raise click.UsageError(
                f"a file of {form} is not for a terminal: give --output-file, or send it to a file with >"
            )
        sys.stdout.buffer.write(made)
        return
    try:
        output_file.write_bytes(made)
    except OSError as error:
        raise click.ClickException(f"{output_file} cannot be written: {error.strerror}") from error
    click.echo(f"{output_file}: {len(made):,} bytes", err=True)


def _show(found: Report) -> None:
    words = summary(found)
    click.echo(printable(f"{words.title}\n{words.state}"))
    for section in words.sections:
        click.echo(f"\n{section.heading}")
        for sentence in section.sentences:
            click.echo(f"  {printable(sentence)}")
        if section.table is not None:
            click.echo()
            echo_table(section.table.head, section.table.rows)
