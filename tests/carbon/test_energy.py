"""Energy in equals energy out: half-hours of a counter sum to its difference, whatever the order of the reports."""

import itertools
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.energy import (
    LONGEST_SPREAD_MS,
    Load,
    Measured,
    Neighbour,
    add_loads,
    add_measured,
    counter_energy,
    estimated_uj,
    power_energy,
    processor_load,
)
from carbon.errors import FactsError
from carbon.facts import (
    HALF_HOUR_MS,
    CounterFacts,
    Facts,
    UtilisationFacts,
    counter_facts,
    from_text,
    merge,
    power_facts,
    to_text,
    utilisation_facts,
)

START_MS = 1_790_000_000_000 - 1_790_000_000_000 % HALF_HOUR_MS
NS = 1_000_000

CounterReading = tuple[int, int, int, int]
LoadReading = tuple[int, int, int, int, int, int]


def merged_by_half_hour(reports: Sequence[Sequence[CounterReading]]) -> dict[int, CounterFacts]:
    """What the database holds after these reports: facts of each, merged by half-hour."""
    parts: dict[int, list[Facts]] = {}
    for report in reports:
        for half_hour, facts in counter_facts(report).items():
            parts.setdefault(half_hour, []).append(facts)
    merged = {half_hour: merge(rows) for half_hour, rows in parts.items()}
    return {half_hour: facts for half_hour, facts in merged.items() if isinstance(facts, CounterFacts)}


def counter_by_half_hour(facts: dict[int, CounterFacts]) -> dict[int, Measured]:
    """Every half-hour from the first to the last with facts, gaps included."""
    if not facts:
        return {}
    known = sorted(facts)
    result = {}
    for half_hour in range(known[0], known[-1] + 1, 1800):
        earlier = [other for other in known if other < half_hour]
        later = [other for other in known if other > half_hour]
        result[half_hour] = counter_energy(
            half_hour,
            facts.get(half_hour),
            Neighbour(earlier[-1], facts[earlier[-1]]) if earlier else None,
            Neighbour(later[0], facts[later[0]]) if later else None,
        )
    return result


def readings_of(times_ms: Sequence[int], values_uj: Sequence[int]) -> list[CounterReading]:
    """Readings as an agent sends them: each with the interval and the difference since the one before."""
    rows = [(times_ms[0] * NS, 0, values_uj[0], 0)]
    for (from_ms, from_uj), (to_ms, to_uj) in itertools.pairwise(zip(times_ms, values_uj, strict=True)):
        rows.append((to_ms * NS, (to_ms - from_ms) * NS, to_uj, to_uj - from_uj))
    return rows


@st.composite
def counters(draw: st.DrawFn) -> tuple[list[CounterReading], int]:
    """A counter read at irregular times over hours, with gaps of up to a day, and its true difference."""
    steps = draw(
        st.lists(
            st.tuples(st.one_of(st.integers(1, 20_000), st.integers(1, 86_400_000)), st.integers(0, 50_000_000_000)),
            min_size=1,
            max_size=25,
        )
    )
    times, values = [START_MS + draw(st.integers(0, HALF_HOUR_MS))], [draw(st.integers(0, 2**50))]
    for milliseconds, microjoules in steps:
        times.append(times[-1] + milliseconds)
        values.append(values[-1] + microjoules)
    return readings_of(times, values), values[-1] - values[0]


@given(counters())
def test_half_hours_of_a_counter_sum_to_its_difference_exactly(counter: tuple[list[CounterReading], int]) -> None:
    readings, difference = counter
    assert sum(row.energy_uj for row in counter_by_half_hour(merged_by_half_hour([readings])).values()) == difference


@given(counters(), st.randoms(use_true_random=False), st.integers(1, 6))
def test_order_repetition_and_grouping_of_reports_change_nothing(
    counter: tuple[list[CounterReading], int], shuffler: random.Random, size: int
) -> None:
    readings, _ = counter
    in_order = [readings[at : at + size] for at in range(0, len(readings), size)]
    shuffled = in_order + shuffler.choices(in_order, k=len(in_order))
    shuffler.shuffle(shuffled)
    assert merged_by_half_hour(shuffled) == merged_by_half_hour([readings])


@given(counters(), st.randoms(use_true_random=False))
def test_a_lost_report_loses_no_energy(counter: tuple[list[CounterReading], int], shuffler: random.Random) -> None:
    readings, difference = counter
    kept = [readings[0], *(row for row in readings[1:-1] if shuffler.random() < 0.5), readings[-1]]
    rows = counter_by_half_hour(merged_by_half_hour([kept]))
    assert sum(row.energy_uj for row in rows.values()) == difference


@given(counters())
def test_covered_and_spread_never_exceed_the_half_hour(counter: tuple[list[CounterReading], int]) -> None:
    for row in counter_by_half_hour(merged_by_half_hour([counter[0]])).values():
        assert row.covered_ms >= 0
        assert row.spread_ms >= 0
        assert row.covered_ms + row.spread_ms <= HALF_HOUR_MS


@given(
    st.lists(st.tuples(st.integers(5_000, 60_000), st.integers(1, 10**10)), min_size=3, max_size=150),
    st.data(),
)
def test_a_clock_stepped_back_by_less_than_it_is_corrected_counts_nothing_twice(
    steps: list[tuple[int, int]], data: st.DataObject
) -> None:
    # Offsets to 30 s stay as they are, so readings may run backwards by as much, also across a half-hour's end.
    times, values = [START_MS + HALF_HOUR_MS - data.draw(st.integers(0, 600_000))], [0]
    for milliseconds, microjoules in steps:
        times.append(times[-1] + milliseconds)
        values.append(values[-1] + microjoules)
    at, back = data.draw(st.integers(1, len(times) - 1)), data.draw(st.integers(1, 30_000))
    readings = readings_of(times, values)
    stepped = [
        (unix_ns - back * NS * (index >= at), interval, value, difference)
        for index, (unix_ns, interval, value, difference) in enumerate(readings)
    ]
    rows = counter_by_half_hour(merged_by_half_hour([stepped]))
    assert sum(row.energy_uj for row in rows.values()) == values[-1]


def test_full_readings_cover_the_half_hour_and_nothing_is_spread() -> None:
    times = list(range(START_MS, START_MS + 3 * HALF_HOUR_MS + 1, 10_000))
    rows = counter_by_half_hour(
        merged_by_half_hour([readings_of(times, [index * 1_450_000_000 for index in range(len(times))])])
    )
    middle = rows[START_MS // 1000 + 1800]
    assert middle == Measured(180 * 1_450_000_000, HALF_HOUR_MS, 0)


def test_a_gap_is_counted_and_spread_evenly_and_is_not_coverage() -> None:
    readings = [
        (START_MS * NS, 0, 0, 0),
        ((START_MS + 10_000) * NS, 10_000 * NS, 1_000_000, 1_000_000),
        ((START_MS + 4 * HALF_HOUR_MS) * NS, 10_000 * NS, 721_000_000, 1_000_000),
    ]
    rows = counter_by_half_hour(merged_by_half_hour([readings]))
    assert sum(row.energy_uj for row in rows.values()) == 721_000_000
    inner = rows[START_MS // 1000 + 2 * 1800]
    assert inner.covered_ms == 0
    assert inner.spread_ms == HALF_HOUR_MS
    assert inner.energy_uj == pytest.approx(180_000_000, rel=0.01)


def test_epochs_are_not_joined() -> None:
    before = counter_by_half_hour(merged_by_half_hour([readings_of([START_MS, START_MS + 60_000], [500, 900])]))
    after = counter_by_half_hour(merged_by_half_hour([readings_of([START_MS + 120_000, START_MS + 180_000], [0, 50])]))
    both = add_measured([*before.values(), *after.values()])
    assert both == Measured(450, 120_000, 0)


def test_energy_across_a_gap_of_months_is_not_counted() -> None:
    far = START_MS + LONGEST_SPREAD_MS + 2 * HALF_HOUR_MS
    readings = [*readings_of([START_MS, START_MS + 1000], [0, 10]), (far * NS, 0, 10**15, 0)]
    rows = counter_by_half_hour(merged_by_half_hour([readings]))
    assert sum(row.energy_uj for row in rows.values()) == 10


def test_mean_watts_integrate_to_energy_and_split_at_the_half_hour() -> None:
    facts = power_facts([((START_MS + HALF_HOUR_MS + 30_000) * NS, 60_000 * NS, 100.0)])
    energies = [power_energy(row) for _, row in sorted(facts.items())]
    assert energies == [Measured(3_000_000_000, 30_000, 0), Measured(3_000_000_000, 30_000, 0)]


def test_overlapping_watts_count_once() -> None:
    facts = power_facts(
        [((START_MS + 60_000) * NS, 60_000 * NS, 100.0), ((START_MS + 90_000) * NS, 60_000 * NS, 200.0)]
    )
    energy = power_energy(facts[START_MS // 1000])
    assert energy == Measured((30 * 100 + 30 * 150 + 30 * 200) * 1_000_000, 90_000, 0)


def load_readings(times_ms: Sequence[int], shares: Sequence[float], processors: int = 4) -> list[LoadReading]:
    rows, busy, total = [(times_ms[0] * NS, 0, 0, 0, 0, 0)], 0, 0
    for (from_ms, to_ms), share in zip(itertools.pairwise(times_ms), shares, strict=True):
        passed = (to_ms - from_ms) * 1000 * processors
        busy, total = busy + round(passed * share), total + passed
        rows.append((to_ms * NS, (to_ms - from_ms) * NS, busy, total, round(passed * share), passed))
    return rows


def loads_by_half_hour(readings: Sequence[LoadReading]) -> dict[int, Load]:
    facts = utilisation_facts(readings)
    known = sorted(facts)
    result = {}
    for half_hour in range(known[0], known[-1] + 1, 1800):
        earlier = [other for other in known if other < half_hour]
        later = [other for other in known if other > half_hour]
        result[half_hour] = processor_load(
            half_hour,
            facts.get(half_hour),
            Neighbour(earlier[-1], facts[earlier[-1]]) if earlier else None,
            Neighbour(later[0], facts[later[0]]) if later else None,
        )
    return result


def test_time_goes_to_the_bin_of_its_utilisation() -> None:
    times = [START_MS, START_MS + 10_000, START_MS + 20_000, START_MS + 30_000]
    load = loads_by_half_hour(load_readings(times, [0.0, 0.5, 1.0]))[START_MS // 1000]
    assert load.covered_ms == (10_000, 0, 0, 0, 0, 10_000, 0, 0, 0, 0, 10_000)
    assert sum(load.spread_ms) == 0


@given(
    st.lists(st.tuples(st.integers(100, 7_200_000), st.floats(0, 1)), min_size=1, max_size=30),
    st.randoms(use_true_random=False),
)
def test_bins_hold_exactly_the_time_that_is_known(steps: list[tuple[int, float]], shuffler: random.Random) -> None:
    times = [START_MS + 123]
    for milliseconds, _ in steps:
        times.append(times[-1] + milliseconds)
    readings = load_readings(times, [share for _, share in steps])
    shuffler.shuffle(readings)
    loads = loads_by_half_hour(readings)
    known_ms = sum(sum(load.covered_ms) + sum(load.spread_ms) for load in loads.values())
    # A gap's time is scaled by the processors' pace, in whole milliseconds: one may be lost a half-hour.
    assert times[-1] - times[0] - known_ms <= 2 * len(loads) + len(times)
    assert known_ms <= times[-1] - times[0]
    for load in loads.values():
        assert sum(load.covered_ms) + sum(load.spread_ms) <= HALF_HOUR_MS


def test_time_asleep_is_not_time_at_work() -> None:
    awake = load_readings([START_MS, START_MS + 10_000, START_MS + 20_000], [0.2, 0.2])
    # Suspended for twenty minutes: boot is the same, the processors' total moved by one second.
    later = (START_MS + 1_220_000) * NS
    busy, total = awake[-1][2] + 800_000, awake[-1][3] + 4_000_000
    load = loads_by_half_hour([*awake, (later, 0, busy, total, 0, 0)])[START_MS // 1000]
    assert sum(load.covered_ms) == 20_000
    assert sum(load.spread_ms) == pytest.approx(1000, abs=2)


def test_an_estimate_adds_the_bins() -> None:
    watts = [100.0 + 10 * index for index in range(11)]
    load = Load((1_000, *[0] * 9, 2_000), (0, 3_000, *[0] * 9))
    assert estimated_uj(load, watts) == (1 * 100 + 2 * 200 + 3 * 110) * 1_000_000


def test_two_boots_in_one_half_hour_never_exceed_it() -> None:
    full = Load((HALF_HOUR_MS, *[0] * 10), (0,) * 11)
    half = Load((0, HALF_HOUR_MS // 2, *[0] * 9), (0,) * 11)
    both = add_loads([full, half])
    assert sum(both.covered_ms) == HALF_HOUR_MS


@pytest.mark.parametrize(
    "facts",
    [
        CounterFacts((5, 7), (9, 12), ((5, 9),)),
        CounterFacts(None, None, ()),
        power_facts([((START_MS + 60_000) * NS, 60_000 * NS, 99.5)])[START_MS // 1000],
        UtilisationFacts(((1, 2, 3), (4, 5, 6)), ((1, 4),)),
    ],
)
def test_facts_survive_the_database(facts: Facts) -> None:
    assert from_text(to_text(facts)) == facts


@pytest.mark.parametrize(
    "text", ["", "{}", "null", "[]", '["x"]', '["c",1]', '["u",[[1]],[]]', '["p",3]', '["c",[1,', "7"]
)
def test_a_damaged_fact_is_named_not_guessed(text: str) -> None:
    with pytest.raises(FactsError, match="energy fact"):
        from_text(text)


def test_facts_of_different_kinds_do_not_merge() -> None:
    with pytest.raises(FactsError, match="different kinds"):
        merge([CounterFacts(None, None, ()), UtilisationFacts((), ())])
    with pytest.raises(FactsError, match="no facts"):
        merge([])
