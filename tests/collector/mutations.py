"""Reports, texts, files and requests spoiled at random, each made from a good one so that most of it still makes sense.

Everything takes its chance from a `random.Random`: hypothesis gives one that it can make smaller, the long run a seeded one.
"""

import copy
import gzip
import json
from collections.abc import Callable
from random import Random
from typing import Any

from tests.collector.reports import NS, plain_report

Json = Any

STRANGE: list[Callable[[Random], Json]] = [
    lambda _: None,
    lambda _: True,
    lambda _: "",
    lambda _: [],
    lambda _: {},
    lambda chance: chance.choice([0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**40, 10**400]),
    lambda chance: chance.choice([0.0, -0.0, 0.1, 1e-320, 1e308, float("nan"), float("inf"), -float("inf")]),
    lambda chance: chance.choice(
        ["\x00", "a\x00b", "\ud800", "\udc00\ud800", "\ufeff", "\u202e", "\U0010ffff", "\r\n", "'; --"]
    ),
    lambda chance: "x" * chance.choice([255, 256, 257, 1024, 70_000]),
    lambda chance: chance.choice(["NaN", "1", "-0", "system_cpu", "rapl/package-0", "guest/1", "counter", "estimate"]),
    lambda chance: [[]] * chance.choice([1, 64, 2000]),
    lambda chance: {f"k{at}": at for at in range(chance.choice([1, 100]))},
    lambda chance: _nested(chance.choice([5, 100, 200])),
]


def _nested(depth: int) -> Json:
    value: Json = 0
    for at in range(depth):
        value = [value] if at % 2 else {"a": value}
    return value


def _places(value: Json, found: list[tuple[Json, Any]]) -> list[tuple[Json, Any]]:
    """Every container of a JSON value with every key or position in it."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            found.append((value, key))
            _places(value[key], found)
    return found


def spoil(value: Json, chance: Random) -> Json:
    """A copy with one to four places changed: something strange in it, taken away, doubled, or put elsewhere."""
    value = copy.deepcopy(value)
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        places = _places(value, [])
        if not places:
            return value
        holder, key = chance.choice(places)
        act = chance.randrange(5)
        if act <= 1:
            holder[key] = chance.choice(STRANGE)(chance)
        elif act == 2:
            del holder[key]
        elif act == 3:
            other, other_key = chance.choice(places)
            holder[key] = copy.deepcopy(other[other_key]) if _has(other, other_key) else None
        elif isinstance(holder, list):
            holder.extend(copy.deepcopy(holder) * chance.choice([1, 2, 30]) if len(holder) < 200 else [])
        else:
            holder[chance.choice(["sequence", "rows", "x" * 300, "\ud800"])] = copy.deepcopy(holder[key])
    return value


def _has(holder: Json, key: Any) -> bool:
    return key in holder if isinstance(holder, dict) else key < len(holder)


def spoil_bytes(text: bytes, chance: Random) -> bytes:
    """Some bytes changed, put in, cut out or doubled."""
    spoiled = bytearray(text)
    for _ in range(chance.choice([1, 1, 2, 8])):
        at = chance.randrange(len(spoiled) + 1)
        act = chance.randrange(5)
        if act == 0 and at < len(spoiled):
            spoiled[at] ^= 1 << chance.randrange(8)
        elif act == 1:
            spoiled[at:at] = chance.choice(
                [b"\x00", b"\xff", b"\xed\xa0\x80", b"\\u0000", b"\\ud800", b"[" * 3000, b'"', b"\r\n"]
            )
        elif act == 2:
            del spoiled[at : at + chance.choice([1, 4, 100])]
        elif act == 3:
            del spoiled[at:]
        else:
            spoiled[at:at] = spoiled[at : at + chance.choice([1, 10, 200])]
    return bytes(spoiled)


def report(sequence: int, now_ns: int) -> dict[str, Any]:
    """A good report with something in every list."""
    at = now_ns - 10 * NS
    return plain_report(
        now_ns,
        sequence=sequence,
        sources=[{"source": "rapl", "outcome": "data", "reason": "", "remedy": ""}],
        inventory={"host_name": "fuzzed", "cpu_model": "Xeon", "memory_bytes": 2**33, "disks": [{"name": "sda"}]},
        events=[{"unix_ns": at, "code": "clock_step", "detail": "a detail"}],
        guests=[],
    )


def _twice(text: bytes, chance: Random) -> bytes:
    """An object with a key that stands in it twice."""
    key = chance.choice([b'"sequence"', b'"rows"', b'"version"', b'"stream_id"', b'"samples"'])
    value = chance.choice([b"1", b"[]", b"null", b'"stream-0002"', b"1e400", b"-0", b"99999999999999999999999"])
    return (
        b"{" + key + b":" + value + b"," + text[1:]
        if chance.random() < 0.5
        else text[:-1] + b"," + key + b":" + value + b"}"
    )


_BOMBS = {size: gzip.compress(b" " * size, 9) for size in (9_000_000, 100_000_000)}


def body(sequence: int, now_ns: int, chance: Random) -> tuple[bytes, str]:
    """A request's body and its content encoding; one in a dozen is a good one."""
    good = report(sequence, now_ns)
    act = chance.randrange(12)
    if act == 0:
        return gzip.compress(json.dumps(good).encode()), "gzip"
    if act == 1 and chance.random() < 0.1:
        return _BOMBS[chance.choice(list(_BOMBS))], "gzip"
    spoiled = spoil(good, chance) if act < 8 else good
    text = json.dumps(spoiled).encode()
    if act in (7, 8):
        text = _twice(text, chance)
    elif act == 9:
        text = spoil_bytes(text, chance)
    if chance.random() < 0.2:
        return text, chance.choice(["", "identity"])
    packed = gzip.compress(text, 1)
    if act == 10:
        packed = spoil_bytes(packed, chance)
    elif act == 11:
        packed += chance.choice([packed, b"\x00", b"\x1f\x8b"])
    return packed, chance.choice(["gzip"] * 20 + ["br", "GZIP", "gzip, gzip"])


def headers(key: str, now_ns: int, chance: Random) -> dict[str, str]:
    """What goes beside a report, mostly good."""
    found = {
        "authorization": f"Bearer {key}",
        "x-ictagent-wall-ns": str(now_ns),
        "x-ictagent-boot-ns": str(10**15),
        "x-ictagent-boot-id": "boot-1",
        "x-ictagent-machine": "0123456789abcdef fuzzed",
    }
    if chance.random() < 0.2:
        name = chance.choice(list(found))
        found[name] = chance.choice(
            [
                "",
                "-1",
                str(2**63),
                "9" * 400,
                "\xb2",
                "%00%ff%zz",
                "Bearer",
                "Bearer .",
                f"Bearer {key}x",
                f"bearer  {key}",
                f"Bearer {key[: chance.randrange(len(key))]}",
                "Basic Og==",
                "x" * 5000,
                found[name][::-1],
            ]
        )
    return found
