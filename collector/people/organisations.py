"""Names of organisations for those who see some of them."""

from sqlalchemy import Connection, select

from collector.database.schema import organisation
from collector.people.roles import Organisations


def names_of(connection: Connection, ids: Organisations) -> list[str]:
    """Names of these organisations, or with None of all, in order."""
    rows = connection.execute(select(organisation).order_by(organisation.c.name)).all()
    return [row.name for row in rows if ids is None or row.id in ids]


def sees_all(connection: Connection, ids: Organisations) -> bool:
    """Whether these are all organisations there are."""
    return ids is None or set(connection.execute(select(organisation.c.id)).scalars()) <= ids
