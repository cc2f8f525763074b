"""What is agreed with an OpenID provider, and whom it names. Apart from the client, which loads half of cryptography."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """The provider and this collector's registration with it. `group_roles` gives (group, role, organisation)."""

    issuer: str
    client_id: str
    client_secret_file: Path | None
    redirect_uri: str
    scopes: str
    groups_claim: str
    name_claim: str
    group_roles: tuple[tuple[str, str, str], ...]
    ca: str = "system"
    proxy: str = ""


@dataclass(frozen=True, slots=True)
class Claimed:
    """Whom the provider named: issuer and subject are the account, the name is what pages show.

    `roles` are (role, organisation, empty for all) of the groups that have one.
    """

    subject: str
    name: str
    roles: tuple[tuple[str, str], ...]
