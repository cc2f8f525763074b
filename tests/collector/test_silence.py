"""When a device counts as silent: an end-user device is heard of twice an hour."""

import pytest

from agent.report import Inventory
from collector.database.engine import Database
from collector.queries import devices
from tests.collector.hosts import deliver, new_host, recent_half_hour


@pytest.mark.parametrize(("end_user_device", "patience"), [(False, 300), (True, 3900)])
def test_an_end_user_device_is_silent_after_two_half_hours(
    database: Database, end_user_device: bool, patience: int
) -> None:
    found = Inventory(host_name="library-pc08", chassis="laptop", end_user_device=end_user_device)
    host = new_host(database, recent_half_hour(3), inventory=found)
    deliver(database, host, *host.reports(60))
    with database.read() as connection:
        [row] = devices(connection)
        assert row.half_hour_means is end_user_device
        heard = row.last_report_at
        assert heard is not None
        assert not devices(connection, now=heard + patience)[0].silent
        assert devices(connection, now=heard + patience + 1)[0].silent
