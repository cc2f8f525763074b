"""Classes of devices that were seen."""

from typing import get_args

import pytest

from carbon.device_classes import CLASSES
from collector.seen_class import class_of
from collector.snmp.profile import Kind


def test_every_kind_of_polled_device_has_a_class_that_is_known() -> None:
    assert {class_of(kind) for kind in (*get_args(Kind), "network_device")} <= set(CLASSES)


@pytest.mark.parametrize(
    ("platform", "chassis", "expected"),
    [
        ("physical", "server", "server"),
        ("physical", "laptop", "laptop"),
        ("physical", "desktop", "desktop"),
        ("physical", "", "server"),
        ("virtual_machine", "other", "virtual_machine"),
        ("container", "", "virtual_machine"),
    ],
)
def test_a_host_is_what_its_platform_and_chassis_say(platform: str, chassis: str, expected: str) -> None:
    assert class_of("host", platform, chassis) == expected
