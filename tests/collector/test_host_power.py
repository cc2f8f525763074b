"""Power of a host: one series a device, the sum of what was chosen and the estimated rest, with bounds around it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.report import Choice, Covers, Meter, MeterKind
from carbon.power_model import PowerCurve, power_curve
from carbon.power_supply import loss_ratio
from carbon.uncertainty import METER_TIERS
from carbon.utilisation import utilisation_bin
from collector.checks import MeterReadings
from collector.host_facts import host_facts
from collector.host_power import Derived, DevicePoint, derive
from tests.collector.hosts import SERVER

NS = 10**9
T = 1_790_000_000 * NS
CURVE = power_curve(host_facts(SERVER))
Reading = tuple[int, int, list[int | float], list[int]]


def meter(name: str, covers: Covers, source: str = "rapl", kind: MeterKind = "counter") -> Meter:
    return Meter(name, source, kind, covers, "" if kind == "power" else "e", "")


PACKAGES = [meter("rapl/package-0", "package"), meter("rapl/package-1", "package")]
DRAMS = [meter("rapl/dram-0", "dram"), meter("rapl/dram-1", "dram")]
CORE = meter("rapl/core-0", "core")._replace(parent="rapl/package-0")
PLUG = meter("acpi/power1", "machine_ac", "acpi_meter", "power")
PROCESSORS = Meter("cpu", "cpu_time", "utilisation", "processors", "boot")


def counted(one: Meter, *watts: float, step: int = 10) -> MeterReadings:
    """Ten-second readings of a counter, one for each mean power."""
    readings: list[Reading] = []
    total = 5 * 10**9
    for index, power in enumerate(watts):
        grown = round(power * step * 1e6)
        total += grown
        readings.append((T + index * step * NS, step * NS, [total], [grown]))
    return MeterReadings(one, readings)


def metered(one: Meter, *watts: float) -> MeterReadings:
    return MeterReadings(one, [(T + index * 10 * NS, 10 * NS, [power], []) for index, power in enumerate(watts)])


def busy(*ratios: float) -> MeterReadings:
    readings: list[Reading] = [
        (T + index * 10 * NS, 10 * NS, [10**9, 10**10], [round(ratio * 10**6), 10**6])
        for index, ratio in enumerate(ratios)
    ]
    return MeterReadings(PROCESSORS, readings)


def known() -> PowerCurve | None:
    return CURVE


def unknown() -> PowerCurve | None:
    return None


def host_points(derived: Derived) -> list[DevicePoint]:
    return [point for point in derived.points if point.measurement == "hw_host"]


def number(point: DevicePoint, field: str) -> float:
    found = point.fields[field]
    assert isinstance(found, float | int)
    return float(found)


def test_the_host_is_packages_plus_memory_plus_the_estimated_rest() -> None:
    names = [one.name for one in (*PACKAGES, *DRAMS)]
    meters = [counted(one, 50 + index) for index, one in enumerate((*PACKAGES, *DRAMS))]
    derived = derive([*meters, counted(CORE, 30), busy(0.5)], Choice("package", names), known)
    [point] = host_points(derived)
    rest = CURVE.rest[5]
    assert number(point, "power_watts") == pytest.approx(50 + 51 + 52 + 53 + rest.value)
    assert number(point, "power_low_watts") == pytest.approx(206 * 0.8 + rest.low)
    assert number(point, "power_high_watts") == pytest.approx(206 * 1.2 + rest.high)
    assert (point.fields["source"], point.fields["method"]) == ("rapl+power_model", "mixed")
    assert point.fields["energy_joules"] is None, "a sum with an estimate in it is no counter"


def test_parts_stand_beside_the_host_and_are_not_added_to_it() -> None:
    derived = derive(
        [counted(PACKAGES[0], 50), counted(CORE, 30), busy(0.1)], Choice("package", ["rapl/package-0"]), known
    )
    parts = {point.tags["hw_id"]: point for point in derived.points if point.measurement == "hw_component"}
    assert {name: number(point, "power_watts") for name, point in parts.items()} == {
        "rapl/package-0": 50,
        "rapl/core-0": 30,
    }
    assert {name: (point.tags["hw_type"], point.tags["hw_parent"]) for name, point in parts.items()} == {
        "rapl/package-0": ("cpu", ""),
        "rapl/core-0": ("cpu", "rapl/package-0"),
    }
    assert parts["rapl/core-0"].fields["energy_joules"] == 5300
    [host] = host_points(derived)
    assert number(host, "power_watts") == pytest.approx(50 + CURVE.rest[1].value)


def test_what_is_metered_behind_the_power_supply_is_the_host_with_what_the_supply_loses() -> None:
    output = meter("hwmon/corsairpsu", "machine_dc", "hwmon", "power")
    [point] = host_points(derive([metered(output, 100)], Choice("machine", [output.name]), unknown))
    lost = loss_ratio()
    assert number(point, "power_watts") == pytest.approx(100 * (1 + lost.value))
    assert number(point, "power_low_watts") == pytest.approx(90 * (1 + lost.low))
    assert number(point, "power_high_watts") == pytest.approx(110 * (1 + lost.high))
    assert (point.fields["source"], point.fields["method"]) == ("hwmon+power_model", "mixed")


def test_a_ups_that_only_tells_its_load_is_an_estimate_and_each_part_has_its_own_band() -> None:
    by_load = meter("nut/b/load", "machine_ac", "nut_load", "power")
    measuring = meter("nut/a", "machine_ac", "nut", "power")
    [alone] = host_points(derive([metered(by_load, 70)], Choice("machine", [by_load.name]), unknown))
    assert alone.fields["method"] == "estimated"
    assert number(alone, "power_low_watts") == pytest.approx(49)
    both = derive(
        [metered(measuring, 100), metered(by_load, 70)], Choice("machine", [measuring.name, by_load.name]), unknown
    )
    [point] = host_points(both)
    assert (point.fields["method"], number(point, "power_watts")) == ("mixed", 170)
    assert number(point, "power_high_watts") == pytest.approx(105 + 91)


def test_a_ups_that_may_feed_others_is_shown_and_is_no_host() -> None:
    ups = meter("nut/rack", "ups_output", "nut", "power")
    derived = derive([metered(ups, 900), busy(0.5)], Choice("estimate"), known)
    [shown] = [point for point in derived.points if point.measurement == "power_meter"]
    assert shown.tags == {"meter_id": "nut/rack", "role": "ups_output"}
    [host] = host_points(derived)
    assert host.fields["method"] == "estimated"


def test_a_meter_of_the_whole_machine_is_the_host() -> None:
    derived = derive(
        [metered(PLUG, 120.5, 130), counted(PACKAGES[0], 50, 50), busy(0.5, 0.5)],
        Choice("machine", ["acpi/power1"]),
        known,
    )
    points = host_points(derived)
    assert [number(point, "power_watts") for point in points] == [120.5, 130]
    assert {point.fields["method"] for point in points} == {"measured"}
    assert {point.fields["source"] for point in points} == {"acpi_meter"}
    assert number(points[0], "power_low_watts") == pytest.approx(120.5 * 0.9)
    assert number(points[0], "power_high_watts") == pytest.approx(120.5 * 1.1)
    meters = [point for point in derived.points if point.measurement == "power_meter"]
    assert {(point.tags["meter_id"], point.tags["role"]) for point in meters} == {("acpi/power1", "machine_input")}
    assert derived.newest is not None
    assert (derived.newest.unix_ns, derived.newest.watts) == (T + 10 * NS, 130)


def test_a_single_counter_of_the_whole_platform_gives_its_energy_too() -> None:
    psys = meter("rapl/psys", "psys")
    [point] = host_points(derive([counted(psys, 42)], Choice("psys", ["rapl/psys"]), unknown))
    assert number(point, "energy_joules") == 5420
    assert (number(point, "power_watts"), point.fields["method"]) == (42, "measured")


def test_without_a_meter_the_host_is_estimated_from_its_load() -> None:
    points = host_points(derive([busy(0.0, 0.55, 1.0)], Choice("estimate"), known))
    bins = [utilisation_bin(ratio) for ratio in (0.0, 0.55, 1.0)]
    assert len(set(bins)) == 3
    assert [number(point, "power_watts") for point in points] == [CURVE.watts[one].value for one in bins]
    assert {(point.fields["source"], point.fields["method"]) for point in points} == {("power_model", "estimated")}


def test_without_an_inventory_nothing_is_made_up() -> None:
    assert host_points(derive([busy(0.5)], Choice("estimate"), unknown)) == []
    assert (
        host_points(derive([counted(PACKAGES[0], 50), busy(0.5)], Choice("package", ["rapl/package-0"]), unknown)) == []
    )


def test_a_time_at_which_a_chosen_meter_is_missing_has_no_sum() -> None:
    choice = Choice("package", [one.name for one in PACKAGES])
    points = host_points(
        derive([counted(PACKAGES[0], 50, 60), counted(PACKAGES[1], 50), busy(0.5, 0.5)], choice, known)
    )
    assert [point.unix_ns for point in points] == [T]
    points = host_points(derive([counted(PACKAGES[0], 50), busy(0.5)], choice, known))
    assert points == []


def test_a_reading_or_a_choice_told_twice_counts_once() -> None:
    reading = counted(PACKAGES[0], 50)
    twice = MeterReadings(PACKAGES[0], reading.readings * 2)
    choice = Choice("machine", ["rapl/package-0", "rapl/package-0"])
    [point] = host_points(derive([twice], choice, unknown))
    assert number(point, "power_watts") == 50


def test_the_first_reading_of_an_epoch_has_no_power() -> None:
    first = MeterReadings(PACKAGES[0], [(T, 0, [7], [])])
    processors = MeterReadings(PROCESSORS, [(T, 0, [7, 8], [])])
    assert derive([first, processors], Choice("package", ["rapl/package-0"]), known).points == []


watts = st.floats(0, 2000)


@settings(deadline=None)
@given(
    st.sampled_from(["machine", "psys", "package", "estimate"]),
    st.lists(st.tuples(watts, watts, watts, st.floats(0, 1)), min_size=1, max_size=6),
    st.sampled_from(sorted(METER_TIERS)),
)
def test_the_host_is_exactly_one_series_whose_bounds_hold_it_and_whose_parts_add_up(
    basis: str, samples: list[tuple[float, float, float, float]], source: str
) -> None:
    first, second, memory, load = (list(column) for column in zip(*samples, strict=True))
    pair = [meter("package-0", "package", source), meter("package-1", "package", source)]
    dram = meter("dram-0", "dram", source)
    readings = [counted(pair[0], *first), counted(pair[1], *second), counted(dram, *memory), busy(*load)]
    choice = Choice(basis, [] if basis == "estimate" else ["package-0", "package-1", "dram-0"])  # type: ignore[arg-type]  # one of the four
    derived = derive(readings, choice, known)
    points = host_points(derived)
    assert [point.tags for point in points] == [{}] * len(samples)
    assert len({point.unix_ns for point in points}) == len(samples)
    parts: dict[int, float] = {}
    for point in derived.points:
        if point.measurement == "hw_component":
            parts[point.unix_ns] = parts.get(point.unix_ns, 0.0) + number(point, "power_watts")
    for point in points:
        low, power, high = (number(point, f"power{side}_watts") for side in ("_low", "", "_high"))
        assert 0 <= low <= power + 1e-6
        assert power <= high + 1e-6
        if basis in ("machine", "psys"):
            assert power == pytest.approx(parts[point.unix_ns], abs=1e-6)
        elif basis == "package":
            rest = power - parts[point.unix_ns]
            assert any(rest == pytest.approx(one.value, abs=1e-6) for one in CURVE.rest)
    assert derived.newest is not None
    assert derived.newest.unix_ns == max(point.unix_ns for point in points)
