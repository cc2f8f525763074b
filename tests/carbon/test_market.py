"""Market-based factors: the rungs in order, what falls to the next, and that every kilowatt-hour lies on one."""

import datetime
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.errors import CarbonError
from carbon.footprint_rows import grams
from carbon.market import LOCATION_LABEL, Contract, Mix, Rego, market_based, mix_for, rego_year
from carbon.units import UJ_PER_KWH

DAY = datetime.date
APRIL = DAY(2025, 4, 1)
GRID = Decimal("0.177")


def grid(_month: str) -> Decimal:
    return GRID


def certificates(quantity: int, supplied: int, factor: str = "0", year: int = 2025, name: str = "rego 1") -> Rego:
    retired = DAY(year + 1, 7, 1)
    return Rego(name, *rego_year(year), Decimal(quantity), Decimal(supplied), retired, Decimal(factor))


def mix(year: int, factor: str, name: str = "mix 1") -> Mix:
    return Mix(name, DAY(year, 4, 1), DAY(year + 1, 3, 31), Decimal(factor), "a page")


def corporate(
    *regos: Rego,
    mixes: tuple[Mix, ...] = (),
    sites: frozenset[str] | None = None,
    first: datetime.date = APRIL,
    last: datetime.date | None = None,
    name: str = "Corporate",
) -> Contract:
    return Contract(f"contract {name}", name, "Acme", sites, first, last, regos, mixes)


def use(kwh: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    return {key: amount * UJ_PER_KWH for key, amount in kwh.items()}


def test_without_evidence_the_grid_stands_in_labelled_and_never_zero() -> None:
    [found] = market_based(use({("Hall", "2025-05"): 100}), [corporate()], [], grid).values()
    assert found.kg_per_kwh == GRID
    assert found.evidence == LOCATION_LABEL
    assert LOCATION_LABEL == ("no contract evidence; grid average used, may double count renewables claimed by others")


def test_what_certificates_do_not_cover_falls_to_the_mix_of_the_tariff() -> None:
    contract = corporate(certificates(900, 1200), mixes=(mix(2025, "0.2"),))
    [found] = market_based(
        use({("Hall", "2025-05"): 100}), [contract], [mix(2025, "0.35", "residual 1")], grid
    ).values()
    assert [(one.rung, one.share, one.energy_uj // UJ_PER_KWH) for one in found.parts] == [
        ("rego", Fraction(3, 4), 75),
        ("supplier_mix", Fraction(1, 4), 25),
    ]
    assert found.kg_per_kwh == Decimal("0.05")
    assert found.evidence == (
        "75% REGO of Corporate, 2025/26 [rego 1]; 25% disclosed mix of Acme, 2025-04-01 to 2026-03-31 [mix 1]"
    )


def test_without_a_mix_of_the_tariff_the_rest_takes_the_residual_mix() -> None:
    contract = corporate(certificates(900, 1200))
    [found] = market_based(use({("Hall", "2025-05"): 100}), [contract], [mix(2024, "0.4", "residual 1")], grid).values()
    assert [one.rung for one in found.parts] == ["rego", "residual_mix"]
    assert found.kg_per_kwh == Decimal("0.1")
    assert "(the newest before that month) [residual 1]" in found.evidence


def test_ict_cannot_claim_the_quantity_of_the_whole_contract() -> None:
    contract = corporate(certificates(900, 1_000_000))
    [found] = market_based(use({("Hall", "2025-05"): 100}), [contract], [], grid).values()
    assert found.parts[0].share == Fraction(9, 10_000)


def test_more_ict_than_was_said_to_be_supplied_shares_the_quantity_out() -> None:
    contract = corporate(certificates(100, 100))
    found = market_based(use({("Hall", "2025-05"): 150, ("Library", "2026-03"): 50}), [contract], [], grid)
    assert [one.parts[0].energy_uj // UJ_PER_KWH for one in found.values()] == [75, 25]
    assert "ICT alone used more than the contract is said to have supplied" in found["Hall", "2025-05"].evidence


def test_certificates_hold_from_april_to_march_and_for_no_other_year() -> None:
    contract = corporate(certificates(100, 100), first=DAY(2024, 4, 1))
    found = market_based(
        use({("Hall", "2025-03"): 10, ("Hall", "2025-04"): 10, ("Hall", "2026-04"): 10}), [contract], [], grid
    )
    assert [one.parts[0].rung for one in found.values()] == ["location", "rego", "location"]
    with pytest.raises(CarbonError, match="1 April to 31 March"):
        Rego("r", DAY(2025, 1, 1), DAY(2025, 12, 31), Decimal(1), Decimal(1), DAY(2026, 1, 1), Decimal(0))


def test_several_certificates_of_a_year_add_up_to_at_most_all() -> None:
    contract = corporate(certificates(80, 100), certificates(80, 100, "0.01", name="rego 2"))
    [found] = market_based(use({("Hall", "2025-05"): 100}), [contract], [], grid).values()
    assert [(one.evidence_id, one.share) for one in found.parts] == [
        ("rego 1", Fraction(4, 5)),
        ("rego 2", Fraction(1, 5)),
    ]


def test_a_contract_that_begins_within_a_month_holds_for_its_days() -> None:
    contract = corporate(certificates(100, 100), first=DAY(2025, 6, 16), sites=frozenset({"Hall"}))
    found = market_based(use({("Hall", "2025-06"): 100, ("Depot", "2025-06"): 100}), [contract], [], grid)
    assert [one.share for one in found["Hall", "2025-06"].parts] == [Fraction(1, 2), Fraction(1, 2)]
    assert found["Hall", "2025-06"].kg_per_kwh == GRID / 2
    assert found["Depot", "2025-06"].kg_per_kwh == GRID


def test_two_contracts_of_one_site_and_day_contradict_each_other() -> None:
    one = corporate(last=DAY(2025, 6, 15))
    after = corporate(first=DAY(2025, 6, 16), name="After")
    market_based(use({("Hall", "2025-06"): 1}), [one, after], [], grid)
    with pytest.raises(CarbonError, match="Hall is supplied by Corporate and by After"):
        market_based(use({("Hall", "2025-06"): 1}), [corporate(), after], [], grid)


def test_a_mix_is_used_for_two_years_after_its_end_at_most() -> None:
    assert mix_for([mix(2022, "0.3")], "2025-03") is not None
    assert mix_for([mix(2022, "0.3")], "2025-04") is None
    assert mix_for([mix(2026, "0.3")], "2025-03") is None


@given(
    quantity=st.integers(1, 10**7),
    supplied=st.integers(1, 10**7),
    energies=st.lists(st.integers(-(10**12), 10**16), min_size=1, max_size=12),
    day=st.integers(1, 28),
)
def test_every_microjoule_lies_on_one_rung(quantity: int, supplied: int, energies: list[int], day: int) -> None:
    contract = corporate(certificates(quantity, supplied, "0.011"), mixes=(mix(2025, "0.2"),), first=DAY(2025, 4, day))
    months = {
        ("Hall", f"2025-{month + 4:02d}" if month < 9 else f"2026-0{month - 8}"): uj
        for month, uj in enumerate(energies)
    }
    found = market_based(months, [contract], [], grid)
    for key, energy in months.items():
        assert sum(one.energy_uj for one in found[key].parts) == energy
        assert sum(one.share for one in found[key].parts) == 1
        apart = sum(grams(one.energy_uj, one.kg_per_kwh) for one in found[key].parts)
        assert abs(grams(energy, found[key].rate.kg_per_kwh) - apart) <= 2
    covered = sum(one.energy_uj for all_of in found.values() for one in all_of.parts if one.rung == "rego")
    assert covered <= max(quantity * UJ_PER_KWH, 0) + len(months)
