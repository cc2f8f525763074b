"""The commands as ops type them: what they print, where, and how they exit."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent.cli import COMMANDS
from agent.report import Report
from agent.sources import SOURCES
from tests.agent import trees
from tests.agent.machines import MACHINES
from tests.agent.scripted import Reply, refusal, scripted
from tests.agent.users import unprivileged
from tests.servers.process import free_port

REPOSITORY = Path(__file__).parents[2]


def ictagent(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """The command with only the settings given here."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ICTAGENT_")}
    command = [sys.executable, "-m", "agent", *arguments]
    return subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env={**kept, **environment},
        timeout=60,
    )


def checks(done: "subprocess.CompletedProcess[str]") -> dict[str, dict[str, str]]:
    found: dict[str, Any] = json.loads(done.stdout)
    assert set(found) == {"checks", "failed"}
    assert found["failed"] is (done.returncode == 1)
    for check in found["checks"]:
        assert set(check) == {"subject", "result", "finding", "remedy"}
        assert check["result"] in ("ok", "note", "failed")
        # A failure always says what to do about it.
        assert check["remedy"] or check["result"] != "failed"
    return {check["subject"]: check for check in found["checks"]}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    done = ictagent(name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: ictagent {name}")


def test_the_root_help_lists_every_command_and_loads_none() -> None:
    done = ictagent("--help")
    assert done.returncode == 0
    for name, (_, text) in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(text)}$", done.stdout, re.MULTILINE)


def test_wrong_usage_exits_with_2_and_says_so_on_stderr() -> None:
    for arguments in (("nonsense",), ("sample", "--interval", "soon"), ("sample", "--root", "/does/not/exist")):
        done = ictagent(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert "Error: " in done.stderr


# config


def test_config_check_says_good_or_exits_with_78_and_names_the_place(tmp_path: Path) -> None:
    done = ictagent("config", "check", "--directory", str(tmp_path))
    assert (done.returncode, done.stdout) == (0, "the configuration is good\n")
    (tmp_path / "agent.toml").write_text("[agent]\ncolector = 'x'\n")
    done = ictagent("config", "check", "--directory", str(tmp_path))
    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr == (
        f"ictagent: configuration: {tmp_path}/agent.toml: there is no setting colector; did you mean collector?\n"
    )


def test_config_check_reads_the_collectors_section_too(tmp_path: Path) -> None:
    (tmp_path / "collector.toml").write_text("[collector]\nlisten = '0.0.0.0:8420'\n")
    done = ictagent("config", "check", "--directory", str(tmp_path))
    assert (done.returncode, "needs TLS" in done.stderr) == (78, True)
    (tmp_path / "collector.toml").write_text("[collector]\nlisten = '127.0.0.1:9000'\n")
    assert ictagent("config", "check", "--directory", str(tmp_path)).returncode == 0
    shown = ictagent("config", "show", "--section", "collector", "--output", "json", "--directory", str(tmp_path))
    listen = json.loads(shown.stdout)["listen"]
    assert listen == {"value": "127.0.0.1:9000", "origin": str(tmp_path / "collector.toml")}


def test_config_show_tells_every_value_and_where_it_came_from(tmp_path: Path) -> None:
    (tmp_path / "agent.toml").write_text("[agent]\nreport_seconds = 120\n")
    arguments = ("config", "show", "--directory", str(tmp_path))
    done = ictagent(*arguments, "--output", "json", ICTAGENT_LOG_LEVEL="debug", ICTAGENT_STATE_DIRECTORY="/s")
    shown = json.loads(done.stdout)
    assert shown["report_seconds"] == {"value": 120.0, "origin": f"{tmp_path}/agent.toml"}
    assert shown["log_level"] == {"value": "debug", "origin": "ICTAGENT_LOG_LEVEL"}
    assert shown["state_directory"] == {"value": "/s", "origin": "ICTAGENT_STATE_DIRECTORY"}
    assert shown["interval_seconds"] == {"value": 10.0, "origin": "default"}
    table = ictagent(*arguments, ICTAGENT_STATE_DIRECTORY="/s").stdout
    assert re.search(rf"^report_seconds +120\.0 +{tmp_path}/agent\.toml$", table, re.MULTILINE)


@pytest.mark.parametrize("command", [("run",), ("run", "--collector", "http://collector.example:8420")])
def test_an_agent_with_a_wrong_configuration_exits_with_78_at_once(command: tuple[str, ...], tmp_path: Path) -> None:
    done = ictagent(*command, ICTAGENT_STATE_DIRECTORY=str(tmp_path))
    assert done.returncode == 78
    assert re.search(r"no collector is set: write|is not encrypted: use https", done.stderr)
    assert not list(tmp_path.iterdir())


# sample


def test_sample_prints_the_report_as_json_and_nothing_else() -> None:
    done = ictagent("sample", "--interval", "0.2", "--output", "json")
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert set(report) == set(Report.__dataclass_fields__)
    busy = [
        row[2][series[2].index("busy_ratio")]
        for row in report["rows"]
        if (series := report["series"][row[0]])[0] == "system_cpu"
    ]
    assert len(busy) == 1
    assert 0 <= busy[0] <= 1
    [time] = report["samples"]
    assert {row[1] for row in report["rows"]} == {time[0]}


def test_sample_says_in_a_table_what_was_chosen_and_why_the_others_were_not() -> None:
    done = ictagent("sample", "--interval", "0.1", "--root", str(MACHINES / "dell-r6515-epyc"))
    assert done.stdout.endswith(
        "\npower comes from the counters of the processors, and of memory where it has one; the rest is estimated"
        " (rapl/package-0)\n"
        "  not from a machine meter: acpi_meter: the firmware offers no ACPI power meter; ipmi_dcmi: this machine has"
        " no management controller (/dev/ipmi0); battery: there is no battery;"
        " hwmon: no hardware monitor of this machine measures power or energy\n"
        "  not from a platform counter: rapl: the processor counts no platform energy\n"
    )
    assert re.search(r"^model +PowerEdge R6515$", done.stdout, re.MULTILINE)
    assert re.search(r"^rapl/package-0/core +core +0\.0 W$", done.stdout, re.MULTILINE)


# doctor


def test_doctor_is_content_with_a_virtual_machine_without_sensors_and_says_exactly_that(tmp_path: Path) -> None:
    done = ictagent(
        "doctor", "--root", str(MACHINES / "vm-kvm"), "--output", "json", ICTAGENT_STATE_DIRECTORY=str(tmp_path)
    )
    assert done.returncode == 0
    found = checks(done)
    assert found["machine"]["finding"] == (
        "virtual machine of kvm: it has no energy sensors of its own, its energy is a share of its host's"
    )
    assert {found[f"source {name}"]["result"] for name in SOURCES} == {"note"}
    assert found["power comes from"]["finding"] == "an estimate from inventory and utilisation"
    assert found["not from a platform counter"]["finding"] == (
        "rapl: this kernel or machine has no powercap tree (a virtual machine never has)"
    )
    assert found["collector"]["finding"] == "none is configured"


def test_doctor_fails_with_the_remedy_where_a_source_failed(tmp_path: Path) -> None:
    arguments = ("doctor", "--root", str(MACHINES / "container-docker"))
    done = ictagent(*arguments, "--output", "json", ICTAGENT_STATE_DIRECTORY=str(tmp_path))
    assert done.returncode == 1
    assert checks(done)["source rapl"]["remedy"] == "run the agent on the host itself, not in a container"
    table = ictagent(*arguments, ICTAGENT_STATE_DIRECTORY=str(tmp_path))
    assert table.returncode == 1
    assert "\nsource rapl: run the agent on the host itself, not in a container\n" in table.stdout


def test_doctor_is_content_with_a_server_that_measures_itself(tmp_path: Path) -> None:
    arguments = ("doctor", "--root", str(MACHINES / "dell-r640-two-socket"), "--output", "json")
    done = ictagent(*arguments, ICTAGENT_STATE_DIRECTORY=str(tmp_path))
    assert done.returncode == 0
    found = checks(done)
    assert found["power comes from"] == {
        "subject": "power comes from",
        "result": "ok",
        "finding": "a meter of the whole machine (acpi_meter/ACPI000D:00)",
        "remedy": "",
    }
    assert not [subject for subject in found if subject.startswith("not from")]


def test_doctor_names_the_sensor_that_is_missing_beside_those_that_work(tmp_path: Path) -> None:
    trees.chip(tmp_path / "root", 0, "pmbus", "1-0058", power1_input="80000000", power2_input="")
    done = ictagent(
        "doctor", "--root", str(tmp_path / "root"), "--output", "json", ICTAGENT_STATE_DIRECTORY=str(tmp_path)
    )
    finding = checks(done)["source hwmon"]["finding"]
    assert finding.startswith("gives data, but a sensor cannot be read: pmbus power2_input")


def doctor(state: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    arguments = ("doctor", "--root", str(MACHINES / "vm-kvm"), "--output", "json")
    return ictagent(*arguments, ICTAGENT_STATE_DIRECTORY=str(state), **environment)


def test_doctor_names_a_wrong_configuration(tmp_path: Path) -> None:
    done = doctor(tmp_path, ICTAGENT_INTERVAL_SECONDS="ten")
    assert done.returncode == 1
    assert "ICTAGENT_INTERVAL_SECONDS" in checks(done)["configuration"]["finding"]


def test_doctor_finds_a_collector_that_is_away(tmp_path: Path) -> None:
    port = free_port()
    done = doctor(tmp_path, ICTAGENT_COLLECTOR=f"http://127.0.0.1:{port}")
    assert done.returncode == 1
    assert checks(done)["collector"]["finding"] == f"nothing listens at 127.0.0.1:{port}: is the collector running?"


HEALTHY = Reply(200, {"status": "ok"})


def test_doctor_checks_the_key_and_the_clock_with_the_collector(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("the-key")
    with scripted(HEALTHY, Reply(200, {"device_id": "d7", "key_id": "k"})) as server:
        done = doctor(tmp_path, ICTAGENT_COLLECTOR=server.url)
    assert done.returncode == 0
    found = checks(done)
    assert (found["collector"]["result"], found["clock"]["result"]) == ("ok", "ok")
    assert found["key"]["finding"] == "accepted: device d7"
    assert server.heard[1].headers["Authorization"] == "Bearer the-key"


def test_doctor_finds_a_key_that_was_revoked(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("the-key")
    with scripted(HEALTHY, refusal(401, "the key was revoked", "make a token")) as server:
        done = doctor(tmp_path, ICTAGENT_COLLECTOR=server.url)
    assert done.returncode == 1
    assert checks(done)["key"]["finding"] == "the key was revoked; make a token"


def test_doctor_tells_a_host_that_is_not_enrolled_from_a_key_it_may_not_read(tmp_path: Path) -> None:
    with scripted(HEALTHY) as server:
        done = doctor(tmp_path, ICTAGENT_COLLECTOR=server.url)
        assert done.returncode == 0
        assert checks(done)["key"]["finding"] == "this host is not enrolled yet"
        (tmp_path / "key").mkdir()
        done = doctor(tmp_path, ICTAGENT_COLLECTOR=server.url)
    assert done.returncode == 1
    assert "cannot be read" in checks(done)["key"]["finding"]


def test_doctor_finds_an_address_where_something_else_answers(tmp_path: Path) -> None:
    with scripted(Reply(200, b"<html>It works!</html>")) as server:
        done = doctor(tmp_path, ICTAGENT_COLLECTOR=server.url)
    assert done.returncode == 1
    assert "is no collector" in checks(done)["collector"]["finding"]


def test_doctor_finds_a_clock_that_is_wrong(tmp_path: Path) -> None:
    with scripted(Reply(200, {"status": "ok"}, {"Date": "Wed, 21 Oct 2020 07:28:00 GMT"})) as server:
        done = doctor(tmp_path, ICTAGENT_COLLECTOR=server.url)
    assert done.returncode == 1
    clock = checks(done)["clock"]
    assert re.fullmatch(r"\+\d+ s from the collector's", clock["finding"])
    assert clock["remedy"] == "keep time by NTP"


def test_doctor_counts_what_waits_and_what_was_refused(tmp_path: Path) -> None:
    rejected = tmp_path / "spool/rejected"
    rejected.mkdir(parents=True)
    (tmp_path / "spool/000000000001.json.gz").write_bytes(b"12345")
    assert checks(doctor(tmp_path))["spool"]["finding"] == "reports waiting: 1, bytes: 5 of 268435456"
    (rejected / "s-000000000002-refused.json.gz").write_bytes(b"1")
    done = doctor(tmp_path)
    assert done.returncode == 1
    assert str(rejected) in checks(done)["rejected reports"]["finding"]


AS_NOBODY = """
import encodings.ascii, encodings.idna, encodings.latin_1
from agent.commands.doctor import doctor
from tests.agent.users import become_nobody
# Only now: another user may not even see where Python is installed.
become_nobody()
doctor()
"""


def test_doctor_of_another_user_says_what_it_may_not_look_at(tmp_path: Path) -> None:
    with unprivileged() as folder:
        state = folder / "state"
        (state / "spool/rejected").mkdir(parents=True)
        (state / "key").write_text("the-key")
        for path, mode in (("key", 0o000), ("spool", 0o000), ("", 0o555)):
            (state / path).chmod(mode)
        with scripted(HEALTHY) as server:
            done = subprocess.run(
                [sys.executable, "-c", AS_NOBODY, "--output", "json"],
                check=False,
                capture_output=True,
                text=True,
                cwd=REPOSITORY,
                env={**os.environ, "ICTAGENT_STATE_DIRECTORY": str(state), "ICTAGENT_COLLECTOR": server.url},
            )
    assert done.returncode == 1
    found = checks(done)
    assert "cannot be written" in found["state directory"]["finding"]
    assert "Permission denied" in found["spool"]["finding"]
    assert "Permission denied" in found["key"]["finding"]
