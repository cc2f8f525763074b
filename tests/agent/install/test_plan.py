"""Plans below a temporary root: what --dry-run shows is what happens, and what happened once is not done again."""

import re
import tomllib
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from agent.errors import AgentError, ConfigurationError
from agent.install import systemd
from agent.install.actions import RemoveEmptyDirectory, WriteFile
from agent.install.host import Facts, Host, Manager, check_program, facts_of, manager_of
from agent.install.plan import (
    WantedAgent,
    WantedCollector,
    agent_of,
    apply,
    collector_of,
    install_agent,
    install_collector,
    pending,
    uninstall,
    upgrade,
)
from agent.install.toml_text import with_settings
from agent.sources.needs import Needs
from tests.agent.install.image import changes, entries, make_image

ADDRESS = "https://collector.example:8420"
CERTIFICATE = b"-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"
USER_TABLES = {"/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow"}
FACTS = Facts("systemd", ("/opt/ictagent/ictagent",), "/usr/sbin/nologin", live=False)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(make_image(tmp_path / "image"))


def facts(host: Host) -> Facts:
    return replace(facts_of(host), program=FACTS.program)


def wanted(**changed: object) -> WantedAgent:
    return replace(WantedAgent(ADDRESS, ca="/tmp/ca", ca_content=CERTIFICATE), **changed)  # type: ignore[arg-type]  # fields by name


def do(host: Host, plan: object) -> str:
    """Do what is left of a plan; what was said."""
    said: list[str] = []
    apply(host, pending(host, plan), said.append)  # type: ignore[arg-type]  # a plan
    return "\n".join(said)


def named(text: str) -> set[str]:
    """Absolute paths that a description names as written, created, linked or deleted."""
    return set(
        re.findall(r"^(?:write|create the directory|delete|delete the directory) (/\S+)", text, re.MULTILINE)
    ) | set(re.findall(r"it links (/[^\s)]+)", text))


def test_a_dry_run_names_every_path_that_the_real_run_changes_with_its_mode_and_owner(host: Host) -> None:
    before = entries(host.root)
    plan = install_agent(facts(host), wanted(), "good")
    shown = "\n".join(action.describe() for action in pending(host, plan))
    assert entries(host.root) == before
    assert do(host, plan) == shown
    after = entries(host.root)
    made = changes(before, after) - USER_TABLES
    # The folder that holds the link is systemctl's.
    assert made - {"/etc/systemd/system/multi-user.target.wants"} == named(shown)
    for path in made:
        kind, mode, owner, group, _ = after[path]
        if kind == "link" or path.endswith(".wants"):
            continue
        found = re.search(rf"{re.escape(path)} \((\d{{4}}), (\w+):(\w+)\)", shown)
        assert found is not None, path
        assert int(found[1], 8) == mode
        assert [0 if name == "root" else host.user_id(name) for name in found.groups()[1:]] == [owner, group]
    assert "create the system user and group ictagent" in shown
    assert "capabilities: none" in shown


def test_a_second_run_has_nothing_to_do(host: Host) -> None:
    do(host, install_agent(facts(host), wanted(), "good"))
    before = entries(host.root)
    assert pending(host, install_agent(facts(host), wanted(), "good")) == []
    assert entries(host.root) == before


def test_what_was_changed_since_is_put_right_and_nothing_else(host: Host) -> None:
    do(host, install_agent(facts(host), wanted(), "good"))
    host.path(PurePosixPath("/var/lib/ictagent")).chmod(0o755)
    unit = host.path(PurePosixPath("/etc/systemd/system/ictagent-agent.service"))
    unit.write_text("[Unit]\n")
    left = [action.describe().split(" (")[0] for action in pending(host, install_agent(facts(host), wanted(), "good"))]
    assert left == ["create the directory /var/lib/ictagent", f"write /{unit.relative_to(host.root)}"]


def test_the_agents_settings_are_those_asked_for_and_its_certificate_is_where_the_service_reads_it(host: Host) -> None:
    do(host, install_agent(facts(host), wanted(proxy="http://proxy:3128"), "good"))
    stored = tomllib.loads(host.path(PurePosixPath("/etc/ictagent/agent.toml")).read_text())["agent"]
    assert stored == {
        "collector": ADDRESS,
        "ca": "/etc/ictagent/ca.pem",
        "proxy": "http://proxy:3128",
        "state_directory": "/var/lib/ictagent",
    }
    assert host.path(PurePosixPath("/etc/ictagent/ca.pem")).read_bytes() == CERTIFICATE


def test_settings_and_comments_of_a_person_are_kept(host: Host) -> None:
    toml = host.path(PurePosixPath("/etc/ictagent/agent.toml"))
    toml.parent.mkdir()
    toml.write_text('# ours\n[agent]\nlog_level = "debug"  # for now\ncollector = "https://old"\n\n[collector]\n')
    toml.chmod(0o640)
    do(host, install_agent(facts(host), wanted(), "good"))
    text = toml.read_text()
    assert "# ours" in text
    assert 'log_level = "debug"  # for now' in text
    assert tomllib.loads(text)["agent"]["collector"] == ADDRESS
    assert "https://old" not in text
    assert toml.stat().st_mode & 0o777 == 0o640


def test_uninstall_leaves_the_data_and_purge_leaves_nothing(host: Host) -> None:
    before = entries(host.root)
    do(host, install_agent(facts(host), wanted(), "good"))
    spooled = host.path(PurePosixPath("/var/lib/ictagent/spool"))
    spooled.mkdir()
    service = agent_of(facts(host))
    said = do(host, uninstall(facts(host), service, None, purge=False))
    assert "stop ictagent-agent" in said
    assert changes(before, entries(host.root)) - USER_TABLES == {"/var/lib/ictagent", "/var/lib/ictagent/spool"}
    do(host, uninstall(facts(host), service, None, purge=True))
    assert changes(before, entries(host.root)) == set()
    assert pending(host, uninstall(facts(host), service, None, purge=True)) == []


def test_a_user_of_that_name_whom_somebody_else_made_stays(host: Host) -> None:
    for table, line in (("passwd", "ictagent:x:1000:1000::/home/ictagent:/bin/sh"), ("group", "ictagent:x:1000:")):
        with (host.root / "etc" / table).open("a") as file:
            file.write(f"{line}\n")
    before = entries(host.root)
    do(host, install_agent(facts(host), wanted(), "good"))
    said = do(host, uninstall(facts(host), agent_of(facts(host)), None, purge=True))
    assert "delete the user" not in said
    assert changes(before, entries(host.root)) == set()


def test_uninstall_for_a_packages_removal_keeps_the_settings_and_no_key(host: Host) -> None:
    do(host, install_agent(facts(host), wanted(), "good"))
    for key in (PurePosixPath("/etc/ictagent/key"), PurePosixPath("/var/lib/ictagent/key")):
        host.path(key).write_text("secret")
    do(host, uninstall(facts(host), agent_of(facts(host)), None, purge=False, keep_settings=True))
    left = entries(host.root)
    assert "/etc/ictagent/agent.toml" in left
    assert (
        not {"/etc/ictagent/key", "/var/lib/ictagent/key", "/etc/systemd/system/ictagent-agent.service"} & left.keys()
    )


def test_uninstalling_the_agent_leaves_a_collector_on_the_same_machine_alone(host: Host) -> None:
    do(host, install_collector(facts(host), WantedCollector()))
    with_collector = entries(host.root)
    do(host, install_agent(facts(host), wanted(), "good"))
    do(host, uninstall(facts(host), agent_of(facts(host)), None, purge=True))
    assert changes(with_collector, entries(host.root)) == set()


def test_a_folder_of_settings_with_something_of_a_persons_stays(host: Host) -> None:
    folder = host.path(PurePosixPath("/etc/ictagent"))
    (folder / "conf.d").mkdir(parents=True)
    action = RemoveEmptyDirectory(PurePosixPath("/etc/ictagent"))
    assert action.done(host, [])
    (folder / "conf.d").rmdir()
    assert not action.done(host, [])
    action.apply(host)
    assert not folder.exists()


def test_an_upgrade_writes_the_units_that_changed_and_only_those_that_are_installed(host: Host) -> None:
    do(host, install_agent(facts(host), wanted(), "good"))
    before = entries(host.root)
    services = [agent_of(facts(host))]
    assert pending(host, upgrade(facts(host), services)) == []
    rapl = replace(facts(host), needs=Needs(capabilities=frozenset({"CAP_DAC_READ_SEARCH"})))
    said = do(host, upgrade(rapl, [agent_of(rapl)]))
    assert "capabilities: CAP_DAC_READ_SEARCH" in said
    assert changes(before, entries(host.root)) == {"/etc/systemd/system/ictagent-agent.service"}


def test_a_key_of_the_collectors_certificate_is_handed_over_and_never_copied(host: Host) -> None:
    plan = install_collector(
        replace(facts(host), credentials=True),
        WantedCollector("0.0.0.0:8420", None, "/etc/c.pem", "/etc/private/100%host.key"),
    )
    do(host, plan)
    stored = tomllib.loads(host.path(PurePosixPath("/etc/ictagent/collector.toml")).read_text())["collector"]
    assert stored["certificate_key_file"] == "/run/credentials/ictagent-collector.service/tls-key"
    unit = host.path(PurePosixPath("/etc/systemd/system/ictagent-collector.service")).read_text()
    assert "LoadCredential=tls-key:/etc/private/100%%host.key" in unit, "% begins a specifier of systemd's"


def test_without_credentials_of_systemd_the_key_is_the_services_to_read(host: Host) -> None:
    plan = install_agent(replace(facts(host), credentials=False), wanted(token_file=Path("/token")), "none")
    shown = "\n".join(action.describe() for action in pending(host, plan))
    assert "write /etc/ictagent/key (0640, root:ictagent)" in shown
    assert "key_file = /etc/ictagent/key" in shown
    unit = next(one for one in plan if isinstance(one, WriteFile) and one.path.name == "ictagent-agent.service")
    assert b"LoadCredential" not in unit.content


def test_a_host_without_a_key_needs_a_token_and_one_with_a_refused_key_too() -> None:
    live = replace(FACTS, live=True)
    for state, words in (("none", "has no key yet"), ("refused", "has a key that the collector refuses")):
        with pytest.raises(AgentError, match=words):
            install_agent(live, wanted(), state)  # type: ignore[arg-type]  # the states of a key


def test_a_refused_key_goes_before_the_new_one_comes() -> None:
    plan = install_agent(FACTS, wanted(token_file=Path("/token")), "refused")
    shown = [action.describe().splitlines()[0] for action in plan]
    assert shown.index("delete /var/lib/ictagent/key (the collector refuses it)") < shown.index(
        "write /etc/ictagent/key (0600, root:root)"
    )


@pytest.mark.parametrize(
    ("manager", "path"),
    [
        ("openrc", "/etc/init.d/ictagent-agent"),
        ("sysv", "/etc/init.d/ictagent-agent"),
        ("launchd", "/Library/LaunchDaemons/org.ictagent.agent.plist"),
        ("windows", r"C:\ProgramData\ictagent\ictagent-agent.xml"),
    ],
)
def test_every_service_manager_gets_its_definition_from_the_same_plan(manager: Manager, path: str) -> None:
    here = replace(FACTS, manager=manager, credentials=False, live=True)
    shown = [action.describe() for action in install_agent(here, wanted(token_file=Path("/token")), "none")]
    assert any(text.startswith(f"write {path} ") for text in shown)
    assert shown[-1].startswith("start ictagent-agent")
    assert not any("systemctl" in text for text in shown)


def test_the_service_manager_is_found_and_a_host_without_one_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="ictagent run"):
        manager_of(Host(tmp_path))
    (tmp_path / "etc/init.d").mkdir(parents=True)
    (tmp_path / "etc/inittab").touch()
    assert manager_of(Host(tmp_path)) == "sysv"
    (tmp_path / "sbin").mkdir()
    (tmp_path / "sbin/openrc-run").touch()
    assert manager_of(Host(tmp_path)) == "openrc"
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    assert manager_of(Host(tmp_path)) == "systemd"


def test_a_program_that_the_service_could_not_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="install ictagent below /opt"):
        check_program(("/home/me/.venv/bin/ictagent",))
    program = tmp_path / "closed/bin/ictagent"
    program.parent.mkdir(parents=True)
    program.touch()
    with pytest.raises(AgentError):
        check_program((str(program),))  # pytest's folders are their user's alone, and below /tmp as a rule
    check_program(("/bin/sh",))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[agent]\ncollector = "x"\n'),
        ("[agent]\n", '[agent]\ncollector = "x"\n'),
        ('[agent]\ncollector = "y"\nproxy = "p"\n', '[agent]\ncollector = "x"\n'),
        ("[collector]\nlisten = 'a'\n", "[collector]\nlisten = 'a'\n\n[agent]\ncollector = \"x\"\n"),
        ('[agent]\n\n[collector]\nproxy = "p"\n', '[agent]\ncollector = "x"\n\n[collector]\nproxy = "p"\n'),
        ("agent = {collector = 'x'}\n", "agent = {collector = 'x'}\n"),
    ],
)
def test_single_settings_are_changed_in_place(before: str, after: str) -> None:
    changed = with_settings(before, "agent", {"collector": "x", "proxy": None})
    assert changed == after
    assert with_settings(changed, "agent", {"collector": "x", "proxy": None}) == changed


@pytest.mark.parametrize("text", ["agent = {collector = 'y'}\n", "not toml"])
def test_a_file_that_cannot_be_changed_line_by_line_is_left_to_its_author(text: str) -> None:
    with pytest.raises(ConfigurationError):
        with_settings(text, "agent", {"collector": "x"})


def test_the_collectors_service_needs_no_capability() -> None:
    plan = install_collector(FACTS, WantedCollector())
    assert any("capabilities: none; devices: none" in action.describe() for action in plan)
    assert collector_of(FACTS).user != agent_of(FACTS).user


@pytest.mark.parametrize(
    ("places", "needed"),
    [
        ('["0.0.0.0:162"]', True),
        ('["[::]:162"]', True),
        ('["10.1.2.3"]', True),
        ('["127.0.0.1:1162", "[::1]:162"]', True),
        ('["0.0.0.0:1162"]', False),
        ("[]", False),
        ('"no list"', False),
    ],
)
def test_the_collector_may_open_a_port_of_the_systems_only_to_hear_traps_there(places: str, needed: bool) -> None:
    told = replace(FACTS, collector_toml=f"[collector]\nsnmp_trap_listen = {places}\n")
    plan = install_collector(told, WantedCollector())
    assert any("capabilities: CAP_NET_BIND_SERVICE" in action.describe() for action in plan) == needed
    unit = systemd.unit_text(collector_of(told))
    assert ("AmbientCapabilities=CAP_NET_BIND_SERVICE\n" in unit) == needed
