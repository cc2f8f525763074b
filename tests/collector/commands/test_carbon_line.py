"""`ictagent carbon line|service|statement`: what is not metered, with its evidence, and what nobody reported."""

import csv
import io
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select

from carbon.greening_ict import ROUTES
from collector.database.engine import Database
from collector.database.schema import device, device_placement, organisation, site, space
from collector.service_lines import beside_electricity
from tests.collector.commands.carbon_cli import CarbonCommands


@pytest.fixture
def carbon(sqlite_database: Database, tmp_path: Path) -> CarbonCommands:
    return CarbonCommands(sqlite_database, tmp_path)


@pytest.fixture
def proof(tmp_path: Path) -> str:
    file = tmp_path / "proof.pdf"
    file.write_bytes(b"delivered")
    return str(file)


def written(path: Path, *lines: str) -> str:
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


def place_in_colocation(connection: Connection) -> None:
    """Put a device into a hall."""
    owner = connection.execute(select(organisation.c.id)).scalar_one()
    site_id = connection.execute(
        insert(site).values(organisation_id=owner, name="Acme").returning(site.c.id)
    ).scalar_one()
    hall = {"site_id": site_id, "name": "Hall", "kind": "colocation"}
    space_id = connection.execute(insert(space).values(**hall).returning(space.c.id)).scalar_one()
    connection.execute(insert(device).values(id="d1", organisation_id=owner, kind="machine", created_at=0))
    place = {"device_id": "d1", "site_id": site_id, "space_id": space_id, "directorate": "", "owner": "", "actor": "t"}
    connection.execute(insert(device_placement).values(**place, valid_from=0))


def test_lines_by_hand_and_from_a_file_emit_by_their_factors_until_they_are_undone(
    carbon: CarbonCommands, proof: str, tmp_path: Path
) -> None:
    carbon.done("line", "add", "diesel", "--month", "2025-11", "--amount", "400", "--document", proof)
    own = ("--kg-per-unit", "0.16", "--factor-source", "survey")
    carbon.done("line", "add", "travel_avoided", "--month", "2026-01", "--amount", "1000", *own, "--document", proof)
    file = written(
        tmp_path / "w.csv", "month,kind,amount,unit", "Apr 2025,Water supply,120,", "2017-05,water_treatment,1,"
    )
    assert "2 lines" in carbon.done("line", "import", file, "--dry-run")
    carbon.done("line", "import", file)
    carbon.done("line", "import", file)
    rows = carbon.json("line", "list")
    assert [(row["kind"], row["kgco2e"], row["scope"]) for row in rows] == [
        ("water_treatment", "", ""),
        ("water_supply", "22.956", "3"),
        ("diesel", "1028.328", "1"),
        ("diesel", "244.404", "3"),
        ("travel_avoided", "160.000", "memo"),
    ]
    assert {len(row["sha256"]) for row in rows} == {64}
    waste = ("line", "add", "weee_landfill", "--month", "2025-06", "--amount", "0.5", "--name", "batch 7")
    carbon.done(*waste, "--document", proof)
    with carbon.database.read() as connection:
        [organisation_id] = connection.execute(select(organisation.c.id)).scalars()
        found = beside_electricity(connection, organisation_id, "2017-04", "2026-03", 1_780_000_000)
    assert sum(one.grams for one in found.lines if not one.memo) == 22_956 + 4_492 + 1_028_328 + 244_404
    [landfill] = [one for one in found.lines if one.amount == Decimal("0.5")]
    assert landfill.name in ROUTES  # the Government's return counts tonnes by it
    assert landfill.basis.endswith("; for batch 7")
    [note] = found.notes
    assert "2017-05: 1 cubic metre of water_treatment: the factor set of 2017 has no factor" in note
    carbon.done("line", "undo", "1", "--reason", "entered twice")
    assert [row["kind"] for row in carbon.json("line", "list")] == [
        "water_treatment",
        "water_supply",
        "weee_landfill",
        "travel_avoided",
    ]
    assert len(carbon.json("line", "list", "--all")) == 6
    assert "no line 1 that stands" in carbon.refused("line", "undo", "1", "--reason", "again")
    assert carbon.audited() == ["carbon.line.add"] * 4 + ["carbon.line.withdraw"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("2025-04,petrol,1,,", "B2: petrol is no kind of line"),
        ("2025-04,diesel,-1,,", "C2: -1 is no number of 0 or more"),
        ("2025-04,diesel,,,", "C2: amount is empty: that is not available, and not 0"),
        ("2025-04,diesel,1,gallon,", "D2: gallon is not the unit of diesel"),
        ("2025-04,travel_avoided,1,,", "E2: the Government's sets have no factor"),
        ("soon,diesel,1,,", "A2: 'soon' is no date"),
    ],
)
def test_a_file_of_lines_is_refused_whole_with_the_cell(
    row: str, words: str, carbon: CarbonCommands, tmp_path: Path
) -> None:
    good = "2025-04,diesel,10,litre,"
    file = written(tmp_path / "l.csv", "month,kind,amount,unit,kg per unit", row, good)
    assert words in carbon.refused("line", "import", file)
    assert carbon.json("line", "list") == []


def test_a_later_statement_takes_the_place_of_an_earlier_one_day_by_day(carbon: CarbonCommands, tmp_path: Path) -> None:
    carbon.done("service", "add", "Payroll", "--provider", "Acme", "--kind", "saas", "--from", "2025-04")
    first = written(tmp_path / "1.csv", "month,kgCO2e,method", "2025-04,100,theirs", "2025-05,200,theirs")
    later = written(tmp_path / "2.csv", "month,kgCO2e,method", "2025-05,150,theirs v2", "2025-06,0,theirs v2")
    layout = ("--provider", "declaration", "--service", "Payroll")
    taken = carbon.json("statement", "import", first, *layout)
    assert carbon.json("statement", "import", first, *layout)["same"] is True
    assert carbon.json("statement", "import", later, *layout, "--dry-run")["id"] is None
    second = carbon.json("statement", "import", later, *layout)["id"]

    def shown() -> tuple[list[tuple[str, str]], list[str]]:
        found = carbon.json("statement", "show", "--from", "2025-04", "--to", "2025-07")
        return [(one["month"], one["kgco2e"]) for one in found["lines"]], found["not_reported"]

    held = [("2025-04", "100.000"), ("2025-05", "150.000"), ("2025-06", "0.000")]
    assert shown() == (held, ["Payroll: 2025-07"])
    assert carbon.json("statement", "import", first, *layout)["same"] is False
    carbon.done("statement", "undo", "3", "--reason", "the older file")
    assert shown() == (held, ["Payroll: 2025-07"])
    carbon.done("statement", "undo", str(second), "--reason", "a draft")
    assert shown() == ([("2025-04", "100.000"), ("2025-05", "200.000")], ["Payroll: 2025-06 to 2025-07"])
    carbon.done("statement", "undo", str(taken["id"]), "--reason", "all of it")
    assert shown() == ([], ["Payroll: 2025-04 to 2025-07"])
    carbon.done("service", "end", "Payroll", "--last", "2025-05", "--reason", "moved")
    assert shown() == ([], ["Payroll: 2025-04 to 2025-05"])
    assert "2025-06, and Payroll goes from 2025-04 to 2025-05" in carbon.refused("statement", "import", later, *layout)


def test_invoices_over_the_turn_of_a_month_stand_beside_each_other(carbon: CarbonCommands, tmp_path: Path) -> None:
    carbon.done("service", "add", "Hall B", "--provider", "Acme", "--kind", "colocation", "--from", "2025-04")
    layout = ("--provider", "colocation", "--service", "Hall B")
    for number, days in enumerate(("15/04/2025,14/05/2025", "15/05/2025,14/06/2025")):
        carbon.done(
            "statement", "import", written(tmp_path / f"{number}.csv", "from,to,kwh,pue", f"{days},1000,1.4"), *layout
        )
    found = carbon.json("statement", "show", "--from", "2025-04", "--to", "2025-06")
    assert found["not_reported"] == [
        "Hall B: 2025-04 in part (16 of 30 days)",
        "Hall B: 2025-06 in part (14 of 30 days)",
    ]
    generation = [one for one in found["lines"] if one["name"].endswith("generation") and "well" not in one["name"]]
    assert sum(Decimal(one["amount"]) for one in generation) == 2800
    assert {one["category"] for one in found["lines"]} == {"8"}
    whole = sum(Decimal(one["kgco2e"]) for one in found["lines"])
    assert abs(whole - 2800 * Decimal("0.2454")) < Decimal("0.02")
    rows = list(
        csv.DictReader(
            io.StringIO(carbon.done("statement", "show", "--from", "2025-04", "--to", "2025-06", "--output", "csv"))
        )
    )
    assert len(rows) == len(found["lines"])


def test_spend_needs_its_factor_and_a_metered_hall_is_a_memo(carbon: CarbonCommands, tmp_path: Path) -> None:
    carbon.done("service", "add", "Mail", "--provider", "Acme", "--kind", "saas", "--from", "2025-04")
    carbon.done(
        "service", "add", "Hall", "--provider", "Acme", "--kind", "colocation", "--from", "2025-04", "--metered"
    )
    file = written(tmp_path / "s.csv", "month,pounds", "2025-04,1200.50")
    layout = ("--provider", "spend", "--service", "Mail")
    assert "spend needs a factor" in carbon.refused("statement", "import", file, *layout)
    spent = (*layout, "--factor-source", "Defra 2022", "--kg-per-pound")
    assert carbon.json("statement", "import", file, *spent, "0.3")["same"] is False
    assert (
        carbon.json("statement", "import", file, *spent, "0.20")["same"] is False
    )  # a corrected factor takes its place
    assert carbon.json("statement", "import", file, *spent, "0.2")["same"] is True
    invoice = written(tmp_path / "i.csv", "month,kwh,pue", "2025-04,1000,1.4")
    carbon.done("statement", "import", invoice, "--provider", "colocation", "--service", "Hall")
    shown = carbon.json("statement", "show", "--from", "2025-04", "--to", "2025-04")
    assert [(one["service"], one["kgco2e"], one["memo"]) for one in shown["lines"] if not one["memo"]] == [
        ("Mail", "240.100", "")
    ]
    assert {one["service"] for one in shown["lines"] if one["memo"]} == {"Hall"}
    assert shown["twice"] == []
    with carbon.database.write() as connection:
        place_in_colocation(connection)
    assert carbon.json("statement", "show", "--from", "2025-04", "--to", "2025-04")["twice"] == []
    carbon.done("service", "set", "Hall", "--not-metered", "--reason", "try")
    [twice] = carbon.json("statement", "show", "--from", "2025-04", "--to", "2025-04")["twice"]
    assert twice.startswith("Hall: 1 devices in colocation are in the ledger")
    assert "no service Attic" in carbon.refused("statement", "import", file, "--provider", "spend", "--service", "Attic",
                                                "--kg-per-pound", "1", "--factor-source", "x")  # fmt: skip


def test_what_a_provider_tells_by_two_bases_counts_once(carbon: CarbonCommands, tmp_path: Path) -> None:
    carbon.done("service", "add", "Maps", "--provider", "Google", "--kind", "cloud", "--from", "2025-04")
    field = "carbon_footprint_kgCO2e"
    heads = f"usage_month,{field}.scope1,{field}.scope2.location_based,{field}.scope2.market_based,{field}.scope3"
    file = written(tmp_path / "g.csv", heads, "2025-04-01,0.01,12.3,0.5,4.5")
    carbon.done("statement", "import", file, "--provider", "google", "--service", "Maps")
    lines = carbon.json("statement", "show", "--from", "2025-04", "--to", "2025-04")["lines"]
    assert [one["kgco2e"] for one in lines if not one["memo"]] == ["0.010", "12.300", "4.500"]
    assert [one["kgco2e"] for one in lines if one["memo"]] == ["0.500"]
    whole = carbon.json("footprint", "--from", "2025-04", "--to", "2025-04")
    assert Decimal(whole["other_kgco2e"]) == Decimal("16.81")
