"""The first power estimate: within its claims on published data, and calm whatever it is given."""

import csv
import itertools
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.cpu import cpu_facts, normalised
from carbon.power_model import HostFacts, power_curve
from carbon.utilisation import BINS, utilisation_bin

GB = 10**9


def idle_errors(shared: Path) -> tuple[list[float], list[float], list[bool]]:
    """Relative errors of ours and of TDP x 0.3 on ENERGY STAR servers, and whether the watts lie in our band."""
    ours, rule, inside = [], [], []
    with (shared / "power" / "energystar_server_idle_dev.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if row["suspect"] != "0" or not row["tdp_w"] or row["form_factor"] not in ("Rack-mount", "Tower/Pedestal"):
                continue
            watts, sockets = float(row["w_idle_sert"]), int(float(row["chips"]))
            facts = HostFacts(
                row["cpu_raw"],
                sockets,
                int(sockets * float(row["cores_per_chip"])),
                None,
                int(float(row["memory_gb"]) * GB),
                int(float(row["ssd"] or 0)),
                int(float(row["hdd"] or 0)),
                "server",
                "physical",
            )
            idle = power_curve(facts).watts[0]
            ours.append(abs(idle.value / watts - 1))
            rule.append(abs(0.3 * sockets * float(row["tdp_w"]) / watts - 1))
            inside.append(idle.low <= watts <= idle.high)
    return ours, rule, inside


def test_it_beats_the_tdp_rule_on_ordinary_servers_and_its_band_holds_four_of_five(shared: Path) -> None:
    ours, rule, inside = idle_errors(shared)
    assert len(ours) > 130
    assert median(ours) < 0.28
    assert median(ours) < 0.65 * median(rule)
    assert 0.74 <= sum(inside) / len(inside) <= 0.92


odd_numbers = st.one_of(st.none(), st.integers(-(2**70), 2**70))
odd_facts = st.builds(
    HostFacts,
    st.one_of(st.text(max_size=40), st.sampled_from(["AMD EPYC 7542 32-Core Processor", "Neoverse-N1", ""])),
    odd_numbers,
    odd_numbers,
    odd_numbers,
    odd_numbers,
    odd_numbers,
    odd_numbers,
    st.sampled_from(["", "server", "desktop", "laptop", "other"]),
    st.sampled_from(["", "physical", "virtual_machine", "container"]),
)


@given(odd_facts)
def test_whatever_is_known_of_a_host_its_curve_is_sane(facts: HostFacts) -> None:
    curve = power_curve(facts)
    assert len(curve.watts) == len(curve.rest) == BINS
    for series in (curve.watts, curve.rest):
        for one in series:
            assert 0 < one.low <= one.value <= one.high < 100_000
        for name in ("low", "value", "high"):
            values = [getattr(one, name) for one in series]
            assert all(left <= right + 0.002 for left, right in itertools.pairwise(values))
    assert curve.basis


def test_the_rest_of_a_machine_is_less_than_the_machine() -> None:
    curve = power_curve(HostFacts("Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz", 2, 40, 80, 384 * GB, 2, 0, "server"))
    assert all(rest.value < whole.value for rest, whole in zip(curve.rest, curve.watts, strict=True))
    assert "TDP of intel xeon gold 6248 known (150 W)" in curve.basis


def test_guests_that_fill_a_host_add_up_to_it() -> None:
    guest = power_curve(HostFacts("AMD EPYC", 1, 4, 8, 38_400_000_000, 1, 0, "", "virtual_machine"))
    host = power_curve(HostFacts("", 2, 40, 80, 384 * GB, 2, 0, "server", "physical"))
    whole = power_curve(HostFacts("AMD EPYC", 1, 40, 80, 384 * GB, 1, 0, "", "virtual_machine"))
    for index in range(BINS):
        assert guest.watts[index].value * 10 == pytest.approx(whole.watts[index].value, rel=0.01)
    assert whole.watts[0].value < host.watts[0].value * 1.2


def test_a_laptop_draws_less_than_a_desktop_and_a_desktop_less_than_a_server() -> None:
    laptop = power_curve(HostFacts("12th Gen Intel(R) Core(TM) i5-1235U", 1, 10, 12, 16 * GB, 1, 0, "laptop"))
    desktop = power_curve(HostFacts("Intel(R) Core(TM) i5-10400 CPU @ 2.90GHz", 1, 6, 12, 16 * GB, 1, 0, "desktop"))
    server = power_curve(HostFacts("Intel(R) Xeon(R) Silver 4110 CPU @ 2.10GHz", 2, 16, 32, 64 * GB, 0, 2, "server"))
    assert laptop.watts[0].value < desktop.watts[0].value < server.watts[0].value


def test_less_knowledge_widens_the_band() -> None:
    known = power_curve(HostFacts("Intel Xeon Gold 6248", 2, 40, 80, 64 * GB, 1, 0, "server")).watts[0]
    guessed = power_curve(HostFacts("Mystery 9000", 2, 40, 80, None, None, None, "server")).watts[0]
    assert guessed.high / guessed.value > known.high / known.value


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz", "intel xeon gold 6248"),
        ("AMD EPYC 7542 32-Core Processor", "amd epyc 7542"),
        ("12th Gen Intel(R) Core(TM) i5-1235U", "intel core i5-1235u"),
    ],
)
def test_cpu_names_lose_what_varies(raw: str, name: str) -> None:
    assert normalised(raw) == name


@pytest.mark.parametrize(
    ("name", "watts", "mobile"),
    [
        ("12th Gen Intel(R) Core(TM) i5-1235U", 15, True),
        ("Intel(R) Core(TM) i7-10850H CPU @ 2.70GHz", 45, True),
        ("Intel(R) Core(TM) i5-9500T CPU @ 2.20GHz", 35, False),
        ("AMD EPYC 9654 96-Core Processor", 360, False),
        ("Neoverse-N1", 200, False),
    ],
)
def test_a_name_that_is_in_no_table_goes_by_its_family(name: str, watts: float, mobile: bool) -> None:
    facts = cpu_facts(name, 8, 1)
    assert facts.tdp_watts == pytest.approx(watts, rel=0.2)
    assert facts.mobile is mobile


@given(st.floats(-1, 2))
def test_every_utilisation_has_a_bin_whose_centre_is_near(utilisation: float) -> None:
    bin_ = utilisation_bin(utilisation)
    assert 0 <= bin_ < BINS
    if 0 <= utilisation <= 1:
        assert abs(bin_ / 10 - utilisation) <= 0.05 + 1e-9
