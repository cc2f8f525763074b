"""Every profile is tested by a recording, or by values built after its MIB's text."""

import pytest

from collector.snmp.profile_files import profiles
from tests.snmp import sections


@pytest.fixture(scope="module")
def seen() -> set[str]:
    return sections.run_profile_tests()


def test_every_profile_holds_for_a_device_of_some_test(seen: set[str]) -> None:
    never = [name for name in profiles() if f"{name} select" not in seen]
    assert never == [], (
        "no test has a device of these profiles: build one after the MIB's text in tests/snmp/profiles/, in the file of its "
        "kind (switches.toml needs no Python), or name a recording there that has it"
    )


def test_every_profile_gives_a_value_in_some_test(seen: set[str]) -> None:
    never = [
        profile.name
        for profile in profiles().values()
        if len(sections.sections_of(profile)) > 1 and not seen.intersection(sections.sections_of(profile)[1:])
    ]
    assert never == [], "of these profiles no section has a value in any test: see tests/snmp/profiles/"


def test_sections_without_a_test_are_listed(seen: set[str]) -> None:
    new = sorted(set(sections.untested(seen)) - sections.listed())
    assert new == [], (
        "no test in tests/snmp/profiles/ has values of these sections: add one, or write them down with "
        "`python -m tests.snmp.sections --write` and say in the commit why they have none"
    )
