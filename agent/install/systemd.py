"""A service as a systemd unit: notified, watched, and allowed what it needs and nothing more.

`systemd-analyze security` measures what is left open; a test holds the figure.
"""

import re
from pathlib import PurePosixPath

from agent.install.service import EXIT_CONFIGURATION, WATCHDOG_SECONDS, Service

UNITS = PurePosixPath("/etc/systemd/system")
CREDENTIALS_SINCE = 247
"""The release of systemd that has LoadCredential=; before it the setting is ignored with a warning."""


def unit_path(service: Service) -> PurePosixPath:
    return UNITS / service.unit


def credential_path(service: Service, name: str) -> str:
    """Where the service finds a credential while it runs."""
    return f"/run/credentials/{service.unit}/{name}"


def unit_text(service: Service) -> str:
    """The unit file."""
    return "\n".join([*_head(service), *_service(service), *_hardening(service), *_foot()])


def _head(service: Service) -> list[str]:
    return [
        "# Written by `ictagent`; `ictagent upgrade` writes it anew. Changes of your own belong in",
        f"# {UNITS / (service.unit + '.d')}/, which is left alone.",
        "[Unit]",
        f"Description={service.title}",
        "Wants=network-online.target",
        "After=network-online.target time-sync.target",
        "# It starts again for as long as it takes: a host is not to be forgotten after five failures.",
        "StartLimitIntervalSec=0",
        "",
    ]


def _service(service: Service) -> list[str]:
    return [
        "[Service]",
        "Type=notify",
        "NotifyAccess=main",
        f"ExecStart={' '.join(_word(one) for one in service.command)}",
        # The shell's own `kill`: a small system lacks /bin/kill.
        'ExecReload=/bin/sh -c "kill -HUP ${MAINPID}"',
        f"User={service.user}",
        f"Group={service.user}",
        *(f"SupplementaryGroups={one}" for one in sorted(service.needs.groups)),
        f"StateDirectory={service.state_directory.name}",
        "StateDirectoryMode=0700",
        *(f"LoadCredential={name}:{path.replace('%', '%%')}" for name, path in sorted(service.credentials.items())),
        "Restart=on-failure",
        "RestartSec=10",
        f"RestartPreventExitStatus={EXIT_CONFIGURATION}",
        f"WatchdogSec={WATCHDOG_SECONDS}",
        "TimeoutStartSec=180",
        "TimeoutStopSec=30",
        f"MemoryMax={service.memory_max}",
        "MemorySwapMax=0" if not service.just_in_time else "",
        f"TasksMax={service.tasks_max}",
        f"LimitNOFILE={service.open_files}",
        "LimitCORE=0",
        "UMask=0077",
        "",
    ]


def _hardening(service: Service) -> list[str]:
    needs = service.needs
    capabilities = " ".join(sorted(needs.capabilities))
    families = sorted({"AF_INET", "AF_INET6", "AF_UNIX"} | needs.address_families)
    lines = [
        f"CapabilityBoundingSet={capabilities}",
        f"AmbientCapabilities={capabilities}",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateTmp=yes",
        "PrivateIPC=yes",
        "PrivateMounts=yes",
        "ProtectHostname=yes",
        "ProtectClock=yes",
        "ProtectKernelTunables=yes",
        "ProtectKernelModules=yes",
        "ProtectKernelLogs=yes",
        "ProtectControlGroups=yes",
        "# The guests of this host are processes of other users." if needs.processes else "",
        f"ProtectProc={'default' if needs.processes else 'invisible'}",
        "# /proc/stat, /proc/meminfo and the like are what it reads." if not service.just_in_time else "",
        "ProcSubset=all" if not service.just_in_time else "ProcSubset=pid",
        "RestrictNamespaces=yes",
        "RestrictRealtime=yes",
        "RestrictSUIDSGID=yes",
        "LockPersonality=yes",
        "KeyringMode=private",
        "RemoveIPC=yes",
        f"RestrictAddressFamilies={' '.join(families)}",
        "SystemCallArchitectures=native",
        "SystemCallFilter=@system-service",
        "SystemCallFilter=~@privileged @resources" if not service.just_in_time else "SystemCallFilter=~@privileged",
        "SystemCallErrorNumber=EPERM",
    ]
    if service.just_in_time:
        lines.append("# No MemoryDenyWriteExecute=: the engine that draws its charts compiles while it runs.")
    else:
        lines.append("MemoryDenyWriteExecute=yes")
    if needs.capabilities:
        lines.append("# No PrivateUsers=: in a namespace of users a capability would not reach the host's files.")
    else:
        lines.append("PrivateUsers=yes")
    if needs.devices:
        lines += ["DevicePolicy=closed", *(f"DeviceAllow={path} rw" for path in sorted(needs.devices))]
    else:
        lines.append("PrivateDevices=yes")
    return [line for line in lines if line]


def _foot() -> list[str]:
    return ["", "[Install]", "WantedBy=multi-user.target", ""]


def _word(text: str) -> str:
    """A word of a command line, quoted where systemd would split or expand it (systemd.service(5))."""
    escaped = text.replace("%", "%%").replace("$", "$$")
    if re.fullmatch(r"[\w@%+=:,./$-]+", escaped):
        return escaped
    return '"' + escaped.replace("\\", "\\\\").replace('"', '\\"') + '"'
