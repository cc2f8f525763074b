"""What measures are worth by two factors and a price, and what they saved in truth."""

import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import update

from carbon.calendar import day_bounds
from carbon.factors import packaged_sets
from carbon.green_book import packaged_tables
from collector.database.engine import Database
from collector.database.schema import device
from tests.collector.commands.carbon_cli import CarbonCommands
from tests.collector.estate_of_tests import KWH, ZONE, EstateOfTests

DONE = datetime.date(2026, 4, 1)
NOW = day_bounds(datetime.date(2026, 7, 10), ZONE)[0]


def at(date: datetime.date) -> int:
    return day_bounds(date, ZONE)[0]


@pytest.fixture
def carbon(sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CarbonCommands:
    monkeypatch.setattr("time.time", lambda: float(NOW))
    return CarbonCommands(sqlite_database, tmp_path)


def test_a_saving_has_two_figures_in_carbon_and_pounds_with_a_price_alone(carbon: CarbonCommands) -> None:
    carbon.done("measure", "add", "newer hosts", "--kwh", "10000", "--cost", "5000", "--embodied-kg", "2000")
    (one,) = carbon.json("measure", "list")
    factor = next(one.total for one in packaged_sets() if one.year == 2026)
    table = packaged_tables()["electricity_factors"]
    marginal, average = (table.at(name, 2026).value for name in ("long_run_marginal", "grid_average"))
    assert Decimal(one["footprint_grid_average_kgco2e"]) == 10_000 * factor
    appraised = Decimal(one["appraisal_long_run_marginal_kgco2e"])
    assert appraised == pytest.approx(10_000 * factor * marginal / average)
    assert (one["pounds_a_year"], one["pounds_per_tonne"]) == (None, None)
    assert Decimal(one["embodied_payback_years"]) == round(2000 / (10_000 * factor), 1)
    priced = carbon.json("measure", "show", "1", "--pence-per-kwh", "30", "--years", "1")
    assert (priced["pounds_a_year"], priced["pounds_per_tonne"]) == (
        "3000.00",
        f"{round(2000 / (10 * factor), 2)}",
    )
    assert "appraisal, by the long-run marginal" in carbon.done("measure", "show", "1")
    assert "appraisal (long-run marginal)" in carbon.done("measure", "list")
    assert "footprint_grid_average_kgco2e" in carbon.done("measure", "list", "--output", "csv").splitlines()[0]


def test_a_measure_is_verified_by_the_days_before_and_after(carbon: CarbonCommands) -> None:
    before, after = at(datetime.date(2025, 12, 20)), NOW
    with carbon.database.write() as connection:
        estate = EstateOfTests(connection)
        for name in ("dimmed", "gone"):
            estate.device(name)
            estate.measure(estate.own_meter(name), before, at(DONE), KWH // 4)
        estate.measure(estate.own_meter("dimmed"), at(DONE), after, KWH // 8)
        connection.execute(update(device).where(device.c.id == "gone").values(retired_at=at(DONE) - 60))
    for name in ("dimmed", "gone"):
        carbon.done("measure", "add", name, "--kwh", "100", "--device", name)
    carbon.done("measure", "add", "no device", "--kwh", "1")
    assert carbon.json("measure", "verify") == []
    for number in ("1", "2", "3"):
        carbon.done("measure", "done", number, "--on", DONE.isoformat())
    found = {one["title"]: one for one in carbon.json("measure", "verify")}
    assert Decimal(found["dimmed"]["verified_kwh"]) == 365 * 6
    assert Decimal(found["gone"]["verified_kwh"]) == 365 * 12
    assert found["no device"]["why_not"] == "it names no device"
    carbon.done("measure", "done", "1", "--on", "2026-07-01")
    assert "dimmed: 81 days are still to come" in carbon.done("measure", "verify", "1")
