"""What a measure is worth, as cells of a table, fields of JSON, and lines."""

from collections.abc import Iterator
from decimal import Decimal

from carbon.units import kilograms
from carbon.wording import mass_words
from collector.measures.worth import Rates, Worth

WORTH_HEADS = ("footprint (grid average)", "appraisal (long-run marginal)", "pounds a year")
WORTH_NAMES = (
    "footprint_grid_average_kgco2e",
    "appraisal_long_run_marginal_kgco2e",
    "pounds_a_year",
    "pounds_per_tonne",
    "embodied_payback_years",
)


def worth_cells(worth: Worth) -> tuple[str, str, str]:
    """Under `WORTH_HEADS`; what is not known is "-"."""
    return _mass(worth.footprint_g), _mass(worth.appraisal_g), "-" if worth.pounds is None else f"{worth.pounds:,}"


def worth_body(worth: Worth) -> dict[str, str | None]:
    """Under `WORTH_NAMES`, exact."""
    values = (
        kilograms(worth.footprint_g),
        None if worth.appraisal_g is None else kilograms(worth.appraisal_g),
        worth.pounds,
        worth.pounds_per_tonne,
        worth.payback_years,
    )
    return {name: _text(value) for name, value in zip(WORTH_NAMES, values, strict=True)}


def worth_lines(worth: Worth, rates: Rates, years: int) -> Iterator[str]:
    """What `show` says of it."""
    yield f"footprint, by the grid average: {_mass(worth.footprint_g)} CO2e a year less ({rates.footprint_label})"
    yield f"appraisal, by the long-run marginal: {_mass(worth.appraisal_g)} CO2e a year ({rates.appraisal_label})"
    if worth.pounds is not None:
        yield f"pounds: {worth.pounds:,} a year"
    if worth.pounds_per_tonne is not None:
        yield f"pounds per tonne of footprint over {years} years: {worth.pounds_per_tonne:,}"
    yield (
        "embodied carbon of it is never won back"
        if worth.payback_years is None
        else f"embodied carbon of it is won back in {worth.payback_years} years"
    )


def _mass(grams: int | None) -> str:
    return "-" if grams is None else mass_words(kilograms(grams))


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"
