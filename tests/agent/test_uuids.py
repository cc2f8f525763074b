"""The machine's UUID: one spelling, no fillers, and two byte orders of one machine are recognised."""

from pathlib import Path

import pytest

from agent.inventory import read_inventory
from agent.inventory.uuids import byte_swapped, normalised, read_system_uuid, same_machine
from tests.agent import trees

DELL = "4c4c4544-0042-3510-8052-b4c04f564433"


@pytest.mark.parametrize("file", ["sys/class/dmi/id/product_uuid", "sys/hypervisor/uuid", "proc/device-tree/vm,uuid"])
def test_the_uuid_is_read_where_firmware_or_hypervisor_leaves_it(file: str, tmp_path: Path) -> None:
    trees.write(tmp_path, {file: DELL.upper()})
    assert read_inventory(tmp_path).system_uuid == DELL


def test_what_dmi_lacks_is_looked_for_in_the_other_places(tmp_path: Path) -> None:
    trees.write(tmp_path, {"sys/class/dmi/id/product_uuid": "Not Settable", "sys/hypervisor/uuid": DELL})
    assert read_system_uuid(tmp_path) == DELL


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Not Settable",
        "00000000-0000-0000-0000-000000000000",
        "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
        "03000200-0400-0500-0006-000700080009",
        DELL[:-1],
        "\x00" * 36,
    ],
)
def test_a_filler_or_what_is_no_uuid_is_no_identity(text: str) -> None:
    assert normalised(text) == ""
    assert not same_machine(text, text)


def test_a_machine_is_known_by_either_byte_order_of_its_uuid() -> None:
    # As vCenter has it, and as its guest reads it from an SMBIOS older than 2.6.
    of_vcenter, of_guest = "420a3b5c-1d2e-4f60-8192-a3b4c5d6e7f8", "5c3b0a42-2e1d-604f-8192-a3b4c5d6e7f8"
    assert same_machine(of_vcenter, of_guest.upper())
    assert same_machine(of_vcenter, of_vcenter)
    assert not same_machine(of_vcenter, of_vcenter[:-1] + "9")
    assert byte_swapped(byte_swapped(DELL)) == DELL
