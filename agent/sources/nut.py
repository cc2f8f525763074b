"""An uninterruptible power supply on this host, by the network protocol of Network UPS Tools (upsd on loopback).

Real power of its output in watts: `ups.realpower`, else `output.realpower`, or the sum of their phases. Else an estimate:
the load as a share of the nominal real power, which is whole per cents of a rating; else volt-amperes (measured, or
voltage times current, or the load's share of the nominal ones) times a power factor, the UPS's own or an assumed one. A
UPS meters whatever hangs on it. Only where
`nut_ups_feeds_only_this_host` says that this is one machine does it stand for it, at the plug; two such UPSs feed it
together.
Source: RFC 9271; NUT's variables: https://networkupstools.org/docs/user-manual.chunked/apcs01.html
"""

import contextlib
import itertools
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from agent.outcome import Absent, Data, Failed, Outcome
from agent.report import Covers
from agent.sources.needs import NOTHING, Needs
from agent.sources.reading import RawReading
from agent.sources.source import Background, Source

if TYPE_CHECKING:
    from agent.settings import AgentSettings

NAME = "nut"
ESTIMATE = "nut_load"
"""The origin of power that follows from the load and a rating."""

PORT = 3493
PERIOD_SECONDS = 10.0
PATIENCE_SECONDS = 0.2
TIMEOUT_SECONDS = 5.0
_MOST_BYTES = 1 << 18
_LONGEST_LINE = 1024
"""The protocol's own lines stay below half of it."""
_MOST_SUPPLIES = 16
_HIGHEST_WATTS = 1e6
_POWER_FACTOR = 0.9
"""Assumed of the load: what 80 PLUS asks of a supply at half of its rating."""
_RATED_POWER_FACTOR = 0.75
"""Assumed of a rating in volt-amperes: UPSs are sold with 0.6 to 0.9 W a VA."""
_SWITCH_OFF = 'switch the source off: disabled_sources = ["nut"]'
_SUPPLY = re.compile(r'UPS ([\w.:@-]{1,64})(?: "(?:[^"\\]|\\.)*")?')
_VARIABLE = re.compile(r'VAR (\S+) (\S+) "((?:[^"\\]|\\.)*)"')
_LISTENING = "0A"
_ENDED = "it ended the connection"


class _Broken(Exception):
    """The server's answer, or its silence, as a sentence without its subject."""


def make(settings: "AgentSettings", root: Path) -> Source:
    """The source, which connects only where a server listens."""
    host, _, port = settings.nut_address.rpartition(":")
    server = Server(host.strip("[]"), int(port), alone=settings.nut_ups_feeds_only_this_host)

    def absent() -> Absent | None:
        if root != Path("/"):
            return Absent("a captured tree cannot be asked")
        return None if listening(root, int(port)) else Absent("no NUT server (upsd) runs on this host")

    return Background(server.read, PERIOD_SECONDS, present=absent, patience_seconds=PATIENCE_SECONDS)


def needs(root: Path) -> Needs:
    """The loopback interface, where a server listens."""
    return Needs(address_families=frozenset({"AF_INET", "AF_INET6"})) if listening(root, PORT) else NOTHING


def listening(root: Path, port: int) -> bool:
    """Whether anything on this host listens on a TCP port, by the kernel's own table."""
    end = f":{port:04X}"
    for table in ("proc/net/tcp", "proc/net/tcp6"):
        # The kernel gives the table a page at a time, and a busy server's is long: listeners stand first in it.
        with contextlib.suppress(OSError), (root / table).open(encoding="ascii", errors="replace") as lines:
            for fields in map(str.split, itertools.islice(lines, 1, None)):
                if len(fields) < 4 or fields[3] != _LISTENING:
                    break
                if fields[1].endswith(end):
                    return True
    return False


class Server:
    """Asks upsd for its supplies and their power. `alone`: they feed this host and nothing else."""

    def __init__(self, host: str, port: int, *, alone: bool, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._address = (host, port)
        self._covers: Covers = "machine_ac" if alone else "ups_output"
        self._timeout_seconds = timeout_seconds

    def read(self) -> Outcome[list[RawReading]]:
        deadline = time.monotonic() + self._timeout_seconds
        readings: list[RawReading] = []
        notes, broken = [], []
        try:
            with socket.create_connection(self._address, self._timeout_seconds) as connection:
                conversation = _Conversation(connection, deadline)
                supplies = [found[1] for line in conversation.listed("UPS") if (found := _SUPPLY.fullmatch(line))]
                if not supplies:
                    return Absent("the NUT server has no UPS")
                for name in supplies[:_MOST_SUPPLIES]:
                    try:
                        variables = _variables(conversation, name)
                        watts, how = power(variables)
                    except _Broken as error:
                        broken.append(f"{name}: {error}")
                        continue
                    kind = variables.get("device.type", "ups")
                    if kind != "ups" and self._covers == "machine_ac":
                        # It feeds the UPS or is fed by it: added, the same watts would count twice.
                        notes.append(f"{name}: not added, as it is no UPS (device.type {kind[:20]})")
                        continue
                    if watts == 0 and self._covers == "machine_ac":
                        broken.append(f"{name}: it reads 0 W, and this host runs")
                        continue
                    if how:
                        notes.append(f"{name}: {how}")
                    if watts is not None:
                        readings.append(self._reading(name, watts, estimated=bool(how)))
                conversation.leave()
        except ConnectionRefusedError:
            return Absent("no NUT server (upsd) answers on this host")
        except (OSError, _Broken) as error:
            said = "it did not answer in time" if isinstance(error, TimeoutError) else str(error)
            if isinstance(error, (ConnectionResetError, BrokenPipeError)):
                said = _ENDED
            return Failed(
                f"the NUT server cannot be read: {said}", f"look at `upsc -l` and upsd's log, or {_SWITCH_OFF}"
            )
        if broken and (not readings or self._covers == "machine_ac"):
            # Of two supplies that feed the machine together one is not the whole.
            return Failed("; ".join(broken), f"look at the UPS's driver (upsdrvctl) and cable, or {_SWITCH_OFF}")
        if not readings:
            return Absent(f"the UPS measures no power ({'; '.join(notes)})" if notes else "the UPS measures no power")
        return Data(readings, "; ".join(notes + broken))

    def _reading(self, name: str, watts: float, *, estimated: bool) -> RawReading:
        """An estimate is a meter of its own: what it becomes when the driver learns to measure is another."""
        if estimated:
            return RawReading(f"{NAME}/{name}/load", "power", self._covers, watts, origin=ESTIMATE)
        return RawReading(f"{NAME}/{name}", "power", self._covers, watts)


class _Conversation:
    """Lines to and from the server, bounded in size and time."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection, self._deadline = connection, deadline
        self._rest = b""
        self._bytes = 0

    def listed(self, what: str) -> Iterator[str]:
        """The lines between `BEGIN LIST what` and `END LIST what`."""
        self._send(f"LIST {what}")
        if (first := self._line()) != f"BEGIN LIST {what}":
            raise _Broken(_error(first))
        while (line := self._line()) != f"END LIST {what}":
            yield line

    def leave(self) -> None:
        """Say good-bye; a server that has gone has all that was wanted of it."""
        with contextlib.suppress(OSError):
            self._send("LOGOUT")

    def _send(self, text: str) -> None:
        self._connection.settimeout(self._left())
        self._connection.sendall(f"{text}\n".encode())

    def _line(self) -> str:
        while b"\n" not in self._rest:
            if len(self._rest) > _LONGEST_LINE or self._bytes > _MOST_BYTES:
                raise _Broken("its answer has no end")
            self._connection.settimeout(self._left())
            piece = self._connection.recv(4096)
            if not piece:
                raise _Broken(_ENDED)
            self._bytes += len(piece)
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode(errors="replace").rstrip("\r")

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def _error(line: str) -> str:
    """What an `ERR` line means to a person, by the codes of RFC 9271."""
    words = {
        "DATA-STALE": "its driver has lost the UPS (DATA-STALE)",
        "DRIVER-NOT-CONNECTED": "its driver does not run (DRIVER-NOT-CONNECTED)",
        "ACCESS-DENIED": "the server does not let this host ask (ACCESS-DENIED)",
    }
    code = line.removeprefix("ERR ").strip()
    if line.startswith("ERR "):
        return words.get(code, f"the server refuses: {code[:60]}")
    return f"the answer is not NUT's: {line[:60]!r}"


def _variables(conversation: _Conversation, name: str) -> dict[str, str]:
    found = {}
    for line in conversation.listed(f"VAR {name}"):
        if (match := _VARIABLE.fullmatch(line)) and match[1] == name:
            found[match[2]] = re.sub(r"\\(.)", r"\1", match[3])
    if not found or found.get("ups.status") == "WAIT":
        raise _Broken("its driver has told nothing yet")
    return found


def power(variables: dict[str, str]) -> tuple[float | None, str]:
    """Watts that the UPS gives out, and how they were found: "" where they are measured."""
    load = _number(variables, "ups.load")
    measured = [_number(variables, "ups.realpower"), _number(variables, "output.realpower")]
    measured += [_phases(variables, "ups.L{}.realpower"), _phases(variables, "output.L{}.realpower")]
    known = [watts for watts in measured if watts is not None]
    if known and (max(known) > 0 or not load):
        # A driver that knows the variable and cannot read it leaves it at 0, whatever the load is.
        return next((watts for watts in known if watts > 0), 0.0), ""
    nominal = _number(variables, "ups.realpower.nominal")
    if load is not None and nominal:
        return load / 100 * nominal, f"estimated from its load and its nominal {nominal:g} W"
    if (apparent := _apparent(variables)) is not None:
        factor = _number(variables, "output.powerfactor") or _number(variables, "ups.powerfactor")
        own = factor is not None and 0 < factor <= 1
        share = factor if own and factor is not None else _POWER_FACTOR
        return apparent * share, f"estimated from its {apparent:g} VA and a power factor of {share:g}"
    if load is None:
        return None, ""
    if nominal := _number(variables, "ups.power.nominal"):
        how = f"estimated from its load and its nominal {nominal:g} VA at {_RATED_POWER_FACTOR:g} W a VA"
        return load / 100 * nominal * _RATED_POWER_FACTOR, how
    return None, (
        "it gives a load, and no nominal power (ups.realpower.nominal or ups.power.nominal) to make watts of it: "
        "state it in ups.conf (override.ups.realpower.nominal)"
    )


def _apparent(variables: dict[str, str]) -> float | None:
    """Volt-amperes of the output."""
    for found in (
        _number(variables, "ups.power"),
        _number(variables, "output.power"),
        _phases(variables, "ups.L{}.power"),
        _phases(variables, "output.L{}.power"),
    ):
        if found:
            return found
    # Of three phases neither pair would be the whole.
    volts, amperes = _number(variables, "output.voltage"), _number(variables, "output.current")
    one_phase = _number(variables, "output.phases") in (None, 1.0)
    return volts * amperes if volts and amperes and one_phase else None


def _phases(variables: dict[str, str], name: str) -> float | None:
    """The sum over three phases, or None where one is missing."""
    values = [_number(variables, name.format(phase)) for phase in (1, 2, 3)]
    known = [one for one in values if one is not None]
    return sum(known) if len(known) == len(values) else None


def _number(variables: dict[str, str], name: str) -> float | None:
    """A variable's number within reason, else None."""
    try:
        value = float(variables.get(name, ""))
    except ValueError:
        return None
    return value if 0 <= value <= _HIGHEST_WATTS else None
