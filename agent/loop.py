"""The running agent: samples on a steady schedule, reports into the spool, and the sender beside it.

The first sample is reported at once, a second a second later, so that a new host shows within seconds.
"""

import gc
import logging
import resource
import signal
import threading
import time
from types import FrameType

import agent
from agent.clock import Clock
from agent.errors import SpoolError
from agent.report import Event, Inventory, encode
from agent.report_builder import build_report
from agent.sample import Point, Sample
from agent.sampler import Sampler
from agent.sender import Sender
from agent.settings import AgentSettings
from agent.spool import Spool
from agent.transport import Transport

logger = logging.getLogger(__name__)

_DAY_SECONDS = 86_400
_INVENTORY_SECONDS = 900
"""The inventory is read this often and sent when it changed, and once a day."""
_PAGE = resource.getpagesize()
_MOST_SAMPLES_HELD = 1000
LAST_ATTEMPT_SECONDS = 3.0


class Agent:
    """Samples and reports until a signal ends it."""

    def __init__(self, settings: AgentSettings, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or Clock()
        self._spool = Spool(settings.state_directory / "spool", settings.spool_limit_bytes)
        self._sampler = Sampler(
            disabled=frozenset(settings.disabled_sources),
            counter_state=settings.state_directory / "counters.json",
            clock=self._clock,
        )
        self._lock = threading.Lock()
        self._sender = Sender(settings, self._spool, Transport(settings, self._clock), self._lock)
        self._stop = threading.Event()
        self._held: list[Sample] = []
        self._events: list[Event] = []
        self._inventory: Inventory | None = None
        self._inventory_due = self._inventory_sent_at = -float("inf")
        self._sample_seconds = 0.0
        self._dropped = 0

    def run(self) -> None:
        """Run until SIGTERM or SIGINT; then one last report is spooled and tried."""
        signal.signal(signal.SIGTERM, self._signalled)
        signal.signal(signal.SIGINT, self._signalled)
        self._take()
        self._report()
        self._sender.start()
        # What was loaded so far lives as long as the agent: the collector of garbage need not look at it again.
        gc.collect()
        gc.freeze()
        interval = self._settings.interval_seconds
        due = time.monotonic() + min(1.0, interval)
        report_due = due
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            self._take()
            now = time.monotonic()
            if now >= report_due:
                self._report()
                # Half an interval early, so that the sample that is due then is in it.
                report_due = now + self._settings.report_seconds - interval / 2
            # Ticks missed while the machine slept are left out, not caught up.
            due = max(due + interval, now)
        self._take()
        self._report()
        self._sampler.close()
        self._sender.stop(LAST_ATTEMPT_SECONDS)
        with self._lock:
            self._spool.close()

    def _signalled(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()

    def _take(self) -> None:
        started = time.perf_counter()
        sample = self._sampler.sample(with_inventory=time.monotonic() >= self._inventory_due)
        if sample.inventory is not None:
            self._inventory_due = time.monotonic() + _INVENTORY_SECONDS
            daily = time.monotonic() - self._inventory_sent_at >= _DAY_SECONDS
            if sample.inventory == self._inventory and not daily:
                sample.inventory = None
            else:
                self._inventory, self._inventory_sent_at = sample.inventory, time.monotonic()
        sample.points.append(self._own_point())
        self._held.append(sample)
        if len(self._held) > _MOST_SAMPLES_HELD:
            del self._held[0]
        self._sample_seconds = time.perf_counter() - started

    def _report(self) -> None:
        """Spool the samples held. When no number can be reserved (the disk is full) they are held a while longer."""
        if not self._held:
            return
        self._note_drops()
        self._events += self._sender.take_events()
        with self._lock:
            try:
                sequence = self._spool.next_sequence()
                report = build_report(self._held, self._spool.stream_id, sequence, agent.__version__, self._events)
                self._held, self._events = [], []
                self._spool.add(sequence, encode(report))
            except SpoolError as error:
                logger.error("%s", error)  # noqa: TRY400  # the message is for the user, the trace for nobody
        self._sender.wake()

    def _note_drops(self) -> None:
        dropped = self._spool.counters.dropped
        if dropped > self._dropped:
            detail = f"{dropped - self._dropped} reports were dropped: the spool was full"
            self._events.append(Event(self._clock.now().wall_ns, "spool_dropped", detail))
            logger.warning("%s", detail)
            self._dropped = dropped

    def _own_point(self) -> Point:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  # read every sample: the shortest way
            resident = int(file.read().split()[1]) * _PAGE
        counters = self._spool.counters
        return Point(
            "ictagent_agent",
            {},
            {
                "resident_bytes": resident,
                "cpu_seconds": round(time.process_time(), 3),
                "spool_reports": self._spool.reports,
                "spool_bytes": self._spool.size_bytes,
                "dropped_reports": counters.dropped,
                "rejected_reports": counters.rejected,
                "sample_seconds": round(self._sample_seconds, 4),
            },
        )
