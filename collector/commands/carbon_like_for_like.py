"""`ictagent carbon like-for-like`: two periods as published, and the earlier one as if it had been counted as the later one."""

import time
from pathlib import Path

import click

from agent.commands.common import echo_json, echo_table, output_option
from carbon.base_year import LikeForLike, like_for_like
from carbon.calendar import financial_year_label
from carbon.errors import CarbonError
from carbon.explain import CAUSES
from carbon.units import kilograms
from carbon.wording import mass_words
from collector.base_years import KeptBaseYear, base_years
from collector.commands.carbon_options import ORGANISATION, STATE
from collector.commands.carbon_period import POSSIBLE, Months, read_period
from collector.commands.common import database_of, plain_errors
from collector.errors import BadRequest
from collector.explanation import explained
from collector.register_queries import find_organisation


@click.command(
    "like-for-like",
    epilog="\b\nExamples:\n"
    "  ictagent carbon like-for-like --from FY2023 --to FY2024\n"
    "  ictagent carbon like-for-like --from 2024-04 --to 2025-04 --output json",
)
@click.option("--from", "before", required=True, callback=read_period, metavar="PERIOD", help=f"Earlier: {POSSIBLE}.")
@click.option("--to", "after", required=True, callback=read_period, metavar="PERIOD", help="Later, in the same form.")
@ORGANISATION
@STATE
@output_option()
def like(before: Months, after: Months, organisation: str | None, state_directory: Path | None, output: str) -> None:
    """What changed once both periods are counted alike: by the later one's coverage, measuring, filling and factor method.

    Only months that are over in both are compared. What came by counting alone is named, and whether it calls for a
    recalculation of the base year.
    """
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        try:
            whole = explained(connection, organisation_id, before, after, now)
        except CarbonError as error:
            raise BadRequest(str(error), "give later periods") from error
        held = base_years(connection, organisation_id)
    found = like_for_like(whole.explanation)
    base = held[-1] if held else None
    spans = tuple((one.first_month, one.last_month) for one in (whole.before, whole.after))
    if output == "json":
        echo_json(_exact(found, base, spans))
    else:
        _show(found, base, spans)


def _exact(found: LikeForLike, base: KeptBaseYear | None, spans: tuple[tuple[str, str], ...]) -> dict[str, object]:
    return {
        "before": {"from": spans[0][0], "to": spans[0][1]},
        "after": {"from": spans[1][0], "to": spans[1][1]},
        "published_before_kgco2e": f"{kilograms(found.before_published_g):f}",
        "published_after_kgco2e": f"{kilograms(found.after_published_g):f}",
        "published_change_kgco2e": f"{kilograms(found.published_change_g):f}",
        "like_for_like_before_kgco2e": f"{kilograms(found.before_g):f}",
        "like_for_like_change_kgco2e": f"{kilograms(found.change_g):f}",
        "by_counting_kgco2e": {cause: f"{kilograms(grams):f}" for cause, grams in found.by_counting.items()},
        "recalculate_base_year": None if base is None else base.base.recalculate(sum(found.by_counting.values())),
    }


def _show(found: LikeForLike, base: KeptBaseYear | None, spans: tuple[tuple[str, str], ...]) -> None:
    rows = [
        ("as published", found.before_published_g, found.after_published_g, found.published_change_g),
        ("like for like", found.before_g, found.after_published_g, found.change_g),
    ]
    heads = ("", *(" to ".join(span) for span in spans), "change")
    echo_table(heads, [(name, *(mass_words(kilograms(grams)) for grams in amounts)) for name, *amounts in rows])
    for cause, grams in found.by_counting.items():
        if grams:
            click.echo(f"{CAUSES[cause]}: {mass_words(kilograms(grams))}")
    if base is None:
        click.echo("no base year was entered: ictagent carbon base-year set", err=True)
    elif base.base.recalculate(sum(found.by_counting.values())):
        year = financial_year_label(base.base.year)
        click.echo(f"that is over {base.base.threshold:%} of the base year {year}: recalculate it")
