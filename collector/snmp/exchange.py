"""The port over single requests: what can ask one request (`Exchange`) becomes a client of many values and tables.

Here is what devices do and libraries leave to their user: answers too big, a v1 agent that refuses a whole request for
one missing OID, OIDs that do not increase, tables without end, requests that only a smaller one gets an answer to.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from collector.snmp.client import (
    LONGEST_CALL_SECONDS,
    MOST_ROWS,
    Credential,
    Endpoint,
    SnmpAuthError,
    SnmpError,
    SnmpProtocolError,
    SnmpTableError,
    SnmpTimeout,
)
from collector.snmp.oids import arcs, is_below, is_instance
from collector.snmp.values import SnmpValue

T = TypeVar("T")
Kind = Literal["get", "next", "bulk"]
NO_ERROR, TOO_BIG, NO_SUCH_NAME, GENERAL_ERROR = 0, 1, 2, 5
ERROR_NAMES = {
    TOO_BIG: "tooBig",
    NO_SUCH_NAME: "noSuchName",
    GENERAL_ERROR: "genErr",
    6: "noAccess",
    13: "resourceUnavailable",
    16: "authorizationError",
}
MOST_ASKED = 25
"""OIDs a request: what fits into a packet of an Ethernet, and what old agents can do."""
_COLUMNS_AT_ONCE = 10
_VALUES_AT_ONCE = 100
_MOST_SILENT = 3
"""After so many OIDs that get no answer, the device is taken to be gone."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: error status and index as the device gave them; values of None are "there is none"."""

    error: int
    index: int
    variables: Sequence[tuple[str, SnmpValue | None]]


_NOTHING = Answer(NO_ERROR, 0, ())
"""In the place of an answer that failed."""


class Exchange(Protocol):
    """Asks one request, with retries. Raises SnmpTimeout, SnmpAuthError, SnmpProtocolError."""

    has_bulk: bool

    async def ask(self, kind: Kind, oids: Sequence[str], repetitions: int = 0) -> Answer: ...

    async def close(self) -> None: ...


class Call:
    """One call of the port: what was found, what failed, and how long it may take."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.where = where(endpoint)
        self.found: dict[str, SnmpValue] = {}
        self.silent = 0
        self.bulk = True
        """Whether the device answers GETBULK as far as is known."""
        self._errors: list[SnmpError] = []
        self._deadline = time.monotonic() + LONGEST_CALL_SECONDS

    @property
    def failures(self) -> int:
        """How much of it failed until now."""
        return len(self._errors)

    def failed(self, error: SnmpError) -> None:
        """Something failed that does not hinder the rest."""
        self.found.update(error.found)
        self._errors.append(error)
        if isinstance(error, SnmpTimeout):
            self.silent += 1
            if self.silent >= _MOST_SILENT:
                raise error

    def in_time(self) -> None:
        """Raise SnmpTimeout where the call has taken too long."""
        if time.monotonic() > self._deadline:
            raise SnmpTimeout(
                f"{self.where} did not give everything within {LONGEST_CALL_SECONDS:g} s",
                "it answers slowly, or without end; what it gave until then is kept",
            )

    def end(self) -> dict[str, SnmpValue]:
        """What was found; raises the first error with it."""
        if self._errors:
            error = self._errors[0]
            if more := len(self._errors) - 1:
                error.message += f" (and {more} more)"
                error.args = (error.message,)
            error.found = self.found
            raise error
        return self.found


class Calls:
    """The calls to one device, one at a time, and whether it answers: shared by all that ask the same device."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.has_answered = False
        self._endpoint = endpoint
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def calling(self) -> AsyncIterator[Call]:
        """A call, when the one before has ended. An error that ends it takes what was found along."""
        async with self._lock:
            call = Call(self._endpoint)
            try:
                yield call
            except SnmpError as error:
                if isinstance(error, SnmpTimeout):
                    self.has_answered = False  # the next call is not patient with it
                error.found = call.found
                raise


def where(endpoint: Endpoint) -> str:
    """A device in messages."""
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    return host if endpoint.port == 161 else f"{host}:{endpoint.port}"


def silent(endpoint: Endpoint, credential: Credential, *, refused: bool = False) -> SnmpTimeout:
    """Nothing came."""
    if refused:
        return SnmpTimeout(
            f"{where(endpoint)} is there, and nothing answers SNMP on its UDP port {endpoint.port}",
            "turn SNMP on in the device, or give the port that it uses",
        )
    what = "the community"
    if credential.version == "v3":
        what = "the user and the privacy password, of which a device may say nothing"
    return SnmpTimeout(
        f"{where(endpoint)} did not answer within {endpoint.timeout_seconds:g} s, asked {endpoint.retries + 1} times",
        f"check that it is on, its address, whether it lets this machine ask (firewall, access list), and {what}",
    )


def refused(endpoint: Endpoint, error: int, oid: str) -> SnmpError:
    """The device's error status as an error of the port."""
    name = ERROR_NAMES.get(error, f"error {error}")
    if error == 16:
        return SnmpAuthError(
            f"{where(endpoint)} does not let this user read {oid} ({name})", "widen the user's view in the device"
        )
    return SnmpProtocolError(
        f"{where(endpoint)} answers {name} for {oid}", "the device's own fault; a newer firmware may read it"
    )


def batches(oids: Iterable[str], size: int) -> Iterator[list[str]]:
    """The OIDs as they come, each once, so many at a time."""
    ordered = list(dict.fromkeys(oids))
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def topmost(columns: Iterable[str]) -> list[str]:
    """The columns in order, those left out that lie below another one."""
    kept: list[str] = []
    for column in sorted(set(columns), key=arcs):
        if not kept or not is_below(column, kept[-1]):
            kept.append(column)
    return kept


@dataclass(slots=True)
class Cursor:
    """Where a walk of one column stands."""

    column: str
    at: str
    count: int = 0
    done: bool = False
    asked: bool = False
    """Whether it was asked for at all."""


class ExchangeClient:
    """The port (`SnmpClient`) over an exchange. One call at a time; others wait."""

    def __init__(self, endpoint: Endpoint, exchange: Exchange, calls: Calls | None = None) -> None:
        self.endpoint = endpoint
        self.exchange = exchange
        self.calls = calls or Calls(endpoint)
        self.most = MOST_ASKED

    async def get(self, oids: Iterable[str]) -> dict[str, SnmpValue]:
        async with self.calls.calling() as call:
            for batch in batches(oids, self.most):
                await self.get_batch(call, batch)
        return call.end()

    async def heads(self, oids: Iterable[str]) -> dict[str, SnmpValue]:
        cursors = [Cursor(oid, oid) for oid in sorted(set(oids), key=arcs)]
        try:
            async with self.calls.calling() as call:
                await self.first(call, cursors, alone=is_instance)
            return heads_of(cursors, call.end())
        except SnmpError as error:
            error.found = heads_of(cursors, error.found)
            raise

    async def walk(self, columns: Iterable[str]) -> dict[str, SnmpValue]:
        async with self.calls.calling() as call:
            cursors = [Cursor(column, column) for column in topmost(columns)]
            await self.first(call, cursors)
            await self.walk_on(call, cursors)
        return call.end()

    async def close(self) -> None:
        await self.exchange.close()

    async def _ask(self, call: Call, kind: Kind, oids: Sequence[str], repetitions: int = 0) -> Answer | None:
        """One answer; None where the device needs a smaller request. A single OID's failure is told to the call."""
        call.in_time()
        divisible = len(oids) > 1 or repetitions > 0
        try:
            answer = await self.exchange.ask(kind, oids, repetitions)
        except SnmpTimeout as error:
            # Some agents drop what is too long for them without a word.
            if not self.calls.has_answered or not divisible:
                self._fail(call, error)
            return None if divisible else _NOTHING
        except SnmpProtocolError as error:
            if not divisible:
                call.failed(error)
            return None if divisible else _NOTHING
        self.calls.has_answered = True
        call.silent = 0
        if answer.error == NO_ERROR or not divisible:
            return answer
        unplaced = answer.error == TOO_BIG or not 1 <= answer.index <= len(oids)
        return None if unplaced or repetitions else answer

    def _fail(self, call: Call, error: SnmpError) -> None:
        if not self.calls.has_answered:
            raise error
        call.failed(error)

    async def get_batch(self, call: Call, oids: list[str]) -> None:
        """One request of single values, or several where the device needs it."""
        while oids:
            answer = await self._ask(call, "get", oids)
            if answer is None:
                for part in _divided(oids):
                    await self.get_batch(call, part)
                return
            rest = self._taken if answer.error == NO_ERROR else self._without_refused
            oids = rest(call, oids, answer)

    def _without_refused(self, call: Call, oids: list[str], answer: Answer) -> list[str]:
        """The OIDs but that which the device refused: a v1 agent so says that it has it not."""
        place = answer.index - 1 if 1 <= answer.index <= len(oids) else 0
        if answer.error != NO_SUCH_NAME:
            call.failed(refused(self.endpoint, answer.error, oids[place]))
        return oids[:place] + oids[place + 1 :]

    def _taken(self, call: Call, oids: Sequence[str], answer: Answer) -> list[str]:
        """Keep an answer's values; the OIDs that it leaves out, to be asked again, are given back."""
        if answer is _NOTHING:
            return []
        asked, told = set(oids), {oid for oid, _ in answer.variables}
        call.found.update({oid: value for oid, value in answer.variables if value is not None and oid in asked})
        if told <= asked and told:
            return [oid for oid in oids if oid not in told]
        strange = next((f"{oid}, which was not asked for" for oid in told - asked), "nothing")
        call.failed(
            SnmpProtocolError(
                f"{call.where} answers {strange} ({oids[0]} was asked)",
                "the device's own fault; a newer firmware may answer rightly",
            )
        )
        return []

    async def first(self, call: Call, cursors: Sequence[Cursor], alone: Callable[[str], bool] = lambda _: True) -> None:
        """The first value of each, many a request: most columns of a profile a device does not have.

        What a profile calls a column may be one value, which nothing lies below: where `alone` says so, it is asked too.
        """
        for start in range(0, len(cursors), self.most):
            await self._step(call, cursors[start : start + self.most], 0)
        rest = [one.column for one in cursors if not one.count and alone(one.column)]
        if self.exchange.has_bulk:
            for batch in batches(rest, self.most):
                await self.get_batch(call, batch)
            return
        # A v1 agent refuses a whole GET for each OID that it does not have. What follows the OID before it tells as well.
        before = [Cursor(oid, _before(oid)) for oid in rest]
        for start in range(0, len(before), self.most):
            await self._step(call, before[start : start + self.most], 0)

    async def walk_on(self, call: Call, cursors: Sequence[Cursor]) -> None:
        """Walk columns to their ends, from where they stand."""
        width = _COLUMNS_AT_ONCE if self.exchange.has_bulk else MOST_ASKED
        active = [one for one in cursors if not one.done]
        while active:
            group = active[:width]
            bulk = self.exchange.has_bulk and call.bulk
            await self._step(call, group, max(2, _VALUES_AT_ONCE // len(group)) if bulk else 0)
            active = [one for one in active if not one.done]

    async def _step(self, call: Call, group: Sequence[Cursor], repetitions: int) -> None:
        """One request for some columns (GETNEXT with no repetitions), or several where the device needs it."""
        oids = [one.at for one in group]
        answer = await self._ask(call, "bulk" if repetitions else "next", oids, repetitions)
        if answer is not None and answer.error == NO_ERROR and not answer.variables and len(group) > 1:
            answer = None  # an answer without anything says nothing of many columns
        if answer is None:
            if repetitions:
                call.bulk = False
                await self._step(call, group, 0)
                return
            for part in _divided(group):
                await self._step(call, part, 0)
            return
        if answer.error != NO_ERROR:
            self._without_refused(call, oids, answer)
            place = answer.index - 1 if 1 <= answer.index <= len(group) else 0
            group[place].done = True
            if len(group) > 1:
                await self._step(call, [one for one in group if not one.done], repetitions)
            return
        if not answer.variables:
            group[0].done = True
        for place, (oid, value) in enumerate(answer.variables):
            advance(call, group[place % len(group)], oid, value)


def advance(call: Call, cursor: Cursor, oid: str, value: SnmpValue | None) -> None:
    """Take the next value of a walk, or see that it is at its end."""
    if cursor.done:
        return
    if (value is None and oid == cursor.at) or not is_below(oid, cursor.column):
        cursor.done = True
    elif arcs(oid) <= arcs(cursor.at):
        cursor.done = True
        call.failed(
            SnmpTableError(
                f"{call.where} walks in a circle below {cursor.column} ({oid} follows {cursor.at})",
                "the device's own fault; a newer firmware may walk rightly",
            )
        )
    elif cursor.count >= MOST_ROWS:
        cursor.done = True
        call.failed(
            SnmpTableError(
                f"{call.where} has more than {MOST_ROWS} values below {cursor.column}",
                "the rest is left out; the device's table may have no end",
            )
        )
    else:
        cursor.at = oid
        cursor.count += 1
        if value is not None:
            call.found[oid] = value


def _before(oid: str) -> str:
    """An OID just before another one, as near as old agents can take it.

    >>> _before("1.3.6.2"), _before("1.3.6.0")
    ('1.3.6.1', '1.3.6')
    """
    above, _, last = oid.rpartition(".")
    return above if last == "0" else f"{above}.{int(last) - 1}"


def heads_of(cursors: Iterable[Cursor], found: Mapping[str, SnmpValue]) -> dict[str, SnmpValue]:
    """What was found at or below each OID, by the OID."""
    return {one.column: found[one.at] for one in cursors if one.at in found}


def _divided(items: Sequence[T]) -> Iterator[list[T]]:
    """A request that was too big in smaller ones: fifths, which comes to single ones in two steps."""
    size = max(1, len(items) // 5)
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
