"""The collector's own authority and certificate (`tls = "own"`): made on the first start, renewed in time.

The authority is for this one purpose: hosts trust it by the fingerprint in their token. Its private key never leaves
the state directory; whoever has it can pass for the collector towards those hosts.
"""

import datetime
import ipaddress
import logging
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from agent.authority import fingerprint_of
from agent.errors import AgentError
from agent.files import text_or_empty, write_durably

logger = logging.getLogger(__name__)

AUTHORITY_DAYS = 3650
CERTIFICATE_DAYS = 90
RENEWAL_DAYS = 30
"""A certificate with less left than this is renewed."""
_EARLY = datetime.timedelta(hours=24)
"""Certificates begin so much before they are made: hosts' clocks may be slow."""
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Authority:
    """The files of an authority, in `authority/` of a state directory."""

    directory: Path

    @property
    def certificate_file(self) -> Path:
        """The server's certificate."""
        return self.directory / "server.pem"

    @property
    def key_file(self) -> Path:
        """Its private key."""
        return self.directory / "server-key.pem"

    @property
    def pem(self) -> bytes:
        """The authority's certificate. Empty before the first start."""
        text = text_or_empty(self.directory / "ca.pem")
        return f"{text}\n".encode() if text else b""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the authority's certificate in hexadecimal; empty before the first start."""
        return fingerprint_of(self.pem.decode())

    def renew(self, names: Sequence[str], now: datetime.datetime) -> bool:
        """Make what is missing: the authority, and a certificate for `names` with at least 30 days left.

        Returns whether there is a new certificate. Raises AgentError for files that cannot be read or written.
        """
        try:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            return self._renew(names, now)
        except (OSError, ValueError) as error:
            raise AgentError(
                f"the collector's authority in {self.directory} cannot be used: {error}; give the directory to the "
                "collector's user, or put its backup in its place"
            ) from error

    def _renew(self, names: Sequence[str], now: datetime.datetime) -> bool:
        key_path, path = self.directory / "ca-key.pem", self.directory / "ca.pem"
        if not path.exists():
            # The certificate last: with it there, the key is there too.
            key = ec.generate_private_key(ec.SECP256R1())
            write_durably(key_path, _private(key), 0o600)
            write_durably(path, _public(_authority(key, now)), 0o644)
            logger.info("the collector has an authority of its own now: %s, SHA-256 %s", path, self.fingerprint)
        ca = x509.load_pem_x509_certificate(path.read_bytes())
        ca_key = serialization.load_pem_private_key(key_path.read_bytes(), None)
        if not isinstance(ca_key, ec.EllipticCurvePrivateKey) or ca_key.public_key() != ca.public_key():
            raise ValueError("ca-key.pem is not the key of ca.pem")
        if _holds(self.certificate_file, self.key_file, ca, names, now):
            return False
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(key, ca, ca_key, names, now)
        # A crash between the two leaves a key that is not the certificate's: the next start makes both anew.
        write_durably(self.key_file, _private(key), 0o600)
        write_durably(self.certificate_file, _public(certificate), 0o644)
        return True


def own_names(configured: Sequence[str], listen_host: str) -> list[str]:
    """For whom the certificate is: what is configured, else this machine's names and where it listens; and loopback."""
    names = list(configured) or [socket.gethostname(), socket.getfqdn()]
    host = listen_host.strip("[]")
    if not configured and host not in ("0.0.0.0", "::"):  # noqa: S104  # compared, not listened at
        names.append(host)
    return list(dict.fromkeys([*(name for name in names if name), *_LOOPBACK_NAMES]))


def _authority(key: ec.EllipticCurvePrivateKey, now: datetime.datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"ictagent collector {os.urandom(4).hex()}")])
    usage = _usage(signs=True)
    builder = _begun(name, name, key, now, AUTHORITY_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(usage, critical=True)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return builder.add_extension(identifier, critical=False).sign(key, hashes.SHA256())


def _certificate(
    key: ec.EllipticCurvePrivateKey,
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    names: Sequence[str],
    now: datetime.datetime,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    builder = _begun(subject, ca.subject, key, now, CERTIFICATE_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    return builder.add_extension(issuer, critical=False).sign(ca_key, hashes.SHA256())


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime.datetime, days: int
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - _EARLY,
        not_valid_after=now + datetime.timedelta(days=days),
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _holds(path: Path, key_path: Path, ca: x509.Certificate, names: Sequence[str], now: datetime.datetime) -> bool:
    """Whether the certificate that is there will do: for these names, by this authority, with its key, for 30 days."""
    if not (path.exists() and key_path.exists()):
        return False
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    key = serialization.load_pem_private_key(key_path.read_bytes(), None)
    stands_for = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return (
        set(stands_for) == {_general(name) for name in names}
        and certificate.issuer == ca.subject
        and isinstance(key, ec.EllipticCurvePrivateKey)
        and key.public_key() == certificate.public_key()
        and certificate.not_valid_after_utc - now > datetime.timedelta(days=RENEWAL_DAYS)
        and certificate.not_valid_before_utc <= now
    )


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _public(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
