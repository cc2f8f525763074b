"""What a service must be allowed to see the guests of its host."""

import re
from pathlib import Path

from agent.files import text_or_empty, there
from agent.guests.cgroups import traces_of_guests
from agent.sources.needs import NOTHING, Needs

_HYPERVISORS = (
    "etc/pve",
    "usr/sbin/libvirtd",
    "usr/sbin/virtqemud",
    "usr/libexec/qemu-kvm",
    "usr/bin/kvm",
)
_EMULATORS = ("usr/bin/qemu-system-*", "usr/local/bin/qemu-system-*")


def needs(root: Path) -> Needs:
    """To see other users' processes, on a host that runs guests or is made for it; elsewhere nothing.

    Command line and processor time of a process may be read by everybody who sees it. Where the administrator has
    hidden processes (`hidepid=` of /proc), the group that is let in (`gid=`) is needed. Without one they stay hidden:
    CAP_SYS_PTRACE would show them, and would let the agent write into every process.
    """
    if not _runs_guests(root):
        return NOTHING
    hidden = re.search(r"^\S+ /proc proc (\S+)", text_or_empty(root / "proc/mounts"), re.MULTILINE)
    options = dict(one.partition("=")[::2] for one in hidden[1].split(",")) if hidden else {}
    if options.get("hidepid", "0") in ("0", "off"):
        return Needs(processes=True)
    group = _group_name(root, options.get("gid", ""))
    return Needs(processes=True, groups=frozenset({group} if group else ()))


def _runs_guests(root: Path) -> bool:
    made_for_it = any(there(root / one) for one in _HYPERVISORS)
    return made_for_it or any(next(root.glob(one), None) for one in _EMULATORS) or traces_of_guests(root)


def _group_name(root: Path, gid: str) -> str:
    for line in text_or_empty(root / "etc/group").splitlines():
        name, _, number, *_ = [*line.split(":"), "", "", ""]
        if gid and number == gid:
            return name
    return ""
