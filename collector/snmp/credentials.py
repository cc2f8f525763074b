"""Credentials of devices, from files alone: a secret is in no argument, no environment variable and no message."""

from pathlib import Path
from typing import get_args

from agent.errors import ConfigurationError
from collector.snmp.client import AuthProtocol, Credential, PrivProtocol

SHORTEST_PASSWORD = 8
"""RFC 3414, section 11.2; agents refuse shorter ones."""
_LARGEST_FILE = 4096
AUTH_PROTOCOLS: tuple[AuthProtocol, ...] = tuple(one for one in get_args(AuthProtocol) if one)
PRIV_PROTOCOLS: tuple[PrivProtocol, ...] = tuple(one for one in get_args(PrivProtocol) if one)


def secret(path: Path, what: str) -> str:
    """The first line of a file. Raises ConfigurationError naming the file, never its content."""
    try:
        with path.open(encoding="utf-8") as file:
            found = file.read(_LARGEST_FILE).split("\n", 1)[0].strip("\r")
    except OSError as error:
        raise ConfigurationError(f"{what}: {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{what}: {path} is not UTF-8 text") from error
    if not found:
        raise ConfigurationError(f"{what}: {path} is empty")
    return found


def by_community(community_file: Path | None, version: str = "v2c") -> Credential:
    """A v1 or v2c credential; without a file the community `public`, with which many devices come."""
    community = "public" if community_file is None else secret(community_file, "community")
    return Credential(version="v1" if version == "v1" else "v2c", community=community)


def by_user(
    user: str,
    auth_file: Path | None = None,
    priv_file: Path | None = None,
    auth_protocol: AuthProtocol = "SHA-256",
    priv_protocol: PrivProtocol = "AES-128",
    context: str = "",
) -> Credential:
    """A v3 credential: authPriv with both files, authNoPriv with the first, noAuthNoPriv with none."""
    if priv_file is not None and auth_file is None:
        raise ConfigurationError("privacy needs authentication: give the authentication password's file too")
    auth_key = "" if auth_file is None else _password(auth_file, "authentication password")
    priv_key = "" if priv_file is None else _password(priv_file, "privacy password")
    return Credential(
        version="v3",
        user=user,
        auth_protocol=auth_protocol if auth_key else "",
        auth_key=auth_key,
        priv_protocol=priv_protocol if priv_key else "",
        priv_key=priv_key,
        context=context,
    )


def _password(path: Path, what: str) -> str:
    found = secret(path, what)
    if len(found.encode()) < SHORTEST_PASSWORD:
        raise ConfigurationError(f"{what}: {path} holds less than {SHORTEST_PASSWORD} characters, which SNMPv3 forbids")
    return found
