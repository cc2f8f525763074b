"""Where devices and meters stood, and the PUE that held there, by half-hour."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from carbon.calendar import half_hour_of
from carbon.spaces import Pue, pue_of
from collector.database.schema import device_placement
from collector.segments import bounds_of, dated_rows, space_at, spaces_with_pue, valid_in


@dataclass(frozen=True, slots=True)
class Stand:
    """A place in the estate and its PUE."""

    site_id: int | None
    space_id: int | None
    directorate: str
    pue: Pue

    @property
    def place(self) -> tuple[int | None, int | None]:
        return self.site_id, self.space_id


class Placements:
    """The dated places of some devices."""

    def __init__(self, connection: Connection, device_ids: Iterable[str]) -> None:
        self._rows = dated_rows(connection, device_placement, sorted(set(device_ids)))
        self._spaces = spaces_with_pue(connection)

    def of_device(self, device_id: str, half_hour: int) -> Stand:
        """Where a device stood in a half-hour."""
        row = valid_in(self._rows.get(device_id, []), half_hour)
        if row is None:
            return self.of_place(None, None, "", half_hour)
        return self.of_place(row.site_id, row.space_id, row.directorate, half_hour)

    def of_place(self, site_id: int | None, space_id: int | None, directorate: str, half_hour: int) -> Stand:
        """A place as it was in a half-hour."""
        kind, own = space_at(self._spaces, space_id, half_hour)
        return Stand(site_id, space_id, directorate, pue_of(kind, own))

    def places(self, device_id: str) -> set[tuple[int | None, int | None]]:
        """Everywhere that a device ever stood; nowhere among them, where it stood before it was placed."""
        return {(None, None), *((row.site_id, row.space_id) for row in self._rows.get(device_id, []))}

    def bounds(self, device_id: str) -> set[int]:
        """The half-hours from which on a device, or what holds of the space it is in, may be other than before."""
        rows = self._rows.get(device_id, [])
        found = {half_hour_of(bound) for row in rows for bound in bounds_of(row)}
        return found.union(*(self.space_bounds(row.space_id) for row in rows))

    def space_bounds(self, space_id: int | None) -> set[int]:
        """The half-hours from which on a space may have another PUE."""
        if space_id not in self._spaces:
            return set()
        return {half_hour_of(bound) for row in self._spaces[space_id][0] for bound in bounds_of(row)}
