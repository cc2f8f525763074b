"""Containers hide parts of /sys and /proc behind directories that nobody may enter: the agent goes on beside them."""

from pathlib import Path

import psutil
import pytest

from agent.sampler import Sampler
from agent.utilisation import Utilisation
from tests.agent.users import become_nobody, unprivileged

HIDDEN = (
    "sys/firmware",
    "sys/firmware/dmi/entries",
    "sys/class/powercap",
    "sys/class/hwmon",
    "sys/class/power_supply",
    "sys/class/net",
    "sys/class/dmi",
    "sys/block",
    "sys/bus/pci",
    "sys/bus/vmbus",
    "sys/devices/system/cpu",
    "sys/fs/cgroup",
    "sys/hypervisor",
    "proc/driver",
    "proc/device-tree",
    "dev",
    "etc",
    "run",
)
"""Everything below which a source or the inventory looks."""


@pytest.mark.parametrize("mode", [0o000, 0o100, 0o400], ids=["closed", "not to be listed", "not to be entered"])
def test_what_may_not_be_looked_at_is_not_there(mode: int) -> None:
    with unprivileged() as root:
        for hidden in HIDDEN:
            (root / hidden).mkdir(parents=True, exist_ok=True)
        (root / "sys/class/powercap/intel-rapl:0").mkdir()
        for hidden in sorted(HIDDEN, key=len, reverse=True):
            (root / hidden).chmod(mode)
        become_nobody()
        states = sample_of(root)
    assert {name: outcome for name, outcome in states.items() if outcome not in ("absent", "off")} in (
        {},
        {"rapl": "failed"},
    )


def sample_of(root: Path) -> dict[str, str]:
    """What each source came to, by its name; none may be a defect."""
    sampler = Sampler(root)
    sampler.settle(0.1)
    sample = sampler.sample(with_inventory=True)
    sampler.close()
    assert sample.inventory is not None
    assert [(one.source, one.reason) for one in sample.sources if "defect" in one.remedy] == []
    return {one.source: one.outcome for one in sample.sources}


def test_a_file_system_mounted_where_the_agent_may_not_enter_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as Docker's and Podman's, below a directory of root's: the kernel lists them to everybody."""
    mounts = psutil.disk_partitions(all=True)
    with unprivileged() as folder:
        (folder / "docker/overlay2").mkdir(parents=True)
        (folder / "docker").chmod(0o700)
        hidden = mounts[0]._replace(device="/dev/hidden", mountpoint=str(folder / "docker/overlay2"), fstype="ext4")
        monkeypatch.setattr(psutil, "disk_partitions", lambda **_: [hidden, *mounts])
        become_nobody()
        points = Utilisation(Path("/")).points(1.0, None)
    found = {point.tags["mount_point"] for point in points if point.measurement == "system_filesystem"}
    assert "/" in found
    assert hidden.mountpoint not in found
