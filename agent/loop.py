"""The running agent: samples on a steady schedule, reports into the spool, and the sender beside it.

The first sample is reported at once, a second a second later, so that a new host shows within seconds.
"""

import contextlib
import gc
import logging
import os
import resource
import select
import signal
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from types import FrameType

import agent
from agent.branch import branched_meters
from agent.clock import Clock
from agent.errors import SpoolError
from agent.half_hours import HALF_HOUR_NS, HalfHours, is_end_user_device
from agent.report import Event, Inventory, SampleTime, encode
from agent.report_builder import build_report
from agent.sample import Point, Sample
from agent.sampler import Sampler
from agent.sender import Sender
from agent.service import ServiceManager
from agent.settings import AgentSettings
from agent.spool import Spool
from agent.status import AgentStatus, read_status, write_status
from agent.transport import Transport

logger = logging.getLogger(__name__)

_DAY_SECONDS = 86_400
_INVENTORY_SECONDS = 900
"""The inventory is read this often and sent when it changed, and once a day."""
_SETTLE_SECONDS = 5.0
"""How long the first sample waits for a BMC: without it each start would begin with a stretch of estimates."""
_PAGE = resource.getpagesize()
_MOST_SAMPLES_HELD = 1000
_CLOCK_STEP_NS = 5 * 10**9
"""NTP slews what is less than a part of a second; whoever sets a clock by more than this should find it told."""
LAST_ATTEMPT_SECONDS = 3.0


class Agent:
    """Samples and reports until a signal ends it. `reload` does what SIGHUP asks for and gives a line for the log."""

    def __init__(
        self, settings: AgentSettings, clock: Clock | None = None, reload: Callable[[], str] | None = None
    ) -> None:
        self._settings = settings
        self._reload = reload
        self._manager = ServiceManager()
        self._clock = clock or Clock()
        self._spool = Spool(settings.state_directory / "spool", settings.spool_limit_bytes)
        self._sampler = Sampler(
            settings.host_root,
            settings,
            counter_state=settings.state_directory / "counters.json",
            clock=self._clock,
        )
        self._lock = threading.Lock()
        self._sender = Sender(settings, self._spool, Transport(settings, self._clock), self._lock)
        self._stopping = self._reload_asked = False
        # A signal's handler may run at any point of the loop: it writes to a pipe, and takes no lock.
        self._woken, self._waking = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._held: list[Sample] = []
        self._half_hours: HalfHours | None = None
        self._events: list[Event] = []
        self._inventory: Inventory | None = None
        self._inventory_due = self._inventory_sent_at = -float("inf")
        self._sample_seconds = 0.0
        self._clock_offset_ns: int | None = None
        self._dropped = 0
        self._status = self._first_status()
        self._status_due = -float("inf")
        self._told: tuple[int | None, str] = (None, "")

    def run(self) -> None:
        """Run until SIGTERM or SIGINT; then one last report is spooled and tried. SIGHUP reads the log level again."""
        signal.signal(signal.SIGTERM, self._signalled)
        signal.signal(signal.SIGINT, self._signalled)
        signal.signal(signal.SIGHUP, self._hung_up)
        self._sampler.settle(_SETTLE_SECONDS)
        self._take(starting=True)
        self._report()
        self._sender.start()
        self._say_how_it_goes()
        self._manager.ready(self._line())
        # What was loaded so far lives as long as the agent: the collector of garbage need not look at it again.
        gc.collect()
        gc.freeze()
        interval = self._settings.interval_seconds
        due = time.monotonic() + min(1.0, interval)
        report_due = due
        starting = True
        while True:
            if select.select([self._woken], [], [], max(0.0, due - time.monotonic()))[0]:
                os.read(self._woken, 1024)
            if self._reload_asked:
                self._read_again()
            if self._stopping:
                break
            if time.monotonic() < due:
                continue
            self._take(starting)
            starting = False
            now = time.monotonic()
            if now >= report_due:
                self._report()
                # Half an interval early, so that the sample that is due then is in it.
                report_due = now + self._settings.report_seconds - interval / 2
            # Ticks missed while the machine slept are left out, not caught up.
            due = max(due + interval, now)
            self._say_how_it_goes()
        self._manager.stopping()
        self._take()
        self._held += self._half_hours.finish() if self._half_hours is not None else []
        self._report()
        self._sampler.close()
        self._sender.stop(LAST_ATTEMPT_SECONDS)
        with self._lock:
            self._spool.close()
        self._status.stopped_at = int(time.time())
        self._write_status()

    def _signalled(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True
        self._wake()

    def _hung_up(self, _number: int, _frame: FrameType | None) -> None:
        self._reload_asked = True
        self._wake()

    def _wake(self) -> None:
        # A full pipe wakes it as well.
        with contextlib.suppress(BlockingIOError):
            os.write(self._waking, b"!")

    def _read_again(self) -> None:
        self._reload_asked = False
        self._manager.reloading()
        if self._reload is not None:
            logger.info("%s", self._reload())
        self._manager.ready()

    def _say_how_it_goes(self) -> None:
        """Tell the service manager and the status file, once a sample was taken. The watchdog hears of it only while
        samples are taken and the sender lives: a restart mends neither a full disk nor a collector that is away."""
        if self._sender.alive:
            self._manager.working()
        outcome = (self._sender.last_report_at, self._sender.problem)
        if outcome != self._told or time.monotonic() >= self._status_due:
            self._told, self._status_due = outcome, time.monotonic() + self._settings.report_seconds
            self._write_status()
            self._manager.status(self._line())

    def _first_status(self) -> AgentStatus:
        """The status of this start; when a report was last acknowledged is known from the start before."""
        now, settings = int(time.time()), self._settings
        status = AgentStatus(agent.__version__, os.getpid(), settings.collector, now, now, settings.report_seconds)
        try:
            before = read_status(settings.state_directory)
        except OSError:
            return status
        if before is not None and before.collector == settings.collector:
            status.last_report_at = before.last_report_at
        return status

    def _write_status(self) -> None:
        status, sender = self._status, self._sender
        status.written_at = int(time.time())
        status.last_report_at = sender.last_report_at or status.last_report_at
        status.last_problem = self._spool.problem or sender.problem
        status.key_id = sender.key_id or status.key_id
        status.key_expires_at = sender.key_expires_at or status.key_expires_at
        status.spool_reports, status.spool_bytes = self._spool.reports, self._spool.size_bytes
        status.rejected_reports = len(self._spool.rejected_files())
        status.dropped_reports = self._spool.counters.dropped
        write_status(self._settings.state_directory, status)

    def _line(self) -> str:
        """One line for `systemctl status`."""
        waiting = f"{self._spool.reports} reports wait" if self._spool.reports > 1 else "nothing waits"
        problem = self._spool.problem or self._sender.problem
        return f"{problem or f'reporting to {self._settings.collector}'}; {waiting}"

    def _take(self, starting: bool = False) -> None:
        started = time.perf_counter()
        if self._sender.take_inventory_wish():
            self._inventory_due = self._inventory_sent_at = -float("inf")
        sample = self._sampler.sample(with_inventory=time.monotonic() >= self._inventory_due)
        if sample.inventory is not None:
            self._know_the_device(sample.inventory)
            self._inventory_due = time.monotonic() + _INVENTORY_SECONDS
            daily = time.monotonic() - self._inventory_sent_at >= _DAY_SECONDS
            if sample.inventory == self._inventory and not daily:
                sample.inventory = None
            else:
                self._inventory, self._inventory_sent_at = sample.inventory, time.monotonic()
        self._status.sources, self._status.choice = sample.sources, sample.choice
        self._note_step(sample.time)
        sample.points.append(self._own_point())
        self._hold(sample, starting)
        if len(self._held) > _MOST_SAMPLES_HELD:
            del self._held[0]
        self._sample_seconds = time.perf_counter() - started

    def _know_the_device(self, inventory: Inventory) -> None:
        inventory.end_user_device = is_end_user_device(self._settings.end_user_device, inventory)
        if inventory.end_user_device and self._half_hours is None:
            self._half_hours = HalfHours()
            self._status.report_seconds = max(HALF_HOUR_NS / 1e9, self._settings.report_seconds)
            logger.info("an end-user device: half-hour means are all that is sent (end_user_device)")

    def _hold(self, sample: Sample, starting: bool) -> None:
        if self._half_hours is None:
            self._held.append(sample)
        elif starting:
            self._held.append(self._half_hours.hand_on(sample))
        else:
            self._held += self._half_hours.add(sample)

    def _report(self) -> None:
        """Spool the samples held. What the disk has no room for stays in memory, which the log says."""
        if not self._held:
            return
        self._note_drops()
        self._events += self._sender.take_events()
        with self._lock:
            self._note_damage()
            sequence = self._spool.next_sequence()
            report = build_report(self._held, self._spool.stream_id, sequence, agent.__version__, self._events)
            report.meters = branched_meters(report.meters, self._spool.branch)
            self._held, self._events = [], []
            try:
                self._spool.add(sequence, encode(report))
            except SpoolError as error:
                logger.error("%s", error)  # noqa: TRY400  # the message is for the user, the trace for nobody
        self._sender.wake()

    def _note_step(self, now: SampleTime) -> None:
        """Tell when the wall clock was set. A suspend is none: the boot clock counts it too."""
        offset_ns, before = now.wall_ns - now.boot_ns, self._clock_offset_ns
        self._clock_offset_ns = offset_ns
        step_ns = 0 if before is None else offset_ns - before
        if abs(step_ns) < _CLOCK_STEP_NS:
            return
        by = timedelta(seconds=round(abs(step_ns) / 1e9))
        detail = f"the clock was set {'forward' if step_ns > 0 else 'back'} by {by}"
        logger.warning("%s", detail)
        self._events.append(Event(now.wall_ns, "clock_step", detail))

    def _note_damage(self) -> None:
        for note in self._spool.take_notes():
            logger.warning("%s", note)
            self._events.append(Event(self._clock.now().wall_ns, "spool_damaged", note[:1000]))

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
