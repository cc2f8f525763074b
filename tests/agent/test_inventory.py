"""What the host is: from files of many kinds of machines, empty where nothing is known and never wrong."""

from pathlib import Path

import pytest

from agent.inventory import read_inventory
from agent.inventory.cpu import read_cpu
from agent.inventory.disks import read_disks
from agent.inventory.dmi import meaningful, read_dmi
from agent.inventory.network import read_network_cards
from agent.inventory.platform import Platform, read_platform
from agent.report import Disk, Inventory, NetworkCard
from tests.agent.trees import write

DMI = "sys/class/dmi/id"
ON_A_DISK = {"proc/1/mounts": "/dev/sda2 / ext4 rw 0 0"}
ON_OVERLAY = {"proc/1/mounts": "overlay / overlay rw 0 0"}


def platform(root: Path, hypervisor_flag: bool = False) -> Platform:
    return read_platform(root, read_dmi(root), hypervisor_flag)


def test_a_tree_without_anything_gives_an_inventory_without_anything(tmp_path: Path) -> None:
    assert read_inventory(tmp_path) == Inventory(platform="physical")


def test_files_with_nonsense_in_them_give_what_can_be_read_and_nothing_wrong(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "proc/cpuinfo": "processor\nmodel name :\n: x\n\n\n\0\0",
            "proc/meminfo": "MemTotal: lots kB\n",
            "proc/stat": "btime soon",
            "etc/os-release": "PRETTY_NAME",
            "sys/block/sda/size": "big",
            "sys/class/net/eth0/speed": "-1",
            f"{DMI}/chassis_type": "²",
        },
    )
    (tmp_path / "etc/machine-id").write_bytes(b"\xff\xfe\n")
    found = read_inventory(tmp_path)
    assert (found.cpu_threads, found.memory_bytes, found.boot_unix_ns, found.operating_system) == (None, None, None, "")
    assert found.disks == [Disk("sda")]
    assert found.network_cards == [NetworkCard("eth0")]
    assert found.chassis == ""


def test_this_machine_has_a_name_processors_and_memory() -> None:
    found = read_inventory()
    assert found.host_name
    assert found.cpu_threads
    assert found.memory_bytes
    assert found.boot_unix_ns
    assert found.kernel
    assert found.architecture


# Processors


def test_an_arm_server_has_the_name_of_its_design(tmp_path: Path) -> None:
    block = "processor\t: {}\nCPU implementer\t: 0x41\nCPU part\t: {}\n\n"
    write(tmp_path, {"proc/cpuinfo": "".join(block.format(number, "0xd0c") for number in range(4))})
    found = read_cpu(tmp_path)
    assert (found.model, found.threads, found.architecture) == ("Neoverse-N1", 4, "aarch64")
    write(tmp_path, {"proc/cpuinfo": block.format(0, "0xabc")})
    assert read_cpu(tmp_path).model == "Arm part 0xabc"


def test_a_board_computer_is_named_by_its_model(tmp_path: Path) -> None:
    text = "processor\t: 0\nCPU part\t: 0xd08\n\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n"
    write(tmp_path, {"proc/cpuinfo": text, "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0"})
    assert read_cpu(tmp_path).model == "Cortex-A72"
    assert read_dmi(tmp_path).model == "Raspberry Pi 4 Model B Rev 1.4"


def test_without_a_topology_sockets_and_cores_come_from_cpuinfo(tmp_path: Path) -> None:
    block = "processor: {}\nphysical id: {}\ncore id: {}\n\n"
    threads = [(0, 0, 0), (1, 0, 1), (2, 1, 0), (3, 1, 1), (4, 0, 0), (5, 0, 1), (6, 1, 0), (7, 1, 1)]
    write(tmp_path, {"proc/cpuinfo": "".join(block.format(*one) for one in threads)})
    found = read_cpu(tmp_path)
    assert (found.sockets, found.cores, found.threads) == (2, 4, 8)


def test_the_cpuinfo_of_a_very_large_host_is_read_whole(tmp_path: Path) -> None:
    block = "processor\t: {}\nflags\t\t: " + "flag " * 1000 + "\n\n"
    write(tmp_path, {"proc/cpuinfo": "".join(block.format(number) for number in range(512))})
    assert (tmp_path / "proc/cpuinfo").stat().st_size > 2 * 2**20
    assert read_cpu(tmp_path).threads == 512


def test_cores_that_share_an_id_in_different_packages_are_different(tmp_path: Path) -> None:
    for thread, package, core in ((0, 0, 0), (1, 1, 0), (2, -1, 5)):
        base = f"sys/devices/system/cpu/cpu{thread}/topology"
        write(tmp_path, {f"{base}/physical_package_id": str(package), f"{base}/core_id": str(core)})
    write(tmp_path, {"sys/devices/system/cpu/cpufreq/x": "", "sys/devices/system/cpu/cpu9/online": "0"})
    found = read_cpu(tmp_path)
    assert (found.sockets, found.cores) == (2, 3)


# Firmware


@pytest.mark.parametrize(
    "filler",
    [
        "To Be Filled By O.E.M.",
        "Default string",
        "System Product Name",
        "0123456789",
        "........",
        "x",
        "",
        "N/A",
        "None",
    ],
)
def test_what_boards_carry_where_nobody_wrote_anything_is_not_a_name(filler: str, tmp_path: Path) -> None:
    assert meaningful(filler) == ""
    names = ("sys_vendor", "product_name", "product_serial", "product_version")
    write(tmp_path, {f"{DMI}/{name}": filler for name in names})
    found = read_dmi(tmp_path)
    assert (found.vendor, found.model, found.serial) == ("", "", "")


@pytest.mark.parametrize(
    ("number", "chassis"),
    [
        ("3", "desktop"), ("10", "laptop"), ("17", "server"), ("23", "server"), ("28", "server"), ("31", "laptop"),
        ("35", "desktop"), ("138", "laptop"), ("1", ""), ("2", ""), ("12", "other"), ("x", ""), ("", ""),
    ],
)  # fmt: skip
def test_the_chassis_type_says_what_kind_of_machine_it_is(number: str, chassis: str, tmp_path: Path) -> None:
    write(tmp_path, {f"{DMI}/chassis_type": number})
    assert read_dmi(tmp_path).chassis == chassis


def test_a_lenovo_is_called_what_people_call_it(tmp_path: Path) -> None:
    names = {"sys_vendor": "LENOVO", "product_name": "20W1S3QH00", "product_version": "ThinkPad T14 Gen 2i"}
    write(tmp_path, {f"{DMI}/{name}": text for name, text in names.items()})
    assert read_dmi(tmp_path).model == "ThinkPad T14 Gen 2i (20W1S3QH00)"


# Physical, virtual, container


@pytest.mark.parametrize(
    ("dmi", "expected"),
    [
        ({"sys_vendor": "QEMU", "product_name": "Standard PC (Q35 + ICH9, 2009)"}, ("kvm", "")),
        ({"sys_vendor": "VMware, Inc.", "product_name": "VMware20,1"}, ("vmware", "")),
        ({"sys_vendor": "Microsoft Corporation", "product_name": "Virtual Machine"}, ("hyperv", "")),
        ({"sys_vendor": "innotek GmbH", "product_name": "VirtualBox"}, ("virtualbox", "")),
        ({"sys_vendor": "Xen", "product_name": "HVM domU"}, ("xen", "")),
        ({"sys_vendor": "Nutanix", "product_name": "AHV"}, ("kvm", "")),
        ({"sys_vendor": "Amazon EC2", "product_name": "t3.micro"}, ("kvm", "aws")),
        ({"sys_vendor": "Google", "product_name": "Google Compute Engine"}, ("kvm", "gcp")),
        ({"sys_vendor": "Hetzner", "product_name": "vServer", "bios_vendor": "SeaBIOS"}, ("kvm", "hetzner")),
        (
            {
                "sys_vendor": "Microsoft Corporation",
                "product_name": "Virtual Machine",
                "chassis_asset_tag": "7783-7084-3265-9085-8269-3286-77",
            },
            ("hyperv", "azure"),
        ),
    ],
)
def test_a_virtual_machine_gives_away_its_hypervisor_and_cloud(
    dmi: dict[str, str], expected: tuple[str, str], tmp_path: Path
) -> None:
    write(tmp_path, {f"{DMI}/{name}": text for name, text in dmi.items()} | ON_A_DISK)
    assert platform(tmp_path) == Platform("virtual_machine", *expected)


@pytest.mark.parametrize(
    "dmi",
    [
        {"sys_vendor": "Dell Inc.", "product_name": "PowerEdge R640"},
        {"sys_vendor": "Microsoft Corporation", "product_name": "Surface Laptop 4"},
        {"sys_vendor": "Amazon EC2", "product_name": "m5.metal"},
    ],
)
def test_a_physical_machine_is_one_whoever_made_it(dmi: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path, {f"{DMI}/{name}": text for name, text in dmi.items()} | ON_A_DISK)
    assert platform(tmp_path).platform == "physical"


def test_the_owners_number_is_that_of_a_physical_machine_alone(tmp_path: Path) -> None:
    write(tmp_path, {f"{DMI}/sys_vendor": "Dell Inc.", f"{DMI}/chassis_asset_tag": "ICT-10045"} | ON_A_DISK)
    assert read_inventory(tmp_path).asset_tag == "ICT-10045"
    write(tmp_path, {f"{DMI}/sys_vendor": "QEMU", f"{DMI}/product_name": "Standard PC"})
    assert read_inventory(tmp_path).asset_tag == ""


def test_a_guest_without_firmware_is_known_by_its_devices_or_its_processor(tmp_path: Path) -> None:
    assert platform(tmp_path, hypervisor_flag=True) == Platform("virtual_machine", "unknown")
    (tmp_path / "sys/bus/virtio/devices/virtio0").mkdir(parents=True)
    assert platform(tmp_path) == Platform("virtual_machine", "kvm")


def test_xens_own_domain_is_the_physical_machine(tmp_path: Path) -> None:
    write(tmp_path, {"sys/hypervisor/type": "xen"})
    assert platform(tmp_path) == Platform("virtual_machine", "xen")
    write(tmp_path, {"proc/xen/capabilities": "control_d"})
    assert platform(tmp_path).platform == "physical"


@pytest.mark.parametrize(
    ("files", "manager"),
    [
        ({".dockerenv": ""}, "docker"),
        ({"run/.containerenv": ""}, "podman"),
        ({"run/systemd/container": "systemd-nspawn"}, "systemd-nspawn"),
        ({"proc/1/cgroup": "0::/kubepods.slice/pod1"}, "kubernetes"),
        ({"proc/1/cgroup": "12:cpu:/lxc/web"}, "lxc"),
        ({"proc/1/environ": "HOME=/\0container=lxc\0"}, "lxc"),
    ],
)
def test_a_container_gives_away_its_manager(files: dict[str, str], manager: str, tmp_path: Path) -> None:
    write(tmp_path, files | ON_OVERLAY)
    assert platform(tmp_path) == Platform("container", manager)


def test_a_virtual_machine_made_of_a_containers_image_is_a_virtual_machine(tmp_path: Path) -> None:
    write(tmp_path, {".dockerenv": "", f"{DMI}/sys_vendor": "QEMU"} | ON_A_DISK)
    assert platform(tmp_path) == Platform("virtual_machine", "kvm")


# Disks and cards


def test_a_disk_without_a_medium_is_no_disk(tmp_path: Path) -> None:
    write(tmp_path, {"sys/block/sda/size": "0", "sys/block/sdb/size": "2000", "sys/block/sdb/queue/rotational": "1"})
    write(tmp_path, {"sys/block/sdb/device/model": "ST4000NM   0035 "})
    assert read_disks(tmp_path) == [Disk("sdb", "ST4000NM 0035", 1_024_000, True)]


def test_a_cards_speed_is_known_only_while_its_link_is_up(tmp_path: Path) -> None:
    for name, speed in (("eth0", "2500"), ("eth1", "-1"), ("wlan0", "")):
        write(tmp_path, {f"sys/class/net/{name}/speed": speed, f"sys/class/net/{name}/device/vendor": "x"})
    found = {card.name: card.speed_bits_per_second for card in read_network_cards(tmp_path)}
    assert found == {"eth0": 2_500_000_000, "eth1": None, "wlan0": None}
