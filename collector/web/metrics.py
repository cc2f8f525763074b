"""/metrics: the collector itself in Prometheus text format."""

import resource
import time

from collector.service import Collector
from collector.snmp.traps.receiver import REASONS

_HELP: dict[str, tuple[str, str]] = {
    "ictagent_reports_accepted_total": ("counter", "Reports recorded since start."),
    "ictagent_reports_duplicate_total": ("counter", "Reports that had been recorded before."),
    "ictagent_reports_refused_total": ("counter", "Reports refused since start."),
    "ictagent_rows_rejected_total": ("counter", "Rows of accepted reports that were not kept."),
    "ictagent_points_total": ("counter", "Points recorded since start."),
    "ictagent_writer_commits_total": ("counter", "Transactions of the writer."),
    "ictagent_writer_failures_total": ("counter", "Writes that failed."),
    "ictagent_writer_waiting": ("gauge", "Writes waiting for the writer."),
    "ictagent_writer_longest_transaction_seconds": ("gauge", "Longest transaction since start."),
    "ictagent_outbox_batches": ("gauge", "Batches that wait in the outbox."),
    "ictagent_outbox_bytes": ("gauge", "Their size."),
    "ictagent_outbox_dropped_total": ("counter", "Batches dropped because the outbox was full."),
    "ictagent_job_misfires_total": ("counter", "Scheduled runs that were missed."),
    "ictagent_traps_accepted_total": ("counter", "Notifications of known devices with the right credential."),
    "ictagent_trap_events_total": ("counter", "Events that they became; repetitions within a minute are one."),
    "ictagent_trap_child_starts_total": ("counter", "Starts of the process that hears notifications."),
    "ictagent_resident_bytes": ("gauge", "Largest resident memory of the process so far."),
    "ictagent_cpu_seconds_total": ("counter", "Processor seconds of the process."),
}
_REFUSED = "ictagent_traps_refused_total"
_TARGET_HELP: dict[str, tuple[str, str]] = {
    "ictagent_target_points_total": ("counter", "Points written to a target."),
    "ictagent_target_failures_total": ("counter", "Tries at which a target could not take points."),
    "ictagent_target_dead_letters_total": ("counter", "Lines that a target refused for their content."),
    "ictagent_target_skipped_old_total": ("counter", "Points older than a target's retention."),
    "ictagent_target_up": ("gauge", "Whether the last write to a target succeeded."),
}


def exposition(collector: Collector) -> str:
    """All metrics as text."""
    ingest, writer = collector.ingest.counters, collector.writer
    waiting = collector.outbox_depth()
    values: dict[str, float] = {
        "ictagent_reports_accepted_total": ingest.accepted,
        "ictagent_reports_duplicate_total": ingest.duplicates,
        "ictagent_reports_refused_total": ingest.refused,
        "ictagent_rows_rejected_total": ingest.rows_rejected,
        "ictagent_points_total": ingest.points,
        "ictagent_writer_commits_total": writer.counters.commits,
        "ictagent_writer_failures_total": writer.counters.failures,
        "ictagent_writer_waiting": writer.waiting,
        "ictagent_writer_longest_transaction_seconds": round(writer.counters.longest_transaction_seconds, 4),
        "ictagent_outbox_batches": waiting.batches,
        "ictagent_outbox_bytes": waiting.bytes,
        "ictagent_outbox_dropped_total": collector.outbox_dropped,
        "ictagent_job_misfires_total": collector.misfires,
        "ictagent_traps_accepted_total": collector.traps.state.accepted,
        "ictagent_trap_events_total": collector.traps.state.events,
        "ictagent_trap_child_starts_total": collector.traps.state.starts,
        "ictagent_resident_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "ictagent_cpu_seconds_total": round(time.process_time(), 3),
    }
    lines = []
    for name, value in values.items():
        lines += _head(name, _HELP[name])
        lines.append(f"{name} {value}")
    refused = collector.traps.state.refused
    lines += _head(_REFUSED, ("counter", "Notifications that did not count, by reason."))
    lines += [f'{_REFUSED}{{reason="{reason}"}} {refused[reason]}' for reason in REASONS]
    states = [pump.state for pump in collector.pumps]
    for name, help_ in _TARGET_HELP.items():
        lines += _head(name, help_)
        for state in states:
            per_target = {
                "ictagent_target_points_total": state.points,
                "ictagent_target_failures_total": state.failures,
                "ictagent_target_dead_letters_total": state.dead,
                "ictagent_target_skipped_old_total": state.skipped_old,
                "ictagent_target_up": int(not state.problem),
            }
            lines.append(f'{name}{{target="{state.target}"}} {per_target[name]}')
    return "\n".join(lines) + "\n"


def _head(name: str, help_: tuple[str, str]) -> list[str]:
    return [f"# HELP {name} {help_[1]}", f"# TYPE {name} {help_[0]}"]
