"""The estate's energy by month, site, space, directorate and class, each kilowatt-hour once: read, profiled, unexplained.

Sums of `collector.estate_parts`. Homes are apart. Overheads are those of spaces, by their PUE. Everything adds up: any
sum of rows by any key is the same whole.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Connection, select

from carbon.uncertainty import Errors, add_errors, range_of
from carbon.units import UJ_PER_KWH
from collector.database.schema import organisation
from collector.estate_parts import EstateKey, EstatePart, estate_parts

__all__ = ["EstateKey", "EstateTotal", "EstateTotals", "estate_totals", "figures", "kwh"]

KEYS = ("month", "organisation", "site", "space", "directorate", "device_class", "service_category", "school")
AMOUNTS = ("measured_uj", "estimated_uj", "unexplained_uj", "profile_uj", "home_uj", "overhead_uj")
Range = Literal["ict", "overhead", "with_overhead", "home"]
RANGES: tuple[Range, ...] = ("ict", "overhead", "with_overhead", "home")
"""What a total tells the range of (`EstateTotal.range_uj`): `ict` is measured, estimated, unexplained and profile."""


@dataclass(slots=True)
class EstateTotal:
    """Energy in microjoules.

    `measured` and `estimated` are of devices with readings, `unexplained` is what meters of ICT measured beyond their
    known devices, `profile` is by class profiles, all at the council's places; `it_errors` are those of their sum.
    `overhead` is cooling and losses by PUE; `home` is what staff use at home (Scope 3, category 7). Seconds are of
    devices that can be read.
    """

    measured_uj: int = 0
    estimated_uj: int = 0
    unexplained_uj: int = 0
    profile_uj: int = 0
    home_uj: int = 0
    overhead_uj: int = 0
    covered_seconds: int = 0
    possible_seconds: int = 0
    it_errors: Errors = field(default_factory=dict)
    overhead_errors: Errors = field(default_factory=dict)
    home_errors: Errors = field(default_factory=dict)

    @property
    def it_uj(self) -> int:
        """ICT energy at the council's places."""
        return self.measured_uj + self.estimated_uj + self.unexplained_uj + self.profile_uj

    @property
    def time_coverage(self) -> float:
        """The part of the time of devices that can be read which has readings."""
        return min(1.0, self.covered_seconds / self.possible_seconds) if self.possible_seconds else 0.0

    def amount_uj(self, of: Range) -> int:
        """What a range is of: ICT at the council's places, its overhead, both, or homes."""
        amounts = {"ict": self.it_uj, "overhead": self.overhead_uj, "home": self.home_uj}
        return amounts[of] if of in amounts else self.it_uj + self.overhead_uj

    def range_uj(self, of: Range) -> tuple[int, int]:
        """Low and high at 95% (`carbon.uncertainty`)."""
        errors = {"ict": self.it_errors, "overhead": self.overhead_errors, "home": self.home_errors}
        mine = errors[of] if of in errors else add_errors(self.it_errors, self.overhead_errors)
        return range_of(self.amount_uj(of), mine)

    def add(self, part: "EstateTotal | EstatePart") -> None:
        """Add a part, or another total."""
        for name in (*AMOUNTS, "covered_seconds", "possible_seconds"):
            setattr(self, name, getattr(self, name) + getattr(part, name))
        for name in ("it_errors", "overhead_errors", "home_errors"):
            setattr(self, name, add_errors(getattr(self, name), getattr(part, name)))

    def __iadd__(self, other: "EstateTotal") -> "EstateTotal":
        self.add(other)
        return self


@dataclass(slots=True)
class EstateTotals:
    """Rows that count, and those of schools where schools are outside of the boundary."""

    rows: dict[EstateKey, EstateTotal] = field(default_factory=dict)
    left_out: dict[EstateKey, EstateTotal] = field(default_factory=dict)

    def by(self, *names: str) -> dict[tuple[Any, ...], EstateTotal]:
        """The rows added up by some of `KEYS`."""
        found: dict[tuple[Any, ...], EstateTotal] = {}
        for key, total in self.rows.items():
            of = found.setdefault(tuple(getattr(key, name) for name in names), EstateTotal())
            of += total
        return dict(sorted(found.items(), key=lambda one: tuple(map(str, one[0]))))


def kwh(amount_uj: int) -> Decimal:
    """Microjoules as kilowatt-hours, to the microjoule."""
    return Decimal(amount_uj) / UJ_PER_KWH


def figures(total: EstateTotal) -> dict[str, str]:
    """A total as text for commands and the API: kWh to the microjoule, with low and high at 95% of its sums."""
    found = {name.replace("_uj", "_kwh"): f"{kwh(getattr(total, name)):f}" for name in AMOUNTS}
    for name in RANGES:
        low, high = total.range_uj(name)
        found |= {f"{name}_kwh": f"{kwh(total.amount_uj(name)):f}"}
        found |= {f"{name}_low_kwh": f"{kwh(low):f}", f"{name}_high_kwh": f"{kwh(high):f}"}
    return found


def estate_totals(
    connection: Connection,
    first_month: str,
    last_month: str,
    now: int,
    organisation_ids: Iterable[int] | None = None,
) -> EstateTotals:
    """All rows from a month to another (YYYY-MM, both included). `now` in Unix seconds: later time cannot be covered yet."""
    wanted = None if organisation_ids is None else set(organisation_ids)
    whole = EstateTotals()
    for row in connection.execute(select(organisation).order_by(organisation.c.id)).all():
        if wanted is not None and row.id not in wanted:
            continue
        for part in estate_parts(connection, row, first_month, last_month, now):
            of = (whole.rows if part.counts else whole.left_out).setdefault(part.key, EstateTotal())
            of.add(part)
    return whole
