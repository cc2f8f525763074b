"""Discovery: which addresses of a network answer SNMP, with which credential, and what they are. Nothing is stored here.

Each question to an address waits for its turn, so that a network never sees more than so many a second. A password is
never guessed at: before a v3 user is tried, the device's engine id is asked (which takes no user), and the try is written
down (`refusals`); after one that failed no user is tried there for a day.
"""

import asyncio
import dataclasses
import ipaddress
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from collector.errors import BadRequest
from collector.snmp.client import (
    Credential,
    Endpoint,
    SnmpClient,
    SnmpError,
    SnmpProtocolError,
    SnmpTimeout,
    SnmpUserError,
)
from collector.snmp.engine_id import engine_id
from collector.snmp.exchange import where
from collector.snmp.fetch import fetch, holding
from collector.snmp.identity import SYSTEM, DeviceIdentity, identify
from collector.snmp.opening import open_client
from collector.snmp.poll_plan import wanted
from collector.snmp.profile_files import profiles
from collector.snmp.refusals import Refusals
from collector.snmp.snapshot import Snapshot
from collector.snmp.values import SnmpValue

MOST_ADDRESSES = 1024
"""A /22."""
MOST_AT_ONCE = 256
"""Addresses that are waited for together: each holds a socket."""
TRY_SECONDS = 1.0
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_TRIES = 2
"""How often a silent address is asked with a community, or for its engine id. A v3 user is tried once."""


@dataclass(frozen=True, slots=True)
class Found:
    """An address that answers, with the credential that it answers to, by name."""

    address: str
    credential: str
    identity: DeviceIdentity


@dataclass(slots=True)
class Discovered:
    """What a run found, by address, and of which addresses it must be told why they were not read."""

    found: list[Found] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)


def addresses_of(network: str, allowed: Sequence[str]) -> list[str]:
    """The addresses of a network that may be asked. Raises BadRequest for any other."""
    try:
        wanted_network = ipaddress.ip_network(network)
    except ValueError as error:
        raise BadRequest(f"{network[:80]!r} is no network ({error})", "give one such as 10.1.0.0/24") from error
    if not any(_inside(wanted_network, ipaddress.ip_network(one)) for one in allowed):
        listed = ", ".join(allowed) or "none"
        raise BadRequest(
            f"{network} is not among the networks that may be asked ({listed})",
            f'add it to snmp_networks in the collector\'s settings: snmp_networks = ["{network}"]',
        )
    if wanted_network.num_addresses > MOST_ADDRESSES:
        smaller = wanted_network.max_prefixlen - (MOST_ADDRESSES.bit_length() - 1)
        raise BadRequest(
            f"{network} has more than {MOST_ADDRESSES} addresses",
            f"ask it in parts of /{smaller}, such as {wanted_network.network_address}/{smaller}",
        )
    return [str(one) for one in wanted_network.hosts()]


def _inside(one: Network, other: Network) -> bool:
    # `subnet_of` takes no network of the other version.
    if isinstance(one, ipaddress.IPv4Network):
        return isinstance(other, ipaddress.IPv4Network) and one.subnet_of(other)
    return isinstance(other, ipaddress.IPv6Network) and one.subnet_of(other)


class Discovery:
    """One run over some addresses. `tell` hears how many have been asked and how many answered."""

    def __init__(
        self,
        credentials: Sequence[Credential],
        refusals: Refusals,
        port: int,
        per_second: float,
        tell: Callable[[int, int], None],
    ) -> None:
        self._credentials, self._refusals, self._port = credentials, refusals, port
        self._pause, self._next = 1.0 / per_second, 0.0
        self._tell = tell
        self._asked = 0
        self._result = Discovered()
        self._engines: dict[str, asyncio.Lock] = {}

    async def run(self, addresses: Iterable[str]) -> Discovered:
        """Ask them all. Raises ConfigurationError where SNMP is not installed."""
        await asyncio.to_thread(profiles)
        wanted_order = list(addresses)
        gate = asyncio.Semaphore(MOST_AT_ONCE)
        await asyncio.gather(*(self._one(address, gate) for address in wanted_order))
        place = {address: number for number, address in enumerate(wanted_order)}
        self._result.found.sort(key=lambda one: place[one.address])
        self._result.problems = dict(sorted(self._result.problems.items(), key=lambda item: place[item[0]]))
        return self._result

    async def _turn(self) -> None:
        """Wait until another question may be sent."""
        now = asyncio.get_running_loop().time()
        at = max(now, self._next)
        self._next = at + self._pause
        await asyncio.sleep(at - now)

    async def _one(self, address: str, gate: asyncio.Semaphore) -> None:
        async with gate:
            if found := await self._found(address):
                self._result.found.append(found)
                self._result.problems.pop(address, None)
            self._asked += 1
            self._tell(self._asked, len(self._result.found))

    async def _found(self, address: str) -> Found | None:
        engine: str | None = None
        for credential in self._credentials:
            if credential.version != "v3":
                answered = await self._by_community(address, credential)
            else:
                if engine is None:
                    engine = await self._engine(address)
                if not engine:
                    continue
                # One device may have several of the addresses.
                async with self._engines.setdefault(engine, asyncio.Lock()):
                    answered = await self._by_user(address, credential, engine)
            if answered is not None:
                identity = await self._identity(address, credential, answered)
                return Found(address, credential.name, _with_engine(identity, engine or ""))
        return None

    async def _by_community(self, address: str, credential: Credential) -> dict[str, SnmpValue] | None:
        for _ in range(_TRIES):
            try:
                return await self._ask(address, credential)
            except SnmpTimeout:
                continue
            except SnmpProtocolError as error:
                if error.found:
                    return error.found
                self._problem(address, error.message)
            except SnmpError:
                return None
        return None

    async def _engine(self, address: str) -> str:
        for _ in range(_TRIES):
            await self._turn()
            if found := await engine_id(Endpoint(address, self._port, TRY_SECONDS)):
                return found
        return ""

    async def _by_user(self, address: str, credential: Credential, engine: str) -> dict[str, SnmpValue] | None:
        """Try a v3 user once, unless one failed here within a day."""
        at = where(Endpoint(address, self._port))
        if refused := self._refusals.standing(engine, at):
            self._problem(
                address,
                f"{at} refused the user {refused} within a day, and none is tried again so soon, lest it be locked; "
                f"with the right password: ictagent snmp add {at}",
            )
            return None
        # Written down before: a run that is ended in the middle must not try again.
        self._refusals.note(engine, at, credential.user)
        try:
            answered = await self._ask(address, credential)
        except SnmpUserError:
            # It has no such user: there was no password to be wrong.
            self._refusals.withdraw(engine, at)
            return None
        except SnmpError as error:
            self._problem(address, f"{error.message}; {error.remedy}")
            return None
        self._refusals.withdraw(engine, at)
        return answered

    async def _ask(self, address: str, credential: Credential) -> dict[str, SnmpValue]:
        """One question without repetition: pysnmp's, for gufo asks a second time what was refused."""
        await self._turn()
        client = open_client(Endpoint(address, self._port, TRY_SECONDS, 0), credential, "pysnmp")
        try:
            return await client.get(SYSTEM)
        finally:
            await client.close()

    async def _identity(self, address: str, credential: Credential, known: dict[str, SnmpValue]) -> DeviceIdentity:
        """What a device that answers is; what of it cannot be read is left out."""
        client = open_client(Endpoint(address, self._port), credential)
        try:
            return await _identified(client)
        except SnmpError:
            return identify(Snapshot(known), [])
        finally:
            await client.close()

    def _problem(self, address: str, message: str) -> None:
        self._result.problems.setdefault(address, message)


async def _identified(client: SnmpClient) -> DeviceIdentity:
    held = await holding(client, profiles().values())
    fetched = await fetch(client, wanted("inventory", held, with_interfaces=False))
    return identify(fetched.snapshot, held)


def _with_engine(identity: DeviceIdentity, engine: str) -> DeviceIdentity:
    """The identity, with the engine id of discovery where the device has it in no object."""
    return identity if identity.engine_id else dataclasses.replace(identity, engine_id=engine)
