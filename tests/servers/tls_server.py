"""A collector's address with TLS that is wrong in some way, and can be mended while it runs. It keeps what it heard."""

import contextlib
import datetime
import ipaddress
import json
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.servers.accepting import accepting
from tests.servers.process import free_port

KEY = {"key": "k1.the-key-of-this-host", "key_id": "k1", "device_id": "d1"}
ACCEPTED = {"accepted": True, "duplicate": False, "rejected_rows": 0}
DAY = datetime.timedelta(days=1)


@dataclass
class Authority:
    """An authority of a test's; `pem` is the file that `ca` names."""

    directory: Path
    name: str = "council"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    pem: Path = field(init=False)

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.pem = self.directory / f"{self.name}.pem"
        self.pem.write_bytes(_built(self.name, self.key, self.name, self.key, (-1, 2), "", authority=True))

    def server(
        self, days: tuple[int, int] = (-1, 1), address: str = "127.0.0.1", self_signed: bool = False
    ) -> ssl.SSLContext:
        """The context of a server with a certificate that holds between two days from now, for an address."""
        key = ec.generate_private_key(ec.SECP256R1())
        by = ("itself", key) if self_signed else (self.name, self.key)
        pem = _built("itself", key, *by, days, address)
        pem += key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path = self.directory / f"server-{id(key)}.pem"
        path.write_bytes(pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _built(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    by: str,
    by_key: ec.EllipticCurvePrivateKey,
    days: tuple[int, int],
    address: str,
    *,
    authority: bool = False,
) -> bytes:
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, by)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + days[0] * DAY)
        .not_valid_after(now + days[1] * DAY)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by_key.public_key()), critical=False)
    )
    if address:
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        made = made.add_extension(names, critical=False)
    return made.sign(by_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def only_old_tls(context: ssl.SSLContext) -> ssl.SSLContext:
    """The same, speaking TLS 1.0 alone."""
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1
    return context


class TlsServer:
    """Answers as a collector over `context`; without one over plain HTTP, as a server that knows no TLS does.

    `clear` is all that came in the clear, `heard` the requests that came over TLS, `reports` how many were reports.
    """

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self.context = context
        self.clear = b""
        self.heard = b""
        self.reports = 0
        self.refused = 0
        self.port = free_port()
        self.listener = socket.create_server(("127.0.0.1", self.port))

    def answer(self, client: socket.socket) -> None:
        context = self.context
        with client, contextlib.suppress(OSError):
            client.settimeout(30)
            if context is None:
                self.clear += client.recv(65536)
                self.refused += 1
                client.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                return
            try:
                secure = context.wrap_socket(client, server_side=True)
            except OSError:
                self.refused += 1
                raise
            with secure:
                while request := _request(secure):
                    self.heard += request
                    self.reports += request.startswith(b"POST /v1/reports ")
                    answer = json.dumps(KEY if request.startswith(b"POST /v1/enrol ") else ACCEPTED).encode()
                    secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))


def _request(source: socket.socket) -> bytes:
    """One whole request, or nothing at the connection's end."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = source.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while lengths and len(body) < int(lengths[0].split(b":")[1]):
        body += source.recv(65536)
    return head + b"\r\n\r\n" + body


@contextlib.contextmanager
def tls_server(context: ssl.SSLContext | None) -> Iterator[TlsServer]:
    """The server, running."""
    server = TlsServer(context)
    with accepting(server.listener, server.answer):
        yield server
