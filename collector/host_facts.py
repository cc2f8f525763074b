"""What the power model needs of a host's inventory."""

from agent.report import Inventory
from carbon.power_model import HostFacts


def host_facts(inventory: Inventory) -> HostFacts:
    """The inventory in the power model's terms. Disks whose kind is not known count as solid state."""
    rotational = sum(1 for disk in inventory.disks if disk.rotational)
    return HostFacts(
        cpu_model=inventory.cpu_model,
        sockets=inventory.cpu_sockets,
        cores=inventory.cpu_cores,
        threads=inventory.cpu_threads,
        memory_bytes=inventory.memory_bytes,
        ssds=len(inventory.disks) - rotational,
        hdds=rotational,
        chassis=inventory.chassis,
        platform=inventory.platform,
    )
