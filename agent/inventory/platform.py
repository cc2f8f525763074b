"""Whether the host is a physical machine, a virtual machine or a container; of which hypervisor, in which cloud.

Containers give themselves away by files their managers leave; virtual machines by DMI, the hypervisor's own files, or
the processor's hypervisor flag.
"""

from dataclasses import dataclass
from pathlib import Path

from agent.files import names_in, text_or_empty, there
from agent.inventory.dmi import Dmi

_MACHINES: tuple[tuple[str, str], ...] = (
    ("vmware", "vmware"),
    ("virtualbox", "virtualbox"),
    ("innotek", "virtualbox"),
    ("xen", "xen"),
    ("microsoft corporation virtual machine", "hyperv"),
    ("parallels", "parallels"),
    ("bhyve", "bhyve"),
    ("openstack", "kvm"),
    ("kubevirt", "kvm"),
    ("rhev", "kvm"),
    ("ovirt", "kvm"),
    ("nutanix", "kvm"),
    ("qemu", "kvm"),
    ("kvm", "kvm"),
    ("bochs", "kvm"),
    ("seabios", "kvm"),
    ("amazon ec2", "kvm"),
    ("google compute engine", "kvm"),
    ("apple virtualization", "apple"),
)
_CLOUDS: tuple[tuple[str, str], ...] = (
    ("amazon ec2", "aws"),
    ("google compute engine", "gcp"),
    ("7783-7084-3265-9085-8269-3286-77", "azure"),
    ("digitalocean", "digitalocean"),
    ("hetzner", "hetzner"),
    ("scaleway", "scaleway"),
    ("ovhcloud", "ovh"),
    ("oraclecloud", "oracle"),
    ("alibaba cloud", "alibaba"),
    ("vultr", "vultr"),
    ("linode", "linode"),
    ("upcloud", "upcloud"),
)
_CGROUPS = (
    ("docker", "docker"),
    ("kubepods", "kubernetes"),
    ("libpod", "podman"),
    ("lxc", "lxc"),
    ("containerd", "containerd"),
)


@dataclass(frozen=True, slots=True)
class Platform:
    """`platform` is physical, virtual_machine or container; hypervisor and cloud "" where not known."""

    platform: str
    hypervisor: str = ""
    cloud: str = ""


def read_platform(root: Path, dmi: Dmi, hypervisor_flag: bool) -> Platform:
    """What kind of machine it is, by everything it shows."""
    words = " ".join((dmi.vendor, dmi.model, dmi.board, dmi.bios, dmi.asset_tag)).lower()
    cloud = next((name for mark, name in _CLOUDS if mark in words), "")
    if container := _container(root):
        return Platform("container", container, cloud)
    hypervisor = next((name for mark, name in _MACHINES if mark in words), "")
    hypervisor = hypervisor or _by_files(root)
    if words.startswith("amazon ec2") and ".metal" in words:
        return Platform("physical", "", cloud)
    if hypervisor or hypervisor_flag:
        return Platform("virtual_machine", hypervisor or "unknown", cloud)
    return Platform("physical", "", cloud)


def _container(root: Path) -> str:
    """The container manager, or "" outside a container."""
    if named := text_or_empty(root / "run/systemd/container"):
        return named[:32]
    if _root_is_a_disk(root):
        # A virtual machine made from a container's image still carries the marks that follow.
        return ""
    if there(root / ".dockerenv"):
        return "docker"
    if there(root / "run/.containerenv"):
        return "podman"
    groups = text_or_empty(root / "proc/1/cgroup")
    if found := next((name for mark, name in _CGROUPS if mark in groups), ""):
        return found
    variables = text_or_empty(root / "proc/1/environ").split("\0")
    return next((one.removeprefix("container=")[:32] for one in variables if one.startswith("container=")), "")


def _root_is_a_disk(root: Path) -> bool:
    """Whether the root file system lies on a block device of its own, which a container's never does."""
    for line in text_or_empty(root / "proc/1/mounts").splitlines():
        device, mount_point, *_ = [*line.split(), "", ""]
        if mount_point == "/":
            return device.startswith("/dev/")
    return False


def _by_files(root: Path) -> str:
    """The hypervisor by what it leaves in the kernel's trees."""
    named = text_or_empty(root / "sys/hypervisor/type")
    if named == "xen" and "control_d" not in text_or_empty(root / "proc/xen/capabilities"):
        return "xen"
    if there(root / "proc/device-tree/hypervisor/compatible"):
        return "kvm"
    if names_in(root / "sys/bus/vmbus/devices"):
        return "hyperv"
    # A machine of virtio devices alone, without DMI: Firecracker, and cloud-hypervisor.
    virtio = root / "sys/bus/virtio/devices"
    if names_in(virtio) and not there(root / "sys/class/dmi/id"):
        return "kvm"
    return ""
