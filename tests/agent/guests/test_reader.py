"""The guests of a host: found where they are, counted by what is theirs alone, and told when they cannot be seen."""

import os
import shutil
from pathlib import Path

import pytest

from agent.guests import processes
from agent.guests.reader import MOST_GUESTS
from agent.outcome import Absent, Data, Failed
from tests.agent import trees
from tests.agent.guests.host import (
    DB,
    LIBVIRT_6,
    LIBVIRT_10,
    PROXMOX_8,
    PROXMOX_9_HOTPLUG,
    WEB,
    Watched,
    busy_of,
    init,
    process,
    sizes,
    usage,
)

WEB_SCOPE = r"machine.slice/machine-qemu\x2d3\x2dweb01.scope"
TICK_US = 1_000_000 // os.sysconf("SC_CLK_TCK")
GIB = 2**30


@pytest.fixture
def host(tmp_path: Path) -> Path:
    init(tmp_path)
    return tmp_path


def test_a_libvirt_guest_is_counted_by_its_scope_to_the_microsecond(host: Path) -> None:
    process(host, 300, LIBVIRT_6, ticks=1, groups=f"0::/{WEB_SCOPE}/libvirt/emulator")
    usage(host, WEB_SCOPE, 5_000_000)
    watched = Watched(host)
    assert busy_of(watched.sample()) == {"web01": None}
    usage(host, WEB_SCOPE, 5_000_123)
    taken = watched.sample()
    assert busy_of(taken) == {"web01": 123}
    assert taken.readings[0].values == [5_000_123, 1020 * 8 * 10**6]
    assert taken.readings[0].meter[:4] == (f"guest/{WEB}", "guests", "utilisation", "guest")
    point = taken.points[0]
    assert (point.measurement, point.tags) == ("system_guest", {"guest": WEB})
    assert point.fields == {
        "name": "web01",
        "cpu_seconds": 5.0,
        "busy_ratio": round(123 / 80e6, 6),
        "vcpu_busy_ratio": round(123 / 40e6, 6),
        "vcpus": 4.0,
        "memory_bytes": 4 * GIB,
    }


@pytest.mark.parametrize(
    ("line", "group"),
    [
        (f"4:cpu,cpuacct:/{WEB_SCOPE}/emulator", f"cpu,cpuacct/{WEB_SCOPE}"),
        (f"4:cpuacct,cpu:/{WEB_SCOPE}/libvirt/emulator", f"cpuacct/{WEB_SCOPE}"),
        ("7:cpuacct:/machine/qemu-3-web01.libvirt-qemu/emulator", "cpuacct/machine/qemu-3-web01.libvirt-qemu"),
        ("3:cpu,cpuacct:/qemu.slice/100.scope", "cpu,cpuacct/qemu.slice/100.scope"),
    ],
    ids=["libvirt 6", "libvirt 7", "without systemd", "proxmox 6"],
)
def test_cgroups_of_version_1_count_nanoseconds(tmp_path: Path, line: str, group: str) -> None:
    process(tmp_path, 1, ["/sbin/init"])
    process(tmp_path, 300, LIBVIRT_6, groups=f"12:pids:/x\n{line}\n1:name=systemd:/y\n0::/z")
    file = f"sys/fs/cgroup/{group}/cpuacct.usage"
    # Version 1 has a cpu.stat of its own, without any usage.
    trees.write(tmp_path, {file: "7000001999", f"sys/fs/cgroup/{group}/cpu.stat": "nr_periods 0\nthrottled_time 0"})
    watched = Watched(tmp_path)
    watched.sample()
    trees.write(tmp_path, {file: "7000003999"})
    assert busy_of(watched.sample()) == {"web01": 2}


def test_proxmox_guests_of_both_kinds_are_seen(host: Path) -> None:
    process(host, 400, PROXMOX_8, groups="0::/qemu.slice/100.scope")
    usage(host, "qemu.slice/100.scope", 10)
    usage(host, "lxc/101", 20)
    usage(host, "lxc.monitor/101", 99)
    trees.write(
        host,
        {
            "sys/fs/cgroup/lxc/101/cpu.max": "150000 100000",
            "sys/fs/cgroup/lxc/101/cpuset.cpus": "0-1,7",
            "sys/fs/cgroup/lxc/101/memory.max": str(GIB),
            "sys/devices/system/cpu/online": "0-7",
            "var/lib/lxc/101/config": "lxc.arch = amd64\nlxc.uts.name = mail",
        },
    )
    watched = Watched(host)
    assert sizes(watched.sample()) == {
        "mail": ("", "container", "proxmox", 1.5, GIB),
        "files": (WEB, "virtual_machine", "proxmox", 4.0, 2 * GIB),
    }
    usage(host, "lxc/101", 70)
    assert busy_of(watched.sample()) == {"mail": 50, "files": 0}


@pytest.mark.parametrize(
    ("files", "vcpus", "memory"),
    [
        ({"cpu.max": "max 100000", "memory.max": "max", "cpuset.cpus": "0-7"}, 0.0, 0),
        ({"cpu.max": "max 100000", "cpuset.cpus": "2-3"}, 2.0, 0),
        ({"cpu.max": "", "cpuset.cpus": "", "memory.max": ""}, 0.0, 0),
        ({"cpu.max": "-5 100000", "cpuset.cpus": "x-y", "memory.max": "-1"}, 0.0, 0),
        ({"cpu.max": "100000 0", "memory.max": "9" * 30}, 0.0, 0),
        ({"cpu.max": f"{'9' * 17} 1"}, 0.0, 0),
    ],
)
def test_a_container_without_a_limit_says_so(host: Path, files: dict[str, str], vcpus: float, memory: int) -> None:
    usage(host, "lxc/101", 20)
    trees.write(host, {f"sys/fs/cgroup/lxc/101/{name}": text for name, text in files.items()})
    trees.write(host, {"sys/devices/system/cpu/online": "0-7"})
    taken = Watched(host).sample()
    assert sizes(taken) == {"101": ("", "container", "proxmox", vcpus, memory)}
    assert taken.points[0].fields["vcpus"] == (vcpus or None)


def test_a_container_of_version_1_is_read_with_its_limits(tmp_path: Path) -> None:
    process(tmp_path, 1, ["/sbin/init"])
    base = "sys/fs/cgroup"
    trees.write(
        tmp_path,
        {
            f"{base}/cpu,cpuacct/lxc/101/cpuacct.usage": "5000",
            f"{base}/cpu,cpuacct/lxc/101/cpu.cfs_quota_us": "200000",
            f"{base}/cpu,cpuacct/lxc/101/cpu.cfs_period_us": "100000",
            f"{base}/cpuset/lxc/101/cpuset.cpus": "0-5",
            f"{base}/memory/lxc/101/memory.limit_in_bytes": "9223372036854771712",
            "etc/pve/lxc/101.conf": "arch: amd64\nhostname: old-mail",
        },
    )
    assert sizes(Watched(tmp_path).sample()) == {"old-mail": ("", "container", "proxmox", 2.0, 0)}


def test_a_machine_inside_a_container_is_part_of_the_container(host: Path) -> None:
    usage(host, "lxc/101", 20)
    process(host, 500, LIBVIRT_6, groups="0::/lxc/101/ns/user.slice")
    assert list(sizes(Watched(host).sample())) == ["101"]


def test_a_guest_without_a_group_of_its_own_is_counted_by_its_process(host: Path) -> None:
    process(host, 300, ["qemu-system-aarch64", "-name", "arm", "-m", "1G"], ticks=40, groups="0::/user.slice/a.scope")
    usage(host, "user.slice/a.scope", 999)
    watched = Watched(host)
    watched.sample()
    process(host, 300, ["qemu-system-aarch64", "-name", "arm", "-m", "1G"], ticks=47)
    assert busy_of(watched.sample()) == {"arm": 7 * TICK_US}


def test_a_guest_that_has_gone_is_forgotten_and_another_process_with_its_number_is_not_it(host: Path) -> None:
    process(host, 300, LIBVIRT_6, ticks=100, started=5000)
    watched = Watched(host)
    watched.sample()
    process(host, 300, ["/usr/bin/postgres"], ticks=5000, started=9000)
    assert isinstance(watched.outcome(), Absent)
    process(host, 300, LIBVIRT_6, ticks=3, started=9500)
    for _ in range(3):
        outcome = watched.outcome()
    assert isinstance(outcome, Data)
    assert outcome.value.readings[0].meter.epoch.endswith("/9500")


def test_a_guest_that_was_started_anew_goes_on_at_once_in_a_new_epoch(host: Path) -> None:
    process(host, 300, LIBVIRT_6, ticks=100, started=5000, groups=f"0::/{WEB_SCOPE}")
    usage(host, WEB_SCOPE, 1000)
    watched = Watched(host)
    first = watched.sample().readings[0].meter.epoch
    # Kept, so that its inode is free for no other: as in the kernel's tree.
    (host / f"sys/fs/cgroup/{WEB_SCOPE}").rename(host / "gone")
    shutil.rmtree(host / "proc/300")
    process(host, 301, LIBVIRT_6, started=6000, groups=f"0::/{WEB_SCOPE}")
    usage(host, WEB_SCOPE, 2000)
    taken = watched.sample()
    assert busy_of(taken) == {"web01": None}
    assert taken.readings[0].meter.epoch != first


def test_an_ended_process_that_nobody_has_noticed_is_no_guest(host: Path) -> None:
    process(host, 300, LIBVIRT_6, state="Z")
    assert isinstance(Watched(host).outcome(), Absent)


@pytest.mark.parametrize(
    "damage",
    [
        {"cmdline": b""},
        {"cmdline": b"\xff\xfe\0-m\0"},
        {"cmdline": b"qemu-system-x86_64"},
        {"stat": b""},
        {"stat": b"300 (kvm) S 1 2"},
        {"stat": b"300 (kvm) S " + b"x " * 40},
        {"stat": None},
        {"cmdline": None},
    ],
)
def test_a_process_that_cannot_be_read_is_no_guest_and_costs_the_others_nothing(
    host: Path, damage: dict[str, bytes | None]
) -> None:
    process(host, 300, LIBVIRT_10, groups="0::/")
    process(host, 301, LIBVIRT_6)
    for name, content in damage.items():
        (host / f"proc/300/{name}").unlink()
        if content is not None:
            (host / f"proc/300/{name}").write_bytes(content)
    assert list(sizes(Watched(host).sample())) == ["web01"]


def test_a_name_that_is_no_text_is_told_as_far_as_it_is_one(host: Path) -> None:
    process(host, 300, LIBVIRT_6)
    line = (host / "proc/300/cmdline").read_bytes().replace(b"web01", b"w\xffb\x07")
    (host / "proc/300/cmdline").write_bytes(line)
    [name] = sizes(Watched(host).sample())
    assert name == "w�b�"


def test_a_process_that_becomes_a_guest_after_it_was_first_seen_is_found(host: Path) -> None:
    process(host, 300, ["/usr/sbin/virtqemud", "--timeout", "120"])
    watched = Watched(host)
    assert isinstance(watched.outcome(), Absent)
    process(host, 300, LIBVIRT_6)
    outcomes = [watched.outcome() for _ in range(3)]
    assert isinstance(outcomes[-1], Data)


def test_two_guests_of_one_uuid_are_told_apart_and_a_third_is_said_to_be_left_out(host: Path) -> None:
    copy = [one.replace("web01", "copy") for one in LIBVIRT_6]
    process(host, 300, LIBVIRT_6, started=1000)
    process(host, 200, copy, started=2000)
    process(host, 201, copy, started=3000)
    watched = Watched(host)
    for _ in range(5):
        outcome = watched.outcome()
        assert isinstance(outcome, Data)
        meters = {guest.name: (guest.meter, guest.system_uuid) for guest in outcome.value.guests}
        assert meters == {"web01": (f"guest/{WEB}", WEB), "copy": ("guest/libvirt-copy", "")}
        assert outcome.note.startswith("1 are left out")


def test_more_guests_than_a_report_holds_are_said_to_be_left_out(host: Path) -> None:
    for number in range(MOST_GUESTS + 2):
        usage(host, f"lxc/{1000 + number}", 1)
    outcome = Watched(host).outcome()
    assert isinstance(outcome, Data)
    assert len(outcome.value.guests) == MOST_GUESTS
    assert outcome.note.startswith("2 are left out")


def test_hidden_processes_are_a_failure_where_guests_run_and_none_elsewhere(tmp_path: Path) -> None:
    # As ProtectProc=invisible has it: the agent sees itself.
    process(tmp_path, 4000, ["/usr/bin/ictagent", "run"])
    trees.write(tmp_path, {"sys/fs/cgroup/cgroup.controllers": "cpu"})
    assert isinstance(Watched(tmp_path).outcome(), Absent)
    usage(tmp_path, WEB_SCOPE, 1)
    outcome = Watched(tmp_path).outcome()
    assert isinstance(outcome, Failed)
    assert "ictagent upgrade" in outcome.remedy
    usage(tmp_path, "lxc/101", 1)
    outcome = Watched(tmp_path).outcome()
    assert isinstance(outcome, Data)
    assert "hidden" in outcome.note


def test_a_system_without_a_process_table_has_no_guests(tmp_path: Path) -> None:
    assert isinstance(Watched(tmp_path).outcome(), Absent)


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The command lines that were opened."""
    seen: list[Path] = []
    read = processes._first_argument

    def watched(path: Path) -> str:
        seen.append(path)
        return read(path)

    monkeypatch.setattr(processes, "_first_argument", watched)
    return seen


def test_processes_that_are_no_guests_are_looked_at_twice_and_then_left_alone(
    host: Path, looked_at: list[Path]
) -> None:
    for pid in range(100, 200):
        process(host, pid, ["/usr/bin/worker"])
    process(host, 300, PROXMOX_9_HOTPLUG)
    watched = Watched(host)
    # Five minutes, of which the first half minute has the first look and the second the second.
    for _ in range(30):
        assert list(sizes(watched.sample())) == ["build"]
    assert len(looked_at) == 1 + 2 * 101
    assert sizes(watched.sample()) == {"build": (DB, "virtual_machine", "proxmox", 2.0, GIB * 3 // 2)}


@pytest.mark.parametrize(("newest", "found"), [(250, True), (900, False)], ids=["came round", "went on"])
def test_a_number_that_came_round_again_is_looked_at_anew(host: Path, newest: int, found: bool) -> None:
    process(host, 300, ["/usr/bin/worker"])
    trees.write(host, {"proc/loadavg": "0.00 0.00 0.00 1/200 800"})
    watched = Watched(host)
    for _ in range(10):
        assert isinstance(watched.outcome(), Absent)
    process(host, 300, LIBVIRT_6, started=9000)
    trees.write(host, {"proc/loadavg": f"0.00 0.00 0.00 1/200 {newest}"})
    for _ in range(25):
        outcome = watched.outcome()
    assert isinstance(outcome, Data if found else Absent)
    # Whatever the numbers say, an hour is the longest that a guest stays unseen.
    for _ in range(360):
        outcome = watched.outcome()
    assert isinstance(outcome, Data)
