"""The test estate as the files that a council has: registers, one building's half-hours; and beside them what is true."""

import csv
import datetime
from collections.abc import Iterable, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.data.estate.generate import generate
from tests.data.estate.register import register
from tests.data.estate.truth import DISTRICT, FIRST_DAY, HALF_HOURS, LAST_DAY, Estate, Item

MPAN = "1200060000015"
_LONDON = ZoneInfo("Europe/London")


def write(directory: Path, seed: int = 2030) -> list[Path]:
    """Write all files; their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    estate = generate(seed)
    return [
        *write_registers(directory, estate),
        write_half_hours(directory, estate),
        _csv(directory / "readings.csv", ("device", "kind", "unit", *map(_utc, HALF_HOURS)), _readings(estate)),
    ]


def write_registers(directory: Path, estate: Estate) -> list[Path]:
    """The county's workbook with the list of its faults, and the district's file."""
    made = register(estate)
    book = directory / "register.xlsx"
    made.workbook().save(book)
    faults = _csv(
        directory / "register_faults.csv",
        ("cell", "severity", "what"),
        ((one.cell, one.severity, one.what) for one in made.faults),
    )
    headers = ("Asset tag", "Serial", "Make", "Model", "Type", "Building", "Service area", "Date acquired", "Our share")
    district = [_district(one) for one in estate.items if one.organisation == DISTRICT]
    return [book, faults, _csv(directory / "district.csv", headers, district)]


def write_half_hours(directory: Path, estate: Estate) -> Path:
    """The main building's supply by its meter: a row a day, 48 columns, the missing hour of the change day empty."""
    columns = [f"{minute // 60:02}:{minute % 60:02}" for minute in range(0, 1440, 30)]
    rows = []
    for number in range((LAST_DAY - FIRST_DAY).days + 1):
        day = FIRST_DAY + datetime.timedelta(number)
        cells = dict.fromkeys(columns, "")
        for at in HALF_HOURS:
            local = datetime.datetime.fromtimestamp(at, _LONDON)
            if local.date() == day:
                wh = estate.building_wh[at]
                cells[f"{local:%H:%M}"] = f"{wh // 1000}.{wh % 1000:03}"
        rows.append([MPAN, f"{day:%d/%m/%Y}", *cells.values()])
    return _csv(directory / "county_hall_half_hours.csv", ("MPAN", "Date", *columns), rows)


def _readings(estate: Estate) -> Iterable[Sequence[object]]:
    for one in estate.devices:
        yield (one.name, one.kind, "uJ", *(one.energy_uj.get(at, "") for at in HALF_HOURS))


def _district(one: Item) -> list[object]:
    return [
        one.asset_tag, one.serial, one.vendor, one.model, "Laptop", one.site, one.directorate,
        f"{one.acquired:%d/%m/%Y}" if one.acquired else "", "" if one.share == "1" else f"{float(one.share):.0%}",
    ]  # fmt: skip


def _utc(at: int) -> str:
    return f"{datetime.datetime.fromtimestamp(at, datetime.UTC):%Y-%m-%dT%H:%MZ}"


def _csv(path: Path, headers: Sequence[object], rows: Iterable[Sequence[object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(headers)
        writer.writerows(rows)
    return path
