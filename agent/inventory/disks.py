"""Physical disks from `/sys/block`: no partitions, and nothing that is made of other disks or of memory."""

from pathlib import Path

from agent.files import names_in, number_or_none, text_or_empty
from agent.report import Disk

_SECTOR_BYTES = 512
_NOT_PHYSICAL = ("loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd", "drbd", "zd", "rbd")
"""Loop and memory devices, device mapper and RAID (made of other disks), optical and floppy drives, network disks."""


def physical_disks(root: Path) -> list[str]:
    """Names of the disks whose traffic and size count."""
    tree = root / "sys/block"
    names = names_in(tree)
    # The kernel shows an NVMe disk's paths as nvme0c0n1 beside the disk itself.
    return [
        name
        for name in names
        if not name.startswith(_NOT_PHYSICAL) and not (name.startswith("nvme") and "c" in name.removeprefix("nvme"))
    ]


def read_disks(root: Path) -> list[Disk]:
    """Each disk with model, size and whether it rotates, where the kernel knows."""
    disks = []
    for name in physical_disks(root):
        tree = root / "sys/block" / name
        sectors = number_or_none(tree / "size")
        if sectors == 0:
            continue
        rotational = number_or_none(tree / "queue/rotational")
        disks.append(
            Disk(
                name=name,
                model=" ".join(text_or_empty(tree / "device/model").split()),
                size_bytes=None if sectors is None else sectors * _SECTOR_BYTES,
                rotational=None if rotational is None else rotational == 1,
            )
        )
    return disks
