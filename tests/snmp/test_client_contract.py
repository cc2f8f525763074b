"""One contract, two libraries: whatever a device does, the same answers and the same errors, in bounded time."""

import asyncio
import resource
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from collector.snmp import exchange, gufo_client
from collector.snmp.client import (
    MOST_ROWS,
    AuthProtocol,
    Credential,
    Endpoint,
    PrivProtocol,
    SnmpAuthError,
    SnmpClient,
    SnmpError,
    SnmpNameError,
    SnmpProtocolError,
    SnmpTableError,
    SnmpTimeout,
)
from collector.snmp.credentials import AUTH_PROTOCOLS, PRIV_PROTOCOLS
from collector.snmp.opening import Library, open_client
from collector.snmp.values import Oid, SnmpValue
from tests.conftest import missing
from tests.servers import snmpd as net_snmp
from tests.servers.hostile_snmp import (
    COUNTER64,
    GAUGE32,
    GEN_ERR,
    IP_ADDRESS,
    NULL,
    OPAQUE,
    TICKS,
    TOO_BIG,
    Arcs,
    Hostile,
    Packets,
    Request,
    dotted,
    integer,
    object_id,
    octets,
    report,
    responder,
    table,
    tlv,
)
from tests.servers.process import free_port
from tests.servers.snmpd import Snmpd, snmpd

T = TypeVar("T")
NAME, DESCRIPTION = "1.3.6.1.2.1.1.5.0", "1.3.6.1.2.1.1.1.0"
ENTRY = "1.3.6.1.4.1.55555.1.1"
QUICK = 0.25
PUBLIC = Credential(community="public")
AUTH_KEY, PRIV_KEY = "authentication-1", "privacy-word-2"


@pytest.fixture(params=["gufo", "pysnmp"])
def library(request: pytest.FixtureRequest) -> Library:
    found: Library = request.param
    return found


def ask(
    library: Library,
    port: int,
    what: Callable[[SnmpClient], Awaitable[T]],
    credential: Credential = PUBLIC,
    *,
    timeout: float = QUICK,
    retries: int = 1,
    host: str = "127.0.0.1",
) -> T:
    """Open a client, ask, close. No call of a test takes a minute."""

    async def run() -> T:
        client = open_client(Endpoint(host, port, timeout, retries), credential, library)
        try:
            return await asyncio.wait_for(what(client), 60)
        finally:
            await client.close()

    return asyncio.run(run())


def user(auth: AuthProtocol, priv: PrivProtocol) -> Credential:
    name = f"{auth}{priv}".replace("-", "") or "noauth"
    return Credential("", "v3", "", name, auth, AUTH_KEY if auth else "", priv, PRIV_KEY if priv else "")


USERS = (user("", ""), *(user(auth, priv) for auth in AUTH_PROTOCOLS for priv in ("", *PRIV_PROTOCOLS)))
SECURE = user("SHA-256", "AES-256")


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snmpd]:
    if not net_snmp.available():
        missing("snmpd (Debian package snmpd)")
    with snmpd(tmp_path_factory.mktemp("snmpd"), free_port(), users=USERS) as one:
        yield one


@contextmanager
def own_agent(folder: Path) -> Iterator[Snmpd]:
    if not net_snmp.available():
        missing("snmpd (Debian package snmpd)")
    with snmpd(folder, free_port(), users=(SECURE,)) as one:
        yield one


# ---- what agents have


@pytest.mark.parametrize(
    "credential",
    [Credential(version="v1", community="public"), PUBLIC, *USERS],
    ids=lambda one: f"{one.version}-{one.auth_protocol}-{one.priv_protocol}",
)
def test_a_real_agent_is_read_with_every_version_and_protocol(
    library: Library, agent: Snmpd, credential: Credential
) -> None:
    async def everything(client: SnmpClient) -> tuple[object, ...]:
        values = await client.get([NAME, "1.3.6.1.2.1.1.2.0", "1.3.6.1.2.1.1.99.0"])
        heads = await client.heads(["1.3.6.1.2.1.2.2.1.2", "1.3.6.1.4.1.9", NAME])
        rows = await client.walk(["1.3.6.1.2.1.2.2.1.1", "1.3.6.1.2.1.2.2.1.2", "1.3.6.1.4.1.9", "1.3.6.1.2.1.1.9.1.3"])
        return values, heads, rows

    values, heads, rows = ask(library, agent.port, everything, credential, timeout=2)
    assert values == {NAME: b"snmpd-of-the-test", "1.3.6.1.2.1.1.2.0": Oid("1.3.6.1.4.1.8072.3.2.10")}
    assert heads == {"1.3.6.1.2.1.2.2.1.2": b"lo", NAME: b"snmpd-of-the-test"}
    assert isinstance(rows, dict)
    assert rows["1.3.6.1.2.1.2.2.1.1.1"] == 1
    assert len([oid for oid in rows if oid.startswith("1.3.6.1.2.1.1.9.1.3.")]) >= 5


def test_an_agent_at_an_ipv6_address(library: Library, tmp_path: Path) -> None:
    if not net_snmp.available():
        missing("snmpd (Debian package snmpd)")
    with snmpd(tmp_path, free_port(), users=(SECURE,), host="::1") as one:
        for credential in (PUBLIC, SECURE):
            assert ask(library, one.port, lambda c: c.get([NAME]), credential, timeout=2, host="::1")


def test_a_host_name_is_asked_at_its_address(library: Library, agent: Snmpd) -> None:
    assert ask(library, agent.port, lambda c: c.get([NAME]), host="localhost", timeout=2)


def test_a_name_without_address_is_told(library: Library) -> None:
    with pytest.raises(SnmpNameError, match=r"no-such-host\.invalid has no address"):
        ask(library, 161, lambda c: c.get([NAME]), host="no-such-host.invalid")


def test_values_of_every_type_come_the_same(library: Library) -> None:
    base = "1.3.6.1.4.1.55555.3"
    kinds = {
        1: (integer(-40), -40),
        2: (octets(b"\x00\xff text"), b"\x00\xff text"),
        3: (object_id((1, 3, 6, 1, 4, 1, 9, 1, 2**32 - 1)), Oid("1.3.6.1.4.1.9.1.4294967295")),
        4: (tlv(IP_ADDRESS, bytes((10, 0, 0, 254))), "10.0.0.254"),
        5: (integer(2**32 - 1, GAUGE32), 2**32 - 1),
        6: (integer(2**64 - 1, COUNTER64), 2**64 - 1),
        7: (integer(2**31, TICKS), 2**31),
        8: (tlv(OPAQUE, bytes.fromhex("9f780442f60000")), 123.0),
        9: (tlv(OPAQUE, b"abc"), b"abc"),
        10: (octets(b""), b""),
        11: (tlv(NULL, b""), None),
    }
    expected = {f"{base}.{place}.0": value for place, (_, value) in kinds.items() if value is not None}
    with responder(Hostile({dotted(f"{base}.{place}.0"): value for place, (value, _) in kinds.items()})) as port:
        got = ask(library, port, lambda c: c.get([*expected, f"{base}.11.0"]))
        walked = ask(library, port, lambda c: c.walk([base]))
    assert got == walked == expected
    assert isinstance(got[f"{base}.3.0"], Oid)
    assert not isinstance(got[f"{base}.4.0"], Oid)


@pytest.mark.parametrize("version", ["v1", "v2c"])
def test_what_a_device_does_not_have_is_left_out(library: Library, version: str) -> None:
    credential = Credential(version="v1" if version == "v1" else "v2c", community="public")
    some = [f"{ENTRY}.1.{row}" for row in range(1, 60)]
    with responder(Hostile(table(rows=30))) as port:
        got = ask(library, port, lambda c: c.get([*some, NAME]), credential)
        assert set(got) == {*some[:30], NAME}
        assert ask(library, port, lambda c: c.get(["1.3.6.1.2.1.1.9.0"]), credential) == {}
        assert ask(library, port, lambda c: c.heads(["1.3.6.1.5", ENTRY, f"{ENTRY}.9"]), credential) == {ENTRY: 100_001}
        walked = ask(library, port, lambda c: c.walk(["1.3.6.1.5", f"{ENTRY}.2", f"{ENTRY}.9", NAME]), credential)
    assert walked == {f"{ENTRY}.2.{row}": 200_000 + row for row in range(1, 31)} | {NAME: b"hostile"}


def test_fifty_thousand_rows_come_whole(library: Library) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with responder(Hostile(table(rows=MOST_ROWS, columns=1))) as port:
        found = ask(library, port, lambda c: c.walk([f"{ENTRY}.1"]), timeout=2)
    assert len(found) == MOST_ROWS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kB


# ---- what agents do


def test_an_error_of_one_object_is_told_and_hinders_no_other(library: Library) -> None:
    bad = dotted(f"{ENTRY}.1.7")

    def mangle(request: Request, honest: bytes) -> Packets:
        if bad in request.oids and request.kind == 0xA0:
            honest = request.failed(GEN_ERR, request.oids.index(bad) + 1)
        yield 0.0, honest

    with responder(Hostile(table(rows=30), mangle=mangle)) as port, pytest.raises(SnmpProtocolError) as told:
        ask(library, port, lambda c: c.get(f"{ENTRY}.1.{row}" for row in range(1, 31)))
    assert told.value.message == f"127.0.0.1:{port} answers genErr for {ENTRY}.1.7"
    assert told.value.remedy
    assert set(told.value.found) == {f"{ENTRY}.1.{row}" for row in range(1, 31) if row != 7}


def test_a_column_that_ends_in_an_error_is_no_empty_one(library: Library) -> None:
    beyond = object_id(dotted(f"{ENTRY}.1.8"))

    def mangle(request: Request, honest: bytes) -> Packets:
        # GETBULK fails as a whole where its rows come to the bad one, as net-snmp's subagents make it do.
        yield 0.0, request.failed(GEN_ERR, 1) if beyond in honest else honest

    with responder(Hostile(table(rows=30), mangle=mangle)) as port, pytest.raises(SnmpProtocolError) as told:
        ask(library, port, lambda c: c.walk([f"{ENTRY}.1", f"{ENTRY}.2"]))
    assert f"genErr for {ENTRY}.1.7" in told.value.message
    assert {f"{ENTRY}.1.7", f"{ENTRY}.2.30"} <= set(told.value.found)


def test_a_request_that_is_too_big_is_divided(library: Library) -> None:
    def mangle(request: Request, honest: bytes) -> Packets:
        count = len(request.oids) * max(1, request.second if request.kind == 0xA5 else 1)
        yield 0.0, request.answer([], TOO_BIG) if count > 3 else honest

    with responder(Hostile(table(rows=30), mangle=mangle)) as port:
        got = ask(library, port, lambda c: c.get(f"{ENTRY}.1.{row}" for row in range(1, 31)))
        walked = ask(library, port, lambda c: c.walk([f"{ENTRY}.1", f"{ENTRY}.2"]))
    assert (len(got), len(walked)) == (30, 60)


def test_a_request_that_is_dropped_for_its_length_is_divided(library: Library) -> None:
    def mangle(request: Request, honest: bytes) -> Packets:
        if len(request.oids) <= 5 and request.kind != 0xA5:
            yield 0.0, honest

    async def both(client: SnmpClient) -> tuple[int, int]:
        assert await client.heads([ENTRY])
        return len(await client.get(f"{ENTRY}.1.{row}" for row in range(1, 31))), len(await client.walk([ENTRY]))

    with responder(Hostile(table(rows=10, columns=3), mangle=mangle)) as port:
        assert ask(library, port, both, retries=0) == (10, 30)


Mangle = Callable[[Request, bytes], Packets]


def other_id(request: Request, late: float = 0.0) -> tuple[float, bytes]:
    return late, request.answer([(oid, integer(1)) for oid in request.oids], request_id=request.request_id ^ 0x155)


def answered(what: bytes) -> Packets:
    return [(0.0, what)]


BROKEN: dict[str, tuple[Mangle, str]] = {
    "garbage": (lambda _, __: answered(b"\xde\xad\xbe\xef" * 9), "what is no SNMP"),
    "nothing": (lambda _, __: answered(b""), "what is no SNMP"),
    "truncated": (lambda _, honest: answered(honest[:-5]), "what is no SNMP"),
    "more behind it": (lambda _, honest: answered(honest + b"abc"), "what is no SNMP of this version"),
    "another number": (lambda request, _: [other_id(request)], "another request's number"),
    "many of them": (lambda request, _: [other_id(request, 0.05 * at) for at in range(100)], "another request"),
    "another community": (
        lambda request, _: answered(request.answer([(request.oids[0], integer(1))], community=b"x")),
        "another community",
    ),
    "a request back": (lambda _, honest: answered(honest.replace(b"\xa2", b"\xa0", 1)), "another kind"),
    "other objects": (
        lambda request, _: answered(request.answer([((1, 3, 6, 1, 9, 1), integer(1)) for _ in request.oids])),
        "1.3.6.1.9.1, which was not asked for",
    ),
    "no objects": (lambda request, _: answered(request.answer([])), "answers nothing"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_answer_is_told_as_one(library: Library, how: str) -> None:
    mangle, said = BROKEN[how]
    with responder(Hostile(table(rows=3), mangle=mangle)) as port:
        began = time.monotonic()
        try:
            ask(library, port, lambda c: c.get([NAME, DESCRIPTION]))
        except SnmpError as error:
            # gufo hears nothing of answers that it takes for another's: to it the device is silent.
            silent = library == "gufo" and how in ("another number", "many of them", "another community")
            assert isinstance(error, SnmpTimeout if silent else SnmpProtocolError), error
            assert f"127.0.0.1:{port}" in error.message
            assert silent or said in error.message
            assert error.remedy
            assert "public" not in error.message + error.remedy
        else:
            pytest.fail("no error")
        assert time.monotonic() - began < 8


@pytest.mark.parametrize("kind", ["garbage", "truncated", "another number", "another community"])
def test_a_good_answer_behind_a_broken_one_counts(library: Library, kind: str) -> None:
    broken, _ = BROKEN[kind]

    def mangle(request: Request, honest: bytes) -> Packets:
        yield from broken(request, honest)
        yield 0.05, honest

    with responder(Hostile(table(rows=3), mangle=mangle)) as port:
        assert ask(library, port, lambda c: c.get([NAME, DESCRIPTION])).keys() == {NAME, DESCRIPTION}


def test_one_value_that_is_no_ber_costs_no_other(library: Library) -> None:
    values = table(rows=10) | {dotted(f"{ENTRY}.1.4"): tlv(0x45, b"abc"), dotted(f"{ENTRY}.1.5"): tlv(IP_ADDRESS, b"")}
    with responder(Hostile(values)) as port, pytest.raises(SnmpProtocolError, match="no SNMP") as told:
        ask(library, port, lambda c: c.get(f"{ENTRY}.1.{row}" for row in range(1, 11)), retries=0)
    assert {f"{ENTRY}.1.{row}" for row in (1, 2, 3, 6, 7, 8, 9, 10)} <= set(told.value.found)


def test_lost_doubled_and_late_packets_change_nothing(library: Library) -> None:
    seen: dict[tuple[Arcs, ...], int] = {}

    def mangle(request: Request, honest: bytes) -> Packets:
        key = (*request.oids, (request.kind,))
        seen[key] = seen.get(key, 0) + 1
        if len(seen) % 3 == 0 and seen[key] == 1:
            return  # lost, until it is asked again
        if len(seen) % 5 == 0 and seen[key] == 1:
            yield 0.3, honest  # later than the timeout, when it was asked again or another is on its way
            return
        yield 0.0, honest
        yield 0.0, honest

    with responder(Hostile(table(rows=60, columns=4), mangle=mangle)) as port:
        walked = ask(library, port, lambda c: c.walk([ENTRY]), retries=2)
        got = ask(library, port, lambda c: c.get(f"{ENTRY}.3.{row}" for row in range(1, 61)), retries=2)
    assert walked == {f"{ENTRY}.{c}.{r}": c * 100_000 + r for c in range(1, 5) for r in range(1, 61)}
    assert got == {f"{ENTRY}.3.{r}": 300_000 + r for r in range(1, 61)}


def test_silence_is_told_after_the_retries(library: Library) -> None:
    silent = Hostile(mangle=lambda _, __: [])
    with responder(silent) as port, pytest.raises(SnmpTimeout) as told:
        ask(library, port, lambda c: c.walk([ENTRY, NAME]), retries=2)
    assert told.value.message == f"127.0.0.1:{port} did not answer within 0.25 s, asked 3 times"
    assert "community" in told.value.remedy
    assert len(silent.heard) == 3


def test_a_port_where_nothing_listens_is_a_timeout(library: Library) -> None:
    began = time.monotonic()
    with pytest.raises(SnmpTimeout):
        ask(library, free_port(), lambda c: c.get([NAME]))
    assert time.monotonic() - began < 3


def test_a_device_that_falls_silent_gives_what_it_gave(library: Library) -> None:
    def mangle(request: Request, honest: bytes) -> Packets:
        if max(request.oids) < dotted(f"{ENTRY}.2"):
            yield 0.0, honest

    with responder(Hostile(table(rows=60), mangle=mangle)) as port, pytest.raises(SnmpTimeout) as told:
        ask(library, port, lambda c: c.get(f"{ENTRY}.{n}.{row}" for n in (1, 2) for row in range(1, 61)), retries=0)
    assert f"{ENTRY}.1.1" in told.value.found


def stuck(oid: Arcs) -> tuple[Arcs, bytes]:
    return dotted(f"{ENTRY}.1.5"), integer(5)


def circle(oid: Arcs) -> tuple[Arcs, bytes]:
    row = oid[-1] if oid[: len(dotted(ENTRY))] == dotted(ENTRY) and len(oid) > 10 else 0
    return (*dotted(f"{ENTRY}.1"), row % 7 + 1), integer(row)


@pytest.mark.parametrize("after", [stuck, circle])
def test_oids_that_do_not_increase_end_the_walk(
    library: Library, after: Callable[[Arcs], tuple[Arcs, bytes] | None]
) -> None:
    agent = Hostile(table(rows=3), after=after)
    with responder(agent) as port, pytest.raises(SnmpTableError, match="walks in a circle") as told:
        ask(library, port, lambda c: c.walk([f"{ENTRY}.1"]))
    assert told.value.found
    assert len(agent.heard) < 12


def test_a_table_without_end_is_cut_off(library: Library) -> None:
    def endless(oid: Arcs) -> tuple[Arcs, bytes]:
        column = dotted(f"{ENTRY}.1")
        return (*column, oid[len(column)] + 1 if len(oid) > len(column) else 1), integer(1)

    began = time.monotonic()
    with responder(Hostile(table(rows=3), after=endless)) as port, pytest.raises(SnmpTableError) as told:
        ask(library, port, lambda c: c.walk([f"{ENTRY}.1"]), timeout=2)
    assert f"more than {MOST_ROWS} values below {ENTRY}.1" in told.value.message
    assert len(told.value.found) == MOST_ROWS
    assert time.monotonic() - began < 55


def test_a_device_that_gives_a_little_for_ever_is_left_after_a_while(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "LONGEST_CALL_SECONDS", 1.0)
    slow = Hostile(table(rows=5000), mangle=lambda _, honest: [(0.15, honest)])
    with responder(slow) as port, pytest.raises(SnmpTimeout, match="did not give everything") as told:
        ask(library, port, lambda c: c.walk([ENTRY]))
    assert told.value.found


# ---- what is asked after an answer: here gufo walks by itself, and pysnmp is made for what it cannot tell


async def answered_before(client: SnmpClient, what: Callable[[SnmpClient], Awaitable[T]]) -> T:
    assert NAME in await client.get([NAME])
    return await what(client)


def test_a_device_that_has_answered_is_walked_and_probed_alike(library: Library) -> None:
    columns = ["1.3.6.1.2.1.7", f"{ENTRY}.1", f"{ENTRY}.2", f"{ENTRY}.9", "1.3.6.1.5", NAME]

    async def both(client: SnmpClient) -> tuple[dict[str, SnmpValue], dict[str, SnmpValue]]:
        return await client.heads(columns), await client.walk(columns)

    with responder(Hostile(table(rows=60))) as port:
        heads, walked = ask(library, port, lambda c: answered_before(c, both))
    assert heads == {f"{ENTRY}.1": 100_001, f"{ENTRY}.2": 200_001, NAME: b"hostile"}
    cells = {f"{ENTRY}.{column}.{row}": column * 100_000 + row for column in (1, 2) for row in range(1, 61)}
    assert walked == cells | {NAME: b"hostile"}


def test_an_error_is_no_end_of_the_tree(library: Library) -> None:
    """gufo takes both for the same: after the end was seen once, an error before it is still told."""
    bad = dotted(f"{ENTRY}.1.30")
    state = {"bad": False}

    def mangle(request: Request, honest: bytes) -> Packets:
        beyond = request.kind != 0xA0 and any(dotted(f"{ENTRY}.1") < oid <= bad for oid in request.oids)
        yield 0.0, request.failed(GEN_ERR, 1) if state["bad"] and beyond else honest

    async def twice(client: SnmpClient) -> int:
        found = await client.walk([f"{ENTRY}.1", f"{ENTRY}.2", f"{ENTRY}.9"])
        state["bad"] = True
        with pytest.raises(SnmpProtocolError, match=f"genErr for {ENTRY}.1"):
            await client.walk([f"{ENTRY}.1", f"{ENTRY}.2", f"{ENTRY}.9"])
        return len(found)

    with responder(Hostile(table(rows=60), mangle=mangle)) as port:
        assert ask(library, port, lambda c: answered_before(c, twice)) == 120


def test_a_walk_of_a_device_that_has_answered_ends_in_time(library: Library) -> None:
    agent = Hostile(table(rows=3), after=circle)
    with responder(agent) as port, pytest.raises(SnmpTableError, match="walks in a circle"):
        ask(library, port, lambda c: answered_before(c, lambda one: one.walk([f"{ENTRY}.1"])))
    assert len(agent.heard) < 12


def test_a_real_device_is_polled_without_pysnmp(agent: Snmpd) -> None:
    """It costs 0.2 s of processor time and over 1 MB for each device that speaks v3."""
    missing_column, last = "1.3.6.1.2.1.2.2.1.99", "1.3.6.1.2.1.31.1.1.1.1"

    async def poll(client: SnmpClient) -> int:
        assert isinstance(client, gufo_client.GufoClient)
        await client.get([NAME, "1.3.6.1.2.1.1.99.0"])
        await client.get(["1.3.6.1.2.1.1.99.0"])
        await client.heads([last, "1.3.6.1.4.1.9", "1.3.6.1.4.1.9.2.0"])
        found = await client.walk(["1.3.6.1.2.1.2.2.1.2", missing_column, last])
        assert client._pysnmp is None
        return len(found)

    for credential in (PUBLIC, SECURE):
        assert ask("gufo", agent.port, poll, credential, timeout=2) >= 2


# ---- v3


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            Credential("", "v3", "", "stranger", "SHA-256", AUTH_KEY, "AES-256", PRIV_KEY),
            "does not know the user stranger",
        ),
        (
            Credential("", "v3", "", SECURE.user, "SHA-256", "wrong-password", "AES-256", PRIV_KEY),
            "refuses the authent",
        ),
        (Credential("", "v3", "", SECURE.user, "SHA-1", AUTH_KEY, "AES-256", PRIV_KEY), "refuses the authentication"),
    ],
)
def test_a_credential_that_is_refused_is_told(library: Library, agent: Snmpd, wrong: Credential, said: str) -> None:
    with pytest.raises(SnmpAuthError) as told:
        ask(library, agent.port, lambda c: c.get([NAME]), wrong, timeout=1)
    assert said in told.value.message
    assert f"127.0.0.1:{agent.port}" in told.value.message
    assert told.value.remedy
    whole = f"{told.value} {told.value.remedy} {wrong!r}"
    assert not any(secret in whole for secret in (AUTH_KEY, PRIV_KEY, "wrong-password"))


def test_a_wrong_privacy_password_is_told(library: Library, agent: Snmpd) -> None:
    # net-snmp says nothing to what it cannot decrypt, and so it is a timeout that names the passwords.
    wrong = Credential("", "v3", "", SECURE.user, "SHA-256", AUTH_KEY, "AES-256", "wrong-password")
    with pytest.raises(SnmpError) as told:
        ask(library, agent.port, lambda c: c.get([NAME]), wrong)
    assert isinstance(told.value, (SnmpAuthError, SnmpTimeout))
    assert "privacy password" in told.value.remedy


@pytest.mark.parametrize("engine", ["ictagent-test", "another-engine"])
def test_a_device_that_starts_again_is_read_on(library: Library, tmp_path: Path, engine: str) -> None:
    """The same engine id with more boots, or a new one: the clock that the client kept is wrong."""
    with own_agent(tmp_path) as one:

        async def before_and_after(client: SnmpClient) -> bool:
            first = await client.get([NAME])
            rows = await client.walk(["1.3.6.1.2.1.2.2.1.2"])
            await asyncio.to_thread(one.restart, engine)
            again = await client.get([NAME]), await client.walk(["1.3.6.1.2.1.2.2.1.2"])
            return bool(first and rows) and again == (first, rows)

        assert ask(library, one.port, before_and_after, SECURE, timeout=2)


def test_after_a_pause_the_devices_clock_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gufo_client, "IDLE_SECONDS", 0.0)
    with own_agent(tmp_path) as one:

        async def twice(client: SnmpClient) -> bool:
            return await client.get([NAME]) == await client.get([NAME])

        assert ask("gufo", one.port, twice, SECURE, timeout=2)


REPORTS = {
    "1.3.6.1.6.3.15.1.1.1.0": "at this security level",
    "1.3.6.1.6.3.15.1.1.2.0": "out of its time",
    "1.3.6.1.6.3.15.1.1.3.0": "does not know the user",
    "1.3.6.1.6.3.15.1.1.5.0": "refuses the authentication",
    "1.3.6.1.6.3.15.1.1.6.0": "cannot decrypt",
}


@pytest.mark.parametrize("counter", REPORTS)
def test_reports_without_end_are_told_as_what_they_say(library: Library, counter: str) -> None:
    asked = []

    def reports(packet: bytes) -> Packets:
        asked.append(packet)
        # First what discovery is answered with, then always the same refusal.
        yield 0.0, report(packet, "1.3.6.1.6.3.15.1.1.4.0" if len(asked) == 1 else counter)

    with responder(Hostile(reports=reports)) as port, pytest.raises(SnmpError) as told:
        ask(library, port, lambda c: c.get([NAME]), SECURE)
    assert f"127.0.0.1:{port}" in told.value.message
    assert told.value.remedy
    assert isinstance(told.value, (SnmpAuthError, SnmpTimeout))
    assert len(asked) < 60


def test_an_agent_that_changes_its_engine_id_with_every_answer_is_left(library: Library) -> None:
    asked = []

    def reports(packet: bytes) -> Packets:
        asked.append(packet)
        engine = b"\x80\x00\x1f\x88\x04engine" + str(len(asked)).encode()
        yield 0.0, report(packet, "1.3.6.1.6.3.15.1.1.4.0", engine=engine)

    with responder(Hostile(reports=reports)) as port, pytest.raises(SnmpError):
        ask(library, port, lambda c: c.get([NAME]), SECURE)
    assert len(asked) < 60


def test_a_client_is_asked_by_many_at_once(library: Library) -> None:
    async def many(client: SnmpClient) -> list[dict[str, SnmpValue]]:
        return list(await asyncio.gather(*(client.get([f"{ENTRY}.1.{row}"]) for row in range(1, 21))))

    with responder(Hostile(table(rows=20))) as port:
        found = ask(library, port, many)
    assert found == [{f"{ENTRY}.1.{row}": 100_000 + row} for row in range(1, 21)]
