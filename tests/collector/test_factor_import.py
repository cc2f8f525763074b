"""Imported factors hold from then on: in figures, in series, in every organisation's year; nothing old is lost."""

import datetime
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from carbon.errors import FactorError
from carbon.footprint import footprint
from collector.database.audit import AuditFilter, read_audit
from collector.database.engine import Database, open_database
from collector.database.migrate import migrate
from collector.database.schema import factor_import, organisation, series_due, setting
from collector.device_energy import Rules, rules_by_organisation, rules_of
from collector.errors import BadRequest, NotFound
from collector.factor_files import read_file
from collector.factor_import import accept, apply, plan, rows_of
from collector.factors import MARK, factor_sets, imports, set_named
from collector.rolling import Due, write_days, write_ledger
from collector.running_totals import running_totals
from collector.tables.sheets import Cell
from collector.taking import Who
from tests.carbon.flat_files import FlatFile
from tests.collector.estate_of_tests import KWH, EstateOfTests
from tests.collector.hosts import deliver, new_host, recent_half_hour
from tests.collector.test_history import stored

WHO = Who("cli:officer", 1_790_000_000)
SUMMER_2026 = datetime.date(2026, 7, 1)
OF_2026: Sequence[Cell] = (0.13, 0.013, 0.037, 0.0036)
DIESEL = ("Scope 1", "Fuels", "Liquid fuels", "Diesel (average biofuel blend)", "litres", "kg CO2e")


def import_flat(database: Database, directory: Path, flat: FlatFile, because: str | None = None) -> int:
    """Import it. The same values are the same bytes: a workbook holds the time when it was saved."""
    path = directory / f"{abs(hash(repr(flat)))}.xlsx"
    if not path.exists():
        flat.save(path)
    return apply(database, read_file(path), WHO, because)


def rules(database: Database) -> Rules:
    with database.read() as connection:
        return rules_of(connection)


def test_an_imported_set_takes_the_place_of_the_packaged_one_for_everybody(database: Database, tmp_path: Path) -> None:
    before = rules(database).factors(SUMMER_2026)
    assert (before.provisional, before.factors.provenance) == (True, "packaged")
    with pytest.raises(FactorError, match=r"2026 has no factor for Diesel.*import the Government's file"):
        before.factors.line("diesel")
    import_id = import_flat(database, tmp_path, FlatFile(2026, OF_2026, 1.2, more=[(*DIESEL, 2.5)]))
    applied = rules(database).factors(SUMMER_2026)
    assert applied.label == "UK electricity 2026"
    assert applied.factors.s2_generation == Decimal("0.13")
    line = applied.factors.line("s2_generation")
    assert (line.row_id, line.cell) == ("7_400_4000_5_1", "Factors by Category!J5")
    assert applied.factors.line("diesel").value == Decimal("2.5")
    with database.read() as connection:
        assert all(one.factors(SUMMER_2026) == applied for one in rules_by_organisation(connection).values())
        [act] = read_audit(connection, AuditFilter("factors.import"), 5)
        assert (act.actor, act.subject) == (WHO.actor, str(import_id))
        rows = rows_of(connection, applied.factors.sha256)
    assert [row.cell for row in rows][:2] == ["Factors by Category!J5", "Factors by Category!J6"]
    assert rules(database).factors(SUMMER_2026).factors is applied.factors, "read once"


def test_the_same_bytes_again_change_nothing_and_a_corrected_file_is_a_new_version(
    sqlite_database: Database, tmp_path: Path
) -> None:
    first = import_flat(sqlite_database, tmp_path, FlatFile(2026, OF_2026, 1.2))
    assert import_flat(sqlite_database, tmp_path, FlatFile(2026, OF_2026, 1.2)) == first
    second = import_flat(sqlite_database, tmp_path, FlatFile(2026, (0.14, *OF_2026[1:]), 1.3))
    third = import_flat(sqlite_database, tmp_path, FlatFile(2026, (0.15, *OF_2026[1:]), 1.1))
    with sqlite_database.read() as connection:
        assert [row.id for row in imports(connection)] == [third, first, second], "in the order of versions"
        assert set_named(connection, 2026).s2_generation == Decimal("0.14")
        assert set_named(connection, 2026, "1.2").s2_generation == Decimal("0.13")
        assert set_named(connection, 2026, "1.1").s2_generation == Decimal("0.15")
        with pytest.raises(NotFound, match="no factor set of 2026, version 9"):
            set_named(connection, 2026, "9")


def test_a_file_older_than_the_packaged_version_does_not_take_its_place(
    sqlite_database: Database, tmp_path: Path
) -> None:
    old = FlatFile(2024, (0.3, 0.02, 0.05, 0.004), version=1)
    with sqlite_database.read() as connection:
        assert not plan(connection, read_file(old.save(tmp_path / "old.xlsx"))).holds
    import_flat(sqlite_database, tmp_path, old)
    assert rules(sqlite_database).factors(datetime.date(2024, 7, 1)).factors.s2_generation == Decimal("0.20705")


def test_a_step_over_half_is_flagged_until_somebody_accepts_exactly_it(
    sqlite_database: Database, tmp_path: Path
) -> None:
    jump = FlatFile(2026, (0.13, 0.013, 0.0689, 0.0019))
    import_flat(sqlite_database, tmp_path, jump)
    found = rules(sqlite_database).factors(SUMMER_2026).factors
    assert found.unaccepted == (
        "Electricity, well-to-tank of generation: 0.04590 in 2025, 0.0689 in 2026 (+50%)",
        "Electricity, well-to-tank of losses: 0.00397 in 2025, 0.0019 in 2026 (-52%)",
    )
    with sqlite_database.write() as connection:
        with pytest.raises(BadRequest, match="needs a reason"):
            accept(connection, 2026, " ", WHO)
        with pytest.raises(NotFound, match="no factor set of 2025 was imported"):
            accept(connection, 2025, "why", WHO)
        assert len(accept(connection, 2026, "methodology paper, page 12", WHO)) == 2
        with pytest.raises(BadRequest, match="nothing of the factor set of 2026"):
            accept(connection, 2026, "again", WHO)
        [act] = read_audit(connection, AuditFilter("factors.accept"), 5)
        assert "methodology paper" in act.detail
    assert rules(sqlite_database).factors(SUMMER_2026).factors.unaccepted == ()
    import_flat(sqlite_database, tmp_path, FlatFile(2025, (0.177, 0.01853, 0.02, 0.00397), version=2))
    [again] = rules(sqlite_database).factors(SUMMER_2026).factors.unaccepted
    assert "0.02 in 2025, 0.0689 in 2026" in again, "the year before was corrected: another step"


def test_a_reason_at_the_import_accepts_its_steps(sqlite_database: Database, tmp_path: Path) -> None:
    import_flat(sqlite_database, tmp_path, FlatFile(2026, (0.05, 0.013, 0.037, 0.0036)), "one year of lag less")
    assert rules(sqlite_database).factors(SUMMER_2026).factors.unaccepted == ()


def test_blended_waits_for_two_final_sets_and_blends_the_lines_of_both(
    sqlite_database: Database, tmp_path: Path
) -> None:
    with sqlite_database.write() as connection:
        connection.execute(update(organisation).values(year_rule="blended"))
    day = datetime.date(2025, 8, 1)
    assert rules(sqlite_database).factors(day).label == "UK electricity 2025, provisional"
    import_flat(sqlite_database, tmp_path, FlatFile(2026, OF_2026, more=[(*DIESEL, 2.6)]))
    blended = rules(sqlite_database).factors(day)
    assert blended.label == "UK electricity 2025 and 2026 blended"
    expected = (Decimal("2.57082") * 275 + Decimal("2.6") * 90) / 365
    diesel = blended.factors.line("diesel")
    assert diesel.value == expected
    assert diesel.row_id.startswith("1_101_1011_8_1 + ")
    assert blended.factors.sha256.count(" + ") == 1


def test_series_and_totals_follow_an_import_and_only_the_days_it_changes(database: Database, tmp_path: Path) -> None:
    host = new_host(database, recent_half_hour())
    deliver(database, host, *host.reports(1800, every=600))
    due = Due(host.enrolled.device_id, int(time.time()), "collector-1")
    with database.write() as connection:
        write_ledger(connection, [due])
        old = EstateOfTests(connection, since=host.start - 400 * 86_400)
        old.device("old")
        old.measure(old.own_meter("old"), host.start - 399 * 86_400, host.start - 398 * 86_400, KWH)
        connection.execute(series_due.delete())
    with database.read() as connection:
        rule = rules_of(connection)
        day = rule.day(host.start)
        year = rule.factors(day).factors.year
    import_flat(database, tmp_path, FlatFile(year, (0.5, 0.05, 0.06, 0.006), version=9))
    with database.read() as connection:
        marked = connection.execute(select(series_due.c.device_id, series_due.c.local_day)).all()
        total = running_totals(connection, host.start + 1800).year
    assert [tuple(row) for row in marked] == [(host.enrolled.device_id, day.isoformat())]
    with database.write() as connection:
        while write_days(connection, [due]) != [0]:
            continue
    applied = rules(database).factors(day).factors
    assert applied.s2_generation == Decimal("0.5")
    assert total.footprint.s2_location_kg == footprint(total.energy, applied).s2_location_kg > 0
    [series] = stored(database, "carbon_half_hour", "s2_location_kg").values()
    assert sum(series.values()) == pytest.approx(float(total.footprint.s2_location_kg))
    import_flat(database, tmp_path, FlatFile(2024, (0.20705, 0.0183, 0.0459, 0.00397), version=1.1))
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(series_due)).scalar() == 0, "the same figures"


def test_an_import_that_was_cut_off_is_finished_by_the_same_file(sqlite_database: Database, tmp_path: Path) -> None:
    import_flat(sqlite_database, tmp_path, FlatFile(2025, (0.18, 0.018, 0.046, 0.004), version=2))
    with sqlite_database.write() as connection:
        connection.execute(update(factor_import).values(followed=False))
        estate = EstateOfTests(connection, since=1_740_000_000)
        estate.device("web01")
        estate.measure(estate.own_meter("web01"), 1_750_000_000 // 1800 * 1800, 1_750_003_600 // 1800 * 1800, KWH)
        assert connection.execute(select(func.count()).select_from(series_due)).scalar() == 0
    import_flat(sqlite_database, tmp_path, FlatFile(2025, (0.18, 0.018, 0.046, 0.004), version=2))
    with sqlite_database.read() as connection:
        assert connection.execute(select(series_due.c.local_day)).scalars().all() == ["2025-06-15"]
        assert connection.execute(select(factor_import.c.followed)).scalars().all() == [True]


def test_two_databases_with_other_imports_do_not_share_their_sets(sqlite_database: Database, tmp_path: Path) -> None:
    other_database = open_database(tmp_path / "other.db")
    migrate(other_database)
    import_flat(sqlite_database, tmp_path, FlatFile(2026, OF_2026))
    with sqlite_database.read() as one, other_database.read() as other:
        assert one.execute(select(setting.c.value).where(setting.c.name == MARK)).scalar()
        assert factor_sets(one) != factor_sets(other)
    other_database.close()
