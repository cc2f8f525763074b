"""Servers' efficiency by year: the packaged medians are those of the results that are named."""

from pathlib import Path

from carbon.server_efficiency import efficiencies, energy_ratio
from tests.benchmarks.server_efficiency import efficiencies as reckoned


def test_the_packaged_medians_are_those_of_the_results(shared: Path) -> None:
    assert efficiencies() == {year: value for year, _, value in reckoned(shared / "power")}


def test_a_new_server_never_needs_more_for_the_same_work() -> None:
    assert all(energy_ratio(year, new) <= 1 for year in range(2000, 2030) for new in range(year, 2031))
