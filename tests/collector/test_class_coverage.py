"""How much of the estate is known: by profiles of one's own, by plain numbers, and by the reading of what feeds a device."""

import datetime
from typing import Any

from sqlalchemy import insert

from collector.class_counts import CountKey, set_count
from collector.class_profiles import set_profile
from collector.database.engine import Database
from collector.database.schema import device_feed
from collector.estate_coverage import estate_coverage
from tests.collector.registers import Item, metered, midnight, register, seen

NOW = int(datetime.datetime(2026, 3, 20, 12, tzinfo=datetime.UTC).timestamp())
SWITCH: dict[str, Any] = {
    **dict.fromkeys(("watts_active", "watts_idle", "watts_asleep", "watts_off"), 30.0),
    **dict.fromkeys(("hours_active", "hours_idle", "hours_asleep"), 8.0),
    **{"working_days": 365, "other_days": "idle", "home_share": 0.0, "low_factor": 0.5, "high_factor": 2.0},
    "source": "our survey",
}


def coverage(database: Database, month: str = "2026-03") -> dict[str, dict[str, int]]:
    """What is not nothing, by class."""
    kinds = ("measured", "estimated", "profile", "absent", "seen_not_registered")
    with database.read() as connection:
        rows = estate_coverage(connection, month, NOW)
    return {one.device_class: {kind: found for kind in kinds if (found := getattr(one, kind))} for one in rows}


def test_a_class_with_a_profile_of_ones_own_is_profiled_from_its_day_on(sqlite_database: Database) -> None:
    with sqlite_database.write() as connection:
        register(connection, [Item("switch", quantity=4)])
        set_profile(connection, 1, "switch", SWITCH, midnight("2026-03-01"), "cli:test", NOW)
    assert coverage(sqlite_database, "2026-02") == {"switch": {"absent": 4}}
    assert coverage(sqlite_database) == {"switch": {"profile": 4}}


def test_what_a_polled_switch_feeds_is_measured_there(sqlite_database: Database) -> None:
    with sqlite_database.write() as connection:
        for device_id in ("ap-1", "sw-1"):
            seen(connection, device_id)
        connection.execute(insert(device_feed).values(device_id="ap-1", switch_id="sw-1", port="1", valid_from=0))
        register(connection, [Item("access_point", device_id="ap-1", quantity=3)])
    assert coverage(sqlite_database)["access_point"] == {"measured": 1, "profile": 2}


def test_plain_numbers_are_known_by_profile_but_for_those_that_are_read(sqlite_database: Database) -> None:
    with sqlite_database.write() as connection:
        seen(connection, "sw-1", "switch")
        metered(connection, "sw-1", "2026-03-10")
        set_count(connection, CountKey(1, "laptop"), 50, "x", midnight("2026-01-01"), "cli:test", NOW)
        set_count(connection, CountKey(1, "switch"), 20, "x", midnight("2026-01-01"), "cli:test", NOW)
        register(connection, [Item(quantity=40, since="2020-01-01")], as_at="2026-03-01")
    found = coverage(sqlite_database, "2026-02")
    assert found == {"laptop": {"profile": 50}, "switch": {"absent": 20, "seen_not_registered": 1}}
    assert coverage(sqlite_database) == {"laptop": {"profile": 40}, "switch": {"measured": 1, "absent": 19}}
