"""Publishing, a late report into the sealed months, verifying, restating: every report stays what it was."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from carbon.evidence.pack import MANIFEST, zipped
from carbon.evidence.verify import unzipped, verify
from carbon.factors import Applied
from collector import publishing
from collector.coverage_acceptance import accept_coverage, unaccepted_coverage
from collector.database.engine import Database
from collector.database.schema import audit_log, ledger, meter, published_report, sealed_period
from collector.errors import BadRequest
from collector.footprints import footprint_report
from collector.ledger import forget_old_facts, write_days, write_rows
from collector.ledger_evidence import revisions_of
from collector.publishing import Restatement, approve, pack_of, prepare, publications, refuse_unready, withdraw
from collector.taking import Who
from collector.verifying import OnCollector, changed_since, verify_published
from tests.carbon.reports import report
from tests.collector.footprint_estate import BEGINS, HALF_HOUR_UJ, MONTHS, NOW, new_estate
from tests.collector.ledgers import half_hours, read_device
from tests.collector.registers import midnight

ANNA, BEN = Who("cli:anna", NOW), Who("user:Ben", NOW + 60)


@pytest.fixture
def estate(sqlite_database: Database) -> Database:
    new_estate(sqlite_database)
    return sqlite_database


def published(database: Database, restates: Restatement | None = None) -> int:
    number = prepare(database, 1, MONTHS, ANNA, restates)
    with database.write() as connection:
        approve(connection, 1, number, BEN)
    return number


def verified(database: Database, number: int) -> OnCollector:
    with database.read() as connection:
        return verify_published(connection, 1, number)


def files_of(database: Database, number: int) -> dict[str, bytes]:
    with database.read() as connection:
        return unzipped(pack_of(connection, number))


def late_report(database: Database, device_id: str = "server", number: int = 3) -> None:
    """A report that changes some half-hours of a device, as the ledger is written for it."""
    with database.write() as connection:
        meter_id = connection.execute(select(meter.c.id).where(meter.c.device_id == device_id)).scalar_one()
        rows = connection.execute(
            select(ledger).where(ledger.c.meter_id == meter_id).order_by(ledger.c.half_hour).limit(number)
        ).mappings()
        names = [one.name for one in ledger.c if one.name not in ("meter_id", "half_hour", "revision", "written_at")]
        changed: Mapping[int, dict[str, object]] = {
            row["half_hour"]: {**{name: row[name] for name in names}, "measured_uj": HALF_HOUR_UJ * 50} for row in rows
        }
        written = write_rows(connection, meter_id, changed, NOW + 100)
        assert len(written) == number
        write_days(connection, meter_id, device_id, written)


def test_a_published_report_still_holds_after_a_late_report_and_after_its_restatement(estate: Database) -> None:
    first = published(estate)
    before = verified(estate, first)
    assert before.problems == ()
    assert (before.late, before.ledger_months) == ((), 6)
    late_report(estate)
    after = verified(estate, first)
    assert after.problems == ()
    assert [(kept.device, kept.month, changed) for kept, changed in after.late] == [("server", "2025-09", 3)]
    assert after.pack == before.pack

    second = published(estate, Restatement(first, "late readings of the server"))
    assert verified(estate, first).problems == verified(estate, second).problems == ()
    assert verified(estate, second).late == ()
    with estate.read() as connection:
        old, new = publications(connection, 1)
    assert (new.restates, new.reason, new.approved_by) == (first, "late readings of the server", "user:Ben")
    assert new.total_g > old.total_g
    head = json.loads(files_of(estate, second)["report.json"])
    assert (head["state"], head["restated_from"]) == ("restated", str(first))
    told = json.loads(files_of(estate, second)["publication.json"])["restates"]
    assert (told["total_g"], told["new_total_g"], told["approved_by"]) == (old.total_g, new.total_g, "user:Ben")


def test_what_came_late_is_told_as_old_and_new_before_anything_is_restated(estate: Database) -> None:
    number = published(estate)
    late_report(estate)
    with estate.read() as connection:
        found = changed_since(connection, 1, number, NOW + 200)
    moved = {name: new - old for name, old, new in found.figures}
    assert found.new_total_g - found.old_total_g == moved["total/all"] == moved["device=server/all"] > 0
    assert "device=rented/all" not in moved


def test_an_edit_of_the_estate_changes_no_published_report(estate: Database) -> None:
    number = published(estate)
    before = files_of(estate, number)
    with estate.write() as connection:
        read_device(connection, "new", half_hours(midnight("2025-09-01"), midnight("2025-10-01")), BEGINS)
    assert verified(estate, number).problems == ()
    assert files_of(estate, number) == before


def test_a_ledger_row_that_was_changed_in_place_is_found_and_named(estate: Database) -> None:
    number = published(estate)
    with estate.write() as connection:
        mine = (ledger.c.half_hour == BEGINS) & (ledger.c.meter_id == 1)
        connection.execute(update(ledger).where(mine).values(evidence='{"tampered":1}'))
    [problem] = verified(estate, number).problems
    assert problem.file == "ledger.csv"
    assert "2025-09" in problem.place
    assert "sha256" in problem.message


def test_a_pack_that_somebody_wrote_anew_as_a_whole_has_another_hash_than_the_one_that_was_approved(
    estate: Database,
) -> None:
    number = published(estate)
    files = files_of(estate, number) | {"method.md": b"another method\n"}
    manifest = json.loads(files[MANIFEST])
    manifest["files"]["method.md"] = sha256(files["method.md"]).hexdigest()
    files[MANIFEST] = json.dumps(manifest).encode()
    assert verify(files).problems == ()
    with estate.write() as connection:
        connection.execute(update(published_report).values(pack=zipped(files)))
    [problem] = verified(estate, number).problems
    assert problem.file == "the pack"


def test_the_one_who_prepared_a_report_does_not_approve_it_by_whichever_way(estate: Database) -> None:
    number = prepare(estate, 1, MONTHS, ANNA)
    for same in ("cli:anna", "user:Anna"):
        with estate.write() as connection, pytest.raises(BadRequest, match="another person"):
            approve(connection, 1, number, Who(same, NOW))
    with estate.write() as connection:
        approve(connection, 1, number, BEN)
        with pytest.raises(BadRequest, match="published"):
            approve(connection, 1, number, BEN)
        with pytest.raises(BadRequest, match="published"):
            withdraw(connection, 1, number, "no", BEN)


def test_a_withdrawn_report_leaves_no_seal_and_its_months_can_be_prepared_anew(estate: Database) -> None:
    number = prepare(estate, 1, MONTHS, ANNA)
    with pytest.raises(BadRequest, match="prepared as 1"):
        prepare(estate, 1, MONTHS, BEN)
    with estate.write() as connection:
        withdraw(connection, 1, number, "a site was missing", BEN)
        assert connection.execute(select(func.count()).select_from(sealed_period)).scalar_one() == 0
    assert published(estate) == 2
    with pytest.raises(BadRequest, match="published as 2"):
        prepare(estate, 1, MONTHS, ANNA)


def test_only_what_stands_is_restated(estate: Database) -> None:
    first = published(estate)
    second = published(estate, Restatement(first, "once"))
    with pytest.raises(BadRequest, match=f"was restated by {second}"):
        prepare(estate, 1, MONTHS, ANNA, Restatement(first, "twice"))


def test_months_that_are_not_over_are_refused_and_leave_no_seal(estate: Database) -> None:
    with pytest.raises(BadRequest, match="2025-11 is not over"):
        prepare(estate, 1, ("2025-10", "2025-11"), ANNA)
    with estate.read() as connection:
        assert connection.execute(select(func.count()).select_from(sealed_period)).scalar_one() == 0


def test_provisional_factors_are_refused_by_name(estate: Database) -> None:
    with estate.write() as connection:
        read_device(connection, "later", half_hours(midnight("2026-06-01"), midnight("2026-07-01")), BEGINS)
    with pytest.raises(BadRequest, match="UK electricity 2026, provisional"):
        prepare(estate, 1, ("2026-06", "2026-06"), Who("cli:anna", midnight("2026-08-01")))


def test_everything_that_stands_against_a_report_is_told_at_once_with_its_remedy(sqlite_database: Database) -> None:
    made = report()
    moved = replace(made.rows[0].applied.factors, unaccepted=("T&D losses: 0.02 to 0.04",))
    rows = [replace(one, applied=Applied(moved, provisional=False)) for one in made.rows]
    other = [replace(made.other[0], provisional=True)]
    low = [replace(made.coverage[0], covered_seconds=1)]
    with sqlite_database.read() as connection, pytest.raises(BadRequest) as refused:
        refuse_unready(connection, 1, replace(made, rows=rows, other=other, coverage=low), midnight("2025-02-01"))
    for words in ("2025-03 is not over", "diesel of the generator", "T&D losses: 0.02 to 0.04", "server has readings"):
        assert words in refused.value.message
    for words in ("wait for its end", "import the Government's file", "factors accept 2024", "coverage accept server"):
        assert words in refused.value.remedy
    with sqlite_database.read() as connection:
        refuse_unready(connection, 1, made, midnight("2025-06-01"))


def test_a_class_of_which_little_was_read_needs_an_officers_word_which_holds_for_no_less(estate: Database) -> None:
    with estate.write() as connection:
        for name in ("silent", "silent too"):
            read_device(connection, name, half_hours(BEGINS, midnight("2025-09-06")), BEGINS)
    with estate.read() as connection:
        report = footprint_report(connection, 1, *MONTHS, NOW)
        [low] = unaccepted_coverage(connection, 1, report)
    with pytest.raises(BadRequest, match=f"{low.asset_class} has readings of") as refused:
        prepare(estate, 1, MONTHS, ANNA)
    assert f"coverage accept {low.asset_class}" in refused.value.remedy
    with estate.write() as connection:
        with pytest.raises(BadRequest, match="not under 75%"):
            accept_coverage(connection, 1, report, "laptop", "why not", ANNA)
        accept_coverage(connection, 1, report, low.asset_class, "checked by hand", ANNA)
        assert unaccepted_coverage(connection, 1, report) == []
        less = replace(report, coverage=[replace(low, covered_seconds=low.covered_seconds - 1)])
        assert [one.asset_class for one in unaccepted_coverage(connection, 1, less)] == [low.asset_class]
        assert len(unaccepted_coverage(connection, 1, replace(report, last_month="2025-09"))) == 1
    number = published(estate)
    assert "checked by hand" in files_of(estate, number)["acceptances.json"].decode()


def test_ledger_reports_and_audit_log_outlive_the_facts_that_are_forgotten(estate: Database) -> None:
    number = published(estate)
    with estate.write() as connection:
        forget_old_facts(connection, NOW + 8 * 366 * 86_400)
    assert verified(estate, number).problems == ()
    with estate.read() as connection:
        acts = connection.execute(select(audit_log.c.action)).scalars().all()
    assert {"carbon.publish.prepare", "carbon.publish.approve"} <= set(acts)


def test_revisions_of_runs_are_those_of_their_half_hours() -> None:
    assert revisions_of("1800*2@1 9000*1@3") == {1800: 1, 3600: 1, 9000: 3}


@pytest.mark.parametrize(
    ("table", "where"),
    [
        (
            "ledger",
            {"meter_switch.py"},
        ),  # half-hours of a file that is taken back; sealed ones stay (collector.meter_values)
        ("sealed_period", {"publishing.py"}),  # of what was prepared and never published
        ("audit_log", set()),
        ("published_report", set()),
        ("coverage_acceptance", set()),
        ("factor_import", set()),
        ("factor_line", set()),
    ],
)
def test_nothing_in_the_product_deletes_what_is_kept_for_seven_years(table: str, where: set[str]) -> None:
    ways = re.compile(rf"delete\({table}\)|\b{table}\.delete\(")
    room = Path(publishing.__file__).parent
    assert {path.name for path in room.rglob("*.py") if ways.search(path.read_text(encoding="utf-8"))} == where
