"""The packages' scripts, run by sh with every word that dpkg and rpm call them with, in a tree of their own.

`ictagent` is a recorder here: the scripts' own decisions are what is tested. What it then does, tests/system runs.
"""

import os
import shutil
import subprocess
from pathlib import Path, PurePosixPath
from typing import Literal

import pytest

from agent.install.actions import RemoveFile, RemoveTree, RemoveUser
from agent.install.host import Facts
from agent.install.plan import agent_of, collector_of, uninstall
from deploy.packages.build import HERE
from tests.conftest import missing

Package = Literal["ictagent-agent", "ictagent-collector"]
AGENT, COLLECTOR = "/etc/systemd/system/ictagent-agent.service", "/etc/systemd/system/ictagent-collector.service"
GONE = "ictagent uninstall --keep-settings"
ROOTED = ("/usr/bin/ictagent", "/usr/lib/ictagent", "/etc/", "/var/lib/")


class Tree:
    """A file system for the scripts: their paths lead below `root`, and what they call is written down."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.log = root / "calls"
        self.programs = root / "programs"
        for name in ("ictagent", "getent", "userdel", "groupdel"):
            self.program(name)

    def program(self, name: str, failing_on: str = "") -> None:
        place = self.root / "usr/bin" if name == "ictagent" else self.programs
        place.mkdir(parents=True, exist_ok=True)
        fails = f'case "$*" in {failing_on}) exit 1 ;; esac\n' if failing_on else ""
        (place / name).write_text(f'#!/bin/sh\necho "{name} $*" >>{self.log}\n{fails}')
        (place / name).chmod(0o755)

    def make(self, *paths: str) -> None:
        for path in paths:
            file = self.root / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("")

    def run(self, script: str, package: Package, *words: str) -> list[str]:
        """Run a script as a package manager does, and give the calls it made. It must succeed whatever they say."""
        other = {"ictagent-agent": "ictagent-collector", "ictagent-collector": "ictagent-agent"}[package]
        text = (HERE / f"scripts/{script}.sh").read_text(encoding="utf-8")
        text = text.replace("@PACKAGE@", package).replace("@OTHER@", other)
        for path in ROOTED:
            text = text.replace(path, f"{self.root}{path}")
        self.log.write_text("")
        environment = os.environ | {"PATH": f"{self.programs}:{os.environ['PATH']}"}
        done = subprocess.run(
            ["sh", "-s", *words], check=False, input=text, text=True, env=environment, capture_output=True
        )
        assert done.returncode == 0, done.stderr
        return self.log.read_text().splitlines()


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


@pytest.mark.parametrize("words", [("configure", ""), ("configure", "0.1.0-1"), ("1",), ("2",)])
def test_a_package_that_comes_to_a_host_without_a_service_starts_nothing(tree: Tree, words: tuple[str, ...]) -> None:
    assert tree.run("postinst", "ictagent-agent", *words) == []


@pytest.mark.parametrize("words", [("configure", "0.1.0-1"), ("2",), ("configure", ""), ("1",)])
@pytest.mark.parametrize("unit", [AGENT, COLLECTOR, "/etc/init.d/ictagent-agent"])
def test_a_new_release_is_taken_up_by_the_services_that_are_there(
    tree: Tree, words: tuple[str, ...], unit: str
) -> None:
    tree.make(unit)
    assert tree.run("postinst", "ictagent-agent", *words) == ["ictagent upgrade"]


def test_a_service_that_does_not_come_up_leaves_the_package_installed(tree: Tree) -> None:
    tree.make(AGENT)
    tree.program("ictagent", failing_on="upgrade")
    assert tree.run("postinst", "ictagent-agent", "configure", "0.1.0-1") == ["ictagent upgrade"]


@pytest.mark.parametrize("words", [("remove",), ("0",)])
def test_a_removal_for_good_gives_the_key_back_and_keeps_the_settings(tree: Tree, words: tuple[str, ...]) -> None:
    tree.make(AGENT)
    assert tree.run("prerm", "ictagent-agent", *words) == [GONE]


@pytest.mark.parametrize("words", [("remove",), ("0",)])
def test_the_collectors_package_takes_both_services_along(tree: Tree, words: tuple[str, ...]) -> None:
    tree.make(AGENT, COLLECTOR)
    calls = [GONE, "ictagent collector uninstall --keep-settings"]
    assert tree.run("prerm", "ictagent-collector", *words) == calls


@pytest.mark.parametrize(
    "words",
    [
        ("upgrade", "0.1.0-2"),
        ("1",),
        ("failed-upgrade", "0.1.0-1"),
        ("remove", "in-favour", "ictagent-collector", "0.1.0-1"),
        ("deconfigure", "in-favour", "ictagent-collector", "0.1.0-1"),
    ],
)
def test_an_upgrade_and_the_other_package_taking_over_uninstall_nothing(tree: Tree, words: tuple[str, ...]) -> None:
    tree.make(AGENT)
    assert tree.run("prerm", "ictagent-agent", *words) == []


def test_rpm_swapping_the_packages_uninstalls_nothing(tree: Tree) -> None:
    tree.make(AGENT, "/usr/lib/ictagent/packages/ictagent-collector")
    assert tree.run("prerm", "ictagent-agent", "0") == []
    assert tree.run("prerm", "ictagent-collector", "0") == [GONE]


def test_a_host_whose_collector_is_gone_is_rid_of_the_agent_all_the_same(tree: Tree) -> None:
    tree.make(AGENT)
    tree.program("ictagent", failing_on='"uninstall --keep-settings"')
    assert tree.run("prerm", "ictagent-agent", "remove") == [GONE, f"{GONE} --keep-key"]


def test_a_removal_succeeds_whatever_the_uninstall_says(tree: Tree) -> None:
    tree.make(AGENT, COLLECTOR)
    tree.program("ictagent", failing_on="*")
    assert len(tree.run("prerm", "ictagent-collector", "remove")) == 3


@pytest.mark.parametrize("words", [("remove",), ("upgrade", "0.1.0-2"), ("0",), ("1",)])
def test_nothing_but_a_purge_deletes_settings_or_data(tree: Tree, words: tuple[str, ...]) -> None:
    tree.make("/etc/ictagent/agent.toml", "/var/lib/ictagent/spool")
    assert tree.run("postrm", "ictagent-agent", *words) == []
    assert (tree.root / "etc/ictagent/agent.toml").exists()
    assert (tree.root / "var/lib/ictagent/spool").exists()


def _listed(package: Package) -> tuple[set[PurePosixPath], set[str]]:
    """What `uninstall --purge` of the package's services lists in /etc/ictagent and /var/lib, and the users."""
    facts = Facts("systemd", ("/usr/lib/ictagent/ictagent",), "/usr/sbin/nologin")
    services = [agent_of(facts), collector_of(facts)] if package == "ictagent-collector" else [agent_of(facts)]
    plan = [action for service in services for action in uninstall(facts, service, None, purge=True)]
    paths = {PurePosixPath(one.path) for one in plan if isinstance(one, (RemoveFile, RemoveTree))}
    kept = {path for path in paths if path.parts[1:3] != ("etc", "systemd")}
    return kept, {one.name for one in plan if isinstance(one, RemoveUser)}


@pytest.mark.parametrize("package", ["ictagent-agent", "ictagent-collector"])
def test_a_purge_deletes_what_the_plan_of_uninstall_purge_lists(tree: Tree, package: Package) -> None:
    paths, users = _listed(package)
    assert len(paths) >= 5
    for path in paths:
        tree.make(f"{path}/state" if path.parent == PurePosixPath("/var/lib") else str(path))
    calls = tree.run("postrm", package, "purge")
    assert {call.split()[1] for call in calls if call.startswith("userdel")} == users
    assert not [path for path in paths if (tree.root / str(path).lstrip("/")).exists()]
    assert not (tree.root / "etc/ictagent").exists()


def test_a_purge_leaves_what_somebody_else_wrote(tree: Tree) -> None:
    tree.make("/etc/ictagent/agent.toml", "/etc/ictagent/collector.toml", "/var/lib/ictagent-collector/ictagent.db")
    tree.run("postrm", "ictagent-agent", "purge")
    assert sorted(path.name for path in (tree.root / "etc/ictagent").iterdir()) == ["collector.toml"]
    assert (tree.root / "var/lib/ictagent-collector/ictagent.db").exists()


def test_a_purge_of_the_package_that_was_replaced_takes_nothing_from_the_other(tree: Tree) -> None:
    tree.make("/usr/lib/ictagent/ictagent", "/etc/ictagent/agent.toml")
    assert tree.run("postrm", "ictagent-agent", "purge") == []
    assert (tree.root / "etc/ictagent/agent.toml").exists()


def test_the_scripts_are_good_shell() -> None:
    if shutil.which("shellcheck") is None:
        missing("shellcheck (Debian's shellcheck)")
    scripts = sorted(str(path) for path in (HERE / "scripts").glob("*.sh"))
    assert len(scripts) == 3
    done = subprocess.run(["shellcheck", "--shell=sh", *scripts], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
