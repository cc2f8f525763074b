"""Credentials by name, one file each: `NAME.toml` in the directory of the setting `snmp_credentials`.

    # /etc/ictagent/snmp/switches.toml, readable by the collector's user alone
    version = "v3"
    user = "ictagent"
    auth_password = "..."          # auth_protocol = "SHA-256" unless said
    priv_password = "..."          # priv_protocol = "AES-128" unless said

or `version = "v2c"` with a `community`. The name `public` needs no file: it is the community of that name, by v2c.
The database and the command line know names only.
"""

import re
import stat
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from agent.errors import ConfigurationError
from collector.snmp.client import AuthProtocol, Credential, PrivProtocol
from collector.snmp.credentials import SHORTEST_PASSWORD

PUBLIC = "public"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_Password = Annotated[str, Meta(min_length=SHORTEST_PASSWORD, max_length=256)]


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """What a credential's file may hold."""

    version: Literal["v1", "v2c", "v3"]
    community: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    user: Annotated[str, Meta(min_length=1, max_length=32)] | None = None
    auth_protocol: AuthProtocol = "SHA-256"
    auth_password: _Password | None = None
    priv_protocol: PrivProtocol = "AES-128"
    priv_password: _Password | None = None
    context: str = ""


def names(directory: Path) -> list[str]:
    """The credentials that there are, in the order in which discovery tries them."""
    found = sorted(path.stem for path in directory.glob("*.toml") if _NAME.fullmatch(path.stem))
    return found if PUBLIC in found else [*found, PUBLIC]


def named(directory: Path, name: str) -> Credential:
    """The credential of a name. Raises ConfigurationError, which names the file and never what is in it."""
    if not _NAME.fullmatch(name):
        raise ConfigurationError(f"{name[:80]!r} is no name of a credential: letters, digits, dots and hyphens")
    path = directory / f"{name}.toml"
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(path.stat().st_mode)
            text = file.read().decode()
    except FileNotFoundError:
        if name == PUBLIC:
            return Credential(PUBLIC, "v2c", community=PUBLIC)
        raise ConfigurationError(f"there is no credential {name}: write {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"credential {name}: {path} cannot be read ({type(error).__name__})") from error
    if mode & 0o007:
        raise ConfigurationError(f"credential {name}: {path} is open to every user: chmod o= {path}")
    try:
        return _credential(name, msgspec.convert(tomllib.loads(text), _File))
    except (tomllib.TOMLDecodeError, RecursionError):
        raise ConfigurationError(f"credential {name}: {path} is no TOML") from None
    except msgspec.ValidationError as error:
        # msgspec names places and types, not values.
        raise ConfigurationError(f"credential {name}: {path}: {error}") from None


def _credential(name: str, file: _File) -> Credential:
    if file.version != "v3":
        if file.community is None or file.user or file.auth_password or file.priv_password:
            raise ConfigurationError(f"credential {name}: {file.version} has a community and nothing else")
        return Credential(name, file.version, community=file.community)
    if file.user is None or file.community is not None:
        raise ConfigurationError(f"credential {name}: v3 has a user, and no community")
    if file.priv_password and not file.auth_password:
        raise ConfigurationError(f"credential {name}: privacy needs authentication: give auth_password too")
    return Credential(
        name,
        "v3",
        user=file.user,
        auth_protocol=file.auth_protocol if file.auth_password else "",
        auth_key=file.auth_password or "",
        priv_protocol=file.priv_protocol if file.priv_password else "",
        priv_key=file.priv_password or "",
        context=file.context,
    )
