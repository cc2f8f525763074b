"""Sending what the spool holds, oldest first, in a thread of its own: a slow collector never delays a sample."""

import logging
import threading
import time

from agent.branch import stream_of
from agent.errors import EnrolmentError, SpoolError, TransportError
from agent.keys import HostKey
from agent.report import Event
from agent.settings import AgentSettings
from agent.spool import Spool, Spooled
from agent.transport import REFUSED_PAUSE_SECONDS, Transport, growing_pause

logger = logging.getLogger(__name__)


class Sender:
    """Drains the spool. `lock` guards the spool, which the loop writes to; `take_events` gives what to report of it."""

    def __init__(self, settings: AgentSettings, spool: Spool, transport: Transport, lock: threading.Lock) -> None:
        self._settings = settings
        self._spool = spool
        self._transport = transport
        self._lock = lock
        self._events: list[Event] = []
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._stop_by = float("inf")
        self._key = HostKey(settings, transport)
        self._problem = ""
        self._failures = 0
        self._acknowledged_at: int | None = None
        self._inventory_wish = False
        self._copied_at: float | None = None
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Something was spooled."""
        self._wake.set()

    def stop(self, seconds: float) -> None:
        """End; sending what waits may take so many seconds. What is left stays in the spool."""
        self._stop_by = time.monotonic() + seconds
        self._stopping.set()
        self._wake.set()
        self._thread.join(seconds)
        self._transport.close()

    @property
    def last_report_at(self) -> int | None:
        """When the collector last acknowledged a report (Unix seconds), since this start."""
        return self._acknowledged_at

    @property
    def problem(self) -> str:
        """What hinders sending now, or nothing."""
        return self._problem

    @property
    def key_id(self) -> str:
        """The public part of the key in use; empty before the first was found."""
        return self._key.key_id

    @property
    def key_expires_at(self) -> int | None:
        """When the key in use ends (Unix seconds); None where the collector has not said."""
        return self._key.expires_at

    def take_inventory_wish(self) -> bool:
        """Whether the next report must hold the inventory: the host is a device of its own since it was last asked."""
        wished, self._inventory_wish = self._inventory_wish, False
        return wished

    @property
    def alive(self) -> bool:
        """Whether its thread runs: without it nothing would be sent again."""
        return self._thread.is_alive()

    def take_events(self) -> list[Event]:
        """Events since they were last taken, for the next report."""
        taken, self._events = self._events, []
        return taken

    def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                pause = self._drain()
            except (SpoolError, OSError) as error:
                pause = self._wait(f"the spool cannot be changed: {error}")
            except Exception:  # without this thread nothing would ever be sent again
                logger.exception("sending failed: report this as a defect of ictagent")
                pause = REFUSED_PAUSE_SECONDS
            if self._stopping.is_set():
                return
            if pause:
                self._stopping.wait(pause)
            else:
                self._wake.wait(60.0)

    def _drain(self) -> float:
        """Send until the spool is empty (0) or the collector wants a pause (seconds)."""
        while True:
            with self._lock:
                self._spool.flush_memory()
                one = self._spool.oldest()
            if one is None:
                if not self._stopping.is_set() and self._acknowledged_at is not None and self._key.renew_if_due():
                    self._events.append(Event(time.time_ns(), "key_renewed", "the host's key was renewed"))
                return 0.0
            try:
                answer = self._transport.post_report(one.body, self._key.get())
            except TransportError as error:
                return self._wait(str(error))
            except EnrolmentError as error:
                self._say(str(error))
                return REFUSED_PAUSE_SECONDS
            if answer.status == 200:
                if answer.body.get("accepted") is not True:
                    return self._wait(f"{self._settings.collector} answers 200 and is no collector (a login page?)")
                with self._lock:
                    self._spool.remove(one.sequence)
                if rejected := answer.body.get("rejected_rows"):
                    logger.warning("the collector kept report %d without %s of its rows", one.sequence, rejected)
                self._failures = 0
                self._acknowledged_at = int(time.time())
                self._key.accept()
                self._well()
            elif answer.status in (400, 413, 422):
                self._refused(one, answer.error)
            elif answer.code == "clone_detected":
                if pause := self._copied(answer.error):
                    return pause
            elif answer.status == 409:
                self._renumber(one)
                return self._wait(answer.error)
            elif answer.status in (401, 403):
                if not self._key.refuse():
                    self._say(answer.error)
                    return REFUSED_PAUSE_SECONDS
            else:
                return self._wait(answer.error, answer.retry_after)
            if self._stopping.is_set() and time.monotonic() >= self._stop_by:
                return 0.0

    def _refused(self, one: Spooled, reason: str) -> None:
        logger.error("report %d was refused and is kept in `rejected`: %s", one.sequence, reason)
        with self._lock:
            self._spool.reject(one.sequence, "refused")
        self._events.append(Event(time.time_ns(), "report_rejected", f"report {one.sequence}: {reason}"[:1000]))

    def _copied(self, reason: str) -> float:
        """Another host has this key: with a token, get one of our own (0); else keep everything and say so (seconds)."""
        if self._copied_at is not None and time.monotonic() - self._copied_at < REFUSED_PAUSE_SECONDS:
            # Each time costs a use of the token.
            return self._wait(reason)
        try:
            self._key.enrol_again()
        except TransportError as error:
            return self._wait(str(error))
        except EnrolmentError as error:
            self._say(f"{reason}; {error}")
            return REFUSED_PAUSE_SECONDS
        self._events.append(Event(time.time_ns(), "own_key", "this host was a copy with another one's key"))
        self._inventory_wish = True
        self._copied_at = time.monotonic()
        return 0.0

    def _renumber(self, refused: Spooled) -> None:
        """Other content stands under our numbers (a snapshot was restored): send all again in a new stream.

        A report of another stream is left of a renumbering that a crash cut short, which goes on.
        """
        with self._lock:
            if stream_of(refused.body) == self._spool.stream_id:
                logger.warning("the collector has other reports under these numbers: a new stream is begun")
                self._events.append(
                    Event(time.time_ns(), "new_stream", "report numbers were used twice: a snapshot was restored")
                )
                self._spool.new_stream()
            self._spool.renumber()

    def _wait(self, problem: str, retry_after: float | None = None) -> float:
        self._say(problem)
        self._failures += 1
        return min(retry_after, 3600.0) if retry_after else growing_pause(self._failures)

    def _say(self, problem: str) -> None:
        """Each problem once, until it is over."""
        if problem != self._problem:
            logger.warning("%s; reports are kept", problem)
            self._problem = problem

    def _well(self) -> None:
        if self._problem:
            logger.info("the collector takes reports again")
            self._problem = ""
