"""Class profiles: hours and watts to whole microjoules by month, which add up to the year's."""

import csv
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon.class_profiles import ClassProfile, month_energy, packaged_profiles, year_by_month
from carbon.device_classes import CLASSES
from carbon.errors import CarbonError

LAPTOP = packaged_profiles()["laptop"]
WATTS = st.floats(0, 500).map(lambda value: round(value, 2))
PROFILES = st.builds(
    ClassProfile,
    device_class=st.sampled_from(["laptop", "monitor"]),
    watts_active=WATTS,
    watts_idle=WATTS,
    watts_asleep=WATTS,
    watts_off=WATTS,
    hours_active=st.integers(0, 8).map(float),
    hours_idle=st.integers(0, 8).map(float),
    hours_asleep=st.integers(0, 8).map(float),
    working_days=st.integers(0, 366),
    other_days=st.sampled_from(["off", "asleep", "idle"]),
    home_share=st.floats(0, 1).map(lambda value: round(value, 2)),
    low_factor=st.just(0.5),
    high_factor=st.just(1.5),
    source=st.just("test"),
)


def year_kwh(name: str, year: int = 2025) -> Decimal:
    return packaged_profiles()[name].year_wh(year) / 1000


def test_a_year_is_its_working_days_and_its_other_days() -> None:
    profile = ClassProfile("laptop", 10, 5, 1, 0.5, 4, 4, 4, 200, "asleep", 0, 1, 1, "test")
    a_working_day = 10 * 4 + 5 * 4 + 1 * 4 + Decimal("0.5") * 12
    assert profile.year_wh(2025) == 200 * a_working_day + 165 * 24
    assert profile.year_wh(2024) == profile.year_wh(2025) + 24


@settings(deadline=None)
@given(PROFILES, st.integers(2016, 2035))
def test_months_add_up_to_the_year_to_the_microjoule(profile: ClassProfile, year: int) -> None:
    months = year_by_month(profile, year)
    assert len(months) == 12
    assert min(months) >= 0
    assert abs(sum(months) - profile.year_wh(year) * 3_600_000_000) <= Decimal("0.5")


@settings(deadline=None)
@given(PROFILES, st.integers(1, 12), st.integers(0, 300_000))
def test_office_and_home_add_up_to_the_whole(profile: ClassProfile, month: int, device_days: int) -> None:
    name = f"2026-{month:02}"
    energy = month_energy(profile, name, device_days)
    whole = month_energy(replace(profile, home_share=0.0), name, device_days)
    assert energy.office_uj + energy.home_uj == whole.office_uj
    assert whole.home_uj == 0
    assert energy.office_low_uj <= energy.office_uj <= energy.office_high_uj


def test_a_hundred_devices_use_a_hundred_times_what_one_does() -> None:
    one, hundred = month_energy(LAPTOP, "2026-06", 30), month_energy(LAPTOP, "2026-06", 3000)
    assert hundred.office_uj + hundred.home_uj == 100 * (one.office_uj + one.home_uj)


def test_a_device_for_half_a_month_uses_half() -> None:
    assert month_energy(replace(LAPTOP, home_share=0.0), "2026-06", 15).office_uj * 2 == pytest.approx(
        month_energy(replace(LAPTOP, home_share=0.0), "2026-06", 30).office_uj, abs=2
    )


@settings(deadline=None)
@given(PROFILES)
def test_short_idle_watts_count_in_idle_hours_alone(profile: ClassProfile) -> None:
    asleep = replace(profile, other_days="asleep")
    more = replace(asleep, watts_idle=asleep.watts_idle + 1)
    hours = Decimal(min(asleep.working_days, 365)) * Decimal(str(asleep.hours_idle))
    assert abs(more.year_wh(2025) - asleep.year_wh(2025) - hours) < Decimal("0.001")


@pytest.mark.parametrize(
    ("name", "median_kwh"),
    [
        ("laptop", 18.8),
        ("desktop", 56.5),
        ("monitor", 40.9),
        ("thin_client", 41.0),
        ("mobile_phone", 7.0),
        ("tablet", 14.75),
        ("printer", 19.24),
    ],
)
def test_packaged_years_are_near_published_medians_within_their_band(name: str, median_kwh: float) -> None:
    """Medians of makers' product carbon footprints (Boavizta): carbon reference section 5, and its embodied_medians.tsv."""
    profile, year = packaged_profiles()[name], float(year_kwh(name))
    assert year * profile.low_factor <= median_kwh <= year * profile.high_factor


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("laptop", "Notebook"),
        ("desktop", "Desktop"),
        ("all_in_one", "Integrated Desktop"),
        ("thin_client", "Thin Client"),
        ("tablet", "Slate/Tablet"),
    ],
)
def test_packaged_watts_are_the_medians_of_the_list_that_is_named(shared: Path, name: str, listed: str) -> None:
    with (shared / "power" / "energystar_computers.tsv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["type"] == listed]
    profile = packaged_profiles()[name]
    assert f"(n = {len(rows):,})" in profile.source
    for column in ("short_idle", "sleep", "off"):
        measured = median(float(row[f"w_{column}"]) for row in rows if row[f"w_{column}"])
        watts = {"short_idle": profile.watts_idle, "sleep": profile.watts_asleep, "off": profile.watts_off}[column]
        assert watts == pytest.approx(measured, abs=0.001)


def test_every_packaged_profile_is_of_an_end_users_class_with_its_source() -> None:
    for name, profile in packaged_profiles().items():
        assert CLASSES[name].end_user
        assert len(profile.source) > 10
    assert {name for name, one in CLASSES.items() if one.end_user} == set(packaged_profiles())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"watts_idle": -1}, "watts"),
        ({"watts_active": float("nan")}, "watts"),
        ({"hours_active": 20, "hours_idle": 20}, "hours"),
        ({"hours_idle": -1}, "hours"),
        ({"working_days": 400}, "working days"),
        ({"other_days": "dancing"}, "dancing"),
        ({"home_share": 1.5}, "home share"),
        ({"low_factor": 1.2}, "band"),
        ({"high_factor": 0.9}, "band"),
        ({"device_class": "toaster"}, "toaster"),
    ],
)
def test_a_profile_that_cannot_be_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(CarbonError, match=words):
        replace(LAPTOP, **change)
