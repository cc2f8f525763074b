"""The league of suppliers adds up to the report."""

from hypothesis import given
from hypothesis import strategies as st

from carbon.league import Standing, spread
from tests.carbon.reports import row


@given(st.lists(st.tuples(st.sampled_from(["d1", "d2", "d3"]), st.integers(0, 10**6)), max_size=6), st.integers(0, 999))
def test_energy_and_grams_are_divided_without_a_rest(read: list[tuple[str, int]], laptops: int) -> None:
    rows = [row(device, kwh=kwh) for device, kwh in read]
    rows.append(row("", kind="profile", asset_class="laptop", kwh=laptops))
    rows.append(row("", kind="profile", asset_class="monitor", kwh=7))
    rows.append(row("meter:1", kind="rest", kwh=5))
    league: dict[str, Standing] = {}
    counts = {"laptop": {"Dell": 2, "HP": 1, "": 4}}
    spread(rows, lambda device: {"d1": "Dell", "d2": "Acme"}.get(device, ""), counts, league)
    assert sum(one.energy_uj for one in league.values()) == sum(one.activity.activity_uj for one in rows)
    assert sum(one.grams for one in league.values()) == sum(one.grams.total for one in rows)
    of_dell = sum(kwh for device, kwh in read if device == "d1") * 3_600_000_000_000
    assert abs(league["Dell"].energy_uj - of_dell - laptops * 3_600_000_000_000 * 2 / 7) <= 1000
