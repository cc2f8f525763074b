"""Why an organisation's footprint changed, told from its own database: each cause that was made happens is named."""

from fractions import Fraction

import pytest
from sqlalchemy import update

from carbon.explain import CAUSES
from carbon.explain_words import verdict
from collector.database.dated import begin
from collector.database.engine import Database
from collector.database.schema import device, space_pue
from collector.errors import BadRequest
from collector.explanation import Explained, by_dimension, explained, largest
from collector.method_overlap import method_ratio
from tests.collector.estate_of_tests import EstateOfTests
from tests.collector.registers import Item, midnight, register

BEFORE, AFTER = ("2025-06", "2025-06"), ("2026-06", "2026-06")
JUNE_25, JULY_25 = midnight("2025-06-01"), midnight("2025-07-01")
JUNE_26, JULY_26 = midnight("2026-06-01"), midnight("2026-07-01")
NOW = JULY_26 + 86_400
HALF_HOUR_UJ = 180_000_000


@pytest.fixture
def estate(sqlite_database: Database) -> Database:
    """Two Junes: one server all the time, in a room that is cooled better in the second; one added, one retired, one
    that was there and not read before, one whose estimate a metered outlet replaces, one that moved to a provider's room.
    """
    with sqlite_database.write() as connection:
        made = EstateOfTests(connection, since=JUNE_25)
        room = made.room("Town Hall", "Server room")
        office = made.room("Town Hall", "Office", "office")
        rented = made.room("Provider", "Cage", "colocation")
        for at, pue in ((JUNE_25, 1.8), (JUNE_26, 1.5)):
            values = {"pue": pue, "low": pue, "high": pue, "source": f"measured {at}"}
            begin(connection, space_pue, {"space_id": room[1]}, values, at)
        for name, where in (("steady", room), ("retired", office), ("moved", office)):
            made.device(name, room=where)
            made.measure(made.own_meter(name), JUNE_25, JULY_25, HALF_HOUR_UJ)
        made.measure(made.own_meter("steady"), JUNE_26, JULY_26, HALF_HOUR_UJ)
        connection.execute(update(device).where(device.c.id == "retired").values(retired_at=JULY_25))
        made.place("moved", rented, JUNE_26)
        made.measure(made.own_meter("moved"), JUNE_26, JULY_26, HALF_HOUR_UJ)
        _replace_estimate(made, office)
        later = EstateOfTests(connection, since=JUNE_26)
        for name in ("added", "known"):
            later.device(name, room=office)
            later.measure(later.own_meter(name), JUNE_26, JULY_26, HALF_HOUR_UJ)
        register(connection, [Item("server", "2025-01-01", device_id="known", site_id=office[0])], "2025-01-01")
    return sqlite_database


def _replace_estimate(made: EstateOfTests, room: tuple[int, int]) -> None:
    """A server that was estimated, and is fed by a metered outlet from the second June on: it reads a fifth less."""
    made.device("estimated", source="snmp_kind", room=room)
    for start, end in ((JUNE_25, JULY_25), (JUNE_26, JULY_26)):
        made.measure(made.own_meter("estimated"), start, end, HALF_HOUR_UJ, estimated=True)
    made.device("pdu", kind="pdu", source=None, room=room)
    outlet = made.meter("pdu", "outlet/1")
    made.edge(outlet, "estimated", begins=JUNE_26)
    made.measure(outlet, JUNE_26, JULY_26, HALF_HOUR_UJ * 4 // 5)


def _explained(database: Database, before: tuple[str, str] = BEFORE, after: tuple[str, str] = AFTER) -> Explained:
    with database.read() as connection:
        return explained(connection, 1, before, after, NOW)


def test_every_seeded_cause_is_named_and_all_of_them_are_the_change(estate: Database) -> None:
    found = _explained(estate)
    whole = found.explanation
    assert sum(whole.causes.values()) == whole.change_g == found.after.grams.total - found.before.grams.total
    by_device = {
        identity[1]: {cause for cause, part in causes.items() if part and cause not in ("grid_factor", "factor_method")}
        for identity, causes in whole.of.items()
        if identity[0] == "device"
    }
    assert by_device == {
        "steady": {"pue"},
        "retired": {"retired"},
        "added": {"added"},
        "known": {"coverage"},
        "moved": {"moved"},
        "estimated": {"method"},
    }
    assert whole.causes["grid_factor"] < 0
    assert whole.causes["factor_method"] < 0
    assert set(whole.causes) == set(CAUSES)
    assert verdict(whole).startswith("The footprint")


def test_a_meter_beside_an_estimate_tells_how_far_the_estimate_was_off(estate: Database) -> None:
    with estate.read() as connection:
        sources = ("estimate: snmp_kind", "outlet: snmp_watts")
        assert method_ratio(connection, "estimated", "2025-06", "2026-06", sources, "Europe/London") == Fraction(4, 5)
        same = ("estimate: snmp_kind", "estimate: snmp_kind")
        assert method_ratio(connection, "estimated", "2025-06", "2026-06", same, "Europe/London") is None


def test_parts_by_site_add_up_to_the_whole_and_the_largest_are_named(estate: Database) -> None:
    found = _explained(estate)
    for dimension in ("site", "class", "scope", "device"):
        parts = by_dimension(found, dimension)
        assert {cause: sum(of[cause] for of in parts.values()) for cause in CAUSES} == found.explanation.causes
    assert [identity[1] for identity, _ in largest(found, "added", 5)] == ["added"]
    assert len(largest(found, "grid_factor", 2)) == 2


def test_of_a_year_that_is_not_over_the_same_months_are_compared(estate: Database) -> None:
    found = _explained(estate, ("2025-06", "2025-08"), ("2026-06", "2026-08"))
    assert found.months == {"2025-06": "2026-06"}
    with pytest.raises(BadRequest, match="is over yet"):
        _explained(estate, BEFORE, ("2026-07", "2026-07"))
    with pytest.raises(BadRequest, match="does not lie before"):
        _explained(estate, AFTER, BEFORE)
