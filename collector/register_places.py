"""Sites and spaces that an import of a register names: made where they are new, described, and unmade when it is taken back."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from collector.database.schema import site, site_detail, space, space_pue
from collector.register_plan import Plan, PlannedRow
from collector.sites import set_site
from collector.spaces import make_space


class Places:
    """Sites and spaces by name; what is new is made, and remembered so that it can be unmade."""

    def __init__(self, connection: Connection, organisation_id: int) -> None:
        self._connection, self._organisation_id = connection, organisation_id
        query = select(site.c.id, site.c.name).where(site.c.organisation_id == organisation_id)
        self._sites: dict[str, int] = {row.name: row.id for row in connection.execute(query)}
        spaces = select(space.c.id, space.c.site_id, space.c.name)
        self._spaces: dict[tuple[int, str], int] = {
            (row.site_id, row.name): row.id for row in connection.execute(spaces)
        }
        self.created: dict[str, list[Any]] = {"sites": [], "spaces": [], "details": []}

    def make(self, rows: Sequence[PlannedRow], now: int) -> None:
        """Make what the rows name and is not there. `now` is of no moment yet: a new space has no past."""
        del now
        kinds = _kinds(rows)
        for one in rows:
            name, room = one.facts["site"], one.facts["space"]
            if name and name not in self._sites:
                made = insert(site).values(organisation_id=self._organisation_id, name=name).returning(site.c.id)
                self._sites[name] = int(self._connection.execute(made).scalar_one())
                self.created["sites"].append(self._sites[name])
            if name and room and (self._sites[name], room) not in self._spaces:
                space_id = make_space(self._connection, self._sites[name], room, kinds[name, room])
                self._spaces[self._sites[name], room] = space_id
                self.created["spaces"].append(space_id)

    def describe(self, plan: Plan, actor: str, now: int) -> None:
        """Write what the file says of sites, and remember what was said before."""
        for name, detail in plan.sites.items():
            if (site_id := self._sites.get(name)) is None:
                continue  # a site of no row that is taken
            before = _details(self._connection, site_id)
            set_site(self._connection, site_id, detail, plan.as_at, actor, now)
            self.created["details"].append({"site_id": site_id, "before": before})

    def of(self, facts: dict[str, Any]) -> dict[str, int | None]:
        site_id = self._sites.get(facts["site"]) if facts["site"] else None
        room = facts["space"] if site_id is not None else ""
        return {"site_id": site_id, "space_id": self._spaces.get((site_id, room)) if site_id and room else None}


def _kinds(rows: Iterable[PlannedRow]) -> dict[tuple[str, str], str]:
    """The kind of each space by its site and name: what most of its rows say, so that one wrong cell does not decide."""
    said: dict[tuple[str, str], Counter[str]] = {}
    for one in rows:
        said.setdefault((one.facts["site"], one.facts["space"]), Counter())[one.row.space_kind or "office"] += 1
    return {place: kinds.most_common(1)[0][0] for place, kinds in said.items()}


def remove_places(connection: Connection, created: dict[str, list[Any]]) -> None:
    """Unsay what an import said of sites; unmake sites and spaces of it that nothing else uses by now."""
    for one in created.get("details", []):
        connection.execute(delete(site_detail).where(site_detail.c.site_id == one["site_id"]))
        if one["before"]:
            connection.execute(insert(site_detail), one["before"])
    for space_id in created.get("spaces", []):
        if not _used(connection, "space_id", space_id):
            connection.execute(delete(space_pue).where(space_pue.c.space_id == space_id))
            connection.execute(delete(space).where(space.c.id == space_id))
    for site_id in created.get("sites", []):
        rooms = connection.execute(select(space.c.id).where(space.c.site_id == site_id).limit(1)).first()
        if rooms is None and not _used(connection, "site_id", site_id):
            connection.execute(delete(site).where(site.c.id == site_id))


def _used(connection: Connection, column: str, row_id: int) -> bool:
    """Whether any table refers to a site or space."""
    for table in site.metadata.sorted_tables:
        if column in table.c and table.c[column].foreign_keys and table not in (space_pue, space):
            found = connection.execute(select(table.c[column]).where(table.c[column] == row_id).limit(1)).first()
            if found is not None:
                return True
    return False


def _details(connection: Connection, site_id: int) -> list[dict[str, Any]]:
    query = select(site_detail).where(site_detail.c.site_id == site_id).order_by(site_detail.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]
