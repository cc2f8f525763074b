"""What commands of `ictagent carbon` share: exact numbers, days, evidence files, whose they are."""

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click

STATE = click.option("--state-directory", type=click.Path(path_type=Path), help="Where the collector's data are kept.")
ORGANISATION = click.option("--organisation", help="Whose; the first organisation's without.")
DOCUMENT = click.option(
    "--document",
    type=click.Path(path_type=Path),
    required=True,
    help="The evidence file; its name and SHA-256 are kept, the file stays yours.",
)
REASON = click.option("--reason", required=True, help="Why, for the audit log.")
DAY = click.DateTime(["%Y-%m-%d"])


def number(value: Any) -> Decimal:
    """A number of 0 or more as it is written, for an option's `type`: `0.1770` stays what it is."""
    try:
        found = Decimal(str(value).replace(",", ""))
    except InvalidOperation as error:
        raise click.BadParameter(f"{value!r} is no number") from error
    if not found.is_finite() or found < 0:
        raise click.BadParameter(f"{value!r} is no number of 0 or more")
    return found


NUMBER = click.types.FuncParamType(number)
"""An exact number of 0 or more, for an option's `type`."""
