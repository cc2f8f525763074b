"""Indicators of rooms: each with what it rests on, and none where that is not known."""

from decimal import Decimal

from carbon.indicators import Sci, SiteWater, room
from tests.carbon.reports import KWH, ROOM, row


def test_an_assumed_pue_is_no_measurement() -> None:
    found = room("Hall", "Room", [row("d1", overhead_kwh=80, pue=ROOM)])
    assert (found.pue, found.measured, found.category) == (Decimal("1.8"), False, "")
    assert found.basis.startswith("assumed for a data room")
    assert found.cue == Decimal(found.generation_g) / 1000 / 100
    assert found.ref is None


def test_a_room_whose_incomer_was_read_has_a_measured_pue_in_which_cooling_is_no_ict() -> None:
    rows = [row("d1"), row("ups1", kwh=10, asset_class="ups"), row("meter:7", kwh=40, kind="rest")]
    found = room("Hall", "Room", rows, {"meter:7"}, (150 * KWH, Decimal("0.99")), 75 * KWH)
    assert (found.it_uj, found.facility_uj) == (100 * KWH, 150 * KWH)
    assert (found.pue, found.measured, found.category, found.ref) == (Decimal("1.5"), True, "3", Decimal("0.5"))
    assert not room("Hall", "Room", rows, {"meter:7"}, (150 * KWH, Decimal("0.5"))).measured
    # The rest of a PDU's meter is ICT that nobody has linked.
    assert room("Hall", "Room", rows).it_uj == 140 * KWH


def test_nothing_is_told_where_there_is_no_ict() -> None:
    found = room("Hall", "Room", [])
    assert (found.pue, found.cue) == (None, None)
    assert SiteWater("Hall", Decimal(10), 0).wue is None


def test_water_and_units_of_service_are_told_for_each_kilowatt_hour_and_unit() -> None:
    assert SiteWater("Hall", Decimal(10), 5000 * KWH).wue == 2
    assert Sci("servers", "session", Decimal(1000), 150_000, 50_000).grams_per_unit == 200
