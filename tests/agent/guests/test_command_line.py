"""What a command line of QEMU says of its guest, in each syntax that is in use, and in none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.guests.command_line import Appliance, read_guest
from agent.guests.emulators import MOST_BYTES, MOST_VCPUS, is_qemu
from agent.report import Guest
from tests.agent.guests.host import DB, LIBVIRT_6, LIBVIRT_10, PROXMOX_8, PROXMOX_9_HOTPLUG, WEB

GIB = 2**30


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (LIBVIRT_6, Guest(f"guest/{WEB}", "web01", WEB, "virtual_machine", "libvirt", 4.0, 4 * GIB)),
        (LIBVIRT_10, Guest(f"guest/{DB}", "db,prod", DB, "virtual_machine", "libvirt", 2.0, 12 * GIB)),
        (PROXMOX_8, Guest(f"guest/{WEB}", "files", WEB, "virtual_machine", "proxmox", 4.0, 2 * GIB)),
        (PROXMOX_9_HOTPLUG, Guest(f"guest/{DB}", "build", DB, "virtual_machine", "proxmox", 2.0, GIB * 3 // 2)),
    ],
    ids=["libvirt 6", "libvirt 10", "proxmox 8", "proxmox 9, processors and memory plugged in"],
)
def test_managers_command_lines_are_understood(arguments: list[str], expected: Guest) -> None:
    assert read_guest(arguments) == expected


def by_hand(*options: str) -> Guest:
    guest = read_guest(["qemu-system-x86_64", "-nographic", *options])
    assert isinstance(guest, Guest)
    return guest


@pytest.mark.parametrize(
    ("memory", "expected"),
    [
        ("4096", 4 * GIB),
        ("4G", 4 * GIB),
        ("1.5g", GIB * 3 // 2),
        ("size=4194304k,slots=16,maxmem=8G", 4 * GIB),
        ("maxmem=8G,size=2G", 2 * GIB),
        ("nonsense", 128 * 2**20),
        ("9" * 19, MOST_BYTES),
        ("9" * 400, 128 * 2**20),
        ("", 128 * 2**20),
    ],
)
def test_memory_is_read_in_every_spelling_and_is_what_qemu_gives_by_itself_otherwise(
    memory: str, expected: int
) -> None:
    assert by_hand("-m", memory).memory_bytes == expected


@pytest.mark.parametrize(
    ("smp", "expected"),
    [
        ("4", 4),
        ("4,maxcpus=8,sockets=2,cores=4", 4),
        ("cpus=3,maxcpus=4", 3),
        ("sockets=2,cores=4,threads=2", 16),
        ("maxcpus=6,sockets=2,cores=3", 6),
        ("0", 1),
        ("999999999", MOST_VCPUS),
        ("many", 1),
    ],
)
def test_processors_are_those_it_starts_with(smp: str, expected: int) -> None:
    assert by_hand("-smp", smp).vcpus == expected


def test_the_uuid_is_the_one_that_the_guest_sees_in_its_dmi() -> None:
    seen = by_hand("-uuid", WEB, "-smbios", f"type=1,manufacturer=A,,B,uuid={DB.upper()}", "-smbios", "type=2,serial=x")
    assert seen.system_uuid == DB
    assert seen.meter == f"guest/{DB}"
    assert by_hand("-uuid", "00000000-0000-0000-0000-000000000000", "-name", "a").meter == "guest/qemu-a"


def test_a_guest_without_name_and_uuid_is_known_by_the_words_that_started_it() -> None:
    one, again, other = by_hand("-hda", "a.img"), by_hand("-hda", "a.img"), by_hand("-hda", "b.img")
    assert one.meter == again.meter != other.meter
    assert one.name == one.meter.removeprefix("guest/")
    assert one.manager == "qemu"


def test_a_proxmox_guest_without_uuid_is_known_by_its_number() -> None:
    assert by_hand("-id", "100", "-name", "renamed").meter == "guest/proxmox-100"


@pytest.mark.parametrize(
    "program", ["qemu-img", "/usr/bin/qemu-nbd", "qemu-ga", "qemu-aarch64-static", "kvmtool", "sh"]
)
def test_other_programs_are_no_guests(program: str) -> None:
    assert not is_qemu(program)
    assert read_guest([program, "-m", "4G", "-name", "x"]) is None


@pytest.mark.parametrize(
    "arguments",
    [
        ["/usr/libexec/qemu-kvm", "-name", "guest=guestfs-5wbqz3dmr2bz4n7p,debug-threads=on", "-uuid", WEB],
        ["qemu-system-x86_64", "-m", "1280", "-kernel", "/var/tmp/.guestfs-0/appliance.d/kernel"],
        ["qemu-system-x86_64", "-kernel", "/usr/lib/x86_64-linux-gnu/proxmox-backup/file-restore/bzImage", "-m", "512"],
        ["qemu-system-x86_64", "-S", "-nodefaults", "-machine", "none,accel=kvm:tcg", "-qmp", "unix:/x", "-daemonize"],
        ["/usr/lib/xen/bin/qemu-system-i386", "-xen-domid", "5", "-name", "web", "-machine", "xenfv", "-m", "2048"],
    ],
    ids=["libguestfs by libvirt", "libguestfs by itself", "proxmox file restore", "libvirt's probe", "xen's devices"],
)
def test_tools_that_start_a_qemu_of_their_own_are_no_guests(arguments: list[str]) -> None:
    assert isinstance(read_guest(arguments), Appliance)


@given(
    options=st.lists(
        st.text(max_size=40)
        | st.sampled_from(
            [
                "-m",
                "-smp",
                "-name",
                "-uuid",
                "-id",
                "-smbios",
                "-device",
                "-object",
                '{"a":',
                "[" * 5000,
                "type=1,uuid=",
            ]
        ),
        max_size=12,
    )
)
def test_no_command_line_breaks_the_reader_or_gives_what_a_report_cannot_hold(options: list[str]) -> None:
    guest = read_guest(["qemu-system-x86_64", *options])
    if isinstance(guest, Guest):
        assert 1 <= guest.vcpus <= MOST_VCPUS
        assert 0 <= guest.memory_bytes <= MOST_BYTES
        assert all(len(text) <= 200 and text.isprintable() for text in (guest.name, guest.meter))
        assert guest.name
