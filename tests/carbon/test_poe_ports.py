"""PoE ports account for devices that nobody reads: at most as many as there are such ports, the stronger class first."""

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from carbon.poe_ports import Candidates, fed_by_count

ACCESS_POINT, PHONE = "access_point", "desk_phone"
WATT = 1_000_000


class PortDay(NamedTuple):
    """What a port gave, and who is seen there."""

    microwatts: int
    seen: str = ""


def by_seen(ports: list[PortDay]) -> dict[str, list[int]]:
    return {seen: [one.microwatts for one in ports if one.seen == seen] for seen in {one.seen for one in ports}}


def count(ports: list[PortDay], points: int = 0, phones: int = 0, read: int = 0) -> list[int]:
    return fed_by_count(
        by_seen(ports), [Candidates(ACCESS_POINT, 4 * WATT, points, read), Candidates(PHONE, WATT, phones)]
    )


def test_a_port_that_gives_too_little_feeds_none_of_a_class() -> None:
    assert count([PortDay(4 * WATT - 1), PortDay(WATT - 1)], points=5, phones=5) == [0, 1]


def test_access_points_have_the_strong_ports_and_telephones_what_is_left() -> None:
    ports = [PortDay(9 * WATT)] * 3 + [PortDay(2 * WATT)] * 2
    assert count(ports, points=2, phones=9) == [2, 3]
    assert count(ports, points=9, phones=9) == [3, 2]


def test_a_port_where_somebody_is_seen_serves_that_class_alone() -> None:
    ports = [PortDay(9 * WATT, PHONE), PortDay(9 * WATT, "other"), PortDay(2 * WATT, ACCESS_POINT)]
    assert count(ports, points=9, phones=9) == [0, 1]


def test_devices_that_are_read_have_ports_of_their_own() -> None:
    ports = [PortDay(9 * WATT)] * 3
    assert count(ports, points=9, phones=9, read=2) == [1, 0]
    assert count(ports, points=0, phones=9, read=2) == [0, 1]
    assert count(ports, points=9, phones=9, read=5) == [0, 0]


PORTS = st.lists(
    st.builds(PortDay, st.integers(0, 30 * WATT), st.sampled_from(["", "", ACCESS_POINT, PHONE, "other"])), max_size=12
)
CANDIDATES = st.tuples(*(st.builds(Candidates, st.just(name), st.integers(0, 12 * WATT), st.integers(0, 12), st.integers(0, 5))
                         for name in (ACCESS_POINT, PHONE)))  # fmt: skip


@given(PORTS, CANDIDATES)
def test_no_more_are_fed_than_there_are_devices_or_ports(ports: list[PortDay], wanted: tuple[Candidates, ...]) -> None:
    found = fed_by_count(by_seen(ports), wanted)
    for one, fed in zip(wanted, found, strict=True):
        fitting = sum(port.seen in ("", one.device_class) and port.microwatts >= one.low_microwatts for port in ports)
        assert 0 <= fed <= min(one.unread, max(0, fitting - one.read))
    assert sum(found) <= sum(port.seen != "other" for port in ports)


@given(PORTS, CANDIDATES, st.randoms())
def test_the_order_of_ports_does_not_matter(
    ports: list[PortDay], wanted: tuple[Candidates, ...], random: object
) -> None:
    before = fed_by_count(by_seen(ports), wanted)
    random.shuffle(ports)  # type: ignore[attr-defined]  # hypothesis's own Random
    assert fed_by_count(by_seen(ports), wanted) == before
