"""The class of a device that was seen, from what it is polled as and what its inventory says. A register's word comes first."""

from collector.segments import GUEST_PLATFORMS

_BY_KIND = {
    "server_bmc": "server",
    "server": "server",
    "storage": "storage",
    "switch": "switch",
    "router": "router",
    "firewall": "firewall",
    "wireless_controller": "wireless_controller",
    "access_point": "access_point",
    "radio_link": "network_other",
    "network_device": "network_other",
    "ups": "ups",
    "dc_plant": "ups",
    "pdu": "pdu",
    "meter": "meter",
    "printer": "printer",
    "phone": "desk_phone",
}
"""Kinds of polled devices; a camera, an environment sensor or an appliance is other ICT."""
_BY_CHASSIS = {"laptop": "laptop", "desktop": "desktop"}


def class_of(kind: str, platform: str = "", chassis: str = "") -> str:
    """The class (`carbon.device_classes`) of a seen device by its kind, and of a host by its platform and chassis.

    >>> class_of("switch"), class_of("host", "virtual_machine"), class_of("host", "physical", "laptop")
    ('switch', 'virtual_machine', 'laptop')
    """
    if kind != "host":
        return _BY_KIND.get(kind, "other")
    if platform in GUEST_PLATFORMS:
        return "virtual_machine"
    return _BY_CHASSIS.get(chassis, "server")
