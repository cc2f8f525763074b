"""The whole machine's watts by its management controller (BMC), asked over the network by Redfish.

Off until `redfish_url` is set. Asked every half minute, in the background: controllers take a second or two.
Source: DMTF DSP0266; ComputerSystem and Chassis schemas.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from agent.outcome import Absent
from agent.sources.needs import Needs
from agent.sources.source import Background, Source

if TYPE_CHECKING:
    from agent.settings import AgentSettings

NAME = "redfish"


def make(settings: "AgentSettings", root: Path) -> Source:
    """The source, which connects only where a controller's address is set."""
    url = settings.redfish_url
    if not url:
        absent = Absent("no controller is configured (redfish_url)")
        return Background(lambda: absent, settings.bmc_interval_seconds, present=lambda: absent)
    from agent.sources.redfish_client import RedfishClient  # noqa: PLC0415  # most hosts ask no controller
    from agent.sources.redfish_machine import Machine  # noqa: PLC0415  # likewise

    machine = Machine(
        RedfishClient(url, settings.redfish_user, settings.redfish_password_file, settings.redfish_ca),
        root,
        frozenset(settings.redfish_chassis),
    )
    return Background(
        machine.read,
        settings.bmc_interval_seconds,
        present=lambda: None if root == Path("/") else Absent("a captured tree cannot be asked"),
        farewell=machine.close,
    )


def needs(_root: Path) -> Needs:
    """The network."""
    return Needs(address_families=frozenset({"AF_INET", "AF_INET6"}))
