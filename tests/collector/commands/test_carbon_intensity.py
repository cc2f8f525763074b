"""`ictagent carbon intensity`, and the running collector's job, against a real HTTP service on loopback."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from collector.database.engine import Database
from collector.service import Collector
from collector.settings import CollectorSettings
from tests.collector.commands.carbon_cli import CarbonCommands
from tests.servers.intensity_api import HALF_HOUR, Api, intensity_api
from tests.servers.process import wait_until


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    with intensity_api() as served:
        served.now = int(time.time())
        monkeypatch.setenv("ICTAGENT_COLLECTOR_GRID_INTENSITY", "true")
        monkeypatch.setenv("ICTAGENT_COLLECTOR_GRID_INTENSITY_URL", served.url)
        yield served


@pytest.fixture
def carbon(sqlite_database: Database, tmp_path: Path) -> CarbonCommands:
    return CarbonCommands(sqlite_database, tmp_path)


def test_nobody_is_asked_unless_it_is_configured(carbon: CarbonCommands) -> None:
    assert "set grid_intensity = true" in carbon.refused("intensity", "fetch", "--from", "2026-11-01")
    assert carbon.json("intensity", "status")["on"] is False


def test_days_are_fetched_once_and_their_gaps_are_shown(carbon: CarbonCommands, api: Api) -> None:
    span = ("--from", "2026-03-01", "--to", "2026-03-31")
    assert len(carbon.json("intensity", "fetch", *span, "--dry-run")) == 3
    assert api.asked == []
    missing = 1_772_323_200 + 20 * HALF_HOUR
    api.missing = {missing}
    told = carbon.json("intensity", "fetch", *span)
    assert (told["calls"], told["half_hours"], told["problems"]) == (3, 31 * 48 - 2 - 1, [])
    status = carbon.json("intensity", "status")
    assert status["on"] is True
    assert [one["gaps"] for one in status["regions"]] == [
        [{"first": "2026-03-01T10:00:00Z", "last": "2026-03-01T10:00:00Z"}]
    ]
    assert "gap of Great Britain: 2026-03-01T10:00:00Z to 2026-03-01T10:30:00Z" in carbon.done("intensity", "status")
    assert carbon.json("intensity", "fetch", *span)["calls"] == 1
    assert carbon.audited() == ["carbon.intensity.fetch"] * 2


def test_what_cannot_be_had_now_is_said_and_ends_with_1(carbon: CarbonCommands, api: Api) -> None:
    api.broken = True
    result = carbon.run("intensity", "fetch", "--from", "2026-03-01", "--to", "2026-03-02")
    assert result.exit_code == 1
    assert "national: the Carbon Intensity API answers 500" in result.stderr
    assert "never answered" in carbon.done("intensity", "status")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("URL", "http://mirror.example", "is not encrypted: use https"),
        ("URL", "api.carbonintensity.org.uk", "grid_intensity_url"),
        ("PROXY", "proxy.example:3128", "is no proxy such as http://proxy.example:3128"),
        ("PROXY", "http://name:word@proxy.example:3128", "is no proxy such as http://proxy.example:3128"),
    ],
)
def test_an_address_that_cannot_work_is_refused_before_anything_is_asked(
    carbon: CarbonCommands, monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(f"ICTAGENT_COLLECTOR_GRID_INTENSITY_{name}", value)
    result = carbon.run("intensity", "status")
    assert result.exit_code == 78
    assert told in result.stderr


def test_without_half_hours_there_is_nothing_to_show(carbon: CarbonCommands) -> None:
    assert carbon.json("intensity", "show", "--from", "2026-03", "--to", "2026-03") == []
    assert carbon.done("intensity", "show", "--from", "2026-03", "--output", "csv").startswith("site,month,region,kwh,")


def test_a_running_collector_asks_by_itself_and_writes_the_series(tmp_path: Path, api: Api) -> None:
    settings = CollectorSettings(state_directory=tmp_path, grid_intensity=True, grid_intensity_url=api.url)
    running = Collector(settings)
    running.start()
    try:
        wait_until(lambda: len(points(running)) >= 4 * 48, "two days as they were and two ahead")
        found = points(running)
        assert [one["subject"] for one in running.problems()] == []
        api.broken = True
        running.fetch_grid_intensity()
        assert [(one["subject"], one["blocking"]) for one in running.problems()] == [("grid intensity", False)]
    finally:
        running.stop()
    past = max(at for at, values in found.items() if "actual_grams_per_kwh" in values)
    assert past == max(at for at in found if at + HALF_HOUR <= api.now)
    assert found[past] == {
        "actual_grams_per_kwh": api.actual(past),
        "forecast_grams_per_kwh": api.forecast(past),
        "index": "moderate",
    }


def points(running: Collector) -> dict[int, Mapping[str, object]]:
    """Great Britain's points in the embedded store by half-hour."""
    series = running.points.read("grid_intensity", 0, 2**62, {"region": "national"})
    return {at // 10**9: values for one in series for at, values in one.points}
