"""Samples made into a report: every series and meter named once, rows and readings by position."""

from collections.abc import Sequence

from agent.report import Event, Guest, Meter, Reading, Report, Row, Series
from agent.sample import Sample


def build_report(
    samples: Sequence[Sample], stream_id: str, sequence: int, agent_version: str, events: Sequence[Event]
) -> Report:
    """One report of samples of the same boot, oldest first. The newest inventory, sources and choice stand for all."""
    newest = samples[-1]
    report = Report(stream_id, sequence, agent_version, newest.boot_id)
    report.sources, report.choice, report.events = newest.sources, newest.choice, list(events)
    series: dict[tuple[str, ...], int] = {}
    meters: dict[Meter, int] = {}
    guests: dict[str, Guest] = {}
    for sample in samples:
        wall_ns = sample.time.wall_ns
        report.samples.append(sample.time)
        report.inventory = sample.inventory or report.inventory
        # Of a guest that was stopped since, the report has readings too.
        guests |= {guest.meter: guest for guest in sample.guests}
        for point in sample.points:
            key = (point.measurement, *point.fields, *(text for tag in point.tags.items() for text in tag))
            position = series.get(key)
            if position is None:
                position = series[key] = len(report.series)
                report.series.append(Series(point.measurement, point.tags, list(point.fields)))
            report.rows.append(Row(position, wall_ns, list(point.fields.values())))
        for one in sample.readings:
            place = meters.get(one.meter)
            if place is None:
                place = meters[one.meter] = len(report.meters)
                report.meters.append(one.meter)
            report.readings.append(Reading(place, wall_ns, one.interval_ns, one.values, one.differences))
    report.guests = list(guests.values())
    return report
