"""Which meter stands for the machine when several see it, and why the others do not."""

import itertools

import pytest

from agent.choice import choose
from agent.report import Covers, Meter, SourceState

AC: list[tuple[str, Covers]] = [
    ("acpi_meter", "machine_ac"),
    ("redfish", "machine_ac"),
    ("ipmi_dcmi", "machine_ac"),
    ("nut", "machine_ac"),
    ("battery", "battery"),
    ("hwmon", "machine_dc"),
]
"""Sources in the order in which the sampler asks them."""


def meter(source: str, covers: Covers, name: str = "1") -> Meter:
    return Meter(f"{source}/{name}", source, "power", covers, "")


@pytest.mark.parametrize(("better", "worse"), list(itertools.combinations(AC, 2)))
def test_of_two_that_see_the_whole_machine_the_better_one_is_taken_and_the_other_told_why(
    better: tuple[str, Covers], worse: tuple[str, Covers]
) -> None:
    choice = choose([meter(*better), meter(*worse)], [])
    assert (choice.basis, choice.meters) == ("machine", [f"{better[0]}/1"])
    assert choice.why_not == {worse[0]: f"it sees the whole machine too, and {better[0]} comes before it"}


def test_what_is_behind_the_supply_comes_after_all_that_is_before_it() -> None:
    # Redfish gives the output of the supplies here; it is asked first and comes last all the same.
    choice = choose([meter("redfish", "machine_dc"), meter("ipmi_dcmi", "machine_ac")], [])
    assert choice.meters == ["ipmi_dcmi/1"]
    assert list(choice.why_not) == ["redfish"]


def test_a_ups_that_may_feed_others_never_stands_for_the_machine() -> None:
    choice = choose([meter("nut", "ups_output")], [SourceState("nut", "data")])
    assert (choice.basis, choice.meters) == ("estimate", [])
    assert "nut_ups_feeds_only_this_host" in choice.why_not["nut"]
    choice = choose([meter("redfish", "machine_ac"), meter("nut", "ups_output")], [])
    assert choice.meters == ["redfish/1"]
    assert "nut_ups_feeds_only_this_host" in choice.why_not["nut"]


def test_two_supplies_of_this_machine_alone_are_added_measured_or_estimated() -> None:
    both = [meter("nut", "machine_ac", "a"), meter("nut_load", "machine_ac", "b")]
    assert choose(both, []).meters == ["nut/a", "nut_load/b"]


def test_a_second_meter_of_one_source_is_the_same_machine_again() -> None:
    energy = Meter("redfish/1/energy", "redfish", "counter", "machine_ac", "e")
    choice = choose([meter("redfish", "machine_ac"), energy], [])
    assert (choice.meters, choice.why_not) == (["redfish/1"], {})


def test_a_source_that_failed_is_a_reason_and_one_that_nobody_set_up_is_not() -> None:
    states = [
        SourceState("redfish", "failed", "the controller: it refuses the account", "correct it"),
        SourceState("ipmi_dcmi", "absent", "this machine has no management controller (/dev/ipmi0)"),
        SourceState("nut", "absent", "no NUT server (upsd) runs on this host"),
    ]
    why = choose([], states).why_not["machine"]
    assert why.startswith("redfish: the controller: it refuses the account; ipmi_dcmi: ")
    assert "nut" not in why
