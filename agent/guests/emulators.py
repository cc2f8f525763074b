"""Which processes are system emulators, and how large a guest can be. Apart from what reads their command lines, which a
host without guests need not load.
"""

import re

_PROGRAM = re.compile(r"(qemu-system-[a-z0-9_-]+|qemu-kvm|kvm)\Z")
"""Debian's, Red Hat's and Proxmox's names. Not qemu-img, qemu-nbd, qemu-ga, nor the emulators of single programs."""

MOST_VCPUS = 8192
MOST_BYTES = 1 << 50


def is_qemu(program: str) -> bool:
    """Whether a process's first argument names a system emulator.

    >>> is_qemu("/usr/libexec/qemu-kvm"), is_qemu("/usr/bin/qemu-img"), is_qemu("qemu-x86_64-static")
    (True, False, False)
    """
    return _PROGRAM.match(program.rpartition("/")[2]) is not None
