"""Settings: flag > environment ICTAGENT_* > /etc/ictagent/*.toml and conf.d/*.toml > default. Secrets are in files.

A section of the files is a frozen dataclass whose fields carry their description; the collector's section uses the
same loader. Everything is checked here: a running part never meets a wrong setting.
"""

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import SplitResult, urlsplit

from agent.errors import ConfigurationError
from agent.sources import SWITCHES

CONFIGURATION_DIRECTORY = Path("/etc/ictagent")
SECTIONS = ("agent", "collector")
LOG_LEVELS = ("debug", "info", "warning", "error")
LOOPBACK = ("127.0.0.1", "[::1]", "localhost")
LONGEST_INTERVAL_SECONDS = 60
"""Memory's energy counter (65.7 kJ) is proved for 65 seconds at 1000 W: sampled slower, it would count nothing."""
S = TypeVar("S")


def setting(default: Any, description: str) -> Any:
    """A field of a settings dataclass with what it means."""
    return field(default=default, metadata={"description": description})


def default_state_directory() -> Path:
    """/var/lib/ictagent for root, else a folder of the user's own (XDG_STATE_HOME)."""
    if os.geteuid() == 0:
        return Path("/var/lib/ictagent")
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local/state")
    return Path(base) / "ictagent"


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """What `ictagent run` needs to know."""

    collector: str = setting("", "the collector's address, such as https://collector.example:8420")
    token_file: str = setting("", "file with the enrolment token; needed once")
    key_file: str = setting("", "file with this host's key, where the state directory and the service have none")
    ca: str = setting(
        "",
        "whom to trust for TLS: `system`, or a file with the authority's certificate (PEM); empty: the authority that "
        "the token pinned, else the system's",
    )
    proxy: str = setting("", "HTTP proxy to the collector, such as http://proxy.example:3128")
    interval_seconds: float = setting(10.0, "seconds between samples")
    report_seconds: float = setting(60.0, "seconds between reports")
    end_user_device: str = setting(
        "auto", "whether half-hour means are all that is sent: `yes`, `no`, or `auto`: on laptops and desktops"
    )
    state_directory: Path = field(
        default_factory=default_state_directory,
        metadata={"description": "where the spool, the key and counters are kept"},
    )
    host_root: Path = field(
        default=Path("/"),
        metadata={
            "description": "where the root of the host is: `/host` in a container that has it mounted there, read-only"
        },
    )
    spool_limit_bytes: int = setting(
        256 * 1024 * 1024, "largest size of the spool; then its oldest reports are dropped"
    )
    disabled_sources: tuple[str, ...] = setting((), "energy sources to leave alone, by name")
    redfish_url: str = setting("", "the management controller's address, such as https://bmc.example; empty: not asked")
    redfish_user: str = setting("", "account at the management controller; one that may only log in and read is enough")
    redfish_password_file: str = setting("", "file with that account's password")
    redfish_ca: str = setting(
        "system", "whom to trust: `system`, or a file with the controller's authority or its own certificate (PEM)"
    )
    redfish_chassis: tuple[str, ...] = setting((), "Ids of the chassis to read; empty: those of this machine's system")
    bmc_interval_seconds: float = setting(30.0, "seconds between readings of the management controller")
    nut_address: str = setting("127.0.0.1:3493", "where this host's NUT server (upsd) listens")
    nut_ups_feeds_only_this_host: bool = setting(
        False, "whether the UPS feeds this machine alone, and so can stand for it"
    )
    log_level: str = setting("info", "debug, info, warning or error")


@dataclass(frozen=True, slots=True)
class Loaded(Generic[S]):
    """Settings with the origin of each value: `flag`, an environment variable, a file, or `default`."""

    settings: S
    origins: dict[str, str]


def configuration_files(directory: Path) -> list[Path]:
    """The configuration files in the order in which they are read: later ones win."""
    return [*sorted(directory.glob("*.toml")), *sorted(directory.glob("conf.d/*.toml"))]


def load(
    section: str,
    kind: type[S],
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] = os.environ,
    directory: Path = CONFIGURATION_DIRECTORY,
) -> Loaded[S]:
    """The settings of a section. Raises ConfigurationError naming key, place and remedy."""
    known = {one.name: one for one in fields(kind)}  # type: ignore[arg-type]  # every section is a dataclass
    values: dict[str, Any] = {}
    origins = dict.fromkeys(known, "default")
    for path in configuration_files(directory):
        for name, value in _section(path, section).items():
            _require_known(name, known, str(path))
            values[name], origins[name] = _converted(known[name], value, str(path)), str(path)
    for name, one in known.items():
        variable = f"ICTAGENT_{'' if section == 'agent' else section.upper() + '_'}{name.upper()}"
        if variable in environment:
            values[name], origins[name] = _from_text(one, environment[variable], variable), variable
    for name, value in (flags or {}).items():
        if value is not None:
            values[name], origins[name] = _converted(known[name], value, "flag"), "flag"
    return Loaded(kind(**values), origins)


def load_agent(
    flags: Mapping[str, Any] | None = None, directory: Path = CONFIGURATION_DIRECTORY
) -> Loaded[AgentSettings]:
    """The agent's settings, checked against each other."""
    loaded = load("agent", AgentSettings, flags, directory=directory)
    check_agent(loaded.settings)
    return loaded


def check_agent(settings: AgentSettings) -> None:
    """Raise ConfigurationError for values that cannot work."""
    if settings.collector:
        check_url(settings.collector, "collector")
    if settings.proxy and _split(settings.proxy, "proxy", "http://proxy.example:3128").scheme != "http":
        raise ConfigurationError(f"proxy {settings.proxy!r} is not an http:// address")
    if settings.proxy and ":" in (urlsplit(settings.collector).hostname or ""):
        # Python 3.11 asks for such a tunnel without the brackets that proxies need.
        raise ConfigurationError("through a proxy the collector must be given by its name, not by an IPv6 address")
    if not 1 <= settings.interval_seconds <= LONGEST_INTERVAL_SECONDS:
        raise ConfigurationError(
            f"interval_seconds must lie between 1 and {LONGEST_INTERVAL_SECONDS}: an energy counter could wrap unseen"
        )
    if settings.report_seconds < settings.interval_seconds or settings.report_seconds > 3600:
        raise ConfigurationError("report_seconds must lie between interval_seconds and 3600")
    if settings.end_user_device not in ("auto", "yes", "no"):
        raise ConfigurationError(f"end_user_device {settings.end_user_device!r} is not one of auto, yes, no")
    if settings.spool_limit_bytes < 1024 * 1024:
        raise ConfigurationError("spool_limit_bytes must be at least 1048576 (1 MB)")
    for name in settings.disabled_sources:
        if name not in SWITCHES:
            raise ConfigurationError(f"disabled_sources: there is no source {name!r}; there are {', '.join(SWITCHES)}")
    _check_sources(settings)
    if settings.log_level not in LOG_LEVELS:
        raise ConfigurationError(f"log_level {settings.log_level!r} is not one of {', '.join(LOG_LEVELS)}")


def _check_sources(settings: AgentSettings) -> None:
    if settings.redfish_url:
        check_url(settings.redfish_url, "redfish_url")
        if not settings.redfish_user or not settings.redfish_password_file:
            raise ConfigurationError("redfish_url needs redfish_user and redfish_password_file beside it")
    if not 10 <= settings.bmc_interval_seconds <= 300:
        raise ConfigurationError("bmc_interval_seconds must lie between 10 and 300")
    host, _, port = settings.nut_address.rpartition(":")
    if host not in LOOPBACK or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ConfigurationError(
            f"nut_address {settings.nut_address!r} is no address of this host such as 127.0.0.1:3493"
        )


def check_url(url: str, name: str) -> None:
    """Raise ConfigurationError unless it is https, or http to this machine's loopback."""
    parts = _split(url, name, "https://collector.example:8420")
    host = parts.hostname or ""
    if parts.scheme == "http" and (f"[{host}]" if ":" in host else host) not in LOOPBACK:
        raise ConfigurationError(f"{name} {url!r} is not encrypted: use https; http works to this machine only")


def _split(url: str, name: str, example: str) -> SplitResult:
    """The parts of an http(s) address, as the transport will read them."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.query or parts.fragment or any(character.isspace() for character in url):
        raise ConfigurationError(f"{name} {url!r} is not an address such as {example}")
    if parts.username is not None:
        raise ConfigurationError(f"{name} must hold no user name or password: neither is sent")
    return parts


def _section(path: Path, section: str) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    except (ValueError, RecursionError) as error:
        # Beside what is no TOML: a number of over 4300 digits, and lists in lists without end.
        raise ConfigurationError(f"{path} is not TOML: {error}") from error
    for name in content:
        if name not in SECTIONS:
            raise ConfigurationError(f"{path}: [{name}] is not a section; write settings under [agent] or [collector]")
    found = content.get(section, {})
    if not isinstance(found, dict):
        raise ConfigurationError(f"{path}: {section} must be a section, written [{section}]")
    return found


def _require_known(name: str, known: Iterable[str], origin: str) -> None:
    if name not in known:
        import difflib  # noqa: PLC0415  # for a misspelt setting alone

        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ConfigurationError(f"{origin}: there is no setting {name}{hint}")


def _default_of(one: Any) -> Any:
    return one.default_factory() if one.default_factory is not MISSING else one.default


def _converted(one: Any, value: Any, origin: str) -> Any:
    """A value from a file or flag as the setting's type."""
    default = _default_of(one)
    if isinstance(default, tuple):
        if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
            return tuple(value)
    elif isinstance(default, bool):
        if isinstance(value, bool):
            return value
    elif isinstance(default, float):
        if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < float("inf"):
            return float(value)
    elif isinstance(default, int):
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    elif isinstance(default, Path):
        if isinstance(value, (str, Path)) and str(value):
            return Path(value)
    elif isinstance(value, str):
        return value
    wanted = {tuple: "a list of texts", bool: "true or false", float: "a number", int: "a whole number", str: "a text"}
    expected = wanted.get(type(default), "a path")
    raise ConfigurationError(f"{origin}: {one.name} must be {expected}, not {value!r}")


def _from_text(one: Any, text: str, variable: str) -> Any:
    """A value from the environment: numbers as such, lists with commas."""
    default = _default_of(one)
    value: Any = text
    if isinstance(default, tuple):
        value = [item.strip() for item in text.split(",") if item.strip()]
    elif isinstance(default, bool):
        value = {"true": True, "false": False, "1": True, "0": False}.get(text.lower(), text)
    elif isinstance(default, (int, float)):
        try:
            value = float(text) if isinstance(default, float) else int(text)
        except ValueError:
            value = text
    return _converted(one, value, variable)
