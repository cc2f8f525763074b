"""One host's whole life on a Debian 12 of its own, which boots here: from the package to the purge.

The collector is a real one with TLS at the other end of the machine's cable. The steps stand on one another, so they are
one test; each is a statement of its own, and its time is printed.
"""

import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from agent.install.service import EXIT_CONFIGURATION
from collector.database.schema import device, report_stream
from tests.agent.install.image import Entry, changes, entries
from tests.conftest import missing
from tests.servers.debian import debian_root, mirror
from tests.servers.machine import DIES_WITH_US, Machine, missing_program
from tests.servers.packages import agent_package, later
from tests.servers.process import wait_until
from tests.system.asking import OwnAuthority, accepted, acts, command, reports_by_key
from tests.system.comparing import numbers

UNIT = "ictagent-agent.service"
MOST_EXPOSED = 2.0
TOKEN = "/root/token"
SETTINGS = "/etc/ictagent/agent.toml"
STATE = "/var/lib/ictagent"
USER_TABLES = {"/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow"}
OF_THE_SYSTEM = (
    "/var/lib/dpkg",
    "/var/log/",
    "/var/cache/",
    "/var/lib/systemd",
    "/var/tmp/systemd-private-",
    "/etc/.pwd.lock",
)
"""What dpkg, useradd and the running system keep of what they did, and what PrivateTmp= lends a running service."""


@dataclass
class Scene:
    """The machine, the collector, the package, and what earlier steps found."""

    machine: Machine
    collector: OwnAuthority
    package: Path
    before_the_package: dict[str, Entry] = field(default_factory=dict, repr=False)
    before_the_install: dict[str, Entry] = field(default_factory=dict, repr=False)
    shown: str = ""

    def files(self) -> dict[str, Entry]:
        """Everything on the machine's disk but the token, and what the system itself keeps of its doings."""
        found = entries(self.machine.path("/"))
        return {path: entry for path, entry in found.items() if not path.startswith((TOKEN, *OF_THE_SYSTEM))}

    def put(self, path: str, content: bytes) -> None:
        self.machine.path(path).parent.mkdir(parents=True, exist_ok=True)
        self.machine.path(path).write_bytes(content)

    def give_token(self) -> None:
        self.put(TOKEN, self.collector.token().encode())

    def unpack(self, package: Path) -> None:
        self.put(f"/root/{package.name}", package.read_bytes())
        self.machine.do("dpkg", "--install", f"/root/{package.name}")
        self.machine.path(f"/root/{package.name}").unlink()

    def unit(self, *names: str) -> dict[str, str]:
        """Properties of the agent's unit."""
        said = self.machine.do("systemctl", "show", UNIT, f"--property={','.join(names)}")
        return dict(line.partition("=")[::2] for line in said.splitlines())

    @property
    def pid(self) -> int:
        """The agent's process, as the machine counts; 0: it does not run."""
        return int(self.unit("MainPID")["MainPID"])

    def signal(self, name: str) -> int:
        """Send the agent a signal; its process."""
        pid = self.pid
        self.machine.do("sh", "-c", f"kill -{name} {pid}")
        return pid

    def wait_for_another(self, pid: int, seconds: float = 60.0) -> None:
        wait_until(lambda: self.pid not in (0, pid), f"another agent\n{self.machine.journal(UNIT)}", seconds)

    def wait_for_reports(self, more: int = 2) -> None:
        """Wait for reports beyond those that are there."""
        before = accepted(self.collector)
        wait_until(lambda: accepted(self.collector) >= before + more, f"reports\n{self.machine.journal(UNIT)}")

    def status(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.machine.run("ictagent", "status", "--output", "json").stdout)
        return said

    def key_states(self) -> list[str]:
        listed = command(self.collector, "collector", "device", "list", "--output", "json").stdout
        return sorted(one["state"] for one in json.loads(listed))

    def install(self, *more: str) -> str:
        options = ("--collector", self.collector.url, "--token-file", TOKEN, "--site", "County Hall")
        return self.machine.do("ictagent", "install", *options, *more)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    if os.geteuid() != 0:
        missing("root: a machine is booted")
    if absent := missing_program():
        missing(f"{absent}, with which a machine is booted")
    address = mirror()
    if not address:
        missing("a mirror of Debian 12 in apt's configuration")
    began = time.monotonic()
    root = debian_root(address)
    print(f"{time.monotonic() - began:6.1f} s  debootstrap, or the root kept from before")
    package = agent_package(tmp_path / "packages")
    machine = Machine(tmp_path / "machine", root)
    try:
        machine.start()
        collector = OwnAuthority(tmp_path, machine.here, DIES_WITH_US)
        try:
            collector.start()
            yield Scene(machine, collector, package)
            print(f"the collector said:\n{collector.said[-3000:]}")
            print(f"the agent said:\n{machine.journal(UNIT)[-8000:]}\nthe machine said:\n{machine.log}")
        finally:
            collector.end()
    finally:
        machine.end()


def the_package_brings_a_program_and_no_service(scene: Scene) -> None:
    scene.before_the_package = scene.files()
    scene.unpack(scene.package)
    scene.give_token()
    scene.before_the_install = scene.files()
    assert scene.unit("LoadState")["LoadState"] == "not-found"
    assert "ictagent" not in scene.machine.path("/etc/passwd").read_text()


def a_dry_run_changes_nothing(scene: Scene) -> None:
    scene.shown = scene.install("--dry-run")
    assert scene.files() == scene.before_the_install
    assert scene.unit("LoadState")["LoadState"] == "not-found"
    assert command(scene.collector, "collector", "token", "list").stdout.count(" good") == 1


def the_install_does_what_the_dry_run_showed_and_returns_when_a_sample_is_at_the_collector(scene: Scene) -> None:
    said = scene.install()
    assert accepted(scene.collector) >= 1
    first = re.search(r"^first sample: device (\S+) at the collector, .*?: [0-9.e+]+ W \(", said, re.MULTILINE)
    assert first, said
    [listed] = scene.collector.get("/v1/devices")[1]["devices"]
    assert listed["device_id"] == first[1]
    acts_of = [text.splitlines() for text in (scene.shown, said)]
    assert acts_of[0][1:-1] == acts_of[1][:-1], "each line of the dry run, in its order, and nothing else"
    after = scene.files()
    made = changes(scene.before_the_install, after)
    below_state = {path for path in made if path.startswith(f"{STATE}/")}
    shown = dict(re.findall(r"^- (?:write|create the directory) (/\S+) \((.+)\)$", scene.shown, re.MULTILINE))
    links = set(re.findall(r"it links (/[^\s)]+)", scene.shown))
    assert "create the system user and group ictagent" in scene.shown
    assert made - below_state == shown.keys() | links | USER_TABLES
    names = {"root": 0, "ictagent": scene.machine.path(STATE).stat().st_uid}
    for path, rights in shown.items():
        mode, owner, group = re.split("[,:] ?", rights)
        assert after[path][1:4] == (int(mode, 8), names[owner], names[group]), path
    assert {after[path][2] for path in below_state} == {names["ictagent"]}


def a_second_install_changes_nothing(scene: Scene) -> None:
    before, pid = scene.files(), scene.pid
    said = scene.install()
    assert said.startswith("nothing to change: the agent is installed like this already\n"), said
    touched = {path for path in changes(before, scene.files()) if not path.startswith(f"{STATE}/")}
    assert (touched, scene.pid) == (set(), pid)
    # The running agent is what the rest looks at; from here it reports every second.
    settings = scene.machine.path(SETTINGS)
    settings.write_text(settings.read_text() + "interval_seconds = 1\nreport_seconds = 1\n")
    scene.machine.do("systemctl", "restart", UNIT)
    scene.wait_for_reports()


def the_unit_is_closed_to_what_it_does_not_need(scene: Scene) -> None:
    said = scene.machine.do("systemd-analyze", "security", "--no-pager", UNIT)
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)
    assert found, said
    print(f"systemd-analyze security {UNIT}: {found[1]}")
    assert float(found[1]) <= MOST_EXPOSED, said


def a_level_of_messages_is_taken_without_a_restart_and_the_journal_keeps_times_and_priorities(scene: Scene) -> None:
    pid, settings = scene.pid, scene.machine.path(SETTINGS)
    plain = settings.read_text()
    settings.write_text(plain + 'log_level = "debug"\n')
    scene.machine.do("systemctl", "reload", UNIT)
    wait_until(lambda: "the log level is debug" in scene.machine.journal(UNIT), scene.machine.journal(UNIT))
    settings.write_text(plain)
    scene.machine.do("systemctl", "reload", UNIT)
    wait_until(lambda: "the log level is info" in scene.machine.journal(UNIT), scene.machine.journal(UNIT))
    assert scene.pid == pid
    lines = [json.loads(x) for x in scene.machine.do("journalctl", "--unit", UNIT, "--output=json").splitlines()]
    own = [line for line in lines if line.get("_PID") == str(pid) and line["_TRANSPORT"] == "stdout"]
    assert own
    for line in own:
        assert not re.match(r"<\d>|.*\d\d:\d\d:\d\d", line["MESSAGE"]), (
            "the journal has the time and the priority itself"
        )
        level = line["MESSAGE"].split()[0]
        assert line["PRIORITY"] == {"DEBUG": "7", "INFO": "6", "WARNING": "4", "ERROR": "3"}[level], line["MESSAGE"]


def the_kept(scene: Scene) -> tuple[str, list[str], list[str], int]:
    """What no kill and no restart may change: the key, its streams, the keys heard, and how many devices there are."""
    with scene.collector.database() as database, database.read() as connection:
        streams = list(connection.execute(select(report_stream.c.stream_id)).scalars())
        devices = connection.execute(select(func.count()).select_from(device)).scalar_one()
    key = scene.machine.path("/etc/ictagent/key").read_text()
    return key, streams, sorted(reports_by_key(scene.collector)), devices


def all_is_well(scene: Scene) -> None:
    """Everything that waited is delivered: no number of the one stream is missing, none refused, none kept back."""
    wait_until(lambda: scene.status()["good"], f"a good status: {scene.status()}")
    wait_until(lambda: scene.status()["agent"]["spool_reports"] <= 1, f"an empty spool: {scene.status()}")
    agent = scene.status()["agent"]
    assert (agent["rejected_reports"], agent["dropped_reports"], agent["last_problem"]) == (0, 0, "")


def a_killed_agent_is_started_again_and_goes_on(scene: Scene) -> None:
    kept = the_kept(scene)
    scene.wait_for_another(scene.signal("KILL"))
    scene.wait_for_reports()
    assert the_kept(scene) == kept
    all_is_well(scene)


def an_agent_that_hangs_is_noticed_by_the_watchdog_and_started_again(scene: Scene) -> None:
    """With the watchdog of three minutes shortened, by a file of the operator's own that an upgrade leaves alone."""
    assert scene.unit("WatchdogUSec")["WatchdogUSec"] == "3min"
    scene.put(f"/etc/systemd/system/{UNIT}.d/swift.conf", b"[Service]\nWatchdogSec=4\nRestartSec=1\n")
    scene.machine.do("systemctl", "daemon-reload")
    scene.machine.do("systemctl", "restart", UNIT)
    scene.wait_for_reports()
    kept = the_kept(scene)
    scene.wait_for_another(scene.signal("STOP"))
    assert "Watchdog timeout" in scene.machine.journal(UNIT)
    scene.wait_for_reports()
    assert the_kept(scene) == kept
    all_is_well(scene)


def a_reboot_goes_on_where_the_host_was(scene: Scene) -> None:
    kept, booted = the_kept(scene), scene.machine.do("cat", "/proc/sys/kernel/random/boot_id")
    scene.machine.reboot()
    assert scene.machine.do("cat", "/proc/sys/kernel/random/boot_id") != booted
    scene.wait_for_reports()
    assert the_kept(scene) == kept
    all_is_well(scene)
    [received] = numbers(scene.collector).values()
    assert len(set(received)) == len(received), "no report counts twice"


def an_upgrade_restarts_what_runs_and_leaves_state_and_settings(scene: Scene) -> None:
    kept, pid = the_kept(scene), scene.pid
    before = {path: entry for path, entry in scene.files().items() if path.startswith("/etc/")}
    scene.unpack(later(scene.package, "99.1"))
    assert scene.pid not in (0, pid)
    scene.wait_for_reports()
    assert the_kept(scene) == kept
    assert {path: entry for path, entry in scene.files().items() if path.startswith("/etc/")} == before
    all_is_well(scene)


def an_upgrade_leaves_stopped_what_was_stopped(scene: Scene) -> None:
    scene.machine.do("systemctl", "stop", UNIT)
    scene.unpack(later(scene.package, "99.2"))
    assert scene.pid == 0
    said = scene.machine.run("ictagent", "status")
    assert said.returncode == 1
    assert "the agent is not running; systemctl start ictagent-agent" in said.stdout
    scene.machine.do("systemctl", "start", UNIT)
    scene.wait_for_reports()


def a_wrong_configuration_is_said_and_not_tried_again(scene: Scene) -> None:
    settings = scene.machine.path(SETTINGS)
    right = settings.read_text()
    settings.write_text(right.replace("interval_seconds = 1", "interval_second = 1"))
    assert scene.machine.run("systemctl", "restart", UNIT).returncode != 0
    state = scene.unit("ActiveState", "SubState", "ExecMainStatus")
    assert state == {"ActiveState": "failed", "SubState": "failed", "ExecMainStatus": str(EXIT_CONFIGURATION)}
    assert "interval_second" in scene.machine.run("ictagent", "status").stdout
    errors = scene.machine.do("journalctl", "--unit", UNIT, "--priority=err", "--output=cat")
    assert "there is no setting interval_second" in errors
    settings.write_text(right)
    scene.machine.do("systemctl", "restart", UNIT)
    scene.wait_for_reports()


def a_revoked_key_ends_the_reports_and_the_status_says_why(scene: Scene) -> None:
    [listed] = scene.collector.get("/v1/devices")[1]["devices"]
    command(scene.collector, "collector", "device", "revoke", listed["device_id"], "--reason", "sold")
    words = "this key is unknown or revoked"
    wait_until(lambda: words in scene.status()["agent"]["last_problem"], f"the reason: {scene.status()}")
    counted = accepted(scene.collector)
    wait_until(lambda: scene.status()["agent"]["spool_reports"] >= 3, "reports kept in the spool")
    assert accepted(scene.collector) == counted
    assert words in scene.machine.run("ictagent", "status").stdout
    assert scene.unit("ActiveState")["ActiveState"] == "active", "what waits is kept for a new key"


def an_install_with_a_new_token_makes_it_good_and_delivers_what_waited(scene: Scene) -> None:
    counted, waited = accepted(scene.collector), scene.status()["agent"]["spool_reports"]
    scene.give_token()
    said = scene.install()
    assert "first sample: device" in said
    wait_until(lambda: accepted(scene.collector) >= counted + waited, "what waited")
    assert scene.key_states() == ["good", "revoked"]
    all_is_well(scene)


def an_uninstall_revokes_the_key_and_leaves_the_data_alone(scene: Scene) -> None:
    shutil.rmtree(scene.machine.path(f"/etc/systemd/system/{UNIT}.d"))
    shown = scene.machine.do("ictagent", "uninstall", "--dry-run")
    assert scene.unit("ActiveState")["ActiveState"] == "active"
    said = scene.machine.do("ictagent", "uninstall")
    assert shown.splitlines()[1:-1] == said.splitlines()
    assert scene.unit("LoadState", "ActiveState") == {"LoadState": "not-found", "ActiveState": "inactive"}
    assert scene.key_states() == ["revoked", "revoked"]
    assert acts(scene.collector).count("key.revoke") == 2
    left = {
        path
        for path in changes(scene.before_the_install, scene.files())
        if not path.startswith(("/usr/lib/ictagent", "/usr/share/"))
    }
    assert left - USER_TABLES == {path for path in left if path == STATE or path.startswith(f"{STATE}/")}
    assert any(path.startswith(f"{STATE}/spool") for path in left)


def a_purge_leaves_the_disk_as_it_was_before_the_package(scene: Scene) -> None:
    scene.machine.do("dpkg", "--purge", "ictagent-agent")
    assert changes(scene.before_the_package, scene.files()) == set()
    assert scene.machine.do("systemctl", "--failed", "--no-legend").strip() == ""


STEPS = (
    the_package_brings_a_program_and_no_service,
    a_dry_run_changes_nothing,
    the_install_does_what_the_dry_run_showed_and_returns_when_a_sample_is_at_the_collector,
    a_second_install_changes_nothing,
    the_unit_is_closed_to_what_it_does_not_need,
    a_level_of_messages_is_taken_without_a_restart_and_the_journal_keeps_times_and_priorities,
    a_killed_agent_is_started_again_and_goes_on,
    an_agent_that_hangs_is_noticed_by_the_watchdog_and_started_again,
    a_reboot_goes_on_where_the_host_was,
    an_upgrade_restarts_what_runs_and_leaves_state_and_settings,
    an_upgrade_leaves_stopped_what_was_stopped,
    a_wrong_configuration_is_said_and_not_tried_again,
    a_revoked_key_ends_the_reports_and_the_status_says_why,
    an_install_with_a_new_token_makes_it_good_and_delivers_what_waited,
    an_uninstall_revokes_the_key_and_leaves_the_data_alone,
    a_purge_leaves_the_disk_as_it_was_before_the_package,
)


@pytest.mark.timeout(600)  # debootstrap and the package's build are in it, once on a new machine
def test_a_host_from_the_package_to_the_purge(scene: Scene) -> None:
    for step in STEPS:
        began = time.monotonic()
        step(scene)
        print(f"{time.monotonic() - began:6.1f} s  {step.__name__}")
    assert "Traceback" not in scene.collector.said
