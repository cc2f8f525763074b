"""Devices built of values after the MIBs' texts: what they answer and what must be read, from a TOML file of cases."""

import tomllib
from pathlib import Path
from typing import Any

from collector.snmp.device import evaluate_whole
from collector.snmp.snapshot import Snapshot

ENTERPRISES = "1.3.6.1.4.1"


def cases(path: Path) -> list[dict[str, Any]]:
    """The cases of a file: OIDs below enterprises unless they begin with `1.`, sysObjectID and sysDescr, what is read."""
    found: list[dict[str, Any]] = tomllib.loads(path.read_text("utf-8"))["case"]
    return found


def label(case: dict[str, Any]) -> str:
    """A case's name in a report of the tests."""
    return f"{case['profile']} {case['object_id']}"


def wanted(case: dict[str, Any]) -> dict[str, Any]:
    """What a case says must be read."""
    lists = {what: case.get(what, []) for what in ("readings", "processors", "memory")}
    return {"profile": case["profile"], "texts": case["texts"]} | lists


def said(case: dict[str, Any]) -> dict[str, Any]:
    """What is read of the device of a case; as profile its own, if it holds, else those that do."""
    device = evaluate_whole(snapshot(case))
    identity = device.identity
    return {
        "profile": case["profile"] if case["profile"] in device.profiles else device.profiles,
        "texts": [identity.hardware, identity.version, identity.serial],
        "readings": [f"{one.quantity} {one.value:g} {one.role}" for one in device.readings],
        "processors": [one.percent for one in device.processors],
        "memory": [one.percent for one in device.memory],
    }


def snapshot(case: dict[str, Any]) -> Snapshot:
    """What the device of a case answers."""
    values: dict[str, str | int] = {
        "1.3.6.1.2.1.1.1.0": case["description"],
        "1.3.6.1.2.1.1.2.0": f"{ENTERPRISES}.{case['object_id']}",
    }
    for oid, value in case.get("values", {}).items():
        values[oid if oid.startswith("1.") else f"{ENTERPRISES}.{oid}"] = value
    return Snapshot({oid: one.encode() if isinstance(one, str) else one for oid, one in values.items()})
