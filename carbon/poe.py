"""What a switch takes from the plug to feed others over Ethernet: measured watts, or the classes of what it feeds.

A port that feeds something knows the class of it (IEEE 802.3af, at, bt), which is the most that it may take. What devices
of a class take in fact is less: for classes 1 to 3 the median and range of certified telephones (ENERGY STAR / US EPA,
May 2020: 1.5 W of 46 in classes 1 to 3), widened towards the class's maximum because access points, cameras and door
stations are in these classes too. From class 4 on the typical share is our assumption, 0.5 of the maximum.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

PSE_EFFICIENCY, PSE_LEAST_EFFICIENCY, PSE_BEST_EFFICIENCY = 0.9, 0.85, 0.94
"""What a PoE supply gives of what it takes: between bronze and platinum supplies at half load (80 PLUS at 230 V,
`carbon/data/power_supply.json`); the conversion to the ports' 54 V is theirs."""

CLASS_MAXIMUM_WATTS: dict[int, float] = {
    0: 15.4,
    1: 4.0,
    2: 7.0,
    3: 15.4,
    4: 30.0,
    5: 45.0,
    6: 60.0,
    7: 75.0,
    8: 90.0,
}
"""What a port gives a device of a class at most (IEEE 802.3-2022, clauses 33 and 145). Class 0 is "not told"."""

CLASS_TYPICAL_WATTS: dict[int, tuple[float, float]] = {
    0: (4.0, 1.0),
    1: (1.6, 1.0),
    2: (2.5, 1.0),
    3: (5.0, 1.3),
    4: (12.0, 3.0),
    5: (18.0, 5.0),
    6: (25.0, 6.0),
    7: (32.0, 8.0),
    8: (40.0, 10.0),
}
"""What such devices take typically, and at least, at the port. The highest is the class's maximum."""


_FEEDING_NAMES = re.compile(r"POE|PWR|\d[LFMHU]{0,2}PS?\d?(?![A-Z])|\d{2,3}W\b|\d(?:HP|UX|UN|PXG|PM)")


def feeds(hardware: str) -> bool:
    """Whether a switch's name says that it feeds others over Ethernet.

    >>> feeds("C9200L-48P-4G"), feeds("GS1900-8HP"), feeds("EX3400-48T")
    (True, True, False)
    """
    return _FEEDING_NAMES.search(hardware.upper()) is not None


@dataclass(frozen=True, slots=True)
class Fed:
    """Watts with low and high: at the ports, or at the plug (`at_the_plug`)."""

    watts: float = 0.0
    low: float = 0.0
    high: float = 0.0

    def __add__(self, other: "Fed") -> "Fed":
        return Fed(self.watts + other.watts, self.low + other.low, self.high + other.high)

    def at_the_plug(self) -> "Fed":
        """What the switch takes for it.

        >>> Fed(90.0, 90.0, 90.0).at_the_plug().watts
        100.0
        """
        return Fed(self.watts / PSE_EFFICIENCY, self.low / PSE_BEST_EFFICIENCY, self.high / PSE_LEAST_EFFICIENCY)


def of_classes(classes: Iterable[int]) -> Fed:
    """What devices of these classes take together at the ports. An unknown class counts as 0, "not told".

    >>> of_classes([1, 3]).watts
    6.6
    """
    total = Fed()
    for one in classes:
        known = one if one in CLASS_TYPICAL_WATTS else 0
        typical, low = CLASS_TYPICAL_WATTS[known]
        total += Fed(typical, low, CLASS_MAXIMUM_WATTS[known])
    return total
