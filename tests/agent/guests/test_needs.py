"""What a service must be allowed to see the guests of its host."""

from pathlib import Path

import pytest

from agent.guests.needs import needs
from agent.install import systemd
from agent.install.service import agent_service
from agent.sources import needs_of
from agent.sources.needs import NOTHING, Needs
from tests.agent import trees
from tests.agent.guests.host import usage


def protect_proc(of: Needs) -> str:
    unit = systemd.unit_text(agent_service(("/opt/ictagent",), of, credentials=True))
    return next(line for line in unit.splitlines() if line.startswith("ProtectProc="))


def test_a_host_without_guests_hides_the_processes_of_others_from_the_agent(tmp_path: Path) -> None:
    assert needs(tmp_path) == NOTHING
    assert protect_proc(NOTHING) == "ProtectProc=invisible"


@pytest.mark.parametrize(
    "file", ["usr/bin/qemu-system-x86_64", "usr/libexec/qemu-kvm", "usr/sbin/virtqemud", "etc/pve/.version"]
)
def test_a_host_that_is_made_for_guests_lets_the_agent_see_them(tmp_path: Path, file: str) -> None:
    trees.write(tmp_path, {file: ""})
    assert needs(tmp_path) == Needs(processes=True)
    assert protect_proc(needs_of(tmp_path)) == "ProtectProc=default"
    assert protect_proc(needs_of(tmp_path, ["guests"])) == "ProtectProc=invisible"


def test_running_guests_are_enough(tmp_path: Path) -> None:
    usage(tmp_path, r"machine.slice/machine-qemu\x2d1\x2dweb.scope", 1)
    assert needs(tmp_path).processes


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("rw,nosuid,hidepid=2,gid=44", Needs(processes=True, groups=frozenset({"proc"}))),
        ("rw,hidepid=invisible", Needs(processes=True)),
        ("rw,hidepid=off", Needs(processes=True)),
        ("rw,relatime", Needs(processes=True)),
    ],
)
def test_where_processes_are_hidden_the_group_that_sees_them_is_needed_and_no_capability(
    tmp_path: Path, options: str, expected: Needs
) -> None:
    trees.write(
        tmp_path,
        {
            "etc/pve/.version": "",
            "etc/group": "root:x:0:\nproc:x:44:zabbix\nnonsense",
            "proc/mounts": f"sysfs /sys sysfs rw 0 0\nproc /proc proc {options} 0 0",
        },
    )
    assert needs(tmp_path) == expected
