"""The lines of the Government's flat files that ictagent needs, and how each is found in every layout since 2016.

A line is found by the names of its row, never by its place: rows move every year, and names changed in 2022 and 2023.
Sources: UK Government conversion factors, flat files of 2016, 2019, 2021, 2022, 2023 and 2025; carbon reference,
section 1.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

NamePart = frozenset[str]
_ANY: NamePart = frozenset()


@dataclass(frozen=True, slots=True)
class FactorLine:
    """One line. `unit` is what it is of; every factor is kgCO2e per it.

    `levels` are the names that levels 1, 2 and 3 may have, `texts` those of the column text, the best first; none: any
    name. A file without a `needed` line is refused; the others are told as missing, from the set of the year `since` on.
    """

    key: str
    name: str
    unit: str
    scope: str
    levels: tuple[NamePart, NamePart, NamePart]
    unit_names: NamePart
    texts: Sequence[NamePart] = ()
    needed: bool = False
    since: int = 2016

    def rank(self, levels: Sequence[str], column_text: str, unit: str) -> int | None:
        """How well a row's names fit, 0 the best; None where they do not. Names as `plain_name` gives them."""
        if unit not in self.unit_names:
            return None
        if any(names and level not in names for names, level in zip(self.levels, levels, strict=False)):
            return None
        if not self.texts:
            return 0
        return next((rank for rank, names in enumerate(self.texts) if column_text in names), None)


@lru_cache(maxsize=4096)
def plain_name(name: str) -> str:
    """A name as it is compared: case, hyphens, stars of notes and spaces change from year to year.

    >>> plain_name("WTT- UK electricity (T&D) "), plain_name("Re-use"), plain_name("Office Equipment")
    ('wtt uk electricity (t&d)', 're use', 'office equipment')
    """
    return " ".join(re.sub(r"[-\u2010-\u2015*]", " ", name).lower().split())


def _names(*names: str) -> NamePart:
    return frozenset(map(plain_name, names))


def _electricity(key: str, name: str, scope: str, level_1: NamePart, level_2: str) -> FactorLine:
    levels = (level_1, _names(level_2), _names("Electricity: UK"))
    return FactorLine(key, name, "kWh", scope, levels, _names("kWh"), needed=True)


_WTT_ELECTRICITY = _names("WTT- UK & overseas elec", "WTT- UK electricity")
_WTT_FUELS = _names("WTT- liquid fuels", "Liquid fuels")
_DIESEL = _names("Diesel (average biofuel blend)")
_CUBIC_METRES = _names("cubic metres", "m3")
_REFRIGERANTS = {
    "r32": ("R32", _names("HFC-32", "R32", "R-32")),
    "r134a": ("R134a", _names("HFC-134a", "R134a", "R-134a")),
    "r410a": ("R410A", _names("R410A", "R-410A")),
    "r407c": ("R407C", _names("R407C", "R-407C")),
    "r404a": ("R404A", _names("R404A", "R-404A")),
}
_GASES = (
    _names("Total emissions including non-Kyoto products"),
    _names("", "Emissions including only Kyoto products"),
)
"""Since 2022 a gas has three rows, of which the second (non-Kyoto products alone) is empty for these."""
_WEEE_ROUTES = {
    "reuse": ("re-used", _names("Reuse", "Re-use")),
    "open_loop": ("recycled into other products (open loop)", _names("Open loop", "Open-loop")),
    "closed_loop": ("recycled into the same product (closed loop)", _names("Closed loop", "Closed-loop")),
    "combustion": (
        "burnt, with energy recovery",
        _names("Combustion", "Incineration with Energy Recovery", "Incineration", "Energy recovery"),
    ),
    "landfill": ("landfill", _names("Landfill")),
}

_LINES = (
    _electricity("s2_generation", "Electricity, generation", "Scope 2", _names("UK electricity"), "Electricity generated"),
    _electricity(
        "s3_td",
        "Electricity, transmission and distribution losses",
        "Scope 3",
        _names("Transmission and distribution"),
        "T&D- UK electricity",
    ),
    _electricity(
        "s3_wtt_generation",
        "Electricity, well-to-tank of generation",
        "Scope 3",
        _WTT_ELECTRICITY,
        "WTT- UK electricity (generation)",
    ),
    _electricity(
        "s3_wtt_td",
        "Electricity, well-to-tank of losses",
        "Scope 3",
        _WTT_ELECTRICITY,
        "WTT- UK electricity (T&D)",
    ),
    FactorLine(
        "diesel", "Diesel, average biofuel blend", "litre", "Scope 1",
        (_names("Fuels"), _names("Liquid fuels"), _DIESEL), _names("litres"),
    ),
    FactorLine(
        "diesel_wtt", "Diesel, average biofuel blend, well-to-tank", "litre", "Scope 3",
        (_names("WTT- fuels"), _WTT_FUELS, _DIESEL), _names("litres"),
    ),
    FactorLine(
        "water_supply", "Water supply", "cubic metre", "Scope 3",
        (_names("Water supply"), _names("Water supply"), _names("Water supply")), _CUBIC_METRES,
    ),
    FactorLine(
        "water_treatment", "Water treatment", "cubic metre", "Scope 3",
        (_names("Water treatment"), _names("Water treatment"), _names("Water treatment")), _CUBIC_METRES,
    ),
    *(
        FactorLine(
            f"refrigerant_{key}", f"Refrigerant {name}", "kg", "Scope 1",
            (_names("Refrigerant & other"), _ANY, names), _names("kg"), _GASES,
        )
        for key, (name, names) in _REFRIGERANTS.items()
    ),
    *(
        FactorLine(
            f"weee_{key}", f"Waste of electrical items, mixed, {name}", "tonne", "Scope 3",
            (_names("Waste disposal"), _names("Electrical items"), _names("WEEE - mixed")), _names("tonnes"),
            (names,), since=2022 if key == "closed_loop" else 2016,
        )
        for key, (name, names) in _WEEE_ROUTES.items()
    ),
    FactorLine(
        "homeworking_office", "Homeworking, office equipment", "working hour of a full-time equivalent", "Scope 3",
        (_names("Homeworking"), _names("Office equipment"), _ANY),
        _names("per FTE Working Hour", "FTE Working Hour"), since=2022,
    ),
)  # fmt: skip

FACTOR_LINES: Mapping[str, FactorLine] = {line.key: line for line in _LINES}
"""Every line by its key, in the order of tables."""

ELECTRICITY = tuple(key for key, line in FACTOR_LINES.items() if line.unit == "kWh")
"""The four lines of electricity, in the order of `carbon.factors.FactorSet`."""

MANAGED_ASSETS = plain_name("Managed assets")
"""How level 1 begins of rows that repeat others for leased assets: they would count twice."""

TOTAL_GASES = frozenset({"kg co2e", "kg co2e per unit"})
"""The gas of a row that is the whole factor, not carbon dioxide, methane or nitrous oxide alone."""
