"""One round of everything a host can tell: inventory when asked, utilisation, energy sources, and the choice among them.

Counter states are kept in a file, so that a restart goes on with the same epochs where the hardware proves it.
"""

import logging
from collections.abc import Mapping
from pathlib import Path

from agent.choice import choose
from agent.clock import Clock
from agent.counters import CounterState, advance, states_from_text, states_to_text
from agent.files import text_or_empty, write_durably
from agent.inventory import read_inventory
from agent.outcome import Absent, Data, Failed, Outcome
from agent.report import Meter, SampleTime, SourceState
from agent.sample import MeterReading, Sample
from agent.sources import SOURCES, Source
from agent.sources.reading import RawReading
from agent.utilisation import Utilisation

logger = logging.getLogger(__name__)

PROCESSOR_METER = "cpu"
_SAVED_EVERY_NS = 60 * 10**9
_STALE_NS = 600 * 10**9
"""A mean over more than ten minutes says nothing of the time between: after a pause the interval begins anew."""


class Sampler:
    """Takes samples. `disabled` names sources to leave alone; without `counter_state` nothing is remembered."""

    def __init__(
        self,
        root: Path = Path("/"),
        disabled: frozenset[str] = frozenset(),
        counter_state: Path | None = None,
        clock: Clock | None = None,
        sources: Mapping[str, Source] = SOURCES,
    ) -> None:
        self._root = root
        self._disabled = disabled
        self._state_file = counter_state
        self._clock = clock or Clock()
        self._sources = sources
        self._utilisation = Utilisation(root)
        self._boot_id = self._clock.boot_id(root)
        self._states: dict[str, CounterState] = {}
        if counter_state is not None:
            self._states = states_from_text(text_or_empty(counter_state))
        self._last: SampleTime | None = None
        self._last_processor_time: tuple[int, int] | None = None
        self._saved_ns = 0

    def sample(self, with_inventory: bool) -> Sample:
        """Everything the host tells now. A source that breaks is reported as failed and never stops the others."""
        time, before = self._clock.now(), self._last
        interval_ns = time.boot_ns - before.boot_ns if before is not None else 0
        elapsed = interval_ns / 1e9 if 0 < interval_ns <= _STALE_NS else None
        sample = Sample(time, self._boot_id)
        sample.points = self._utilisation.points(time.boot_ns / 1e9, elapsed)
        for name, source in self._sources.items():
            outcome = self._ask(name, source)
            sample.sources.append(_state(name, outcome))
            if isinstance(outcome, Data):
                sample.readings += [self._reading(name, raw, time, elapsed) for raw in outcome.value]
        sample.choice = choose([one.meter for one in sample.readings], sample.sources)
        sample.readings = [one for one in sample.readings if one.meter.kind != "power" or one.interval_ns]
        sample.readings.append(self._processor_time(interval_ns if elapsed else 0))
        if with_inventory:
            sample.inventory = read_inventory(self._root)
        self._last = time
        if time.boot_ns - self._saved_ns > _SAVED_EVERY_NS:
            self._save()
        return sample

    def close(self) -> None:
        """Keep the counters' states for the next start."""
        self._save()

    def _ask(self, name: str, source: Source) -> Outcome[list[RawReading]] | None:
        if name in self._disabled:
            return None
        try:
            return source(self._root)
        except Exception as error:  # noqa: BLE001  # whatever one source does, the others and the host's report go on
            return Failed(f"{type(error).__name__}: {error}", "report this as a defect of ictagent")

    def _reading(self, source: str, raw: RawReading, time: SampleTime, elapsed: float | None) -> MeterReading:
        if raw.kind == "power":
            meter = Meter(raw.name, source, "power", raw.covers, "", raw.parent)
            return MeterReading(meter, int((elapsed or 0) * 1e9), [round(float(raw.value), 6)], [])
        state, counted = advance(
            self._states.get(raw.name),
            int(raw.value),
            time.boot_ns,
            self._boot_id,
            raw.range_uj,
            *([] if raw.highest_watts is None else [raw.highest_watts]),
        )
        self._states[raw.name] = state
        meter = Meter(raw.name, source, "counter", raw.covers, counted.epoch, raw.parent)
        differences = [counted.difference_uj] if counted.interval_ns else []
        return MeterReading(meter, counted.interval_ns, [counted.total_uj], differences)

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


def _state(name: str, outcome: Outcome[list[RawReading]] | None) -> SourceState:
    if outcome is None:
        return SourceState(name, "off", "switched off in the configuration")
    if isinstance(outcome, Absent):
        return SourceState(name, "absent", outcome.reason)
    if isinstance(outcome, Failed):
        return SourceState(name, "failed", outcome.reason, outcome.remedy)
    return SourceState(name, "data", outcome.note)
