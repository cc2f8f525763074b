"""Processor model, sockets, cores and threads from `/proc/cpuinfo` and the kernel's topology files."""

import os
from dataclasses import dataclass
from pathlib import Path

from agent.files import names_in, number_or_none

_ARM_PARTS = {
    "0xd03": "Cortex-A53",
    "0xd08": "Cortex-A72",
    "0xd0b": "Cortex-A76",
    "0xd0c": "Neoverse-N1",
    "0xd40": "Neoverse-V1",
    "0xd49": "Neoverse-N2",
    "0xd4f": "Neoverse-V2",
}
"""Part numbers of Arm's designs that servers and small boards use. Source: Arm's Main ID Register documentation."""


@dataclass(frozen=True, slots=True)
class Cpu:
    """The host's processors. `hypervisor_flag`: the processor itself says that it is virtual."""

    model: str = ""
    sockets: int | None = None
    cores: int | None = None
    threads: int | None = None
    architecture: str = ""
    hypervisor_flag: bool = False


def read_cpu(root: Path) -> Cpu:
    """Processors below `root`. Cores and sockets are None where no file tells."""
    blocks = _blocks(root)
    first = blocks[0] if blocks else {}
    model = first.get("model name") or first.get("Model") or first.get("cpu model") or ""
    if not model and "CPU part" in first:
        model = _ARM_PARTS.get(first["CPU part"], f"Arm part {first['CPU part']}")
    sockets, cores = _topology(root)
    if sockets is None:
        sockets, cores = _from_cpuinfo(blocks)
    return Cpu(
        model=" ".join(model.split()),
        sockets=sockets,
        cores=cores,
        threads=sum(1 for block in blocks if "processor" in block) or None,
        architecture=_architecture(root, first),
        hypervisor_flag="hypervisor" in first.get("flags", "").split(),
    )


def _blocks(root: Path) -> list[dict[str, str]]:
    """Each processor's lines of cpuinfo as a dictionary. The file of a large host exceeds what `read_text` reads."""
    try:
        text = (root / "proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    blocks = []
    for paragraph in text.split("\n\n"):
        pairs = (line.partition(":") for line in paragraph.splitlines() if ":" in line)
        if block := {name.strip(): value.strip() for name, _, value in pairs}:
            blocks.append(block)
    return blocks


def _topology(root: Path) -> tuple[int | None, int | None]:
    """Sockets and cores by the package and core ids of the kernel's topology."""
    tree = root / "sys/devices/system/cpu"
    cores: set[tuple[int, int]] = set()
    for name in names_in(tree):
        if name.startswith("cpu") and name[3:].isdecimal():
            package = number_or_none(tree / name / "topology/physical_package_id")
            core = number_or_none(tree / name / "topology/core_id")
            if package is not None and core is not None:
                cores.add((max(0, package), core))
    if not cores:
        return None, None
    return len({package for package, _ in cores}), len(cores)


def _from_cpuinfo(blocks: list[dict[str, str]]) -> tuple[int | None, int | None]:
    cores = {(block["physical id"], block["core id"]) for block in blocks if {"physical id", "core id"} <= block.keys()}
    if not cores:
        return None, None
    return len({package for package, _ in cores}), len(cores)


def _architecture(root: Path, block: dict[str, str]) -> str:
    if root == Path("/"):
        return os.uname().machine
    flags = block.get("flags", "").split()
    if "lm" in flags:
        return "x86_64"
    return "aarch64" if "CPU part" in block else ""
