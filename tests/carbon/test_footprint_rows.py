"""Emissions of atoms: whole grams that add up by any key, market beside location."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from carbon.activity import Activity, Subject, Supply
from carbon.factors import Applied, packaged_sets
from carbon.footprint_rows import LINES, Grams, MarketRate, footprint_row, footprint_rows, grams, total

_2025 = Applied(next(one for one in packaged_sets() if one.year == 2025), provisional=False)
_AMOUNTS = st.integers(0, 10**17)


def _activity(
    site: str = "County Hall", supply: Supply = "own", measured_uj: int = 0, filled_uj: int = 0, overhead_uj: int = 0
) -> Activity:
    subject = Subject("2025-06", "council", "", site, "", "", "servers", "server", False, "device", "d1", supply)
    return Activity(subject, Fraction(1), measured_uj=measured_uj, filled_uj=filled_uj, overhead_uj=overhead_uj)


def test_a_thousand_kilowatt_hours_are_the_sets_four_lines_in_grams() -> None:
    row = footprint_row(_activity(measured_uj=1000 * 3_600_000_000_000), _2025)
    assert row.grams == Grams(177_000, 18_530, 45_900, 3_970, 177_000)
    assert row.grams.total == 245_400
    assert (row.scope, row.scope_3_category) == ("2", "")


def test_overhead_is_in_the_activity_and_a_market_rate_replaces_generation_alone() -> None:
    activity = _activity(measured_uj=3_600_000_000_000, overhead_uj=3_600_000_000_000)
    row = footprint_row(activity, _2025, MarketRate(Decimal(0), "REGO"))
    assert row.grams.s2_generation == 354
    assert row.grams.s2_market == 0
    assert row.grams.market_total == row.grams.total - 354


def test_homes_and_landlords_supplies_are_scope_3() -> None:
    assert footprint_row(_activity(supply="home"), _2025).scope_3_category == "7"
    assert footprint_row(_activity(supply="landlord"), _2025).scope_3_category == "8"


@given(_AMOUNTS, st.decimals(0, 5, places=11))
def test_grams_are_the_nearest_whole_ones(energy_uj: int, factor: Decimal) -> None:
    exact = Fraction(energy_uj, 3_600_000_000_000) * Fraction(factor) * 1000
    assert abs(exact - grams(energy_uj, factor)) <= Fraction(1, 2)


@given(st.lists(st.tuples(st.sampled_from("ABC"), _AMOUNTS, _AMOUNTS), max_size=20))
def test_sites_add_up_to_the_whole_to_the_gram(parts: list[tuple[str, int, int]]) -> None:
    activities = [_activity(site, measured_uj=measured, filled_uj=filled) for site, measured, filled in parts]
    rows = footprint_rows(activities, lambda _: _2025)
    by_site = [total(row for row in rows if row.activity.subject.site == site) for site in "ABC"]
    whole = total(rows)
    assert by_site[0] + by_site[1] + by_site[2] == whole
    assert whole.total == sum(getattr(whole, name) for name in LINES)
