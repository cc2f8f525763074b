"""An authority of our own and a certificate for loopback, made by openssl."""

import subprocess
from pathlib import Path


def certificates(directory: Path, name: str = "authority") -> tuple[Path, Path, Path]:
    """The authority's certificate, and chain and private key of a server at 127.0.0.1, all PEM."""
    directory.mkdir(parents=True, exist_ok=True)
    ca, ca_key = directory / f"{name}.pem", directory / f"{name}-key.pem"
    chain, key = directory / f"{name}-server.pem", directory / f"{name}-server-key.pem"
    request, extensions = directory / f"{name}.csr", directory / f"{name}.ext"
    extensions.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    authority = ["-x509", "-days", "2", "-subj", f"/CN=Test authority {name}", "-keyout", str(ca_key), "-out", str(ca)]
    _openssl("req", *curve, *authority)
    _openssl("req", *curve, "-subj", "/CN=127.0.0.1", "-keyout", str(key), "-out", str(request))
    signing = ["-CA", str(ca), "-CAkey", str(ca_key), "-CAcreateserial", "-days", "2", "-extfile", str(extensions)]
    _openssl("x509", "-req", "-in", str(request), *signing, "-out", str(chain))
    return ca, chain, key


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
