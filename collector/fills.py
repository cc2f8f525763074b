"""What stands for silent devices in a report: each device's own weeks, else that it was off where its class is so by
habit and it was read otherwise, else its class profile, else it is listed as left out.

Devices under a meter that accounts for them are not filled: that meter's reading holds what they used. Nor is time in
which a device was not in use: before it was first heard of, after it was retired, or while the register says that it is
in store or was disposed of.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Connection, Row, select

from carbon.calendar import HALF_HOUR_SECONDS, day_bounds
from carbon.class_profiles import ClassProfile, class_group, scaled_energy
from carbon.fill import Filled, fill_errors, profile_energy
from carbon.intervals import Interval, without
from carbon.months import middle_of
from carbon.report import Fill
from carbon.uncertainty import Errors, add_errors, errors_of, range_of, scale_errors
from collector.class_profiles import ProfileStretch, profile_at, profile_stretches
from collector.database.schema import register_import, register_state
from collector.estate_parts import EstatePart, shared_uj
from collector.gap_fills import Ask, GapFills
from collector.ledger import closed_before
from collector.register_queries import IN_USE
from collector.taking import Progress, silent

Method = Literal["same weekday and half-hour", "taken as off", "class profile", "excluded"]
METHODS: tuple[Method, Method, Method, Method] = (
    "same weekday and half-hour",
    "taken as off",
    "class profile",
    "excluded",
)
"""In the order in which they are tried."""


@dataclass(slots=True)
class _Amount:
    """What one method gives a device in a month."""

    half_hours: int = 0
    energy_uj: int = 0
    errors: Errors = field(default_factory=dict)

    def add(self, half_hours: int, energy_uj: int = 0, errors: Errors | None = None) -> None:
        self.half_hours += half_hours
        self.energy_uj += energy_uj
        self.errors = add_errors(self.errors, errors or {})


class Fills:
    """Gives an organisation's parts what stands for their gaps (`collector.activities.Fill`), and tells each fill.

    `kept` are the means that rest on the ledger alone.
    """

    def __init__(self, connection: Connection, of: Row[Any], now: int, progress: Progress = silent) -> None:
        self._time_zone = of.time_zone
        self._until = closed_before(now) + HALF_HOUR_SECONDS
        self._unused = _unused(connection, of.id)
        self._profiles = profile_stretches(connection, of.id)
        self.kept = GapFills(connection, of.time_zone, progress)
        self._told: dict[tuple[str, str], dict[Method, _Amount]] = {}

    def __call__(self, parts: Sequence[EstatePart]) -> None:
        asked = [self._asks(part) for part in parts]
        found = self.kept.of([ask for stretches in asked for meters in stretches for ask in meters])
        for part, stretches in zip(parts, asked, strict=True):
            amounts: dict[Method, _Amount] = {}
            for meters in stretches:
                if any(ask in found for ask in meters):
                    self._add(part, [found.get(ask, Filled()) for ask in meters], amounts)
            if amounts:
                self._give(part, amounts)

    @property
    def fills(self) -> list[Fill]:
        """Every fill by device and month; of a joint device the organisation's share, as in its rows."""
        return [
            Fill(device, month, method, one.half_hours, one.energy_uj, *range_of(one.energy_uj, one.errors))
            for (device, month), amounts in sorted(self._told.items())
            for method in METHODS
            if (one := amounts.get(method)) is not None
        ]

    def _asks(self, part: EstatePart) -> list[list[Ask]]:
        """What is asked for a part: stretch by stretch the meters that stand for it."""
        month, unused = part.key.month, self._unused.get(part.device, ())
        return [
            [Ask(meter_id, month, start, end) for meter_id in one.meter_ids]
            for one in part.unheld
            for start, end in without(one.start, min(one.end, self._until), unused)
        ]

    def _add(self, part: EstatePart, filled: Sequence[Filled], amounts: dict[Method, _Amount]) -> None:
        """A stretch's fills of a device's meters. A profile stands for all of a device, where none of its meters was read.

        A laptop that was read in the month, and at a time of the week at which it never is in eight weeks, was off then:
        its class is off for a part of the day, and its profile's mean holds the hours in which it was read as well.
        """
        energy = sum(one.energy_uj for one in filled)
        if half_hours := max(one.half_hours for one in filled):
            amounts.setdefault(METHODS[0], _Amount()).add(half_hours, energy, fill_errors(energy))
        empty = max(one.empty_half_hours for one in filled)
        if not empty:
            return
        profile = self._profile(part)
        seconds = min(one.empty_seconds for one in filled)
        if profile is not None and profile.hours_off > 0 and part.covered_seconds:
            amounts.setdefault(METHODS[1], _Amount()).add(empty)
            return
        if profile is None or not seconds:
            amounts.setdefault(METHODS[3], _Amount()).add(empty)
            return
        energy = profile_energy(profile, part.key.month, seconds)
        low, high = (scaled_energy(energy, factor) for factor in (profile.low_factor, profile.high_factor))
        errors = errors_of(energy, low, high, class_group(profile.device_class))
        amounts.setdefault(METHODS[2], _Amount()).add(empty, energy, errors)

    def _give(self, part: EstatePart, amounts: dict[Method, _Amount]) -> None:
        told = self._told.setdefault((part.device, part.key.month), {})
        for method, one in amounts.items():
            energy, errors = one.energy_uj, one.errors
            if part.share != 1.0:
                energy, errors = shared_uj(energy, part.share), scale_errors(errors, part.share)
            told.setdefault(method, _Amount()).add(one.half_hours, energy, errors)
            part.filled_uj += energy
            part.it_errors = add_errors(part.it_errors, errors)

    def _profile(self, part: EstatePart) -> ClassProfile | None:
        """The profile of the device's class in the month, by what holds at its middle."""
        stretches: Sequence[ProfileStretch] | None = self._profiles.get(part.key.device_class)
        if stretches is None:
            return None
        at = day_bounds(middle_of(part.key.month), self._time_zone)[0]
        return profile_at(stretches, at).profile


def _unused(connection: Connection, organisation_id: int) -> dict[str, list[Interval]]:
    """When the register says that a device was not in use, by device."""
    state = register_state.c
    query = (
        select(state.device_id, state.valid_from, state.valid_to)
        .join(register_import, register_import.c.id == state.import_id)
        .where(state.device_id.is_not(None), state.status.not_in(IN_USE))
        .where(register_import.c.state == "visible", register_import.c.organisation_id == organisation_id)
        .order_by(state.valid_from)
    )
    found: dict[str, list[Interval]] = {}
    for row in connection.execute(query):
        found.setdefault(row.device_id, []).append((row.valid_from, 2**62 if row.valid_to is None else row.valid_to))
    return found
