"""Starting and stopping services, by whatever manages them on the host."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from agent.install import initscript, launchd, systemd, windows
from agent.install.actions import Action, RemoveFile, WriteFile
from agent.install.enrolment import Enrol, PinAuthority
from agent.install.host import Host, Manager
from agent.install.service import Service

_WANTED = "/etc/systemd/system/multi-user.target.wants/"


def _touches(pending: Sequence[Action], paths: Sequence[PurePath]) -> bool:
    return any(isinstance(one, (WriteFile, RemoveFile, Enrol, PinAuthority)) and one.path in paths for one in pending)


@dataclass(frozen=True, slots=True)
class ReloadManager:
    """Have systemd read its units again."""

    unit: PurePath

    def describe(self) -> str:
        return "have systemd read its units again (systemctl daemon-reload)"

    def done(self, host: Host, pending: Sequence[Action]) -> bool:
        if not host.live or _touches(pending, [self.unit]):
            return not host.live
        return host.unit_properties(self.unit.name).get("NeedDaemonReload") != "yes"

    def apply(self, host: Host) -> None:
        host.run("systemctl", "daemon-reload")


@dataclass(frozen=True, slots=True)
class Enable:
    """Start the service with the machine."""

    service: Service
    manager: Manager

    def describe(self) -> str:
        link = f"; it links {_WANTED}{self.service.unit}" if self.manager == "systemd" else ""
        return f"have {self.service.name} started with the machine ({' '.join(self._command())}{link})"

    def done(self, host: Host, pending: Sequence[Action]) -> bool:  # noqa: ARG002  # the shape is Action's
        name = self.service.name
        if self.manager == "systemd":
            return host.asks("systemctl", *_below(host), "--quiet", "is-enabled", self.service.unit)
        if self.manager == "openrc":
            return (host.root / "etc/runlevels/default" / name).is_symlink()
        return any(host.root.glob(f"etc/rc*.d/S*{name}")) or any(host.root.glob(f"etc/rc.d/rc*.d/S*{name}"))

    def apply(self, host: Host) -> None:
        words = self._command()
        if self.manager == "sysv" and not host.asks("sh", "-c", "command -v update-rc.d"):
            words = ["chkconfig", "--add", self.service.name]
        host.run(words[0], *(_below(host) if self.manager == "systemd" else []), *words[1:])

    def _command(self) -> list[str]:
        return {
            "systemd": ["systemctl", "enable", self.service.unit],
            "openrc": ["rc-update", "add", self.service.name, "default"],
        }.get(self.manager, ["update-rc.d", self.service.name, "defaults"])


@dataclass(frozen=True, slots=True)
class Start:
    """Start the service, or start it again where what it was started with changes. It returns when the service is ready.

    `only_if_running`: an upgrade does not start what somebody stopped.
    """

    service: Service
    manager: Manager
    made_of: tuple[PurePath, ...]
    only_if_running: bool = False

    def describe(self) -> str:
        again = "again " if self.only_if_running else ""
        return f"start {self.service.name} {again}({' '.join(self._command())})"

    def done(self, host: Host, pending: Sequence[Action]) -> bool:
        if not host.live:
            return True
        running = is_running(host, self.service, self.manager)
        if self.only_if_running and not running:
            return True
        changed = _touches(pending, self.made_of)
        newer = self.manager == "systemd" and host.program_is_newer(self.service.unit)
        return running and not changed and not newer

    def apply(self, host: Host) -> None:
        if self.manager == "windows":
            host.run("schtasks", "/Create", "/F", "/TN", self.service.name, "/XML", str(self.made_of[0]))
        if self.manager == "launchd" and is_running(host, self.service, self.manager):
            host.run("launchctl", "bootout", f"system/{launchd.label(self.service)}")
        host.run(*self._command())

    def _command(self) -> list[str]:
        return {
            "systemd": ["systemctl", "restart", self.service.unit],
            "openrc": ["rc-service", self.service.name, "restart"],
            "sysv": [f"/etc/init.d/{self.service.name}", "restart"],
            "launchd": ["launchctl", "bootstrap", "system", str(launchd.plist_path(self.service))],
            "windows": ["schtasks", "/Run", "/TN", self.service.name],
        }[self.manager]


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop the service, and no longer start it with the machine. It sends a last report first."""

    service: Service
    manager: Manager

    def describe(self) -> str:
        commands = "; ".join(" ".join(one) for one in self._commands())
        return f"stop {self.service.name} and no longer start it with the machine ({commands})"

    def done(self, host: Host, pending: Sequence[Action]) -> bool:
        enabled = self.manager in ("systemd", "openrc", "sysv") and Enable(self.service, self.manager).done(
            host, pending
        )
        return not enabled and not (host.live and is_running(host, self.service, self.manager))

    def apply(self, host: Host) -> None:
        if not host.live:
            host.run("systemctl", *_below(host), "disable", self.service.unit)
            return
        for command in self._commands():
            host.run(*command)

    def _commands(self) -> list[list[str]]:
        name = self.service.name
        return {
            "systemd": [["systemctl", "disable", "--now", self.service.unit]],
            "openrc": [["rc-service", name, "stop"], ["rc-update", "del", name, "default"]],
            "sysv": [[f"/etc/init.d/{name}", "stop"], ["update-rc.d", "-f", name, "remove"]],
            "launchd": [["launchctl", "bootout", f"system/{launchd.label(self.service)}"]],
            "windows": [["schtasks", "/End", "/TN", name], ["schtasks", "/Delete", "/F", "/TN", name]],
        }[self.manager]


def is_running(host: Host, service: Service, manager: Manager) -> bool:
    """Whether the service manager says that the service runs."""
    if manager == "systemd":
        return host.unit_properties(service.unit).get("ActiveState") in ("active", "activating", "reloading")
    if manager == "launchd":
        return host.asks("launchctl", "print", f"system/{launchd.label(service)}")
    if manager == "windows":
        return host.asks("schtasks", "/Query", "/TN", service.name)
    script = ["rc-service", service.name] if manager == "openrc" else [f"/etc/init.d/{service.name}"]
    return host.asks(*script, "status")


def definition_path(service: Service, manager: Manager) -> PurePath:
    """The file from which a service manager knows a service."""
    if manager == "systemd":
        return systemd.unit_path(service)
    if manager == "launchd":
        return launchd.plist_path(service)
    if manager == "windows":
        return windows.task_path(service)
    return initscript.script_path(service)


def _below(host: Host) -> list[str]:
    return [] if host.live else [f"--root={host.root}"]
