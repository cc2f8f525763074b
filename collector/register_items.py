"""The register's items for lists: filtered, sorted and cut into pages by the database, as they are now or were on a day."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select

from carbon.device_classes import CLASSES
from collector.database.schema import organisation, register_import, register_state, site, space
from collector.people.roles import Organisations
from collector.register_facts import visible
from collector.register_queries import IN_USE

NOT_SET = "-"
"""As the value of a filter: items without one."""
STATUSES = ("in_use", "on_loan", "spare", "unknown", "disposed")

_NAMES = ("asset_tag", "serial", "host_name", "vendor", "model", "device_class", "status", "directorate", "owner")
_SEARCHED = (*(register_state.c[name] for name in _NAMES), site.c.name, space.c.name)


Seen = Literal["", "yes", "no"]


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """Which items. All `words` must stand somewhere in the item; "" is no condition, NOT_SET none of the kind.

    `at` is a time in Unix seconds, None: as the register stands. `seen` asks whether a device was seen that is the item.
    """

    words: str = ""
    device_class: str = ""
    status: str = ""
    site: str = ""
    directorate: str = ""
    seen: Seen = ""
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One state of an item: `valid_from` to before `valid_to` in Unix seconds, None where it still holds."""

    item_id: str
    organisation: str
    asset_tag: str
    serial: str
    host_name: str
    vendor: str
    model: str
    device_class: str
    status: str
    site: str
    space: str
    directorate: str
    owner: str
    tenure: str
    service_category: str
    share: float
    share_key: str
    school: bool | None
    quantity: int
    acquired_on: str
    disposed_on: str
    notes: str
    device_id: str | None
    valid_from: int
    valid_to: int | None
    import_id: int

    @property
    def name(self) -> str:
        """What people call it."""
        return self.host_name or self.asset_tag or self.serial or self.model or self.item_id

    @property
    def class_words(self) -> str:
        return CLASSES[self.device_class].words


SORTS: Mapping[str, tuple[ColumnElement[Any], ...]] = {
    "name": (
        func.lower(
            case(
                (register_state.c.host_name != "", register_state.c.host_name),
                (register_state.c.asset_tag != "", register_state.c.asset_tag),
                else_=register_state.c.serial,
            )
        ),
    ),
    "model": (func.lower(register_state.c.vendor), func.lower(register_state.c.model)),
    "class": (register_state.c.device_class,),
    "status": (register_state.c.status,),
    "site": (func.lower(func.coalesce(site.c.name, "")), func.lower(func.coalesce(space.c.name, ""))),
    "directorate": (func.lower(register_state.c.directorate),),
    "quantity": (register_state.c.quantity,),
    "since": (register_state.c.valid_from,),
}
"""What a list can be sorted by; items without a value come last, whichever way."""


def items(
    connection: Connection,
    organisations: Organisations,
    wanted: ItemFilter,
    sort: str = "name",
    *,
    descending: bool = False,
    offset: int = 0,
    limit: int = 100,
) -> list[Item]:
    """One page of the items that the filter lets through."""
    order: list[ColumnElement[Any]] = []
    for column in SORTS[sort]:
        if sort not in ("quantity", "since"):
            order.append(case((column == "", 1), else_=0))
        order.append(column.desc() if descending else column.asc())
    query = select_items().where(*conditions(organisations, wanted)).order_by(*order, register_state.c.id)
    return read_items(connection, query.offset(offset).limit(limit))


def numbers(
    connection: Connection, organisations: Organisations, wanted: ItemFilter
) -> dict[tuple[str, str], tuple[int, int]]:
    """Rows of the register and devices that they stand for, by class and status; by all of both, whatever the filter
    says of them."""
    everything = replace(wanted, device_class="", status="")
    state = register_state.c
    query = (
        joined(select(state.device_class, state.status, func.count(), func.sum(state.quantity)))
        .where(*conditions(organisations, everything))
        .group_by(state.device_class, state.status)
    )
    return {(row[0], row[1]): (row[2], int(row[3])) for row in connection.execute(query)}


def history(connection: Connection, organisations: Organisations, item_id: str) -> list[Item]:
    """All that the register has said of an item, the newest first; empty where there is no such item."""
    query = select_items().where(
        register_state.c.item_id == item_id, visible(), *_of_organisations(register_import, organisations)
    )
    return read_items(connection, query.order_by(register_state.c.valid_from.desc(), register_state.c.id.desc()))


def items_of_device(connection: Connection, device_id: str) -> list[Item]:
    """The items that are a device which was seen, as they stand."""
    query = select_items().where(
        register_state.c.device_id == device_id, register_state.c.valid_to.is_(None), visible()
    )
    return read_items(connection, query.order_by(register_state.c.id))


def places(connection: Connection, organisations: Organisations) -> tuple[list[str], list[str]]:
    """Names of the sites and directorates that items have now."""
    state = register_state.c
    conditions_ = [state.valid_to.is_(None), visible(), *_of_organisations(register_import, organisations)]
    found = [
        sorted({row[0] for row in connection.execute(joined(select(column)).where(*conditions_).distinct()) if row[0]})
        for column in (site.c.name, state.directorate)
    ]
    return found[0], found[1]


def conditions(organisations: Organisations, wanted: ItemFilter) -> list[ColumnElement[bool]]:
    """The conditions of a filter on `select_items`."""
    state = register_state.c
    found: list[ColumnElement[bool]] = [visible(), *_of_organisations(register_import, organisations)]
    if wanted.at is None:
        found.append(state.valid_to.is_(None))
    else:
        found.append(and_(state.valid_from <= wanted.at, or_(state.valid_to.is_(None), state.valid_to > wanted.at)))
    found += [or_(*_containing(word)) for word in wanted.words.split()]
    if wanted.device_class:
        found.append(state.device_class == wanted.device_class)
    if wanted.status:
        found.append(state.status.in_(IN_USE) if wanted.status == "used" else state.status == wanted.status)
    if wanted.site:
        found.append(state.site_id.is_(None) if wanted.site == NOT_SET else site.c.name == wanted.site)
    if wanted.directorate:
        found.append(state.directorate == ("" if wanted.directorate == NOT_SET else wanted.directorate))
    if wanted.seen:
        found.append(state.device_id.is_not(None) if wanted.seen == "yes" else state.device_id.is_(None))
    return found


def _containing(word: str) -> list[ColumnElement[bool]]:
    """That a word stands in a column, in whatever case; SQLite knows the case of ASCII letters only."""
    spellings = {word} if word.isascii() else {word, word.lower(), word.upper(), word.capitalize()}
    return [column.icontains(one, autoescape=True) for column in _SEARCHED for one in sorted(spellings)]


def select_items() -> Select[Any]:
    """All columns of `Item`, of all states."""
    state = register_state.c
    taken = ("item_id", *_NAMES, "tenure", "service_category", "share", "share_key", "school", "quantity")
    return joined(
        select(
            *(state[name] for name in taken),
            *(state[name] for name in ("acquired_on", "disposed_on", "notes", "device_id")),
            *(state[name] for name in ("valid_from", "valid_to", "import_id")),
            organisation.c.name.label("organisation"),
            func.coalesce(site.c.name, "").label("site"),
            func.coalesce(space.c.name, "").label("space"),
        )
    )


def read_items(connection: Connection, query: Select[Any]) -> list[Item]:
    """The rows of a query that `select_items` began."""
    return [Item(**row) for row in connection.execute(query).mappings()]


def joined(query: Select[Any]) -> Select[Any]:
    """A query of states with all that `conditions` looks at."""
    state = register_state.c
    return (
        query.select_from(register_state)
        .join(register_import, register_import.c.id == state.import_id)
        .join(organisation, organisation.c.id == register_import.c.organisation_id)
        .outerjoin(site, site.c.id == state.site_id)
        .outerjoin(space, space.c.id == state.space_id)
    )


def _of_organisations(table: Any, organisations: Organisations) -> list[ColumnElement[bool]]:
    return [] if organisations is None else [table.c.organisation_id.in_(organisations)]
