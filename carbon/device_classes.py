"""Classes of devices: what a register's row or a seen device is, as coverage, class profiles and reports tell it apart.

A class belongs to one service category, by which a council's ICT report is usually divided; a register may say
otherwise of a single device (a screen in a council chamber is audio-visual, not an end user's).
"""

from dataclasses import dataclass

from carbon.errors import CarbonError

SERVICE_CATEGORIES: dict[str, str] = {
    "servers": "servers and storage",
    "networks": "networks",
    "telephony": "telephony",
    "imaging": "printing and imaging",
    "audio_visual": "audio-visual",
    "end_users": "end users",
    "power": "power supply of ICT rooms",
}
"""Service categories and their names in reports."""


@dataclass(frozen=True, slots=True)
class DeviceClass:
    """A class: its name in reports, its service category, and whether people carry or use it at a desk.

    `end_user` marks what nobody puts an agent on as a rule, and what a class profile therefore stands for.
    """

    name: str
    words: str
    category: str
    end_user: bool = False


_CLASSES = (
    DeviceClass("server", "server", "servers"),
    DeviceClass("virtual_machine", "virtual machine", "servers"),
    DeviceClass("storage", "storage system", "servers"),
    DeviceClass("switch", "switch", "networks"),
    DeviceClass("router", "router", "networks"),
    DeviceClass("firewall", "firewall", "networks"),
    DeviceClass("wireless_controller", "wireless controller", "networks"),
    DeviceClass("access_point", "wireless access point", "networks", end_user=True),
    DeviceClass("network_other", "other network device", "networks"),
    DeviceClass("ups", "uninterruptible power supply", "power"),
    DeviceClass("pdu", "power distribution unit", "power"),
    DeviceClass("meter", "electricity meter", "power"),
    DeviceClass("laptop", "laptop", "end_users", end_user=True),
    DeviceClass("desktop", "desktop computer", "end_users", end_user=True),
    DeviceClass("all_in_one", "all-in-one computer", "end_users", end_user=True),
    DeviceClass("thin_client", "thin client", "end_users", end_user=True),
    DeviceClass("monitor", "monitor", "end_users", end_user=True),
    DeviceClass("dock", "docking station", "end_users", end_user=True),
    DeviceClass("tablet", "tablet", "end_users", end_user=True),
    DeviceClass("desk_phone", "desk telephone", "telephony", end_user=True),
    DeviceClass("mobile_phone", "mobile telephone", "telephony", end_user=True),
    DeviceClass("printer", "printer", "imaging", end_user=True),
    DeviceClass("multifunction", "multifunction printer", "imaging", end_user=True),
    DeviceClass("scanner", "scanner", "imaging", end_user=True),
    DeviceClass("meeting_room_screen", "meeting-room screen", "audio_visual", end_user=True),
    DeviceClass("projector", "projector", "audio_visual", end_user=True),
    DeviceClass("other", "other ICT", "end_users"),
)

CLASSES: dict[str, DeviceClass] = {one.name: one for one in _CLASSES}
"""All classes by name."""


def device_class(name: str) -> DeviceClass:
    """The class of a name. Raises CarbonError with the names that there are."""
    try:
        return CLASSES[name]
    except KeyError:
        raise CarbonError(f"{name} is no class of devices: use one of {', '.join(CLASSES)}") from None
