"""How a source is asked: the kernel's files at once, whatever may be slow or hang in the background."""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from agent.clock import boot_ns
from agent.outcome import Absent, Data, Failed, Outcome
from agent.sources.reading import RawReading

if TYPE_CHECKING:
    from agent.settings import AgentSettings

logger = logging.getLogger(__name__)

Read = Callable[[], Outcome[list[RawReading]]]

LOOK_AGAIN_NS = 60 * 10**9
"""What is not there is looked for this often: looking, at every sample, would cost as much as all else of it."""
KEPT_PERIODS = 3
"""A reading stands for the machine until the next one is due for the third time; then the source has failed."""
_FAREWELL_SECONDS = 2.0


class Source(Protocol):
    """An energy source of this host."""

    def read(self) -> Outcome[list[RawReading]]:
        """What the source gives now. Returns within a fraction of a second, whatever the hardware does."""

    def settle(self, seconds: float) -> None:
        """Wait for a first answer, no longer than this."""

    def close(self) -> None:
        """End what the source holds open."""


Make = Callable[["AgentSettings", Path], Source]
"""Makes a source for the machine below a root directory. It neither reads nor connects yet."""


class KernelFiles:
    """A source that reads files of the kernel, which never wait for anybody."""

    def __init__(self, read: Callable[[Path], Outcome[list[RawReading]]], root: Path) -> None:
        self._read = read
        self._root = root

    def read(self) -> Outcome[list[RawReading]]:
        return self._read(self._root)

    def settle(self, seconds: float) -> None:
        """Its first answer is always there."""

    def close(self) -> None:
        """Nothing is open."""


def kernel_files(read: Callable[[Path], Outcome[list[RawReading]]]) -> Make:
    """The source of a plain `read(root)`."""
    return lambda _settings, root: KernelFiles(read, root)


class Background:
    """A source read in a thread of its own, at most once in `period_seconds`, that hands over its newest reading.

    `present` is asked at once, before any thread or connection: why the host does not have the source, or None. Where
    it does not, that holds for a minute. A read that is due is given `patience_seconds` to finish, so that a quick one
    is in the sample that asked for it; one that hangs costs that much once, and nothing while it goes on hanging. A
    read that fails leaves the reading before it in place until that is too old: one lost answer is not a lost meter.
    """

    def __init__(
        self,
        read: Read,
        period_seconds: float,
        *,
        present: Callable[[], Absent | Failed | None] = lambda: None,
        farewell: Callable[[], None] = lambda: None,
        patience_seconds: float = 0.0,
        now: Callable[[], int] = boot_ns,
    ) -> None:
        self._read, self._present, self._farewell, self._now = read, present, farewell, now
        self._period_ns = int(period_seconds * 1e9)
        self._patience_seconds = patience_seconds
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._asked = self._stopped = False
        self._asked_ns = 0
        self._absent: Absent | Failed | None = None
        self._looked_ns = 0
        self._last: Outcome[list[RawReading]] | None = None
        self._data: Data[list[RawReading]] | None = None
        self._data_ns = 0

    def read(self) -> Outcome[list[RawReading]]:
        if (absent := self._not_there()) is not None:
            return absent
        with self._changed:
            if self._ask() and self._patience_seconds:
                self._changed.wait_for(lambda: not self._asked, self._patience_seconds)
            return self._newest()

    @property
    def reading(self) -> bool:
        """Whether a question is under way."""
        return self._asked

    def settle(self, seconds: float) -> None:
        if self._not_there() is not None:
            return
        with self._changed:
            self._ask()
            self._changed.wait_for(lambda: self._last is not None, seconds)

    def close(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(_FAREWELL_SECONDS)

    def _not_there(self) -> Absent | Failed | None:
        """Why the host does not have the source, by a look at most a minute old; None where it has."""
        if self._absent is None or self._now() - self._looked_ns >= LOOK_AGAIN_NS:
            self._absent, self._looked_ns = self._look(), self._now()
        return self._absent

    def _look(self) -> Absent | Failed | None:
        try:
            return self._present()
        except Exception as error:  # noqa: BLE001  # whatever one source does, the others and the host's report go on
            return Failed(f"{type(error).__name__}: {error}", "report this as a defect of ictagent")

    def _ask(self) -> bool:
        """Have the thread read if that is due and it is not reading already."""
        # A tenth early, so that a sample that comes a moment before the time is not left out.
        due = self._asked_ns == 0 or self._now() - self._asked_ns >= self._period_ns * 0.9
        if self._asked or self._stopped or not due:
            return False
        self._asked, self._asked_ns = True, self._now()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="slow-source", daemon=True)
            self._thread.start()
        self._changed.notify_all()
        return True

    def _newest(self) -> Outcome[list[RawReading]]:
        limit_ns = self._period_ns * KEPT_PERIODS
        if self._data is not None and self._now() - self._data_ns <= limit_ns:
            if isinstance(self._last, Failed):
                return Data(self._data.value, f"the newest reading failed: {self._last.reason}")
            return self._data
        waited_ns = self._now() - self._asked_ns if self._asked else 0
        # Right after a start, or when the machine has slept, the answer is merely on its way.
        if waited_ns > (self._period_ns if self._data is not None else limit_ns):
            return Failed("it does not answer", "look at the device and the way to it, or switch the source off")
        if isinstance(self._last, (Absent, Failed)):
            return self._last
        return Absent("its answer is awaited")

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._asked or self._stopped)
                if self._stopped:
                    break
            outcome = self._attempt()
            with self._changed:
                # Dated by its arrival: the question may have waited long before the device measured.
                self._keep(outcome, self._now())
                self._asked = False
                self._changed.notify_all()
        try:
            self._farewell()
        except Exception as error:  # noqa: BLE001  # the agent ends; what cannot be ended in order is told and left
            logger.debug("a source could not be closed: %s", error)

    def _attempt(self) -> Outcome[list[RawReading]]:
        try:
            return self._read()
        except Exception as error:  # noqa: BLE001  # as in the sampler: one source's defect is reported, and is its own
            return Failed(f"{type(error).__name__}: {error}", "report this as a defect of ictagent")

    def _keep(self, outcome: Outcome[list[RawReading]], now_ns: int) -> None:
        self._last = outcome
        if isinstance(outcome, Absent):
            self._data = None
        elif isinstance(outcome, Data):
            period = self._period_ns / 1e9
            value = [
                replace(one, taken_ns=one.taken_ns or now_ns, period_seconds=one.period_seconds or period)
                for one in outcome.value
            ]
            self._data, self._data_ns = Data(value, outcome.note), now_ns
