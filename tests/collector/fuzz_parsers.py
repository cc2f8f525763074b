"""Fuzz targets that need no collector: what parses texts and files that others may have spoiled."""

import contextlib
import json
import os
from pathlib import Path
from random import Random

from agent.counters import states_from_text
from agent.enrol import parse_token, read_token
from agent.errors import ConfigurationError, EnrolmentError, SpoolError
from agent.report import Report, encode
from agent.settings import AgentSettings, check_agent, load
from agent.spool import Spool
from agent.status import AgentStatus, read_status, write_status
from collector.errors import NotAuthorised
from collector.ingest import machine_of
from collector.keys import split_secret
from collector.settings import CollectorSettings
from tests.collector.mutations import spoil, spoil_bytes

TOKEN = f"0123456789abcdef.c2VjcmV0LXNlY3JldA.{'0a' * 32}"
SETTINGS = b"""[agent]
collector = "https://collector.example:8420"
token_file = "/root/token"
interval_seconds = 10.0
disabled_sources = ["battery"]
spool_limit_bytes = 268435456
nut_ups_feeds_only_this_host = false

[collector]
listen = "127.0.0.1:8420"
trusted_proxies = ["10.0.0.0/8"]
key_days = 365
"""


def token_text(chance: Random) -> None:
    """Whatever stands in a token file: parsed, or refused in words."""
    text = spoil_bytes(TOKEN.encode(), chance).decode(errors="surrogateescape")
    token = parse_token(text)
    assert token.fingerprint == "" or len(token.fingerprint) == 64
    assert text.strip().startswith(token.text)


def token_file(chance: Random, directory: Path) -> None:
    path = directory / "token"
    path.write_bytes(spoil_bytes(TOKEN.encode() + b"\n", chance))
    with contextlib.suppress(EnrolmentError):
        assert read_token(path).text


def key_text(chance: Random) -> None:
    """Keys and machines in headers."""
    text = spoil_bytes(TOKEN.encode(), chance).decode("latin-1")
    with contextlib.suppress(NotAuthorised):
        key_id, secret = split_secret(text)
        assert key_id
        assert secret
    machine, name = machine_of(spoil_bytes(b"0123456789abcdef web01%20a", chance).decode("latin-1"))
    assert len(machine) in (0, 16)
    assert len(name) <= 256
    assert "\0" not in name


def settings_file(chance: Random, directory: Path) -> None:
    """A settings file: good, or refused with the place named."""
    (directory / "agent.toml").write_bytes(spoil_bytes(SETTINGS, chance))
    with contextlib.suppress(ConfigurationError):
        check_agent(load("agent", AgentSettings, environment={}, directory=directory).settings)
    with contextlib.suppress(ConfigurationError):
        load("collector", CollectorSettings, environment={}, directory=directory)


def spool(chance: Random, directory: Path) -> None:
    """A spool directory with spoiled files: what is good in it is read, in order, and each number once."""
    # Emptied of what the case before left.
    for path in sorted(directory.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (directory / "rejected").mkdir()
    bodies = {at: encode(Report("stream-of-fuzz", at, "0.1.0", "boot-1")) for at in (1, 2, 3)}
    stream = json.dumps({"stream_id": "stream-of-fuzz", "reserved": 1001}).encode()
    spoiled = chance.randrange(4)
    if spoiled == 0:
        stream = chance.choice([spoil_bytes(stream, chance), json.dumps(spoil(json.loads(stream), chance)).encode()])
    (directory / "stream").write_bytes(stream)
    for at, body in bodies.items():
        name = f"{at:012d}.json.gz"
        if at == spoiled and chance.random() < 0.3:
            name = chance.choice(
                ["x.json.gz", ".json.gz", "-1.json.gz", "9" * 30 + ".json.gz", "\u0663.json.gz", ".a.new"]
            )
        content = spoil_bytes(body, chance) if at == spoiled else body
        (directory / name).write_bytes(content)
    if chance.random() < 0.1:
        (directory / "000000000004.json.gz").mkdir()
    try:
        opened = Spool(directory, 1024 * 1024)
    except SpoolError:
        return
    read: dict[int, bytes] = {}
    while (one := opened.oldest()) is not None:
        assert one.sequence not in read
        assert one.sequence > max(read, default=-1)
        read[one.sequence] = one.body
        opened.remove(one.sequence)
    for at, body in bodies.items():
        assert at == spoiled or read[at] == body, (at, spoiled)
    following = opened.next_sequence()
    assert following > max(read, default=0)
    opened.add(following, bodies[1])
    left = opened.oldest()
    assert left is not None
    assert left.body == bodies[1]
    opened.close()


def state_files(chance: Random, directory: Path) -> None:
    """Counter states and status of a start before."""
    states = json.dumps(
        {"rapl/package-0": {"epoch": "e", "total_uj": 5, "raw": 3, "boot_ns": 7, "boot_id": "b"}}
    ).encode()
    states_from_text(spoil_bytes(states, chance).decode(errors="replace"))
    states_from_text(json.dumps(spoil(json.loads(states), chance)))
    write_status(directory, AgentStatus("0.1.0", os.getpid(), "https://c.example", 1, 2, 60.0))
    path = directory / "status.json"
    text = path.read_bytes()
    path.write_bytes(
        spoil_bytes(text, chance) if chance.random() < 0.5 else json.dumps(spoil(json.loads(text), chance)).encode()
    )
    read_status(directory)


FILES = (token_file, settings_file, spool, state_files)
TEXTS = (token_text, key_text)
