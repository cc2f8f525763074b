"""What a building's meter measured beyond the ICT of its site: told where it can be, and where it cannot be, why."""

import pytest

from collector.building_meters import BuildingMeter, Buildings

HOUR = 3600


def meter(
    number: int, energy_uj: int, *, hours: int = 10, site_id: int | None = 1, purpose: str = "whole_building"
) -> BuildingMeter:
    return BuildingMeter(number, f"d{number}", f"mpan/{number}", purpose, site_id, energy_uj, hours * HOUR)


@pytest.mark.parametrize(
    ("meters", "linked", "energy_uj", "why"),
    [
        ([meter(1, 100)], (), 70, "the building's meters, less all that is counted"),
        ([meter(1, 100), meter(2, 50)], (), 120, "the building's meters"),
        ([meter(1, 100), meter(2, 50, purpose="ict"), meter(3, 7, site_id=2)], (), 70, "the building's meters"),
        ([meter(1, 100, hours=9)], (), 70, "the building's meters"),
        ([meter(1, 100), meter(2, 50, hours=8)], (), 0, "less than 90% of the time"),
        ([meter(1, 100)], (1,), 0, "link this one too"),
        ([meter(1, 29)], (), 0, "look at places and profiles"),
    ],
)
def test_the_rest_of_a_site_is_what_its_buildings_meters_have_beyond_its_ict(
    meters: list[BuildingMeter], linked: tuple[int, ...], energy_uj: int, why: str
) -> None:
    rest = Buildings(meters, frozenset(linked)).rest(1, 30, 10 * HOUR)
    assert rest is not None
    assert (rest.energy_uj, why in rest.why) == (energy_uj, True)


@pytest.mark.parametrize("meters", [[], [meter(1, 100, purpose="ict")], [meter(1, 100, site_id=2)]])
def test_a_site_without_a_meter_of_its_building_has_no_rest(meters: list[BuildingMeter]) -> None:
    assert Buildings(meters, frozenset()).rest(1, 30, 10 * HOUR) is None


def test_meters_that_stand_nowhere_have_no_rest() -> None:
    assert Buildings([meter(1, 100, site_id=None)], frozenset()).rest(None, 30, 10 * HOUR) is None
