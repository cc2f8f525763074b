"""Roles, and what each may do. Routes name the permission they need in `collector/web/permissions.py`."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

Organisations = frozenset[int] | None
"""Whose devices somebody sees, by organisation id; None: everybody's, now and later."""


class Permission(Enum):
    """What a route may need."""

    OPEN = "nothing: asked before anybody can be known, or with a credential that the route itself checks"
    READ = "read devices, energy and carbon of one's organisations"
    OWN = "look after one's own account and sessions"
    AUDIT = "read the audit log"
    OPERATE = "decide on the pages what feeds what"


ROLES: dict[str, frozenset[Permission]] = {
    "viewer": frozenset({Permission.READ, Permission.OWN}),
    "officer": frozenset({Permission.READ, Permission.OWN}),
    "operator": frozenset({Permission.READ, Permission.OWN, Permission.OPERATE}),
    "auditor": frozenset({Permission.READ, Permission.OWN, Permission.AUDIT}),
}
"""What each role may. Of the estate only the power path can be changed over HTTP yet, by operators on its pages: all
other edits are commands, and viewer and officer are alike."""

PEOPLE_ONLY = frozenset({Permission.OWN, Permission.OPERATE})
"""What no API token has: these are forms of pages."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks: a person with a session, a program with a token, or this machine's own browser under `ictagent up`.

    `account_id` and `session` (the SHA-256 of its id) are of people only; `csrf` is what their forms must carry.
    """

    name: str
    role: str
    permissions: frozenset[Permission]
    organisations: Organisations
    account_id: int | None = None
    session: str = ""
    csrf: str = ""

    @property
    def is_person(self) -> bool:
        return self.account_id is not None

    @property
    def actor(self) -> str:
        """As the audit log names them."""
        return f"user:{self.name}"

    def may(self, needed: Permission) -> bool:
        return needed is Permission.OPEN or needed in self.permissions


LOCAL = Identity("this machine", "viewer", frozenset({Permission.READ}), None)
"""Whoever uses the pages of `ictagent up`."""


def program(name: str, role: str, organisations: Organisations) -> Identity:
    """A program with a token: what its role may, but for an account, which it has not, and for what forms alone do."""
    return Identity(name, role, ROLES[role] - PEOPLE_ONLY, organisations)


def in_words(names: Sequence[str]) -> str:
    """Names in a sentence: `viewer, officer or auditor`.

    >>> in_words(["a", "b", "c"])
    'a, b or c'
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
