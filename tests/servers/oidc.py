"""An OpenID provider of our own on loopback: discovery, authorization, token and key addresses, real RS256 keys.

It lets everybody in at once, as whom `claims` says, and can be made to lie in every way that a client has to notice.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

CLIENT_ID = "ictagent at the council"
CLIENT_SECRET = "a secret: with+signs %"


@dataclass
class Provider:
    """The running provider; what stands here can be changed at any time."""

    issuer: str = ""
    keys: list[RSAKey | ECKey] = field(default_factory=lambda: [new_key("first")])
    claims: dict[str, Any] = field(default_factory=dict)
    """Claims beside the usual ones, or instead of them; None leaves one out."""
    algorithm: str = "RS256"
    sign_with: RSAKey | ECKey | OctKey | None = None
    """Another key than the published one."""
    description: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, str] = field(default_factory=dict)
    """Parameters of the answer to the browser, instead of the right ones."""
    broken: bool = False
    """Answers every request with an error that is no JSON."""
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def rotate(self) -> None:
        """New keys, and the old ones are gone."""
        self.keys = [new_key(secrets.token_hex(4))]

    def describe(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        } | self.description

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser goes next: back, with a code."""
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT_ID
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        answer = {"code": code, "state": query["state"]} | self.answer
        return f"{query['redirect_uri']}?{urlencode(answer)}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """The identity token for a code, once, for who knows the verifier and the client's secret."""
        given = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        client, secret = (unquote(part.replace("+", " ")) for part in given.split(":", 1))
        if (client, secret) != (CLIENT_ID, CLIENT_SECRET):
            return 401, {"error": "invalid_client"}
        query = self.codes.pop(form["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        if query is None or challenge.decode() != query["code_challenge"]:
            return 400, {"error": "invalid_grant", "error_description": "no such code, or the verifier is wrong"}
        if form["redirect_uri"] != query["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": "subject-1",
            "iat": now,
            "exp": now + 300,
            "nonce": query["nonce"],
            "preferred_username": "anna@council.example",
            "groups": ["officers"],
        } | self.claims
        return 200, {"id_token": self.signed({name: value for name, value in claims.items() if value is not None})}

    def signed(self, claims: dict[str, Any]) -> str:
        """An identity token."""
        if self.algorithm == "none":
            parts = ({"alg": "none", "typ": "JWT"}, claims)
            return ".".join(_base64(json.dumps(part).encode()) for part in parts) + "."
        key = self.sign_with or self.keys[0]
        return jwt.encode({"alg": self.algorithm, "kid": key.kid}, claims, key, algorithms=[self.algorithm])


def new_key(kid: str) -> RSAKey:
    """An RSA key of 2048 bits."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"}, private=True)


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@contextmanager
def openid_provider() -> Iterator[Provider]:
    """A provider on a free loopback port."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            provider.asked.append(parts.path)
            if provider.broken:
                self._answer(500, b"<h1>out of order</h1>")
            elif parts.path == "/.well-known/openid-configuration":
                self._json(200, provider.describe())
            elif parts.path == "/keys":
                self._json(200, {"keys": [key.as_dict(private=False) for key in provider.keys]})
            elif parts.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", provider.authorize(_flat(parts.query)))
                self.end_headers()
            else:
                self._json(404, {})

        def do_POST(self) -> None:
            provider.asked.append(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._json(*provider.token(_flat(body), self.headers.get("Authorization", "")))

        def _json(self, status: int, value: dict[str, Any]) -> None:
            self._answer(status, json.dumps(value).encode())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the parent's name for it
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield provider
        server.shutdown()


def _flat(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query, strict_parsing=True).items()}
