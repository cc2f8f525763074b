"""Two financial years of an estate, reckoned a second time from the plain values of which it was made.

What is expected rests on no code of the product: calendar, fills, PUE, profile, factors and rounding are written again here.
"""

import csv
import datetime
import io
import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from carbon.report import Report
from collector.database.engine import Database, open_database
from collector.explanation import explained
from collector.footprints import report_of
from tests.collector.commands.carbon_cli import CarbonCommands
from tests.system.two_years_estate import (
    ENDS,
    ESTATE,
    HALF_HOUR,
    LAPTOPS,
    LONDON,
    PLACES,
    PUES,
    TURN,
    Device,
    at,
    load,
    outlet_readings,
)

NOW = at("2026-06-01")
KWH = 3_600_000_000_000
FACTORS = {
    "2024": ("0.20705", "0.01830", "0.04590", "0.00397"),
    "2025": ("0.17700", "0.01853", "0.04590", "0.00397"),
}
"""Generation, T&D, WTT of generation, WTT of T&D; carbon reference, section 1. By majority 2024/25 has the set 2024."""
FINANCIAL_YEARS = {"2024": "2024/25", "2025": "2025/26"}
MONTHS = [f"{2024 + (3 + n) // 12}-{(3 + n) % 12 + 1:02}" for n in range(24)]


@dataclass
class Atom:
    """What a device, or the laptops at one place, used in a month."""

    site: str
    scope: tuple[str, str]
    count: Fraction
    measured: int = 0
    estimated: int = 0
    filled: int = 0
    overhead: int = 0
    pue: str = "1"
    covered: int = 0

    @property
    def it(self) -> int:
        return self.measured + self.estimated + self.filled

    def energies(self) -> tuple[int, int, int, int]:
        return self.measured, self.estimated, self.filled, self.it + self.overhead

    def grams(self, month: str) -> tuple[int, ...]:
        energy = Fraction(self.it + self.overhead, KWH)
        return tuple(round(energy * Fraction(factor) * 1000) for factor in FACTORS[set_of(month)])


def set_of(month: str) -> str:
    return "2024" if month < "2025-04" else "2025"


def bounds(month: str) -> tuple[int, int]:
    following = MONTHS.index(month) + 1
    return at(f"{month}-01"), at(f"{MONTHS[following]}-01") if following < len(MONTHS) else ENDS


def local(time: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(time, LONDON)


def gap_fill(time: int, seconds: int, readings: dict[int, tuple[int, int]]) -> int:
    """By the same local weekday and time of the four weeks before, else of those after."""
    wall = local(time).replace(tzinfo=None)
    for direction in (-1, 1):
        energy = covered = 0
        for week in range(1, 5):
            there = wall + datetime.timedelta(days=7 * week * direction)
            about = int(there.replace(tzinfo=datetime.UTC).timestamp())
            for one in (about - 3600, about):
                if one in readings and local(one).replace(tzinfo=None) == there:
                    energy += readings[one][0]
                    covered += readings[one][1]
        if covered:
            return round(Fraction(energy * seconds, covered))
    raise AssertionError(f"the estate has no week beside {wall}")


def device_atoms(device: Device) -> dict[str, Atom]:
    readings, expected = device.readings(), {}
    outlet = outlet_readings()
    for month in MONTHS:
        begins, ends = bounds(month)
        first, last = max(begins, device.begins), min(ends, device.ends)
        if first >= last:
            continue
        place = device.place_at(begins)
        scope = ("3", "8") if place in ("rented", "cage") else ("2", "")
        atom = expected[month] = Atom(PLACES[place][0], scope, Fraction(last - first, ends - begins))
        by_outlet = device.name == "replaced" and begins >= TURN
        for time in range(first, last, HALF_HOUR):
            energy, covered = (outlet if by_outlet else readings).get(time, (0, 0))
            if device.estimated and not by_outlet:
                atom.estimated += energy
            else:
                atom.measured += energy
            atom.covered += covered
            if covered < HALF_HOUR:
                atom.filled += gap_fill(time, HALF_HOUR - covered, readings)
        if place == "room":
            atom.pue = next(pue for since, pue in reversed(PUES) if begins >= since)
    return expected


def split(whole: int, weights: list[int]) -> list[int]:
    """By largest remainder, the earlier first of equal ones."""
    shares = [Fraction(whole * weight, sum(weights)) for weight in weights]
    parts = [int(share) for share in shares]
    order = sorted(range(len(parts)), key=lambda place: (parts[place] - shares[place], place))
    for place in order[: whole - sum(parts)]:
        parts[place] += 1
    return parts


def laptop_atoms() -> dict[tuple[str, str, str], Atom]:
    """225 working days of 69.55 Wh (12 W for 3.5 h, 5.5 W for 4 h, 0.6 W for 2 h, 0.3 W else), others of 7.2 Wh (off);
    working days lie evenly over a year's weekdays; 40% is used at home.
    """
    working, other, hour = Fraction("69.55"), Fraction("7.2"), 3_600_000_000
    found = {}
    for year in (2024, 2025, 2026):
        days = [datetime.date(year, 1, 1) + datetime.timedelta(days=n) for n in range(366 if year == 2024 else 365)]
        weekdays = sum(day.weekday() < 5 for day in days)
        weights = []
        for month in range(1, 13):
            mine = [day for day in days if day.month == month]
            worked = Fraction(225 * sum(day.weekday() < 5 for day in mine), weekdays)
            weights.append(int((worked * working + (len(mine) - worked) * other) * hour))
        year_uj = round((225 * working + (len(days) - 225) * other) * hour)
        for month, one in enumerate(split(year_uj, weights), 1):
            if (name := f"{year}-{month:02}") in MONTHS:
                home = round(Fraction(LAPTOPS * one * 4, 10))
                office, site = LAPTOPS * one - home, PLACES["office"][0]
                found["", name, "own"] = Atom(site, ("2", ""), Fraction(office, one), estimated=office)
                found["", name, "home"] = Atom(site, ("3", "7"), Fraction(home, one), estimated=home)
    return found


@pytest.fixture(scope="module")
def expected() -> dict[tuple[str, str, str], Atom]:
    """By device, month and whose electricity it is."""
    found = laptop_atoms()
    supplies = {"": "own", "8": "landlord"}
    for device in ESTATE:
        for month, atom in device_atoms(device).items():
            found[device.name, month, supplies[atom.scope[1]]] = atom
    for month in MONTHS:
        room = [found[name, month, "own"] for name in ("steady", "neighbour")]
        whole = round(sum(atom.it for atom in room) * (Fraction(room[0].pue) - 1))
        for atom, part in zip(room, split(whole, [atom.it for atom in room]), strict=True):
            atom.overhead = part
    return found


@pytest.fixture(scope="module")
def state_directory(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    directory = tmp_path_factory.mktemp("two_years")
    shutil.copyfile(sqlite_template, directory / "ictagent.db")
    return directory


@pytest.fixture(scope="module")
def estate(state_directory: Path) -> Iterator[Database]:
    database = open_database(state_directory / "ictagent.db")
    with database.write() as connection:
        load(connection)
    yield database
    database.close()


@pytest.fixture(scope="module")
def report(estate: Database) -> Report:
    return report_of(estate, 1, MONTHS[0], MONTHS[-1], NOW)


def test_every_atom_of_two_years_is_what_the_estates_plain_values_give(
    report: Report, expected: dict[tuple[str, str, str], Atom]
) -> None:
    told: dict[tuple[str, str, str], tuple[object, ...]] = {}
    for row in report.rows:
        one, subject = row.activity, row.activity.subject
        if subject.kind == "rest":
            # The outlet's reading is its device's whole.
            assert (one.activity_uj, row.grams.total) == (0, 0)
            continue
        key = (subject.device, subject.month, str(subject.supply))
        assert key not in told
        energies = (one.measured_uj, one.estimated_uj, one.filled_uj, one.activity_uj)
        lines = (row.grams.s2_generation, row.grams.s3_td, row.grams.s3_wtt_generation, row.grams.s3_wtt_td)
        place = (subject.site, (row.scope, row.scope_3_category))
        told[key] = (energies, lines, place, Decimal(str(one.pue.value)), one.count, one.covered_seconds)
    assert told.keys() == expected.keys()
    for key, atom in expected.items():
        place = (atom.site, atom.scope)
        wanted = (atom.energies(), atom.grams(key[1]), place, Decimal(atom.pue), atom.count, atom.covered)
        assert told[key] == wanted, key
    filled = {key[0] for key, atom in expected.items() if atom.filled}
    assert filled == {"steady", "neighbour", "gappy"}


@pytest.mark.parametrize("by_month", [True, False])
def test_every_amount_of_the_csv_is_the_sum_of_its_atoms(
    estate: Database, report: Report, state_directory: Path, expected: dict[tuple[str, str, str], Atom], by_month: bool
) -> None:
    wanted: dict[tuple[str, ...], list[Fraction]] = defaultdict(lambda: [Fraction(0)] * 10)
    amounts: list[Fraction]
    key: tuple[str, ...]
    for (_, month, _), atom in expected.items():
        starts = at(f"{month}-01" if by_month else f"{set_of(month)}-04-01")
        period = datetime.datetime.fromtimestamp(starts, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        year, factors = FINANCIAL_YEARS[set_of(month)], set_of(month)
        key = (year, period, atom.site, *atom.scope, str(Decimal(atom.pue).normalize()), factors)
        grams = atom.grams(month)
        count = atom.count if by_month else atom.count / 12
        amounts = [*map(Fraction, (*atom.energies(), *grams, grams[0])), count]
        wanted[key] = [before + more for before, more in zip(wanted[key], amounts, strict=True)]
    told: dict[tuple[str, ...], list[Fraction]] = {}
    by = ("site", "month") if by_month else ("site",)
    options = [word for name in by for word in ("--by", name)]
    found = CarbonCommands(estate, state_directory).done("export", "--from", "FY2024", "--to", "FY2025", *options)
    keys = ("financial_year", "period_start_utc", "site", "ghg_scope", "scope3_category")
    kwh = ("measured_kwh", "estimated_kwh", "filled_kwh", "activity_kwh")
    kilograms = ("lb_s2_gen_kgco2e", "s3_td_kgco2e", "s3_wtt_gen_kgco2e", "s3_wtt_td_kgco2e", "mb_s2_kgco2e")
    for line in csv.DictReader(io.StringIO(found)):
        pue = str(Decimal(line["pue_applied"]).normalize())
        key = (*(line[name] for name in keys), pue, line["factor_set"])
        energies = [Fraction(round(Fraction(line[name]) * KWH)) for name in kwh]
        amounts = [*energies, *(Fraction(line[name]) * 1000 for name in kilograms), Fraction(line["count"])]
        told[key] = [a + b for a, b in zip(told.get(key, [Fraction(0)] * 10), amounts, strict=True)]
    assert told.keys() == wanted.keys()
    for key, amounts in wanted.items():
        assert told[key][:9] == amounts[:9], key
        assert abs(told[key][9] - amounts[9]) < Fraction(1, 100_000), key


def test_the_change_between_the_years_is_explained_to_the_gram_by_the_causes_that_were_seeded(
    estate: Database, report: Report, expected: dict[tuple[str, str, str], Atom]
) -> None:
    with estate.read() as connection:
        found = explained(connection, 1, (MONTHS[0], MONTHS[11]), (MONTHS[12], MONTHS[23]), NOW).explanation
    years = {"2024": 0, "2025": 0}
    for (_, month, _), atom in expected.items():
        years[set_of(month)] += sum(atom.grams(month))
    assert (found.before_g, found.after_g) == (years["2024"], years["2025"])
    assert sum(found.causes.values()) == found.change_g == years["2025"] - years["2024"]
    causes: dict[str, set[str]] = defaultdict(set)
    for identity, parts in found.of.items():
        if identity[0] == "device":
            causes[identity[1]] |= {cause for cause, part in parts.items() if part}
    seeded = {
        "steady": {"pue", "gap_fill"},
        "neighbour": {"pue", "gap_fill"},
        "gappy": {"gap_fill"},
        "retired": {"retired"},
        "added": {"added"},
        "replaced": {"method"},
        "modelled": {"method"},
        "moved": {"moved"},
    }
    for name, of in seeded.items():
        assert of <= causes[name], (name, causes[name])
    for cause in ("pue", "gap_fill", "retired", "added", "moved", "method"):
        assert {name for name in causes if cause in causes[name]} == {name for name in seeded if cause in seeded[name]}
    assert found.causes["grid_factor"] < 0
    assert found.causes["factor_method"] == 0  # both sets describe the grid of two years before
