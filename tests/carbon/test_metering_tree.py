"""The metering tree: no circle, no more than the whole, no two links of the same pair at once; for any order and dates."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.errors import TreeError
from carbon.metering_tree import Edge, check_edge

DEVICES = 5
OUTLETS = 3


def outlet(device: int, number: int) -> int:
    """Row number of a device's outlet."""
    return device * 10 + number


def edge(parent: str, meter: int, child: str, **changes: object) -> Edge:
    return Edge(meter, parent, child, **changes)  # type: ignore[arg-type]  # a test's own values


def refused(new: Edge, *standing: Edge) -> str:
    with pytest.raises(TreeError) as caught:
        check_edge(new, standing)
    assert caught.value.remedy
    return caught.value.message


def test_both_feeds_of_a_server_stand_beside_each_other() -> None:
    left, right = edge("pdu-a", 1, "server"), edge("pdu-b", 2, "server")
    check_edge(left, [])
    check_edge(right, [left])


def test_a_device_does_not_feed_itself() -> None:
    assert "feed itself" in refused(edge("pdu", 1, "pdu"))
    assert "feed itself" in refused(edge("pdu", 1, "pdu", child_meter=1))
    check_edge(edge("pdu", 1, "pdu", child_meter=2), [])


def test_a_circle_is_refused_however_long_and_through_meters_too() -> None:
    chain = [edge("ups", 1, "pdu"), edge("pdu", 2, "switch"), edge("switch", 3, "camera")]
    assert "circle" in refused(edge("camera", 4, "ups"), *chain)
    assert "circle" in refused(edge("pdu", 9, "ups"), *chain)
    inlet = edge("ups", 1, "pdu", child_meter=7)
    assert "circle" in refused(edge("pdu", 8, "ups"), inlet)
    within = [edge("pdu", 7, "pdu", child_meter=8), edge("pdu", 8, "pdu", child_meter=9)]
    assert "circle" in refused(edge("pdu", 9, "pdu", child_meter=7), *within)


def test_a_circle_of_links_that_never_held_together_is_none() -> None:
    first = edge("a", 1, "b", valid_from=0, valid_to=100)
    check_edge(edge("b", 2, "a", valid_from=100), [first])
    assert "circle" in refused(edge("b", 2, "a", valid_from=99), first)
    # Two that follow each other hold beside the new one, and never beside each other.
    halves = [edge("a", 1, "b", valid_to=50), edge("b", 2, "c", valid_from=50)]
    check_edge(edge("c", 3, "a"), halves)
    assert "circle" in refused(edge("c", 3, "a"), edge("a", 1, "b", valid_to=51), halves[1])


def test_shares_of_an_outlet_are_one_together_at_most_at_any_time() -> None:
    half = edge("pdu", 1, "a", share=0.5)
    check_edge(edge("pdu", 1, "b", share=0.5), [half])
    assert "no part left" in refused(edge("pdu", 1, "b", share=0.6), half)
    assert "no part left" in refused(edge("pdu", 1, "b", share=None), edge("pdu", 1, "a"))
    thirds = [edge("pdu", 1, name, share=1 / 3) for name in "ab"]
    check_edge(edge("pdu", 1, "c", share=1 / 3), thirds)
    later = edge("pdu", 1, "a", valid_from=100, valid_to=200)
    check_edge(edge("pdu", 1, "b", valid_to=100), [later])
    check_edge(edge("pdu", 1, "b", valid_from=200), [later])
    assert "a (share 1)" in refused(edge("pdu", 1, "b", valid_to=101), later)


def test_a_ups_feeds_many_whose_parts_are_not_known() -> None:
    first = edge("ups", 1, "pdu-a", share=None)
    check_edge(edge("ups", 1, "pdu-b", share=None), [first])


@pytest.mark.parametrize("share", [0.0, -0.1, 1.01, float("nan")])
def test_a_share_that_cannot_be_is_refused(share: float) -> None:
    assert "share" in refused(edge("pdu", 1, "a", share=share))


def test_the_same_pair_is_not_linked_twice_at_once() -> None:
    standing = edge("pdu", 1, "a", share=0.3, valid_from=10, valid_to=20)
    assert "linked already" in refused(edge("pdu", 1, "a", share=0.3, valid_from=19), standing)
    check_edge(edge("pdu", 1, "a", share=0.3, valid_from=20), [standing])
    assert "before it begins" in refused(edge("pdu", 1, "a", valid_from=20, valid_to=20))


@st.composite
def edges(draw: st.DrawFn) -> Edge:
    parent, child = draw(st.integers(0, DEVICES - 1)), draw(st.integers(0, DEVICES - 1))
    begins = draw(st.integers(0, 6))
    return Edge(
        outlet(parent, draw(st.integers(0, OUTLETS - 1))),
        f"device-{parent}",
        f"device-{child}",
        draw(st.one_of(st.none(), st.integers(0, OUTLETS - 1).map(lambda number: outlet(child, number)))),
        draw(st.sampled_from([None, 0.25, 0.5, 1.0])),
        begins,
        draw(st.one_of(st.none(), st.integers(begins, 8))),
    )


@given(st.lists(edges(), max_size=25))
def test_whatever_is_accepted_is_a_tree_of_parts_at_every_instant(wanted: list[Edge]) -> None:
    standing: list[Edge] = []
    for one in wanted:
        try:
            check_edge(one, standing)
        except TreeError:
            continue
        standing.append(one)
    for at in range(10):
        now = [one for one in standing if one.holds_at(at)]
        pairs = [(one.parent_meter, one.child_device, one.child_meter) for one in now]
        assert len(pairs) == len(set(pairs))
        for meter in {one.parent_meter for one in now}:
            assert sum(one.share or 0 for one in now if one.parent_meter == meter) <= 1
        feeds = {device: set[str]() for device in (f"device-{number}" for number in range(DEVICES))}
        for one in now:
            if one.parent_device != one.child_device:
                feeds[one.parent_device].add(one.child_device)
        for device in feeds:
            assert device not in reached(feeds, device)


def reached(feeds: dict[str, set[str]], begin: str) -> set[str]:
    """All that a device feeds, itself or through others."""
    found: set[str] = set()
    waiting = list(feeds[begin])
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting.extend(feeds[one])
    return found


@given(st.lists(edges(), max_size=12))
def test_what_stands_together_can_be_linked_in_any_order(wanted: list[Edge]) -> None:
    standing: list[Edge] = []
    for one in wanted:
        try:
            check_edge(one, standing)
        except TreeError:
            continue
        standing.append(one)
    for order in itertools.islice(itertools.permutations(standing), 6):
        for count, one in enumerate(order):
            check_edge(one, order[:count])
