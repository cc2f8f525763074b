"""Settings of login: what can work is taken, what cannot is refused with key and remedy before anything runs."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.errors import ConfigurationError
from collector.people.configuration import check_login, limits_of, oidc_of, proxies_of
from collector.settings import CollectorSettings

GOOD = CollectorSettings(
    public_url="https://pages.example/",
    oidc_issuer="https://provider.example/tenant/v2.0",
    oidc_client_id="ictagent",
    oidc_group_roles=("officers=officer", "cn=odd=viewer@The borough"),
    trusted_proxies=("10.1.2.3", "10.2.0.0/16", "2001:db8::/64"),
)


def test_good_settings_are_taken_as_the_parts_want_them() -> None:
    check_login(GOOD)
    check_login(CollectorSettings())
    provider = oidc_of(GOOD)
    assert provider is not None
    assert provider.redirect_uri == "https://pages.example/login/oidc/callback"
    assert provider.group_roles == (("officers", "officer", ""), ("cn=odd", "viewer", "The borough"))
    assert limits_of(GOOD) == limits_of(CollectorSettings())
    assert [str(one) for one in proxies_of(GOOD)] == ["10.1.2.3/32", "10.2.0.0/16", "2001:db8::/64"]
    assert oidc_of(CollectorSettings()) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"session_hours": 0}, "session_hours"),
        ({"session_hours": 169}, "session_hours"),
        ({"session_idle_minutes": 0}, "session_idle_minutes"),
        ({"session_hours": 1, "session_idle_minutes": 61}, "session_idle_minutes"),
        ({"trusted_proxies": ("10.1.2.3/8",)}, "trusted_proxies: '10.1.2.3/8'"),
        ({"trusted_proxies": ("proxy.example",)}, "trusted_proxies"),
        ({"public_url": "http://pages.example"}, "public_url"),
        ({"public_url": ""}, "oidc_issuer needs public_url"),
        ({"oidc_issuer": "http://provider.example"}, "oidc_issuer"),
        ({"oidc_issuer": "provider.example"}, "oidc_issuer"),
        ({"oidc_client_id": ""}, "oidc_client_id"),
        ({"oidc_group_roles": ()}, "oidc_group_roles"),
        ({"oidc_group_roles": ("officers",)}, "GROUP=ROLE"),
        ({"oidc_group_roles": ("=officer",)}, "GROUP=ROLE"),
        ({"oidc_group_roles": ("officers=emperor",)}, "viewer, officer, operator or auditor"),
        ({"oidc_scopes": "profile"}, "openid"),
        ({"oidc_ca": "/nowhere.pem"}, "/nowhere.pem"),
    ],
    ids=str,
)
def test_what_cannot_work_is_refused_by_name(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_login(replace(GOOD, **change))
    assert words in str(caught.value)


def test_the_documentation_names_the_bounds() -> None:
    page = Path("docs/configuration.md").read_text(encoding="utf-8")
    assert "`session_hours` 1 to 168" in page
