"""What `ictagent status` makes of what the agent said, and of silence."""

import json
from pathlib import Path

import pytest

from agent.commands.status import judge
from agent.report import Choice, SourceState
from agent.status import AgentStatus, read_status, write_status
from tests.agent.users import become_nobody, unprivileged

NOW = 1_795_500_000


def said(**changed: object) -> AgentStatus:
    values: dict[str, object] = {
        "version": "0.1.0",
        "pid": 7,
        "collector": "https://collector.example",
        "started_at": NOW - 86_400,
        "written_at": NOW - 10,
        "report_seconds": 60.0,
        "last_report_at": NOW - 20,
    }
    return AgentStatus(**(values | changed))  # type: ignore[arg-type]  # fields by name


def test_an_agent_that_was_heard_of_within_five_minutes_is_good() -> None:
    assert judge(said(last_report_at=NOW - 299), running=True, now=NOW).good
    late = judge(said(last_report_at=NOW - 301, last_problem="nothing listens"), running=True, now=NOW)
    assert (late.good, late.finding) == (False, "no report was taken for 5 minutes: nothing listens")


def test_an_agent_that_reports_rarely_is_given_its_time() -> None:
    assert judge(said(report_seconds=3600.0, last_report_at=NOW - 3700, written_at=NOW - 3690), True, NOW).good
    assert not judge(said(report_seconds=3600.0, last_report_at=NOW - 9001), True, NOW).good


def test_a_running_agent_that_says_nothing_is_not_good() -> None:
    verdict = judge(said(written_at=NOW - 3 * 86_400, last_report_at=NOW - 3 * 86_400), True, NOW)
    assert (verdict.good, verdict.finding) == (False, "the agent runs and has said nothing for 3 days")


def test_an_agent_that_has_just_begun_is_good_unless_something_hinders_it() -> None:
    fresh = said(started_at=NOW - 5, last_report_at=None)
    assert judge(fresh, True, NOW).good
    assert not judge(said(started_at=NOW - 5, last_report_at=None, last_problem="refused"), True, NOW).good
    assert not judge(said(last_report_at=None), True, NOW).good


def test_an_agent_that_does_not_run_is_never_good_and_has_a_remedy() -> None:
    for what in (said(), None):
        installed = judge(what, running=False, now=NOW, installed=True)
        assert not installed.good
        assert installed.remedy.startswith("systemctl start ictagent-agent")
        assert judge(what, running=False, now=NOW).remedy == "ictagent install, or ictagent run"


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    sources = [SourceState("rapl", "failed", "why", "what to do")]
    status = said(sources=sources, choice=Choice("package", ["rapl/package-0"], {"machine": "none"}))
    write_status(tmp_path, status)
    assert read_status(tmp_path) == status


@pytest.mark.parametrize("content", ["", "{", "[]", "[" * 3000, '{"version": 1}', '{"sources": 7}'])
def test_a_damaged_file_is_as_none(tmp_path: Path, content: str) -> None:
    assert read_status(tmp_path) is None
    (tmp_path / "status.json").write_text(content)
    assert read_status(tmp_path) is None


def test_a_file_of_a_newer_release_is_read_as_far_as_it_is_known(tmp_path: Path) -> None:
    write_status(tmp_path, said())
    path = tmp_path / "status.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"something_new": 1}))
    assert read_status(tmp_path) == said()


def test_a_folder_that_may_not_be_read_is_told_from_one_that_is_empty() -> None:
    with unprivileged() as folder:
        (folder / "state").mkdir(mode=0o700)
        write_status(folder / "state", said())
        become_nobody()
        with pytest.raises(PermissionError):
            read_status(folder / "state")


def test_a_disk_that_is_full_costs_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_status(tmp_path / "missing", said())
    assert "the status cannot be kept in" in caplog.text
