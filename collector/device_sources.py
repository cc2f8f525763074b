"""How good each device's own accounting source is: what rank of the metering tree its meters have, and how exact they are."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from carbon.tree_nodes import Rank
from carbon.uncertainty import DEFAULT_TIER, ESTIMATING_METERS, METER_TIERS, UPWARD_TIERS
from collector.database.schema import meter
from collector.ledger import FEEDS
from collector.segments import Segment

_BY_BASIS: dict[str, Rank] = {"psys": "partial", "package": "partial", "estimate": "estimate"}


@dataclass(frozen=True, slots=True)
class Source:
    """What a device's own energy comes from: its rank, its relative error at 95%, and the sources' names."""

    rank: Rank
    half_width: float
    names: tuple[str, ...]

    @property
    def words(self) -> str:
        return ", ".join(self.names) or "no meter"


def meter_sources(connection: Connection) -> dict[int, tuple[str, str]]:
    """Source and what is covered, by meter, of all meters that stand for devices."""
    query = select(meter.c.id, meter.c.source, meter.c.covers).where(meter.c.covers.not_in(("guest", FEEDS)))
    return {row.id: (row.source, row.covers) for row in connection.execute(query)}


def source_of(segment: Segment, meters: Mapping[int, tuple[str, str]]) -> Source:
    """The source of a segment's device. A meter behind the power supply is one of its supplies."""
    mine = [meters[one] for one in segment.meter_ids if one in meters]
    names = tuple(sorted({source for source, _ in mine}))
    half_width = max(
        (max(METER_TIERS.get(name, DEFAULT_TIER), UPWARD_TIERS.get(name, 0.0)) for name in names), default=DEFAULT_TIER
    )
    rank = _BY_BASIS.get(segment.basis, "machine")
    if rank == "machine":
        if not mine or all(source in ESTIMATING_METERS for source, _ in mine):
            rank = "estimate"
        elif any(covers == "machine_dc" for _, covers in mine):
            rank = "supplies"
    return Source(rank, half_width, names)
