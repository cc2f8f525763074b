"""What the usual words of registers mean, and what only looks like them."""

import pytest

from collector.register.fields import proposed
from collector.register.meanings import class_of_model, class_of_words, is_accessory, status_of, tenure_of
from collector.register.rows import RegisterRow
from collector.register_facts import facts_of, merged


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("Inactive", "spare"), ("Not deployed", "spare"), ("Uninstalled", "spare"), ("Active", "in_use"),
        ("BER", "disposed"), ("Beyond economic repair", "disposed"), ("In repair", "spare"),
    ],
)  # fmt: skip
def test_a_state_is_not_taken_for_its_opposite(word: str, meaning: str) -> None:
    assert status_of(word, {}) == meaning


@pytest.mark.parametrize(
    ("word", "meaning"), [("Corporate", "own"), ("Unknown", ""), ("Current", ""), ("On hire", "leased")]
)
def test_a_word_inside_another_does_not_say_whose_a_device_is(word: str, meaning: str) -> None:
    assert tenure_of(word, {}) == meaning


def test_kinds_are_known_by_their_makers_spelling() -> None:
    assert (class_of_words("iPad", {}), class_of_words("iPhone", {})) == ("tablet", "mobile_phone")
    assert class_of_model("", "P2419H") == "monitor"


@pytest.mark.parametrize("text", ["Monitor arm", "Laptop charger", "UPS battery", "Keyboard", "Toner cartridges"])
def test_what_belongs_to_a_device_is_none(text: str) -> None:
    assert is_accessory(text)


@pytest.mark.parametrize(
    "text", ["Laptop with charger", "Rack mount server", "Laptop and bag", "Dock", "Toner printer"]
)
def test_a_device_with_what_belongs_to_it_is_one(text: str) -> None:
    assert not is_accessory(text)


def test_headers_of_inventory_programs_are_known() -> None:
    headers = ["Name", "Chassis Type", "BIOS Serial", "Mdl", "Whereabouts"]
    assert proposed(headers) == {"host_name": 0, "device_class": 1, "serial": 2, "model": 3, "site": 4}


def test_a_tag_that_lost_its_zeros_stays_as_the_register_has_it() -> None:
    told = frozenset({"asset_tag"})
    before = facts_of(RegisterRow("", 1, asset_tag="000123", told=told))
    assert merged(RegisterRow("", 2, asset_tag="123", told=told), before)["asset_tag"] == "000123"
    assert merged(RegisterRow("", 2, asset_tag="124", told=told), before)["asset_tag"] == "124"
