"""Overheads of spaces: what PUE adds, less the losses of UPSs that are counted as themselves."""

from hypothesis import given
from hypothesis import strategies as st

from carbon.overhead import overhead_uj, overheads
from carbon.spaces import ASSUMED, NOT_SET, Pue

PUES = st.floats(1.0, 3.0).map(lambda value: Pue(round(value, 2), 1.0, 3.0, "test"))
AMOUNTS = st.integers(0, 10**15)


def test_a_space_without_a_pue_has_no_overhead() -> None:
    assert overhead_uj(1000, 0, NOT_SET) == 0


def test_losses_that_are_counted_already_are_no_overhead() -> None:
    data_room = ASSUMED["data_room"]
    assert overhead_uj(10**6, 0, data_room) == 800_000
    assert overhead_uj(10**6, 100_000, data_room) == 700_000


@given(st.lists(AMOUNTS, max_size=20), AMOUNTS, PUES)
def test_parts_of_an_overhead_add_up_to_the_spaces(parts: list[int], loss: int, pue: Pue) -> None:
    found = overheads(parts, loss, pue)
    assert len(found) == len(parts)
    if parts:
        assert sum(found) == overhead_uj(sum(parts), loss, pue)
        assert min(found) >= 0


@given(AMOUNTS, AMOUNTS, PUES)
def test_ict_losses_and_overhead_are_the_ict_times_pue_where_losses_are_within_it(it: int, loss: int, pue: Pue) -> None:
    overhead = overhead_uj(it, loss, pue)
    if overhead > 0:
        assert abs(it + loss + overhead - it * pue.value) <= max(1.0, it * 1e-9)
