"""Bids over their whole life: electricity by a cleaner grid, making by the footprint that came or by the worst of ten."""

from decimal import Decimal
from fractions import Fraction

import pytest

from carbon.bids import Assumptions, Bid, compare, costed
from carbon.errors import CarbonError
from carbon.factors import packaged_sets
from carbon.green_book import grid_index

LAST = next(one for one in packaged_sets() if one.year == 2025)
WITH = Assumptions(LAST, grid_index("grid_average"), 2026)


def bid(option: str = "A", **changes: object) -> Bid:
    values: dict[str, object] = {
        "option": option,
        "device_class": "laptop",
        "description": "L",
        "devices": 100,
        "kwh_a_year": Decimal("18.5"),
        "life_years": Decimal("2.5"),
        "price": Decimal(90_000),
        "embodied_kg": Decimal(225),
        "document": "l.pdf",
    }
    return Bid(**{**values, **changes})  # type: ignore[arg-type]  # each value is of its field


def test_each_years_electricity_is_by_the_index_of_that_year_on_the_last_actual_factors() -> None:
    found = costed(bid(), WITH)
    # Green Book grid average: 2025 0.126655, 2030 0.047623, on a line between.
    step = (Fraction("0.126655") - Fraction("0.047623")) / 5
    lines = [Fraction(str(one)) for one in ("0.177", "0.01853", "0.0459", "0.00397")]
    for year, part in ((2026, 1), (2027, 1), (2028, Fraction(1, 2))):
        index = (Fraction("0.126655") - step * (year - 2025)) / Fraction("0.126655")
        expected = sum(round(1850 * part * one * index * 1000) for one in lines)
        assert abs(found.use_g[year] - expected) <= 4  # the index has 28 digits
    assert set(found.use_g) == {2026, 2027, 2028}
    assert found.kwh == Decimal(4625)
    assert found.embodied_g == 22_500_000


def test_a_bid_without_a_footprint_gets_its_categorys_90th_percentile_and_is_not_favoured() -> None:
    told, silent = compare([bid(), bid("B", embodied_kg=None, document="")], WITH)
    assert silent.embodied_g == 33_900_000
    assert (told.without_footprint, silent.without_footprint) == (0, 100)
    assert "90% of 422 products of category laptop" in silent.lines[0].embodied_source
    with pytest.raises(CarbonError, match="no category could stand for a switch: ask for it"):
        costed(bid(device_class="switch", embodied_kg=None), WITH)


def test_an_options_lines_add_up_and_a_price_that_is_missing_is_no_0() -> None:
    with_rate = Assumptions(LAST, grid_index("grid_average"), 2026, Decimal("1.8"), Decimal("0.25"))
    [option] = compare([bid(), bid(device_class="monitor", devices=50, price=None)], with_rate)
    assert option.devices == 150
    assert option.total_g == option.use_g + option.embodied_g == sum(one.total_g for one in option.lines)
    assert option.price is None
    assert option.kwh == Decimal("18.5") * Decimal("2.5") * Decimal("1.8") * 150
    assert option.electricity_pounds == option.kwh / 4


def test_years_beyond_the_grids_table_are_refused() -> None:
    with pytest.raises(CarbonError, match="nothing for 2051"):
        costed(bid(life_years=Decimal(5)), Assumptions(LAST, grid_index("grid_average"), 2048))
