"""`ictagent carbon contract|residual`: contracts with their evidence, and the rates that follow from them."""

import hashlib
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import insert

from agent.cli import main
from collector.database.engine import Database
from collector.database.schema import site
from tests.collector.commands.carbon_cli import CarbonCommands


@pytest.fixture
def carbon(sqlite_database: Database, tmp_path: Path) -> CarbonCommands:
    """Two sites with monitors by class profile since April 2025, and an evidence file beside them."""
    with sqlite_database.write() as connection:
        connection.execute(insert(site), [{"organisation_id": 1, "name": name} for name in ("Hall", "Library", "Flat")])
    (tmp_path / "proof.pdf").write_bytes(b"%PDF-1.7 signed")
    for name in ("Hall", "Library", "Flat"):
        told = (
            "estate",
            "profile",
            "count",
            "monitor",
            "100",
            "--site",
            name,
            "--source",
            "walk",
            "--from",
            "2025-04-01",
        )
        result = CliRunner().invoke(main, [*told, "--state-directory", str(tmp_path)])
        assert result.exit_code == 0, result.output
    return CarbonCommands(sqlite_database, tmp_path)


def added(carbon: CarbonCommands, *more: str, name: str = "Corporate") -> str:
    proof = str(carbon.directory / "proof.pdf")
    told = ("--supplier", "Acme", "--from", "2025-04-01", "--document", proof)
    return carbon.done("contract", "add", name, *told, *more)


def certified(carbon: CarbonCommands, **other: str) -> tuple[str, ...]:
    options = {"year": "2025", "quantity-kwh": "75,000", "supplied-kwh": "100000", "retired-on": "2026-07-01"}
    options |= {"kg-per-kwh": "0", "document": str(carbon.directory / "proof.pdf")} | other
    return (
        "contract",
        "rego",
        "Corporate",
        *(word for name, value in options.items() for word in (f"--{name}", value)),
    )


def test_rates_go_down_the_rungs_of_what_is_proved_and_every_kilowatt_hour_is_on_one(carbon: CarbonCommands) -> None:
    added(carbon, "--site", "Hall")
    assert "75.0% of Corporate" in carbon.done(*certified(carbon))
    proof = str(carbon.directory / "proof.pdf")
    period = ("--from", "2024-04-01", "--to", "2025-03-31")
    carbon.done("residual", "import", proof, *period, "--kg-per-kwh", "0.35", "--source", "AIB, table 2")
    rows = carbon.json("contract", "rates", "--from", "2025-05", "--to", "2025-06")
    assert [(one["site"], one["month"], one["rung"], one["share"]) for one in rows if one["site"] != "Flat"] == [
        ("Hall", "2025-05", "rego", "0.750000"),
        ("Hall", "2025-05", "residual_mix", "0.250000"),
        ("Hall", "2025-06", "rego", "0.750000"),
        ("Hall", "2025-06", "residual_mix", "0.250000"),
        ("Library", "2025-05", "residual_mix", "1.000000"),
        ("Library", "2025-06", "residual_mix", "1.000000"),
    ]
    hall = [one for one in rows if (one["site"], one["month"]) == ("Hall", "2025-05")]
    assert {one["kg_per_kwh"] for one in hall} == {"0.0875"}
    assert sum(Decimal(one["rung_kwh"]) for one in hall) == Decimal(hall[0]["kwh"]) > 0
    assert [one["evidence"] for one in hall] == ["rego 1", "residual 1"]


def test_a_site_on_its_landlords_supply_has_no_contract_of_ours(carbon: CarbonCommands) -> None:
    told = ("estate", "site", "set", "Flat", "--tenure", "landlord", "--from", "2025-04-01")
    assert CliRunner().invoke(main, [*told, "--state-directory", str(carbon.directory)]).exit_code == 0
    rows = carbon.json("contract", "rates", "--from", "2025-05", "--to", "2025-05")
    assert sorted(one["site"] for one in rows) == ["Hall", "Library"]
    assert {one["label"] for one in rows} == {
        "no contract evidence; grid average used, may double count renewables claimed by others"
    }


def test_evidence_keeps_its_documents_hash_and_is_withdrawn_never_deleted(carbon: CarbonCommands) -> None:
    added(carbon)
    carbon.done(*certified(carbon))
    assert "evidence 1 of the same period already" in carbon.refused(*certified(carbon))
    carbon.done("contract", "withdraw", "1", "--reason", "resold")
    shown = carbon.json("contract", "show", "Corporate")
    [piece] = shown["evidence"]
    assert piece["document_sha256"] == hashlib.sha256(b"%PDF-1.7 signed").hexdigest()
    assert (piece["quantity_kwh"], piece["withdrawn_reason"]) == ("75000", "resold")
    assert {one["rung"] for one in carbon.json("contract", "rates", "--from", "2025-05", "--to", "2025-05")} == {
        "location"
    }
    assert "no evidence 1 that stands" in carbon.refused("contract", "withdraw", "1", "--reason", "again")
    carbon.done(*certified(carbon))
    assert carbon.audited()[-4:] == [
        "carbon.contract.add",
        "carbon.evidence.add",
        "carbon.evidence.withdraw",
        "carbon.evidence.add",
    ]


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"retired-on": "2099-01-01"}, "not retired before 2099-01-01"),
        ({"retired-on": "2025-03-31"}, "retired on 2025-03-31 are not of the year after it"),
        ({"year": "2023"}, "Corporate supplies on no day from 2023-04-01 to 2024-03-31"),
        ({"quantity-kwh": "0"}, "must be more than 0 kWh"),
        ({"kg-per-kwh": "177"}, "177 is no factor: 0 to 2 kgCO2e per kWh"),
        ({"document": "/nowhere/proof.pdf"}, "/nowhere/proof.pdf cannot be read"),
    ],
)
def test_certificates_that_prove_nothing_are_refused(carbon: CarbonCommands, other: dict[str, str], told: str) -> None:
    added(carbon)
    assert told in carbon.refused(*certified(carbon, **other))


def test_two_contracts_do_not_supply_a_site_on_one_day(carbon: CarbonCommands) -> None:
    added(carbon, "--site", "Hall")
    proof = str(carbon.directory / "proof.pdf")
    more = ("--supplier", "Other", "--from", "2026-10-01", "--document", proof)
    assert "Corporate supplies all sites from 2025-04-01" in carbon.refused("contract", "add", "Next", *more)
    assert "Corporate supplies Hall" in carbon.refused("contract", "add", "Next", *more, "--site", "Hall")
    carbon.done("contract", "end", "Corporate", "--on", "2026-09-30", "--reason", "tender")
    carbon.done("contract", "add", "Next", *more)
    assert [(one["name"], one["last_day"]) for one in carbon.json("contract", "list")] == [
        ("Corporate", "2026-09-30"),
        ("Next", None),
    ]
    assert "is no day of Corporate" in carbon.refused(
        "contract", "end", "Corporate", "--on", "2027-01-01", "--reason", "r"
    )


def test_a_disclosed_mix_goes_before_the_residual_mix_and_residual_mixes_do_not_overlap(carbon: CarbonCommands) -> None:
    added(carbon, "--site", "Hall")
    proof = str(carbon.directory / "proof.pdf")
    period = ("--from", "2024-04-01", "--to", "2025-03-31")
    carbon.done("contract", "mix", "Corporate", *period, "--kg-per-kwh", "0.142", "--document", proof)
    imported = ("residual", "import", proof, *period, "--kg-per-kwh", "0.35", "--source", "AIB")
    carbon.done(*imported)
    assert "residual mix 1 holds" in carbon.refused(*imported)
    rows = carbon.json("contract", "rates", "--from", "2025-05", "--to", "2025-05")
    assert {one["site"]: one["kg_per_kwh"] for one in rows} == {"Flat": "0.35", "Hall": "0.142", "Library": "0.35"}
    carbon.done("residual", "withdraw", "1", "--reason", "corrected")
    assert carbon.json("residual", "list")[0]["withdrawn_reason"] == "corrected"
