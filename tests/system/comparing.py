"""What a running collector has, for comparing with what was sent: ledger, marks, embedded store, InfluxDB."""

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from agent.names import MEASUREMENTS
from collector.database.schema import ledger, meter, report_sequence, report_stream
from collector.ledger import current, devices_due
from tests.servers.agents import LoadedHost
from tests.servers.ictagent import CollectorProgram
from tests.servers.influxd import Influxd
from tests.servers.process import wait_until

Tags = tuple[tuple[str, str], ...]
Points = dict[tuple[Tags, int], dict[str, Any]]
"""Fields by sorted tags and Unix nanoseconds, of one measurement."""


def wait_for_ledger(collector: CollectorProgram) -> None:
    """Wait until every closed half-hour that is due is written."""
    with collector.database() as database:

        def all_written() -> bool:
            with database.read() as connection:
                return not devices_due(connection, int(time.time()), 1)

        wait_until(all_written, "the ledger", 45)


def ledger_by_device(collector: CollectorProgram) -> dict[str, int]:
    """Measured microjoules of each device in the rows that hold."""
    query = (
        select(meter.c.device_id, func.sum(ledger.c.measured_uj))
        .join(meter, meter.c.id == ledger.c.meter_id)
        .where(current())
        .group_by(meter.c.device_id)
    )
    with collector.database() as database, database.read() as connection:
        return {device_id: int(amount) for device_id, amount in connection.execute(query)}


def marks(collector: CollectorProgram) -> dict[str, tuple[int, int]]:
    """Of each stream, up to which number all is recorded, and how many numbers are."""
    query = (
        select(report_stream.c.stream_id, report_stream.c.low_water, func.count())
        .join(report_sequence, report_sequence.c.report_stream_id == report_stream.c.id)
        .group_by(report_stream.c.stream_id, report_stream.c.low_water)
    )
    with collector.database() as database, database.read() as connection:
        return {row[0]: (row[1], row[2]) for row in connection.execute(query)}


def numbers(collector: CollectorProgram) -> dict[str, list[int]]:
    """The numbers of the reports recorded of each stream, in the order in which they were received."""
    query = (
        select(report_stream.c.stream_id, report_sequence.c.sequence)
        .join(report_sequence, report_sequence.c.report_stream_id == report_stream.c.id)
        .order_by(report_sequence.c.received_at, report_sequence.c.sequence)
    )
    found: dict[str, list[int]] = {}
    with collector.database() as database, database.read() as connection:
        for stream_id, sequence in connection.execute(query):
            found.setdefault(stream_id, []).append(sequence)
    return found


def sent_memory(hosts: Sequence[LoadedHost]) -> dict[tuple[str, int], float]:
    """Memory in use by device and time, as the load sent it: a value that no two samples share."""
    return {
        (host.device_id, unix_ns): float(host.used(at))
        for host in hosts
        for at, unix_ns in enumerate(host.sample_times)
    }


def memory(points: Points) -> dict[tuple[str, int], float]:
    """Memory in use by device and time, as a store has it."""
    return {
        (dict(tags)["device_id"], unix_ns): float(fields["used_bytes"]) for (tags, unix_ns), fields in points.items()
    }


def markers(points: Points) -> dict[str, float]:
    """The value of each device's marker, which every report overwrites: the last one's where order was kept."""
    return {
        dict(tags)["device_id"]: float(fields["temperature_celsius"])
        for (tags, _), fields in points.items()
        if ("hw_id", "marker") in tags
    }


def embedded_points(collector: CollectorProgram, measurement: str) -> Points:
    """A measurement's points as the embedded store has them."""
    with collector.points() as store:
        return {
            (tuple(sorted(series.tags.items())), unix_ns): fields
            for series in store.read(measurement, 0, 2**62)
            for unix_ns, fields in series.points
        }


def influx_points(influx: Influxd, measurement: str) -> Points:
    """A measurement's points as InfluxDB has them. A tag without a value is none, a field without one neither."""
    found: Points = {}
    for series in influx.query("ictagent", f"SELECT * FROM {measurement} GROUP BY *"):  # noqa: S608  # one of our names
        tags = tuple(sorted((name, value) for name, value in series["tags"].items() if value))
        names = series["columns"][1:]
        for unix_ns, *values in series["values"]:
            found[tags, unix_ns] = {name: value for name, value in zip(names, values, strict=True) if value is not None}
    return found


def everything(read: Any, source: Any) -> dict[str, Points]:
    """All measurements that a store has points of, by name."""
    return {name: points for name in MEASUREMENTS if (points := read(source, name))}
