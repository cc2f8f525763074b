"""A service for macOS: a launchd property list (launchd.plist(5)). Generated and tested as a file; not run for real."""

import plistlib
from pathlib import PurePosixPath

from agent.install.service import Service

DAEMONS = PurePosixPath("/Library/LaunchDaemons")
LOGS = PurePosixPath("/Library/Logs")


def label(service: Service) -> str:
    return f"org.ictagent.{service.name.removeprefix('ictagent-')}"


def plist_path(service: Service) -> PurePosixPath:
    return DAEMONS / f"{label(service)}.plist"


def user_name(service: Service) -> str:
    """macOS marks users of services by an underscore."""
    return f"_{service.user}"


def plist_bytes(service: Service) -> bytes:
    """The property list: started with the machine, and again unless it ended in order."""
    return plistlib.dumps(
        {
            "Label": label(service),
            "ProgramArguments": list(service.command),
            "UserName": user_name(service),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": 10,
            "ProcessType": "Background",
            "Umask": 0o077,
            "StandardErrorPath": str(LOGS / f"{service.name}.log"),
            "SoftResourceLimits": {"NumberOfFiles": service.open_files, "Core": 0},
        }
    )
