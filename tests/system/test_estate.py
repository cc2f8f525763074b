"""The first-week estate in the product: its register comes over whole, and its totals are what an independent count gives."""

import csv
import json
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from agent.cli import main
from collector.activities import activities
from collector.database.engine import Database, open_database
from collector.database.metadata import metadata
from collector.database.migrate import migrate
from collector.database.schema import guest_energy, ledger_day, meter, organisation
from collector.estate_coverage import estate_coverage
from collector.estate_totals import EstateTotals, estate_totals, kwh
from collector.metering_view import NO_SITE, estate_tree
from collector.organisation import add_organisation, read_organisation
from collector.power_path import WantedLink, find_place, make_link
from tests.data.estate.files import MPAN, write_half_hours, write_registers
from tests.data.estate.generate import generate
from tests.data.estate.recompute import Amounts, Key, Totals, coverage, supply_uj, totals
from tests.data.estate.register import Register, register
from tests.data.estate.truth import COUNTY, DISTRICT, END, HALF_HOURS, MONTHS, START, Estate, Item
from tests.system.estate_loading import COLLECTOR, Sender, load_readings

POLLED = HALF_HOURS[278:294]
"""The network was polled for some hours around the end of the month: a week of 600 devices costs minutes."""
pytestmark = pytest.mark.timeout(600)  # of the one loading; the tests after it take seconds
_CONTENT = ("site", "space", "register_item", "register_state", "register_placement", "device_placement", "site_detail")
_COMPARED = ("measured_uj", "estimated_uj", "unexplained_uj", "profile_uj", "home_uj")


@dataclass(frozen=True)
class Loaded:
    """The estate in a database, and what its files said; `answers` are those of the commands, in order."""

    directory: Path
    database: Database
    estate: Estate
    register: Register
    senders: dict[str, Sender]
    answers: dict[str, Any]
    empty: dict[str, list[Any]]

    @property
    def items(self) -> list[Item]:
        """What is registered in the end."""
        return [*self.register.items, *(one for one in self.estate.items if one.organisation == DISTRICT)]


def ictagent(directory: Path, *arguments: str) -> Any:
    """What a command answers as JSON."""
    result = CliRunner().invoke(main, [*arguments, "--state-directory", str(directory), "--output", "json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """The estate, read and registered; loaded once."""
    directory = tmp_path_factory.mktemp("estate")
    estate = generate(polled=POLLED)
    write_registers(directory, estate)
    database = open_database(directory / "ictagent.db")
    migrate(database)
    (directory / "collector-id").write_text(COLLECTOR)
    with database.write() as connection:
        connection.execute(organisation.update().values(name=COUNTY))
        add_organisation(connection, DISTRICT, "test", START)
    senders = load_readings(database, estate.devices)
    empty = content(database)
    answers = {}
    county = ("estate", "import", str(directory / "register.xlsx"), "--as-at", "2026-03-26", "--organisation", COUNTY)
    answers["dry run"] = ictagent(directory, *county, "--dry-run")
    assert content(database) == empty
    answers["first"] = ictagent(directory, *county)
    district = (
        "estate",
        "import",
        str(directory / "district.csv"),
        "--as-at",
        "2026-03-26",
        "--organisation",
        DISTRICT,
    )
    answers["district"] = ictagent(directory, *district)
    answers["again"] = ictagent(directory, *county)
    with database.write() as connection:
        for ups in (one for one in estate.devices if one.feeds):
            place = find_place(connection, senders[ups.name].device_id, "")
            for fed in ups.feeds:
                wanted = WantedLink(senders[ups.name].device_id, place, senders[fed].device_id, START)
                make_link(connection, wanted, "test")
    half_hours = write_half_hours(directory, estate)
    answers["supply"] = ictagent(
        directory, "ledger", "import", str(half_hours), "--site", "County Hall", "--organisation", COUNTY
    )
    yield Loaded(directory, database, estate, register(estate), senders, answers, empty)
    database.close()


def content(database: Database) -> dict[str, list[Any]]:
    """All rows that an import may touch."""
    with database.read() as connection:
        tables = [metadata.tables[name] for name in _CONTENT]
        return {table.name: sorted(map(tuple, connection.execute(select(table))), key=str) for table in tables}


def test_every_seeded_fault_of_the_register_is_told_at_its_cell_and_nothing_else(loaded: Loaded) -> None:
    rows = loaded.answers["first"]["rows"]
    told = [(one["cell"], one["severity"]) for one in rows["faults"]]
    told += [(one["cell"], "conflicting") for one in rows["conflicting"]]
    with (loaded.directory / "register_faults.csv").open(encoding="utf-8") as file:
        seeded = [(row["cell"], row["severity"]) for row in csv.DictReader(file)]
    assert sorted(told) == sorted(seeded)
    assert len(seeded) == len(set(seeded)) > 35
    assert loaded.answers["dry run"]["rows"] == rows


def test_no_sound_row_of_the_register_is_lost(loaded: Loaded) -> None:
    with (loaded.directory / "export.csv").open("w", encoding="utf-8") as file:
        result = CliRunner().invoke(
            main, ["estate", "export", "-", "--organisation", COUNTY, "--state-directory", str(loaded.directory)]
        )
        file.write(result.stdout)
    by = {"Asset No": "asset_tag", "Serial Number": "serial"}
    with (loaded.directory / "export.csv").open(encoding="utf-8") as file:
        found = sorted(tuple(row[name] for name in by) for row in csv.DictReader(file))
    assert found == sorted(tuple(getattr(one, name) for name in by.values()) for one in loaded.register.items)
    first = loaded.answers["first"]
    assert first["new"] == len(loaded.register.items)
    assert first["matched"] == sum(bool(one.device) for one in loaded.register.items)


def test_the_same_register_again_changes_nothing(loaded: Loaded) -> None:
    again = loaded.answers["again"]
    assert again["import"] is None
    assert (again["new"], again["changed"], again["not_in_the_file"]) == (0, 0, 0)
    assert again["unchanged"] == len(loaded.register.items)


@pytest.fixture(scope="module")
def counted(loaded: Loaded) -> tuple[EstateTotals, Totals]:
    """The product's totals and those that were worked out beside it."""
    begun = time.perf_counter()
    with loaded.database.read() as connection:
        found = estate_totals(connection, *MONTHS, END)
    assert time.perf_counter() - begun < 20
    return found, totals(loaded.items, loaded.estate.devices, loaded.estate.spaces)


@pytest.mark.parametrize(
    "names",
    [
        (), ("organisation",), ("month",), ("site",), ("space",), ("device_class",), ("directorate",), ("school",),
        ("service_category",), Key._fields,
    ],
    ids=lambda names: " and ".join(names) if len(names) < 3 else "everything",
)  # fmt: skip
def test_totals_equal_an_independent_recomputation_to_the_last_digit(
    counted: tuple[EstateTotals, Totals], names: Sequence[str]
) -> None:
    found, wanted = counted
    sums: dict[tuple[Any, ...], Amounts] = defaultdict(Amounts)
    for key, row in wanted.rows.items():
        for name in _COMPARED:
            mine = sums[tuple(getattr(key, one) for one in names)]
            setattr(mine, name, getattr(mine, name) + getattr(row, name))

    def amounts(of: dict[tuple[Any, ...], Any]) -> dict[tuple[Any, ...], dict[str, Any]]:
        shown = {key: {name: kwh(getattr(one, name)) for name in _COMPARED} for key, one in of.items()}
        return {key: one for key, one in shown.items() if any(one.values())}

    assert amounts(found.by(*names)) == amounts(sums)


def test_overheads_are_those_of_the_spaces_pue_less_the_losses_that_are_read(
    counted: tuple[EstateTotals, Totals],
) -> None:
    found, wanted = counted
    places = found.by("month", "organisation", "site", "space")
    assert {key: one.overhead_uj for key, one in places.items() if one.overhead_uj} == {
        key: amount for key, amount in wanted.overhead_uj.items() if amount
    }


def test_the_atoms_of_reports_are_the_totals_to_the_microjoule_by_every_place_and_class(
    loaded: Loaded, counted: tuple[EstateTotals, Totals]
) -> None:
    with loaded.database.read() as connection:
        ids = connection.execute(select(organisation.c.id)).scalars().all()
        atoms = [one for each in ids for one in activities(connection, each, *MONTHS, END).counted]
    names = ("month", "organisation", "site", "space", "directorate", "asset_class", "service_category", "school")
    sums: dict[tuple[Any, ...], int] = defaultdict(int)
    for one in atoms:
        sums[tuple(getattr(one.subject, name) for name in names)] += one.activity_uj
    totals_by = counted[0].by("month", "organisation", "site", "space", "directorate", "device_class", *names[-2:])
    wanted = {key: one.it_uj + one.overhead_uj + one.home_uj for key, one in totals_by.items()}
    assert {key: one for key, one in sums.items() if one} == {key: one for key, one in wanted.items() if one}


def test_time_coverage_is_that_of_the_readings(counted: tuple[EstateTotals, Totals]) -> None:
    found, wanted = counted
    seconds = ("covered_seconds", "possible_seconds")
    wanted_by: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for key, row in wanted.rows.items():
        for place, name in enumerate(seconds):
            wanted_by[key.month, key.device_class][place] += getattr(row, name)
    found_by = {key: [getattr(one, name) for name in seconds] for key, one in found.by("month", "device_class").items()}
    # A UPS's meter of what it passes on covers time of its own.
    for of in (found_by, wanted_by):
        for month in MONTHS:
            del of[month, "ups"]
    assert found_by == wanted_by


@pytest.mark.parametrize("month", MONTHS)
def test_the_estates_coverage_by_class_equals_an_independent_count(loaded: Loaded, month: str) -> None:
    with loaded.database.read() as connection:
        rows = estate_coverage(connection, month, END)
    kinds = ("measured", "estimated", "profile", "absent", "seen_not_registered")
    found = {(one.organisation, one.device_class): {kind: getattr(one, kind) for kind in kinds} for one in rows}
    assert found == coverage(loaded.items, loaded.estate.devices, month)


def test_virtual_machines_are_shares_of_their_hosts_and_no_more(loaded: Loaded) -> None:
    with loaded.database.read() as connection:
        guests = connection.execute(select(guest_energy.c.meter_id).distinct()).all()
    assert len(guests) == 400


def test_the_buildings_half_hours_are_in_the_ledger_by_day_over_the_clock_change(loaded: Loaded) -> None:
    [taken] = loaded.answers["supply"]["meters"]
    assert (taken["mpan"], taken["new"], taken["estimated"]) == (MPAN, len(HALF_HOURS), 0)
    assert not loaded.answers["supply"]["faults"]
    days: dict[str, int] = {}
    numbers: dict[str, int] = {}
    with loaded.database.read() as connection:
        query = select(ledger_day).join(meter).where(meter.c.name == f"mpan/{MPAN}")
        for row in connection.execute(query):
            days[row.local_day], numbers[row.local_day] = row.measured_uj, row.half_hours
    assert days == supply_uj(loaded.estate.building_wh)
    assert list(numbers.values()) == [48, 48, 48, 46, 48, 48, 48]


def test_the_buildings_meter_stands_in_the_tree_of_its_site_and_in_no_total(loaded: Loaded) -> None:
    # The tree draws devices of a joint service whole, as the building's meter measures them.
    items = [replace(one, share="1") if one.device else one for one in loaded.items]
    ict: dict[str, dict[str, int]] = {month: defaultdict(int) for month in MONTHS}
    for key, amounts in totals(items, loaded.estate.devices, loaded.estate.spaces).rows.items():
        if key.organisation == COUNTY:
            ict[key.month][key.site or NO_SITE] += amounts.it_uj
    with loaded.database.read() as connection:
        owner = read_organisation(connection, COUNTY).id
        trees = {month: estate_tree(connection, month, END, owner) for month in MONTHS}
    # Of March the file has six days of 31: what of them is not ICT cannot be told by a month's ICT.
    for month, told in zip(MONTHS, (False, True), strict=True):
        tree = trees[month]
        assert {one.name: one.shares.total_uj for one in tree.sites if one.shares.total_uj} == ict[month]
        supply, rest = next(one for one in tree.sites if one.name == "County Hall").children[:2]
        measured = sum(uj for day, uj in supply_uj(loaded.estate.building_wh).items() if day.startswith(month))
        assert (supply.name, supply.meter_uj, supply.shares.total_uj) == (f"mpan/{MPAN}", measured, 0)
        assert rest.kind == "not_ict"
        assert rest.outside_uj == tree.not_ict_uj == (measured - ict[month]["County Hall"] if told else 0)


def test_undoing_the_files_leaves_everything_as_it_was(loaded: Loaded) -> None:
    for group, name in (("ledger", "supply"), ("estate", "first"), ("estate", "district")):
        arguments = [group, "undo", str(loaded.answers[name]["import"]), "--state-directory", str(loaded.directory)]
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0, result.output
    assert content(loaded.database) == loaded.empty
