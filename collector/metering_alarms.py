"""Alarms of the metering tree as diagnoses: parts below a meter that were more than it measured on the last whole day."""

import datetime
from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from carbon.units import kwh_exact
from carbon.wording import fixed
from collector.database.schema import diagnosis, meter
from collector.device_energy import rules_of
from collector.diagnoses import diagnose
from collector.metered import TreeAlarm
from collector.metering import metering

_CODE = "parts_exceed_meter"
_REMEDY = "see `ictagent estate show --tree`: a link is wrong or begins too early, or a meter reads too little"


def alarms_of_yesterday(connection: Connection, now: int) -> list[TreeAlarm]:
    """The alarms of the last local day that is over, which late readings may still change."""
    day = rules_of(connection).day(now - now % 1800) - datetime.timedelta(days=1)
    return metering(connection, day, day, now).alarms


def note_alarms(connection: Connection, alarms: Sequence[TreeAlarm], now: int) -> int:
    """Keep them as diagnoses of the meters' devices; those of before that are no more so go. How many devices have one."""
    places = dict(
        connection.execute(
            select(meter.c.id, meter.c.name).where(meter.c.id.in_({one.meter_id for one in alarms}))
        ).all()
    )
    known = set(connection.execute(select(diagnosis.c.device_id).where(diagnosis.c.code == _CODE)).scalars())
    worst: dict[str, TreeAlarm] = {}
    for one in alarms:
        before = worst.get(one.device_id)
        if before is None or one.parts_uj - one.measured_uj > before.parts_uj - before.measured_uj:
            worst[one.device_id] = one
    for device_id, one in sorted(worst.items()):
        detail = (
            f"{places[one.meter_id]} measured {fixed(kwh_exact(one.measured_uj), 2)} kWh on "
            f"{datetime.datetime.fromtimestamp(one.end - 1, datetime.UTC):%Y-%m-%d}, and what is linked below it used "
            f"{fixed(kwh_exact(one.parts_uj), 2)} kWh"
        )
        diagnose(connection, device_id, "parts_exceed_meter", detail, _REMEDY, now)
    gone = (diagnosis.c.code == _CODE) & diagnosis.c.device_id.in_(known - set(worst))
    connection.execute(delete(diagnosis).where(gone))
    return len(worst)
