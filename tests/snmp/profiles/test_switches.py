"""Profiles of switches and routers of all makes but Cisco, HPE and Dell, on values written after the MIBs' texts."""

import re
from pathlib import Path
from typing import Any

import pytest

from collector.snmp.profile_files import profiles
from collector.snmp.relative import resolved
from tests.benchmarks import snmp_corpus
from tests.snmp.profiles.built_values import ENTERPRISES, cases, label, said, wanted

CASES = cases(Path(__file__).with_name("switches.toml"))
FAMILIES = (
    "^(adva|airos$|aos6|awplus|bdcom|boss|cnmatrix|cts|dlink|draytek|edgecos|edgeos|edgeswitch|eltex|enterasys|firebrick"
    "|fs-bdcom|grandstream-sw|ies52|jetstream|junos|loop|microsens|moxa|netonix|nos$|occamos|ocnos|omnitron|raisecom"
    "|routeros|rutos|scalance|seos|stellar|swos|tplink|unifi|volius|voss|vrp|xos|yunshan|zynos)"
)
MET, EXPECTED = 861, 905
"""Two patch levels that LibreNMS appends to a version, and the unit of one make's laser bias (mA, told as A)."""


@pytest.mark.parametrize("case", CASES, ids=label)
def test_values_after_the_mib_are_read(case: dict[str, Any]) -> None:
    assert said(case) == wanted(case)


def test_oids_may_begin_at_the_sys_object_id() -> None:
    edgecore, moxa = (profiles()[name] for name in ("edgecore", "moxa"))
    by_model = resolved(edgecore, f"{ENTERPRISES}.259.10.1.27.102")
    assert f"{ENTERPRISES}.259.10.1.27.1.39.2.1.0" in [rule.oid for rule in by_model.processor]
    assert resolved(moxa, f"{ENTERPRISES}.8691.7.162").serial[0].oid == f"{ENTERPRISES}.8691.7.162.1.78.0"


def test_recordings_of_the_families_are_met(shared: Path) -> None:
    rows = snmp_corpus.compared(shared / "snmp", lambda name: re.match(FAMILIES, name) is not None)
    plain = [row for row in rows if not row.note]
    assert len(plain) >= EXPECTED
    assert sum(row.good for row in plain) >= MET
