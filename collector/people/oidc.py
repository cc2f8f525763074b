"""Login at an OpenID provider (Entra ID and the like): authorization code with PKCE, checked to the letter.

OpenID Connect Core 1.0 (3.1.3.7 is the list of checks), Discovery 1.0, RFC 7636 (PKCE), RFC 9207 (`iss` in the answer).
State, nonce and verifier are derived from a cookie of the browser that began, so the answer is good in that one alone.
"""

import ssl
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from collector.errors import NotAuthorised, TargetUnavailable
from collector.people.oidc_settings import Claimed, OidcSettings
from collector.people.secrets import derived, same

SIGNATURES = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures with a key that only the provider has: never `none`, and no HMAC, which the collector could make itself."""
DISCOVERY_SECONDS = 3600
FAILED_SECONDS = 2
LEEWAY_SECONDS = 60
TIMEOUT_SECONDS = 10.0
_AGAIN = "begin again; if it goes on, tell who runs the collector"


class OpenIdProvider:
    """One provider. Its description and keys are fetched when needed; a key that is not known yet fetches them again."""

    def __init__(self, settings: OidcSettings, clock: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self._clock = clock
        self._description: tuple[float, dict[str, Any]] | None = None
        self._keys: KeySet | None = None
        self._failure: tuple[float, TargetUnavailable] | None = None
        self._asking = threading.Lock()

    def begin(self, secret: str) -> str:
        """The address at the provider to which a browser with this cookie goes. Raises TargetUnavailable."""
        query = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": self.settings.redirect_uri,
            "scope": self.settings.scopes,
            "state": derived(secret, "state"),
            "nonce": derived(secret, "nonce"),
            "code_challenge": urlsafe_b64encode(sha256(derived(secret, "verifier").encode()).digest())
            .rstrip(b"=")
            .decode(),
            "code_challenge_method": "S256",
        }
        endpoint = self._endpoint("authorization_endpoint")
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    def finish(self, secret: str, answer: Mapping[str, str]) -> Claimed:
        """Whom the answer, with which the browser came back, names. Raises NotAuthorised with the reason."""
        if not same(answer.get("state", ""), derived(secret, "state")):
            raise NotAuthorised("this login was not begun in this browser, or is over", "begin again at the login page")
        if answer.get("iss", self.settings.issuer) != self.settings.issuer:
            raise NotAuthorised("the answer comes from another provider than was asked", _AGAIN)
        if error := answer.get("error"):
            described = answer.get("error_description", "")
            raise NotAuthorised(f"the provider refused: {error[:100]} {described[:300]}".strip(), _AGAIN)
        claims = self._checked(self._redeem(answer.get("code", ""), derived(secret, "verifier")))
        if not same(str(claims.get("nonce", "")), derived(secret, "nonce")):
            raise NotAuthorised("the identity token was made for another login (nonce)", _AGAIN)
        return self._claimed(claims)

    def _redeem(self, code: str, verifier: str) -> str:
        """The identity token for a code."""
        body = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.settings.redirect_uri,
            "code_verifier": verifier,
        }
        secret = self._client_secret()
        endpoint = self._endpoint("token_endpoint")
        methods = self._describe().get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        auth: tuple[str, str] | None = None
        if secret and "client_secret_basic" in methods:
            quoted = (urlencode({"": part})[1:] for part in (self.settings.client_id, secret))
            auth = (next(quoted), next(quoted))
        else:
            body["client_id"] = self.settings.client_id
            if secret:
                body["client_secret"] = secret
        answer = self._ask("POST", endpoint, data=body, auth=auth)
        token = answer.get("id_token")
        if not isinstance(token, str):
            told = f"{answer.get('error', 'no identity token')} {answer.get('error_description', '')}".strip()
            raise NotAuthorised(f"the provider gave nothing for the code: {told[:300]}", _AGAIN)
        return token

    def _checked(self, token: str) -> dict[str, Any]:
        """The claims of an identity token whose signature, issuer, audience and times are right."""
        try:
            try:
                decoded = jwt.decode(token, self._key_set(), algorithms=list(SIGNATURES))
            except (InvalidKeyIdError, BadSignatureError):
                # The provider may have new keys: they are fetched once more, and then it has to be one of them.
                self._keys = None
                decoded = jwt.decode(token, self._key_set(), algorithms=list(SIGNATURES))
            JWTClaimsRegistry(
                now=int(self._clock()),
                leeway=LEEWAY_SECONDS,
                iss={"essential": True, "value": self.settings.issuer},
                aud={"essential": True, "value": self.settings.client_id},
                sub={"essential": True},
                exp={"essential": True},
                iat={"essential": True},
            ).validate(decoded.claims)
        except (JoseError, ValueError) as error:
            raise NotAuthorised(f"the identity token is refused: {error}", _AGAIN) from error
        claims: dict[str, Any] = decoded.claims
        party, audience = claims.get("azp"), claims["aud"]
        foreign = party is not None and party != self.settings.client_id
        if foreign or (isinstance(audience, list) and len(audience) > 1 and party is None):
            raise NotAuthorised("the identity token was made for another application (azp)", _AGAIN)
        return claims

    def _claimed(self, claims: Mapping[str, Any]) -> Claimed:
        subject = str(claims["sub"])
        name = str(claims.get(self.settings.name_claim) or claims.get("email") or subject)[:200]
        if "@" not in name:
            name = f"{name}@{httpx.URL(self.settings.issuer).host}"
        groups = claims.get(self.settings.groups_claim)
        elsewhere = claims.get("_claim_names")
        if groups is None and isinstance(elsewhere, dict) and self.settings.groups_claim in elsewhere:
            raise NotAuthorised(
                f"{name} is in more groups than the provider puts into a token",
                "have it send only groups assigned to this application, or application roles",
            )
        listed = groups if isinstance(groups, list) else [groups]
        mine = {one for one in listed if isinstance(one, str)}
        roles = tuple((role, where) for group, role, where in self.settings.group_roles if group in mine)
        return Claimed(f"{self.settings.issuer} {subject}", name, roles)

    def _client_secret(self) -> str:
        """Read at each login, so that a new one holds at once."""
        path = self.settings.client_secret_file
        if path is None:
            return ""
        try:
            return path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise TargetUnavailable(
                f"the file with the OpenID client's secret cannot be read: {path}", "check its path and owner"
            ) from error

    def _describe(self) -> dict[str, Any]:
        """The provider's description of itself. Raises TargetUnavailable.

        One thread asks at a time, and a provider that is away is not asked again at once: whoever opens the login
        page could otherwise keep all threads waiting.
        """
        with self._asking:
            if self._failure is not None and self._clock() - self._failure[0] < FAILED_SECONDS:
                raise self._failure[1]
            try:
                return self._described()
            except TargetUnavailable as error:
                self._failure = (self._clock(), error)
                raise

    def _described(self) -> dict[str, Any]:
        if self._description is None or self._clock() - self._description[0] > DISCOVERY_SECONDS:
            address = f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration"
            found = self._ask("GET", address)
            if found.get("issuer") != self.settings.issuer:
                raise TargetUnavailable(
                    f"the provider at {self.settings.issuer} calls itself {str(found.get('issuer'))[:200]}",
                    "write oidc_issuer exactly as the provider does",
                )
            self._description, self._keys = (self._clock(), found), None
        return self._description[1]

    def _endpoint(self, name: str) -> str:
        address = str(self._describe().get(name, ""))
        if not address.startswith("https://") and not self.settings.issuer.startswith("http://"):
            raise TargetUnavailable(f"the provider's {name} is not an https address", "check oidc_issuer")
        return address

    def _key_set(self) -> KeySet:
        address = self._endpoint("jwks_uri")
        if self._keys is None:
            try:
                self._keys = KeySet.import_key_set(self._ask("GET", address))  # type: ignore[arg-type]  # checked there
            except (JoseError, KeyError, TypeError, ValueError) as error:
                raise TargetUnavailable(f"the provider's keys cannot be read: {error}", "check oidc_issuer") from error
        return self._keys

    def _ask(self, method: str, address: str, **more: Any) -> dict[str, Any]:
        """A JSON object of the provider's. Raises TargetUnavailable."""
        trusted = ssl.create_default_context(cafile=None if self.settings.ca == "system" else self.settings.ca)
        try:
            with httpx.Client(
                verify=trusted, timeout=TIMEOUT_SECONDS, proxy=self.settings.proxy or None, trust_env=False
            ) as client:
                found = client.request(method, address, headers={"Accept": "application/json"}, **more).json()
        except (httpx.HTTPError, ValueError, OSError) as error:
            reason = str(error) or type(error).__name__
            raise TargetUnavailable(
                f"the OpenID provider cannot be asked: {reason[:300]}", "try again; local accounts still work"
            ) from error
        if not isinstance(found, dict):
            raise TargetUnavailable("the OpenID provider's answer is no JSON object", "check oidc_issuer")
        return found
