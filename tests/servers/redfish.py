"""A Redfish service over TLS that serves a tree of resources, with sessions as DSP0266 section 13.3 has them."""

import base64
import gzip
import json
import secrets
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Tree = dict[str, dict[str, Any]]

USER, PASSWORD = "ictagent", "a password"
SESSIONS = "/redfish/v1/SessionService/Sessions"


class RedfishService:
    """What the service has, and what it was asked. A test changes the tree while it runs."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.tokens: dict[str, str] = {}
        self.asked: list[str] = []
        self.most_sessions = 8
        self.offers_sessions = self.takes_basic = True
        self.session_refusal = (503, "The maximum number of sessions is reached.")
        self.root_is_open = True
        self.http_1_0 = self.packs = False
        self.bodies: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.answers = threading.Event()
        self.answers.set()
        self.statuses: dict[str, int] = {}
        self.url = ""

    def end_all_sessions(self) -> None:
        self.tokens.clear()

    def count(self, line: str) -> int:
        return self.asked.count(line)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    service: RedfishService

    def log_message(self, *_arguments: object) -> None:
        """The test looks at `asked`."""

    def _answer(self, status: int, body: object = None, **headers: str) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        self._say(status, content, **headers)

    def _say(self, status: int, content: bytes, **headers: str) -> None:
        if self.service.packs and content:
            content = gzip.compress(content)
            headers["Content_Encoding"] = "gzip"
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Type", "application/json")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def _refuse(self, status: int, message: str) -> None:
        self._answer(
            status, {"error": {"code": "Base.1.8.GeneralError", "@Message.ExtendedInfo": [{"Message": message}]}}
        )

    def _known(self) -> bool:
        if self.headers.get("X-Auth-Token") in self.service.tokens:
            return True
        if not self.service.takes_basic:
            return False
        basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return self.headers.get("Authorization") == f"Basic {basic}"

    def _begin(self) -> None:
        self.service.asked.append(f"{self.command} {self.path}")
        self.service.answers.wait(30)
        if self.service.http_1_0:
            self.protocol_version, self.close_connection = "HTTP/1.0", True

    def _redirected(self) -> bool:
        target = self.service.redirects.get(self.path)
        if target is not None:
            self._answer(308, None, Location=target)
        return target is not None

    def do_GET(self) -> None:
        self._begin()
        path = self.path.rstrip("/")
        if self._redirected():
            return
        if (path != "/redfish/v1" or not self.service.root_is_open) and not self._known():
            self._refuse(401, "While accessing the resource, the service received an authorization error.")
        elif path in self.service.statuses:
            self._refuse(self.service.statuses[path], "The service is busy.")
        elif path in self.service.bodies:
            self._say(200, self.service.bodies[path])
        elif path in self.service.tree:
            self._answer(200, self.service.tree[path])
        else:
            self._refuse(404, f"The resource {path} was not found.")

    def do_POST(self) -> None:
        self._begin()
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self._redirected():
            return
        if self.path.rstrip("/") != SESSIONS or not self.service.offers_sessions:
            self._refuse(404, "not found")
        elif body != {"UserName": USER, "Password": PASSWORD}:
            self._refuse(401, "The account is not known.")
        elif len(self.service.tokens) >= self.service.most_sessions:
            self._refuse(*self.service.session_refusal)
        else:
            token, name = secrets.token_hex(8), secrets.token_hex(4)
            self.service.tokens[token] = name
            self._answer(201, {"Id": name}, X_Auth_Token=token, Location=f"{SESSIONS}/{name}")

    def do_DELETE(self) -> None:
        self._begin()
        if not self._known():
            self._refuse(401, "not known")
            return
        name = self.path.rpartition("/")[2]
        self.service.tokens = {token: one for token, one in self.service.tokens.items() if one != name}
        self._answer(204)


@contextmanager
def redfish(tree: Tree, chain: Path, key: Path, ciphers: str = "") -> Iterator[RedfishService]:
    """The service on a loopback port, until the end of the block."""
    service = RedfishService(tree)
    handler = type("Handler", (_Handler,), {"service": service})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if ciphers:
        context.set_ciphers(ciphers)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(chain, key)
    # The handshake belongs to the connection's thread: one that ends it early must not end the server.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    service.url = f"https://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.answers.set()
        server.shutdown()
        server.server_close()
        thread.join()
