"""The settings of login, checked and as the parts that use them want them."""

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import ConfigurationError
from agent.settings import check_url
from collector.people.oidc_settings import OidcSettings
from collector.people.roles import ROLES, in_words
from collector.people.sessions import Limits
from collector.settings import CollectorSettings

CALLBACK_PATH = "/login/oidc/callback"
LONGEST_SESSION_HOURS = 168

if TYPE_CHECKING:
    from collector.people.oidc import OpenIdProvider

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def check_login(settings: CollectorSettings) -> None:
    """Raise ConfigurationError for values that cannot work."""
    limits_of(settings)
    proxies_of(settings)
    if settings.public_url:
        check_url(settings.public_url, "public_url")
    oidc_of(settings)


def limits_of(settings: CollectorSettings) -> Limits:
    """How long sessions last."""
    if not 1 <= settings.session_hours <= LONGEST_SESSION_HOURS:
        raise ConfigurationError(f"session_hours must lie between 1 and {LONGEST_SESSION_HOURS}")
    if not 1 <= settings.session_idle_minutes <= settings.session_hours * 60:
        raise ConfigurationError("session_idle_minutes must lie between 1 and session_hours")
    return Limits(settings.session_idle_minutes * 60, settings.session_hours * 3600)


def proxies_of(settings: CollectorSettings) -> tuple[Network, ...]:
    """The networks whose X-Forwarded-For is believed."""
    found: list[Network] = []
    for text in settings.trusted_proxies:
        try:
            found.append(ipaddress.ip_network(text))
        except ValueError as error:
            raise ConfigurationError(
                f"trusted_proxies: {text!r} is not an address or network such as 10.1.2.0/24"
            ) from error
    return tuple(found)


def oidc_of(settings: CollectorSettings) -> OidcSettings | None:
    """The OpenID provider, or None where no `oidc_issuer` is set."""
    if not settings.oidc_issuer:
        return None
    check_url(settings.oidc_issuer, "oidc_issuer")
    if not settings.public_url:
        raise ConfigurationError("oidc_issuer needs public_url: the provider sends browsers back to it")
    if not settings.oidc_client_id:
        raise ConfigurationError("oidc_issuer needs oidc_client_id: register the collector at the provider")
    if not settings.oidc_group_roles:
        raise ConfigurationError("oidc_issuer needs oidc_group_roles: without them nobody may come in")
    if "openid" not in settings.oidc_scopes.split():
        raise ConfigurationError("oidc_scopes must have openid among them")
    if settings.oidc_ca != "system" and not Path(settings.oidc_ca).is_file():
        raise ConfigurationError(f"oidc_ca: there is no file {settings.oidc_ca}")
    return OidcSettings(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret_file=Path(settings.oidc_client_secret_file) if settings.oidc_client_secret_file else None,
        redirect_uri=settings.public_url.rstrip("/") + CALLBACK_PATH,
        scopes=settings.oidc_scopes,
        groups_claim=settings.oidc_groups_claim,
        name_claim=settings.oidc_name_claim,
        group_roles=tuple(_group_role(text) for text in settings.oidc_group_roles),
        ca=settings.oidc_ca,
        proxy=settings.oidc_proxy,
    )


def provider_of(settings: CollectorSettings) -> "OpenIdProvider | None":
    """The OpenID provider to sign in at, where one is set."""
    wanted = oidc_of(settings)
    if wanted is None:
        return None
    # Loaded where it is used only: it brings httpx and cryptography along.
    from collector.people.oidc import OpenIdProvider  # noqa: PLC0415  # see above

    return OpenIdProvider(wanted)


def _group_role(text: str) -> tuple[str, str, str]:
    """Group, role and organisation (empty: all) of `GROUP=ROLE[@ORGANISATION]`; a group's name may hold `=`."""
    group, equals, rest = text.rpartition("=")
    role, _, organisation = rest.partition("@")
    if not (group and equals) or role not in ROLES:
        raise ConfigurationError(
            f"oidc_group_roles: {text!r} is not GROUP=ROLE or GROUP=ROLE@ORGANISATION with the role "
            f"{in_words(list(ROLES))}"
        )
    return group, role, organisation
