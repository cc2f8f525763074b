"""Why a footprint changed: causes that add up to the gram, each seeded one by its name, and what is said of it."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.activity import Activity, Kind, Subject
from carbon.explain import CAUSES, Explanation, Facts, Identity, explain
from carbon.explain_lines import explain_lines
from carbon.explain_words import verdict
from carbon.factor_methods import method_share
from carbon.factors import Applied, packaged_sets
from carbon.footprint_rows import FootprintRow, footprint_row
from carbon.report import OtherLine

KWH = 3_600_000_000_000
JUNE = 30 * 86_400
MONTHS = {"2024-06": "2025-06"}
_SETS = {one.year: Applied(one, provisional=not one.final) for one in packaged_sets()}


def _row(
    year: int,
    device: str = "d1",
    *,
    read: int = 100 * KWH,
    filled: int = 0,
    overhead: int = 0,
    covered: int = JUNE,
    possible: int = JUNE,
    source: str = "rapl",
    count: int = 1,
    kind: Kind = "device",
    factors: int = 2024,
) -> FootprintRow:
    subject = Subject(
        f"{year}-06", "council", "", "County Hall", "", "", "servers", "server", False, kind, device, "own"
    )
    activity = Activity(
        subject,
        Fraction(count),
        measured_uj=read,
        filled_uj=filled,
        overhead_uj=overhead,
        covered_seconds=covered,
        possible_seconds=possible,
        source=source,
    )
    return footprint_row(activity, _SETS[factors])


def _explained(before: list[FootprintRow], after: list[FootprintRow], facts: Facts | None = None) -> Explanation:
    def facts_of(identity: Identity, first: str, second: str) -> Facts:
        assert (first, second) == ("2024-06", "2025-06")
        return facts or Facts()

    return explain(before, after, MONTHS, facts_of, method_share)


def _causes(found: Explanation) -> set[str]:
    return {cause for cause, part in found.causes.items() if part}


@pytest.mark.parametrize(
    ("before", "after", "facts", "cause"),
    [
        ([_row(2024)], [_row(2025, read=80 * KWH)], None, "activity"),
        ([], [_row(2025)], None, "added"),
        ([_row(2024, possible=JUNE // 2, covered=JUNE // 2, read=50 * KWH)], [_row(2025)], None, "added"),
        ([_row(2024)], [], None, "retired"),
        ([_row(2024)], [], Facts(moved=True), "moved"),
        ([], [_row(2025)], Facts(in_use_before=True), "coverage"),
        ([_row(2024)], [], Facts(in_use_after=True), "coverage"),
        ([], [_row(2025)], Facts(in_use_before=True, profiled=True), "method"),
        ([_row(2024)], [_row(2025, read=90 * KWH, source="pdu")], None, "method"),
        ([_row(2024)], [_row(2025, read=50 * KWH, covered=JUNE // 2)], None, "gap_fill"),
        ([_row(2024)], [_row(2025, read=0, covered=0)], None, "gap_fill"),
        ([_row(2024, overhead=80 * KWH)], [_row(2025, overhead=50 * KWH)], None, "pue"),
        ([_row(2024)], [_row(2025, factors=2025)], None, "grid_factor"),
    ],
)
def test_each_cause_alone_is_named_and_has_the_whole_change(
    before: list[FootprintRow], after: list[FootprintRow], facts: Facts | None, cause: str
) -> None:
    found = _explained(before, after, facts)
    assert _causes(found) == {cause}
    assert found.causes[cause] == found.change_g != 0


def test_a_gap_that_is_filled_as_the_device_runs_changes_nothing() -> None:
    found = _explained([_row(2024)], [_row(2025, read=50 * KWH, filled=50 * KWH, covered=JUNE // 2)])
    assert _causes(found) == set()
    assert verdict(found) == "The footprint is the same."


def test_half_of_the_step_to_2026_is_a_change_of_method() -> None:
    found = explain([_row(2024, factors=2025)], [_row(2025, factors=2026)], MONTHS, method_share=method_share)
    assert _causes(found) == {"grid_factor", "factor_method"}
    assert abs(found.causes["grid_factor"] - found.causes["factor_method"]) <= 1


def test_a_known_ratio_of_two_ways_of_measuring_leaves_the_rest_to_the_device() -> None:
    found = _explained([_row(2024)], [_row(2025, read=72 * KWH, source="pdu")], Facts(method_ratio=Fraction(9, 10)))
    assert _causes(found) == {"method", "activity"}
    assert 0 > found.causes["method"] > found.causes["activity"]


def test_laptops_that_are_read_now_are_no_fewer_laptops() -> None:
    before = [_row(2024, "", kind="profile", count=10, source="laptop profile")]
    after = [_row(2025, "", kind="profile", count=9, read=90 * KWH, source="laptop profile")]
    moved = _explained(before, after, Facts(read_instead=Fraction(1)))
    assert _causes(moved) == {"method"}
    assert _causes(_explained(before, after)) == {"retired"}


def test_more_work_at_home_is_no_change_of_how_many_there_are() -> None:
    def laptops(year: int, office: int) -> list[FootprintRow]:
        own = _row(year, "", kind="profile", count=office, read=office * KWH, source="laptop profile")
        subject = replace(own.activity.subject, supply="home")
        home = replace(own.activity, subject=subject, count=Fraction(10 - office), measured_uj=(10 - office) * KWH)
        return [own, footprint_row(home, _SETS[2024])]

    found = _explained(laptops(2024, 6), laptops(2025, 4))
    assert found.change_g == 0
    assert all(set(parts) <= {"activity"} for parts in found.of.values())


def test_months_without_a_partner_are_left_out() -> None:
    found = explain([_row(2024)], [_row(2026)], MONTHS)
    assert (found.before_g, found.after_g) == (_row(2024).grams.total, 0)


def test_what_fell_by_its_accounts_alone_is_said_to_have_done_so() -> None:
    words = verdict(_explained([_row(2024)], [_row(2025, read=90 * KWH, source="pdu")]))
    assert "only because it is measured or estimated in another way" in words
    words = verdict(_explained([_row(2024)], [_row(2025, factors=2025)]))
    assert "only because the grid's electricity became cleaner or dirtier" in words
    words = verdict(_explained([_row(2024)], [_row(2025, read=110 * KWH, factors=2026)]))
    assert "fell" in words
    assert "own doing alone would have made it rise." in words


_AMOUNT = st.integers(0, 10**15)
_SECONDS = st.sampled_from([0, 1800, JUNE // 2, JUNE])


@st.composite
def _rows(draw: st.DrawFn, year: int) -> list[FootprintRow]:
    return [
        _row(
            year,
            device,
            read=draw(_AMOUNT),
            filled=draw(_AMOUNT),
            overhead=draw(_AMOUNT),
            covered=draw(_SECONDS),
            possible=draw(_SECONDS),
            source=draw(st.sampled_from(["rapl", "pdu"])),
            kind=draw(st.sampled_from(["device", "rest"])),
            factors=draw(st.sampled_from([2023, 2024, 2025, 2026])),
        )
        for device in draw(st.sets(st.sampled_from(["a", "b", "c"])))
    ]


@given(_rows(2024), _rows(2025), st.booleans(), st.one_of(st.none(), st.fractions(Fraction(1, 10), 10)))
def test_causes_add_up_to_the_change_to_the_gram(
    before: list[FootprintRow], after: list[FootprintRow], known: bool, ratio: Fraction | None
) -> None:
    found = _explained(before, after, Facts(in_use_before=known, in_use_after=not known, method_ratio=ratio))
    assert set(found.causes) == set(CAUSES)
    assert sum(found.causes.values()) == found.change_g
    assert sum(sum(parts.values()) for parts in found.of.values()) == found.change_g
    assert found.before_g == sum(row.grams.total for row in before)
    assert found.after_g == sum(row.grams.total for row in after)


def _line(
    month: str, grams: int, amount: str = "1", *, service: str = "", row_id: str = "r", memo: bool = False
) -> OtherLine:
    name = service or "diesel"
    return OtherLine(
        "1", month, name, service, "", "3", "1", Decimal(amount), "u", grams, "", row_id, "", "", "officer", memo
    )


@pytest.mark.parametrize(
    ("before", "after", "existed", "causes"),
    [
        ([], [_line("2025-06", 9, service="mail")], False, {"moved": 9}),
        ([_line("2024-06", 9, service="mail")], [], False, {"moved": -9}),
        ([], [_line("2025-06", 9, service="mail")], True, {"coverage": 9}),
        ([_line("2024-06", 9, service="mail")], [_line("2025-06", 7, service="mail")], True, {"activity": -2}),
        ([_line("2024-06", 100, "10")], [_line("2025-06", 200, "20")], True, {"activity": 100}),
        ([_line("2024-06", 100, "10")], [_line("2025-06", 90, "10", row_id="s")], True, {"grid_factor": -10}),
        ([_line("2024-06", 100, memo=True)], [], True, {}),
    ],
)
def test_providers_and_fuel_change_by_what_they_are(
    before: list[OtherLine], after: list[OtherLine], existed: bool, causes: dict[str, int]
) -> None:
    found = explain([], [], MONTHS)
    explain_lines(found, before, after, MONTHS, lambda *_: existed)
    assert {cause: part for cause, part in found.causes.items() if part} == causes
    assert sum(found.causes.values()) == found.change_g
