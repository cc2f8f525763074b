"""Evidence of the machine, as every request carries it: so that a copied key is told from its original.

A hash of the operating system's machine id and the firmware's UUID. It is no identity: a virtual machine that is
restored keeps it, a clone may have it too, and either part may change in a machine's life.
"""

import hashlib
import socket
from pathlib import Path
from urllib.parse import quote

from agent.files import text_or_empty
from agent.inventory.uuids import read_system_uuid


def machine_evidence(machine_id: str, system_uuid: str) -> str:
    """16 hexadecimal digits that differ between machines; empty where nothing is known of this one.

    >>> machine_evidence("", "")
    ''
    >>> machine_evidence("6ab4", "") == machine_evidence("6ab4", "")
    True
    """
    if not (machine_id or system_uuid):
        return ""
    # The machine id alone must not be sent in a form that other programs use (machine-id(5)).
    return hashlib.sha256(f"ictagent\n{machine_id}\n{system_uuid}".encode()).hexdigest()[:16]


def machine_header(root: Path = Path("/")) -> str:
    """This machine's evidence and host name, as the value of MACHINE_HEADER."""
    machine_id = text_or_empty(root / "etc/machine-id") or text_or_empty(root / "var/lib/dbus/machine-id")
    name = text_or_empty(root / "proc/sys/kernel/hostname") or socket.gethostname()
    return f"{machine_evidence(machine_id, read_system_uuid(root)) or '-'} {quote(name)[:256]}"
