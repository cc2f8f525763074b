"""Key indicators of ICT rooms as EN 50600-4 defines them, and intensities of a footprint.

- PUE (EN 50600-4-2, ISO/IEC 30134-2): all energy of the room over that of its ICT, over a year. Category 1: ICT read at the
  UPS output, 2: at PDU outputs, 3: at the devices' own inputs. A PUE that was assumed is none that was measured.
- REF (EN 50600-4-3, ISO/IEC 30134-3): renewable energy that is owned or proved by certificates over all energy.
- CUE (EN 50600-4-8, ISO/IEC 30134-8): kgCO2e of the room's energy over the kWh of its ICT; by location, generation alone.
- WUE (EN 50600-4-9, ISO/IEC 30134-9): litres of water over the kWh of the ICT.
- SCI (ISO/IEC 21031): (E x I + M) / R: operational and embodied carbon for each unit of service.

Each is told with what it rests on, and is None where that is not known: never a zero by default.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from carbon.footprint_rows import FootprintRow
from carbon.units import UJ_PER_KWH

POWER_CLASSES = frozenset({"ups", "pdu", "meter"})
"""Classes of devices whose own use is a loss on the way to the ICT, and no ICT energy."""
LEAST_READ = Decimal("0.9")
"""Of its energy must be read for a category of PUE, and of the time for a room's PUE to be measured. Our own choice."""
LITRES_PER_CUBIC_METRE = 1000


@dataclass(frozen=True, slots=True)
class Room:
    """A room's energy in microjoules over a time, and grams of its generation by location.

    `incomer_uj` is what a meter of the whole room measured, None without one; `renewable_uj` is proved by certificates.
    `read_uj` is measured of the ICT's, `outlet_uj` at outlets of a PDU.
    """

    site: str
    space: str
    it_uj: int
    facility_uj: int
    generation_g: int
    read_uj: int
    outlet_uj: int
    assumed: str
    incomer_uj: int | None = None
    incomer_coverage: Decimal = Decimal(0)
    renewable_uj: int | None = None

    @property
    def pue(self) -> Decimal | None:
        """Measured where a meter of the whole room was read, else the assumption that was applied."""
        return _over(self.facility_uj, self.it_uj)

    @property
    def measured(self) -> bool:
        """Whether the PUE is a measurement."""
        read = _over(self.read_uj, self.it_uj) or Decimal(0)
        return self.incomer_uj is not None and self.incomer_coverage >= LEAST_READ and read >= LEAST_READ

    @property
    def category(self) -> str:
        """Of a measured PUE: 2 where all ICT was read at outlets, else 3; "" where it was not measured."""
        if not self.measured:
            return ""
        return "2" if self.outlet_uj == self.it_uj else "3"

    @property
    def basis(self) -> str:
        """What the PUE rests on, in words."""
        if self.measured:
            return f"measured at the room's incomer, category {self.category}"
        if self.incomer_uj is not None:
            return "an incomer is there, but incomer or ICT was read for less than 90%"
        return self.assumed

    @property
    def cue(self) -> Decimal | None:
        """Kilograms of CO2e for each kWh of ICT."""
        return None if self.it_uj <= 0 else Decimal(self.generation_g) / 1000 / (Decimal(self.it_uj) / UJ_PER_KWH)

    @property
    def ref(self) -> Decimal | None:
        """The part of all its energy that is proved renewable."""
        return None if self.renewable_uj is None else _over(self.renewable_uj, self.facility_uj)


@dataclass(frozen=True, slots=True)
class SiteWater:
    """Water that was entered for a site over a time, and the ICT energy there."""

    site: str
    cubic_metres: Decimal
    it_uj: int

    @property
    def wue(self) -> Decimal | None:
        """Litres for each kWh of ICT. Water of a whole building is more than that of its ICT: it is an upper bound."""
        if self.it_uj <= 0:
            return None
        return self.cubic_metres * LITRES_PER_CUBIC_METRE / (Decimal(self.it_uj) / UJ_PER_KWH)


@dataclass(frozen=True, slots=True)
class Sci:
    """Software carbon intensity of a service: grams of operation and embodied, for each of so many units."""

    service_category: str
    unit: str
    units: Decimal
    operational_g: int
    embodied_g: int

    @property
    def grams_per_unit(self) -> Decimal:
        return (self.operational_g + self.embodied_g) / self.units


def is_ict(row: FootprintRow) -> bool:
    """Whether a row is ICT itself, read or filled: no UPS, PDU or meter, and no rest of a meter."""
    subject = row.activity.subject
    return subject.kind != "rest" and subject.asset_class not in POWER_CLASSES


def room(
    site: str,
    space: str,
    rows: Sequence[FootprintRow],
    incomers: Iterable[str] = (),
    incomer: tuple[int, Decimal] | None = None,
    renewable_uj: int | None = None,
) -> Room:
    """A room of its rows. `incomers` are devices of rests that are those of meters of the whole room: what these measured
    beyond the ICT is cooling and losses, and no ICT; `incomer` is what they measured, and for which part of the time.
    """
    whole_room = set(incomers)
    ict = [
        row.activity
        for row in rows
        if is_ict(row) or (row.activity.subject.kind == "rest" and row.activity.subject.device not in whole_room)
    ]
    return Room(
        site=site,
        space=space,
        it_uj=sum(one.it_uj for one in ict),
        facility_uj=sum(row.activity.activity_uj for row in rows),
        generation_g=sum(row.grams.s2_generation for row in rows),
        read_uj=sum(one.measured_uj for one in ict),
        outlet_uj=sum(one.it_uj for one in ict if one.source.startswith("outlet")),
        assumed=", ".join(sorted({row.activity.pue.source for row in rows if row.activity.overhead_uj})) or "no PUE",
        incomer_uj=None if incomer is None else incomer[0],
        incomer_coverage=Decimal(0) if incomer is None else incomer[1],
        renewable_uj=renewable_uj,
    )


def _over(amount: int, of: int) -> Decimal | None:
    return Decimal(amount) / of if of > 0 else None
