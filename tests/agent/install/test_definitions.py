"""Units, scripts, plists and tasks: what is generated is what its reader understands, and is as closed as it can be."""

import plistlib
import re
import shutil
import subprocess
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree

import pytest

from agent.install import initscript, launchd, systemd, windows
from agent.install.service import Service, agent_service, collector_service
from agent.sources import needs_of
from agent.sources.needs import NOTHING, Needs
from tests.conftest import missing

PROGRAM = ("/opt/ictagent/ictagent",)
RAPL = Needs(capabilities=frozenset({"CAP_DAC_READ_SEARCH"}))
EVERYTHING = Needs(
    capabilities=frozenset({"CAP_DAC_READ_SEARCH", "CAP_DAC_OVERRIDE"}),
    devices=frozenset({"/dev/ipmi0", "/dev/nvidia0"}),
    groups=frozenset({"video"}),
    programs=frozenset({"/usr/bin/ipmitool"}),
    processes=True,
)
AGENT_LIMIT = 2.0
COLLECTOR_LIMIT = 1.3


def agent(needs: Needs = NOTHING) -> Service:
    return agent_service(PROGRAM, needs, credentials=True)


def settings(text: str) -> dict[str, list[str]]:
    """A unit's settings; one that is given twice has two values."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def analyzed(tmp_path: Path, service: Service) -> float:
    """systemd's own figure of what a unit leaves open, 0 to 10."""
    if shutil.which("systemd-analyze") is None:
        missing("systemd-analyze (Debian: systemd)")
    unit = tmp_path / service.unit
    unit.write_text(systemd.unit_text(service))
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
        check=True,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found is not None, done.stdout
    return float(found[1])


@pytest.mark.parametrize("needs", [NOTHING, RAPL, EVERYTHING], ids=["nothing", "rapl", "everything"])
def test_the_agents_unit_is_closed_whatever_its_sources_need(tmp_path: Path, needs: Needs) -> None:
    assert analyzed(tmp_path, agent(needs)) <= AGENT_LIMIT


def test_the_collectors_unit_is_closed(tmp_path: Path) -> None:
    assert analyzed(tmp_path, collector_service(PROGRAM, {"tls-key": "/etc/ssl/private/key"})) <= COLLECTOR_LIMIT


@pytest.mark.parametrize("service", [agent(), agent(EVERYTHING), collector_service(PROGRAM, {})])
def test_systemd_understands_every_line(tmp_path: Path, service: Service) -> None:
    if shutil.which("systemd-analyze") is None:
        missing("systemd-analyze (Debian: systemd)")
    unit = tmp_path / service.unit
    # `verify` also looks for the program.
    unit.write_text(systemd.unit_text(service).replace(PROGRAM[0], "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_capabilities_and_devices_are_those_of_the_sources_and_no_others() -> None:
    none, some = settings(systemd.unit_text(agent())), settings(systemd.unit_text(agent(EVERYTHING)))
    assert none["CapabilityBoundingSet"] == none["AmbientCapabilities"] == [""]
    assert (none["PrivateDevices"], none["PrivateUsers"]) == (["yes"], ["yes"])
    assert some["AmbientCapabilities"] == some["CapabilityBoundingSet"] == ["CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH"]
    assert some["DeviceAllow"] == ["/dev/ipmi0 rw", "/dev/nvidia0 rw"]
    assert some["DevicePolicy"] == ["closed"]
    assert some["SupplementaryGroups"] == ["video"]
    assert "PrivateDevices" not in some


def test_a_wrong_configuration_is_not_started_again_and_a_failure_is_for_ever() -> None:
    unit = settings(systemd.unit_text(agent()))
    assert unit["Type"] == ["notify"]
    assert unit["RestartPreventExitStatus"] == ["78"]
    assert unit["Restart"] == ["on-failure"]
    assert unit["StartLimitIntervalSec"] == ["0"]
    assert unit["ExecReload"] == ['/bin/sh -c "kill -HUP ${MAINPID}"']
    assert unit["LoadCredential"] == ["key:/etc/ictagent/key"]
    assert int(unit["WatchdogSec"][0]) >= 120


def test_words_of_the_command_are_quoted_as_systemd_reads_them() -> None:
    service = agent_service(("/opt/a b/ict%agent", "$HOME"), NOTHING, credentials=True)
    assert settings(systemd.unit_text(service))["ExecStart"] == ['"/opt/a b/ict%%agent" $$HOME run']


@pytest.mark.parametrize(
    ("mode", "expected"), [(0o400, frozenset({"CAP_DAC_READ_SEARCH"})), (0o444, frozenset())], ids=["root's", "open"]
)
def test_rapl_needs_a_capability_only_where_its_counters_are_roots(
    tmp_path: Path, mode: int, expected: frozenset[str]
) -> None:
    zone = tmp_path / "sys/class/powercap/intel-rapl:0"
    zone.mkdir(parents=True)
    (zone / "energy_uj").write_text("1")
    (zone / "energy_uj").chmod(mode)
    assert needs_of(tmp_path).capabilities == expected


@pytest.mark.parametrize("needs", [NOTHING, EVERYTHING], ids=["nothing", "everything"])
@pytest.mark.parametrize("write", [initscript.sysv_script, initscript.openrc_script])
def test_scripts_are_shell(tmp_path: Path, needs: Needs, write: object) -> None:
    script = tmp_path / "script"
    assert callable(write)
    script.write_text(write(agent(needs)))
    assert subprocess.run(["sh", "-n", str(script)], check=False, capture_output=True, text=True).stderr == ""


def test_a_system_v_script_names_what_init_sorts_it_by() -> None:
    text = initscript.sysv_script(agent(RAPL))
    header = text.partition("### BEGIN INIT INFO\n")[2].partition("### END INIT INFO")[0]
    names = [line.split(":")[0].strip("# ") for line in header.splitlines()]
    assert names[:3] == ["Provides", "Required-Start", "Required-Stop"]
    assert "--inh-caps=+dac_read_search --ambient-caps=+dac_read_search" in text
    assert "@" not in re.sub(r"\$@", "", text)


def test_an_openrc_script_keeps_the_user_and_the_capabilities() -> None:
    text = initscript.openrc_script(agent(EVERYTHING))
    assert text.startswith("#!/sbin/openrc-run\n")
    assert "command_user=ictagent:ictagent,video" in text
    assert "capabilities='^cap_dac_override,^cap_dac_read_search'" in text
    assert "supervisor=supervise-daemon" in text


def test_a_plist_is_one_that_launchd_reads() -> None:
    service = agent()
    content = plistlib.loads(launchd.plist_bytes(service))
    assert content["Label"] == "org.ictagent.agent"
    assert launchd.plist_path(service) == PurePosixPath("/Library/LaunchDaemons/org.ictagent.agent.plist")
    assert content["ProgramArguments"] == ["/opt/ictagent/ictagent", "run"]
    assert content["KeepAlive"] == {"SuccessfulExit": False}
    known = {"Label", "ProgramArguments", "UserName", "RunAtLoad", "KeepAlive", "ThrottleInterval", "ProcessType"}
    known |= {"Umask", "StandardErrorPath", "SoftResourceLimits"}
    assert set(content) == known


TASK_ELEMENTS = {
    "Task": ["RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"],
    "RegistrationInfo": ["Description", "URI"],
    "Triggers": ["BootTrigger"],
    "BootTrigger": ["Enabled"],
    "Principals": ["Principal"],
    "Principal": ["UserId", "RunLevel"],
    "Settings": [
        "MultipleInstancesPolicy",
        "DisallowStartIfOnBatteries",
        "StopIfGoingOnBatteries",
        "AllowHardTerminate",
        "StartWhenAvailable",
        "RunOnlyIfNetworkAvailable",
        "Enabled",
        "Hidden",
        "ExecutionTimeLimit",
        "Priority",
        "RestartOnFailure",
    ],
    "RestartOnFailure": ["Interval", "Count"],
    "Actions": ["Exec"],
    "Exec": ["Command", "Arguments"],
}
"""Elements of the Task Scheduler schema (MS-TSCH 2.5) and what each may hold here."""


def test_a_task_has_the_elements_of_its_schema_and_runs_as_localservice_at_start_up() -> None:
    content = windows.task_xml(agent_service((r"C:\Program Files\ictagent\ictagent.exe",), NOTHING, credentials=False))
    assert content.startswith(b"\xff\xfe")
    task = ElementTree.fromstring(content.decode("utf-16").partition("\n")[2])  # noqa: S314  # we wrote it ourselves
    space = f"{{{windows.NAMESPACE}}}"
    for element in task.iter():
        name = element.tag.removeprefix(space)
        assert [child.tag.removeprefix(space) for child in element] == TASK_ELEMENTS.get(name, []), name
    assert task.findtext(f".//{space}UserId") == "S-1-5-19"
    assert task.findtext(f".//{space}Command") == r"C:\Program Files\ictagent\ictagent.exe"
    assert task.findtext(f".//{space}Arguments") == "run"
    assert task.findtext(f".//{space}ExecutionTimeLimit") == "PT0S"
    principal, actions = task.find(f".//{space}Principal"), task.find(f"{space}Actions")
    assert principal is not None and actions is not None
    assert principal.get("id") == actions.get("Context")
