"""Activity: what one device, one class of devices or one meter's rest used in a month at one place.

It is the atom of every report. What it holds is energy; `carbon.footprint_rows` makes emissions of it. A figure of
anything larger (a site, a year, an organisation) is a sum of atoms, so that every grouping is the same whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from carbon.spaces import NOT_SET, Pue
from carbon.uncertainty import Errors

Kind = Literal["device", "rest", "profile"]
"""A device with readings or gaps of them, what a meter of ICT measured beyond its known devices, a class by profile."""

Supply = Literal["own", "landlord", "home"]
"""Whose electricity it is: bought by the organisation, by the landlord of a leased space, by staff at home."""

SCOPES: Mapping[Supply, tuple[str, str]] = {"own": ("2", ""), "landlord": ("3", "8"), "home": ("3", "7")}
"""Scope of the generation, and category of Scope 3, by supply. T&D and well-to-tank of one's own are Scope 3, category 3.

Source: GHG Protocol, Scope 2 Guidance and Scope 3 Standard; carbon reference, sections 1 and 6.
"""

Inside = Literal["yes", "no", "part"]
"""Whether the energy is in the council's corporate (building) inventory already."""

Tier = Literal["measured", "estimated", "filled", "profile"]


@dataclass(frozen=True, slots=True)
class Subject:
    """Who used it, where and when; "" where that is not known.

    `month` is YYYY-MM of the organisation's time zone. `device` is the device's id, of a rest `meter:<id>`, and ""
    for a class by profile.
    """

    month: str
    organisation: str
    directorate: str
    site: str
    uprn: str
    space: str
    service_category: str
    asset_class: str
    school: bool
    kind: Kind
    device: str
    supply: Supply


@dataclass(frozen=True, slots=True)
class Activity:
    """Energy in microjoules, all of it at 0 or more but for a rest's.

    `count` is the mean number of devices in use over the month. `filled_uj` stands for half-hours without a reading,
    `overhead_uj` is what the space's PUE adds to all three. `source` names the way of measuring with its version: two
    months with different ones are not measured alike. `errors` are of `activity_uj`, at 95%, by group
    (`carbon.uncertainty`). Seconds are of half-hours with a reading, and of all in which the device was in use.
    """

    subject: Subject
    count: Fraction
    measured_uj: int = 0
    estimated_uj: int = 0
    filled_uj: int = 0
    overhead_uj: int = 0
    pue: Pue = NOT_SET
    covered_seconds: int = 0
    possible_seconds: int = 0
    source: str = ""
    inside: Inside = "yes"
    errors: Errors = field(default_factory=dict)

    @property
    def it_uj(self) -> int:
        """Energy of the ICT itself."""
        return self.measured_uj + self.estimated_uj + self.filled_uj

    @property
    def activity_uj(self) -> int:
        """What emissions are reckoned of: the ICT with its space's overhead."""
        return self.it_uj + self.overhead_uj

    @property
    def tier(self) -> Tier:
        """The quality of the larger part of the energy."""
        if self.subject.kind == "profile":
            return "profile"
        parts: dict[Tier, int] = {
            "measured": self.measured_uj,
            "estimated": self.estimated_uj,
            "filled": self.filled_uj,
        }
        return max(parts, key=lambda name: abs(parts[name]))
