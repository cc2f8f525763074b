"""The machine's UUID: what the firmware says, without the fillers, in one spelling.

SMBIOS gives a UUID's first three groups in little-endian order since version 2.6, and older or careless firmware does
not; VMware shows its guests the one or the other order by the version of the virtual machine. The same machine may
therefore be known by two spellings that differ in the byte order of these groups: compare by `same_machine`.
Source: SMBIOS specification (DMTF DSP0134) section 7.2.1; Linux drivers/firmware/dmi_scan.c.
"""

import uuid
from pathlib import Path

from agent.files import text_or_empty

_FILLERS = frozenset(
    {
        "03000200-0400-0500-0006-000700080009",
        "00020003-0004-0005-0006-000700080009",
        "12345678-1234-5678-90ab-cddeefaabbcc",
        "fefefefe-fefe-fefe-fefe-fefefefefefe",
    }
)
"""UUIDs that board makers leave in every board they ship."""

_FILES = ("sys/class/dmi/id/product_uuid", "sys/hypervisor/uuid", "proc/device-tree/vm,uuid")
"""DMI (readable by root only), a Xen guest, a POWER guest of KVM."""


def read_system_uuid(root: Path) -> str:
    """The UUID of the machine below `root` in lower case, or "" where there is none or it may not be read."""
    return next((found for file in _FILES if (found := normalised(text_or_empty(root / file)))), "")


def normalised(text: str) -> str:
    """A UUID in lower case with hyphens, or "" for what is none, or is in every board of a maker.

    >>> normalised("4C4C4544-0042-3510-8052-B4C04F564433"), normalised("00000000-0000-0000-0000-000000000000")
    ('4c4c4544-0042-3510-8052-b4c04f564433', '')
    """
    try:
        found = str(uuid.UUID(text.strip()))
    except ValueError:
        return ""
    # All zeros means "not present", all ones "not set".
    return "" if found in _FILLERS or len(set(found.replace("-", ""))) == 1 else found


def byte_swapped(text: str) -> str:
    """The same UUID with its first three groups in the other byte order.

    >>> byte_swapped("00112233-4455-6677-8899-aabbccddeeff")
    '33221100-5544-7766-8899-aabbccddeeff'
    """
    return str(uuid.UUID(bytes_le=uuid.UUID(text).bytes))


def same_machine(one: str, other: str) -> bool:
    """Whether two UUIDs, as firmware and hypervisor have them, name one machine. Empty ones name none."""
    first, second = normalised(one), normalised(other)
    return bool(first) and second in (first, byte_swapped(first))
