"""Getting this host its key while it is installed, and giving it back: acts of a plan that speak to the collector."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any, Literal

from agent.authority import fetch_authority, fingerprint_of
from agent.clock import Clock
from agent.enrol import enrol, read_token
from agent.errors import AgentError, EnrolmentError, TransportError
from agent.files import text_or_empty
from agent.install.actions import ROOT, Action, write_with
from agent.install.host import Host
from agent.install.service import CONFIGURATION
from agent.keys import read_key
from agent.settings import AgentSettings
from agent.transport import Answer, Transport

KeyState = Literal["none", "good", "refused", "unknown"]
"""`unknown`: there is a key, and the collector could not be asked."""


@dataclass(frozen=True, slots=True)
class PinAuthority:
    """Keep the collector's own authority, which the token names by its fingerprint."""

    settings: AgentSettings
    fingerprint: str
    path: PurePath

    def describe(self) -> str:
        return (
            f"write {self.path} (0644, root:root)\n"
            f"    the authority of {self.settings.collector}, if its SHA-256 is the token's: {self.fingerprint}"
        )

    def done(self, host: Host, pending: Sequence[Action]) -> bool:  # noqa: ARG002  # the shape is Action's
        return fingerprint_of(text_or_empty(host.path(self.path))) == self.fingerprint

    def apply(self, host: Host) -> None:
        write_with(host, self.path, fetch_authority(self.settings, self.fingerprint), 0o644, ROOT, ROOT)


@dataclass(frozen=True, slots=True)
class Enrol:
    """Exchange the token for a key of this host."""

    settings: AgentSettings
    token_file: Path
    site: str
    space: str
    path: PurePath
    mode: int
    group: str
    needed: bool

    def describe(self) -> str:
        place = ", ".join(f"{name} {value}" for name, value in (("site", self.site), ("space", self.space)) if value)
        return (
            f"write {self.path} ({self.mode:04o}, root:{self.group})\n"
            f"    this host's own key, from {self.settings.collector} for the token in {self.token_file}"
            + (f"; {place}" if place else "")
        )

    def done(self, host: Host, pending: Sequence[Action]) -> bool:  # noqa: ARG002  # the shape is Action's
        return not self.needed

    def apply(self, host: Host) -> None:
        transport = Transport(_as_on(host, self.settings), Clock())
        try:
            enrolled = enrol(read_token(self.token_file), transport, self.site, self.space)
        finally:
            transport.close()
        write_with(host, self.path, f"{enrolled.key}\n".encode(), self.mode, ROOT, self.group)


@dataclass(frozen=True, slots=True)
class GiveKeyBack:
    """Have the collector revoke this host's key."""

    settings: AgentSettings
    paths: tuple[PurePath, ...]

    def describe(self) -> str:
        return f"revoke this host's key at {self.settings.collector}"

    def done(self, host: Host, pending: Sequence[Action]) -> bool:  # noqa: ARG002  # the shape is Action's
        return not self.settings.collector or not keys_of(host, self.paths)

    def apply(self, host: Host) -> None:
        for key in keys_of(host, self.paths):
            answer = ask(host, self.settings, key, "DELETE", "/v1/key")
            # 401: it is revoked already, or the collector has forgotten it.
            if answer.status not in (200, 204, 401):
                raise AgentError(f"the collector does not take the key back: {answer.error}; {KEEP_KEY_REMEDY}")


KEEP_KEY_REMEDY = "try again, or leave the key to the collector's people with --keep-key"


def ask(host: Host, settings: AgentSettings, key: str, method: str = "GET", path: str = "/v1/whoami") -> Answer:
    """One request with a host's key. Raises TransportError."""
    transport = Transport(_as_on(host, settings), Clock())
    try:
        return transport.request(method, path, headers=transport.identified(key))
    finally:
        transport.close()


def keys_of(host: Host, paths: Sequence[PurePath]) -> list[str]:
    """The keys in these files, each once, the one in use first."""
    found: dict[str, None] = {}
    for path in paths:
        # Of one that cannot be read or is no key nothing can be said to the collector.
        with contextlib.suppress(EnrolmentError):
            found[read_key(host.path(path), follow=path.parent == CONFIGURATION)] = None
    return [key for key in found if key]


def key_state(host: Host, settings: AgentSettings, paths: Sequence[PurePath]) -> KeyState:
    """Whether this host has a key that the collector takes."""
    keys = keys_of(host, paths)
    if not keys:
        return "none"
    try:
        answers = [ask(host, settings, key).status for key in keys]
    except TransportError:
        return "unknown"
    if 200 in answers:
        return "good"
    return "refused" if set(answers) <= {401, 403} else "unknown"


def last_heard(host: Host, settings: AgentSettings, paths: Sequence[PurePath]) -> dict[str, Any]:
    """What the collector says of this host by its own key; empty where it says nothing. Raises TransportError."""
    for key in keys_of(host, paths):
        answer = ask(host, settings, key)
        if answer.status == 200:
            return answer.body
    return {}


def _as_on(host: Host, settings: AgentSettings) -> AgentSettings:
    """Settings whose files are looked for below the host's root."""
    in_file = settings.ca not in ("", "system")
    return replace(settings, ca=str(host.path(Path(settings.ca)))) if in_file and not host.live else settings
