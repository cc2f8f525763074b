"""Profiles of makes from J to Z that few have, on values written after the MIBs' texts."""

from pathlib import Path
from typing import Any

import pytest

from tests.snmp.profiles.built_values import cases, label, said, wanted


@pytest.mark.parametrize("case", cases(Path(__file__).with_name("makes_j_to_z.toml")), ids=label)
def test_values_after_the_mib_are_read(case: dict[str, Any]) -> None:
    assert said(case) == wanted(case)
