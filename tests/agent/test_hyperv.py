"""What Hyper-V tells a guest of its host."""

from pathlib import Path

import pytest

from agent.inventory import read_inventory


def record(key: str, value: str) -> bytes:
    return key.encode().ljust(512, b"\0") + value.encode().ljust(2048, b"\0")


SHORT = record("PhysicalHostName", "HV-NODE-04")
LONG = record("PhysicalHostNameFullyQualified", "HV-Node-04.council.example")
OTHERS = record("HostName", "HV-CLUSTER") + record("VirtualMachineName", "web")


@pytest.mark.parametrize(
    ("content", "host"),
    [
        (OTHERS + SHORT + LONG, "hv-node-04.council.example"),
        (OTHERS + SHORT, "hv-node-04"),
        (OTHERS, ""),
        (b"", ""),
        (LONG[:600], "hv-node-04.council.example"),
        (SHORT[:515], "hv-"),
        (LONG[:300], ""),
        (b"\xff" * 9000, ""),
        (record("PhysicalHostName", "a\x07b"), ""),
        (record("PhysicalHostName", "x" * 2048), ""),
        (OTHERS * 5000 + SHORT, ""),
    ],
)
def test_a_guest_of_hyperv_knows_its_host(tmp_path: Path, content: bytes, host: str) -> None:
    pool = tmp_path / "var/lib/hyperv/.kvp_pool_3"
    pool.parent.mkdir(parents=True)
    pool.write_bytes(content)
    assert read_inventory(tmp_path).host_of_guest == host


def test_a_machine_without_hyperv_knows_none(tmp_path: Path) -> None:
    assert read_inventory(tmp_path).host_of_guest == ""
