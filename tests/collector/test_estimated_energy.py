"""The energy of a device that tells no power: estimated poll by poll, it is whole in the ledger's half-hours."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from carbon.poe import CLASS_TYPICAL_WATTS, PSE_EFFICIENCY
from carbon.uncertainty import METER_TIERS
from collector.database.engine import Database
from collector.database.schema import ledger, meter
from collector.ledger import current
from collector.snmp.device import DeviceReading
from collector.snmp.estimate import own_estimate
from collector.snmp.fed import PoePort
from collector.snmp.identity import DeviceIdentity
from tests.collector.hosts import recent_half_hour
from tests.snmp.power_path_of_tests import Polled, device_reading

DAY_SECONDS, EVERY_SECONDS = 86400, 180
MODEL_WATTS = 61.53
"""Of a CBS350-48P-4X, by its datasheet."""
FED_WATTS = CLASS_TYPICAL_WATTS[3][0] / PSE_EFFICIENCY


def stack(second: int) -> DeviceReading:
    """A stack of two that feeds four devices of class 3 in every second hour."""
    identity = DeviceIdentity("switch", "Cisco", "CBS350-48P-4X", members=("CBS350-48P-4X", ""))
    delivers = second // 3600 % 2 == 1
    ports = tuple(PoePort(f"1.{number}", 3 if delivers else None) for number in range(1, 5))
    return replace(device_reading("switch", []), identity=identity, poe_ports=ports)


def test_a_days_estimated_energy_is_the_sum_of_its_half_hours(sqlite_database: Database) -> None:
    one = Polled(sqlite_database, recent_half_hour(52), stack, name="stack-1", estimate=own_estimate)
    one.run(range(0, DAY_SECONDS + 1, EVERY_SECONDS))
    one.roll()
    with sqlite_database.read() as connection:
        names = set(connection.execute(select(meter.c.name)).scalars())
        rows = connection.execute(select(ledger).where(current())).all()
    assert names == {"snmp_catalogue/power"}
    assert sum(row.covered_seconds for row in rows) == DAY_SECONDS
    assert sum(row.measured_uj for row in rows) == 0
    # Between the hours the mean of both ends counts: 23 changes, half of them up.
    expected = (2 * MODEL_WATTS + 4 * FED_WATTS / 2) * DAY_SECONDS
    assert sum(row.estimated_uj for row in rows) / 1e6 == pytest.approx(expected, rel=0.002)
    for row in rows:
        width = METER_TIERS["snmp_catalogue"] * row.estimated_uj
        assert (row.low_uj, row.high_uj) == pytest.approx((row.estimated_uj - width, row.estimated_uj + width))
