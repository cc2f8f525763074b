"""One round of everything a host can tell: inventory when asked, utilisation, energy sources, and the choice among them.

Counter states are kept in a file, so that a restart goes on with the same epochs where the hardware proves it.
"""

import logging
import time
from collections.abc import Mapping
from pathlib import Path

from agent.choice import choose
from agent.clock import Clock
from agent.counters import HIGHEST_WATTS, CounterState, advance, states_from_text, states_to_text
from agent.files import text_or_empty, write_durably
from agent.guests import NAME as GUESTS
from agent.guests.reader import GuestData, Guests
from agent.inventory import read_inventory
from agent.outcome import Absent, Data, Failed, Outcome
from agent.report import Meter, SampleTime, SourceState
from agent.sample import MeterReading, Sample
from agent.settings import AgentSettings
from agent.sources import SOURCES
from agent.sources.reading import RawReading
from agent.sources.source import KEPT_PERIODS, Make, Source
from agent.utilisation import Utilisation

logger = logging.getLogger(__name__)

PROCESSOR_METER = "cpu"
_SAVED_EVERY_NS = 60 * 10**9
_SUSPENDED_NS = 10**9
"""The two clocks that tell a suspend are read one after the other: less than this is none."""
_STALE_NS = 600 * 10**9
"""A mean over more than ten minutes says nothing of the time between: after a pause the interval begins anew."""


class Sampler:
    """Takes samples. `settings` say which sources to leave alone, and what others need to know.

    Without `counter_state` nothing is remembered.
    """

    def __init__(
        self,
        root: Path = Path("/"),
        settings: AgentSettings | None = None,
        counter_state: Path | None = None,
        clock: Clock | None = None,
        sources: Mapping[str, Make] = SOURCES,
    ) -> None:
        self._root = root
        settings = settings or AgentSettings()
        self._state_file = counter_state
        self._clock = clock or Clock()
        self._sources: dict[str, Source | None] = {
            name: None if name in settings.disabled_sources else make(settings, root) for name, make in sources.items()
        }
        self._guests = None if GUESTS in settings.disabled_sources else Guests(root)
        self._utilisation = Utilisation(root)
        self._boot_id = self._clock.boot_id(root)
        self._states: dict[str, CounterState] = {}
        if counter_state is not None:
            self._states = states_from_text(text_or_empty(counter_state))
        self._last: SampleTime | None = None
        self._suspended_ns = self._clock.suspended_ns()
        self._last_processor_time: tuple[int, int] | None = None
        self._saved_ns = 0
        self._taken_ns: dict[str, int] = {}
        self._handed_ns: dict[str, int] = {}

    def settle(self, seconds: float) -> None:
        """Give sources that answer slowly this long together, so that the first sample has what they say."""
        until = time.monotonic() + seconds
        for source in self._sources.values():
            if source is not None:
                source.settle(max(0.0, until - time.monotonic()))

    def sample(self, with_inventory: bool) -> Sample:
        """Everything the host tells now. A source that breaks is reported as failed and never stops the others."""
        now, before = self._clock.now(), self._last
        interval_ns = now.boot_ns - before.boot_ns if before is not None else 0
        elapsed = interval_ns / 1e9 if 0 < interval_ns <= _STALE_NS else None
        asleep_ns = self._asleep_ns()
        sample = Sample(now, self._boot_id)
        sample.points = self._utilisation.points(now.boot_ns / 1e9, elapsed)
        meters: list[Meter] = []
        for name, source in self._sources.items():
            outcome = self._ask(source)
            sample.sources.append(_state(name, outcome))
            if isinstance(outcome, Data):
                for raw in outcome.value:
                    meter, reading = self._reading(name, raw, now, elapsed, asleep_ns)
                    meters.append(meter)
                    sample.readings += [] if reading is None else [reading]
        sample.choice = choose(meters, sample.sources)
        # Over a suspend the collector sees from the count itself how much of the time the processors ran.
        processors = self._processor_time(interval_ns if elapsed and not asleep_ns else 0)
        sample.readings.append(processors)
        self._add_guests(sample, processors)
        if with_inventory:
            sample.inventory = read_inventory(self._root)
        self._last = now
        if now.boot_ns - self._saved_ns > _SAVED_EVERY_NS:
            self._save()
        return sample

    def close(self) -> None:
        """Keep the counters' states for the next start, and end the sources."""
        self._save()
        for source in self._sources.values():
            if source is not None:
                source.close()

    def _add_guests(self, sample: Sample, processors: MeterReading) -> None:
        outcome = None if self._guests is None else self._ask_guests(self._guests, sample.time.boot_ns, processors)
        sample.sources.append(_state(GUESTS, outcome))
        if isinstance(outcome, Data):
            sample.guests = outcome.value.guests
            sample.readings += outcome.value.readings
            sample.points += outcome.value.points

    def _ask_guests(self, guests: Guests, boot_ns: int, processors: MeterReading) -> Outcome[GuestData]:
        try:
            return guests.read(self._boot_id, boot_ns, processors)
        except Exception as error:  # noqa: BLE001  # as with a source: the host's own report goes on
            return _defect(error)

    def _ask(self, source: Source | None) -> Outcome[list[RawReading]] | None:
        if source is None:
            return None
        try:
            return source.read()
        except Exception as error:  # noqa: BLE001  # whatever one source does, the others and the host's report go on
            return _defect(error)

    def _asleep_ns(self) -> int:
        """How long the machine was suspended since the sample before."""
        before, self._suspended_ns = self._suspended_ns, self._clock.suspended_ns()
        asleep_ns = self._suspended_ns - before
        return asleep_ns if asleep_ns >= _SUSPENDED_NS else 0

    def _reading(
        self, source: str, raw: RawReading, now: SampleTime, elapsed: float | None, asleep_ns: int
    ) -> tuple[Meter, MeterReading | None]:
        """The meter, and its reading unless there is none for this sample: handed over before, or without interval."""
        source = raw.origin or source
        held = raw.taken_ns != 0 and self._taken_ns.get(raw.name) == raw.taken_ns
        if raw.kind == "power":
            meter = Meter(raw.name, source, "power", raw.covers, "", raw.parent)
            interval_ns = 0 if held else self._interval_ns(raw, now, elapsed)
            # Nobody saw what the machine drew while it was suspended; its mean is of the time awake.
            interval_ns = max(0, min(interval_ns, int((elapsed or 0) * 1e9) - asleep_ns)) if asleep_ns else interval_ns
            if not interval_ns:
                return meter, None
            self._taken_ns[raw.name], self._handed_ns[raw.name] = raw.taken_ns, now.boot_ns
            return meter, MeterReading(meter, interval_ns, [round(float(raw.value), 6)], [])
        if held and (known := self._states.get(raw.name)) is not None:
            return Meter(raw.name, source, "counter", raw.covers, known.epoch, raw.parent), None
        self._taken_ns[raw.name] = raw.taken_ns
        state, counted = advance(
            self._states.get(raw.name),
            int(raw.value),
            now.boot_ns,
            self._boot_id,
            raw.range_uj,
            HIGHEST_WATTS if raw.highest_watts is None else raw.highest_watts,
            suspended=asleep_ns > 0,
        )
        self._states[raw.name] = state
        meter = Meter(raw.name, source, "counter", raw.covers, counted.epoch, raw.parent)
        differences = [counted.difference_uj] if counted.interval_ns else []
        return meter, MeterReading(meter, counted.interval_ns, [counted.total_uj], differences)

    def _interval_ns(self, raw: RawReading, now: SampleTime, elapsed: float | None) -> int:
        """The time for which a power reading stands: since the sample before, or since the meter's last reading.

        A slow meter's reading reaches back to the one before it, unless that was so long ago that it had been given
        up: then nothing is known of the time between.
        """
        before = self._handed_ns.get(raw.name)
        since_sample = int((elapsed or 0) * 1e9)
        if raw.taken_ns == 0 or before is None or elapsed is None:
            return since_sample
        since_reading = now.boot_ns - before
        longest = int(raw.period_seconds * KEPT_PERIODS * 1e9)
        return since_reading if since_reading <= max(longest, since_sample) else since_sample

    def _processor_time(self, interval_ns: int) -> MeterReading:
        """Cumulative processor time; its epoch is the boot, within which it only grows."""
        busy, total = self._utilisation.processor_time()
        before, self._last_processor_time = self._last_processor_time, (busy, total)
        meter = Meter(PROCESSOR_METER, "cpu_time", "utilisation", "processors", self._boot_id)
        if before is None or interval_ns == 0 or busy < before[0] or total <= before[1]:
            return MeterReading(meter, 0, [busy, total], [])
        differences = [min(busy - before[0], total - before[1]), total - before[1]]
        return MeterReading(meter, interval_ns, [busy, total], differences)

    def _save(self) -> None:
        if self._state_file is None or not self._states or self._last is None:
            return
        self._saved_ns = self._last.boot_ns
        try:
            write_durably(self._state_file, states_to_text(self._states).encode())
        except OSError as error:
            logger.warning("counter states cannot be kept in %s: %s", self._state_file, error)


def _defect(error: Exception) -> Failed:
    return Failed(f"{type(error).__name__}: {error}", "report this as a defect of ictagent")


def _state(name: str, outcome: Outcome[list[RawReading]] | Outcome[GuestData] | None) -> SourceState:
    if outcome is None:
        return SourceState(name, "off", "switched off in the configuration")
    if isinstance(outcome, Absent):
        return SourceState(name, "absent", outcome.reason)
    if isinstance(outcome, Failed):
        return SourceState(name, "failed", outcome.reason, outcome.remedy)
    return SourceState(name, "data", outcome.note)
