"""What a change comes to in a sentence or two: whether less was emitted, or a figure fell for other reasons."""

from carbon.explain import CAUSES, NOT_OURS, NOT_REAL, Explanation
from carbon.wording import mass_words


def verdict(found: Explanation) -> str:
    """The change in words. A figure that moved only, or mostly, because of how it is made is said to have done so."""
    change = found.change_g
    if not change:
        return "The footprint is the same."
    direction = "fell" if change < 0 else "rose"
    first = f"The footprint {direction} by {mass_words(abs(change) / 1000)} CO2e."
    with_it = {cause: part for cause, part in found.causes.items() if part * change > 0}
    accounts = sum(found.causes[cause] for cause in NOT_REAL)
    grid = sum(found.causes[cause] for cause in NOT_OURS)
    own = change - accounts - grid
    if set(with_it) <= NOT_REAL:
        why = f"It {direction} only because {_listed(with_it)}: what is emitted did not change that way."
    elif set(with_it) <= NOT_REAL | NOT_OURS:
        why = f"It {direction} only because {_listed(with_it)}: nothing the organisation did made it so."
    else:
        why = (
            f"Of that, {_signed(own)} is the organisation's own doing, {_signed(grid)} the grid's, and "
            f"{_signed(accounts)} is a change of how figures are made."
        )
    if own * change >= 0:
        return f"{first} {why}"
    return f"{first} {why} The organisation's own doing alone would have made it {'rise' if change < 0 else 'fall'}."


def _listed(parts: dict[str, int]) -> str:
    """The causes by size, in words."""
    words = {
        "coverage": "other parts of the estate are covered",
        "method": "it is measured or estimated in another way",
        "gap_fill": "gaps were filled otherwise",
        "factor_method": "the Government's factors are made in another way",
        "grid_factor": "the grid's electricity became cleaner or dirtier",
    }
    return " and ".join(words[cause] for cause in sorted(parts, key=lambda cause: -abs(parts[cause])))


def _signed(grams: int) -> str:
    return f"{'-' if grams < 0 else '+'}{mass_words(abs(grams) / 1000)}"


def table(found: Explanation) -> list[tuple[str, str, int]]:
    """Every cause with its words and grams, in the order of reports."""
    return [(cause, CAUSES[cause], part) for cause, part in found.causes.items()]
