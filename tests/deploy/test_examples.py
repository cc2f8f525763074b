"""The role and the container files fit the program: what they call, set and mount exists."""

import re
from pathlib import Path

import click
import pytest

from agent.cli import main
from agent.settings import AgentSettings, load_agent

DEPLOY = Path(__file__).parents[2] / "deploy"
ROLE = DEPLOY / "ansible/roles/ictagent"
CONTAINER = DEPLOY / "container"


def _options(*names: str) -> set[str]:
    """Every option of a command."""
    command: click.Command | None = main
    for name in names:
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), name)
    assert command is not None
    return {option for parameter in command.params for option in parameter.opts}


@pytest.mark.parametrize(("tasks", "command"), [("present", "install"), ("absent", "uninstall")])
def test_the_role_calls_commands_with_options_that_they_have(tasks: str, command: str) -> None:
    text = (ROLE / f"tasks/{tasks}.yml").read_text(encoding="utf-8")
    assert f"'/usr/bin/ictagent', '{command}'" in text
    used = set(re.findall(r"'(--[a-z-]+)'", text))
    assert "--dry-run" in used
    assert used <= _options(command)


def test_every_variable_of_the_role_has_a_default_and_every_default_is_used() -> None:
    defaults = set(re.findall(r"^(ictagent_\w+):", (ROLE / "defaults/main.yml").read_text(), re.MULTILINE))
    text = "".join(path.read_text(encoding="utf-8") for path in (ROLE / "tasks").glob("*.yml"))
    registered = set(re.findall(r"register: (ictagent_\w+)", text)) | {"ictagent_enrolled"}
    used = set(re.findall(r"\bictagent_\w+", text))
    assert used - registered == defaults


def test_the_role_shows_the_token_in_no_log() -> None:
    text = (ROLE / "tasks/present.yml").read_text(encoding="utf-8")
    writing = next(task for task in re.split(r"\n\s*- name: ", text) if "{{ ictagent_token }}" in task)
    assert "no_log: true" in writing
    assert 'mode: "0600"' in writing
    assert text.count("{{ ictagent_token }}") == 1


def test_the_container_sets_settings_that_there_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names = set()
    for file in ("Containerfile", "ictagent-agent.container", "compose.yaml"):
        names |= set(re.findall(r"\bICTAGENT_([A-Z_]+)", (CONTAINER / file).read_text(encoding="utf-8")))
    assert names >= {"HOST_ROOT", "COLLECTOR", "TOKEN_FILE"}
    assert {name.lower() for name in names} <= set(AgentSettings.__dataclass_fields__)
    monkeypatch.setenv("ICTAGENT_HOST_ROOT", "/host")
    assert load_agent(directory=tmp_path).settings.host_root == Path("/host")


@pytest.mark.parametrize("file", ["ictagent-agent.container", "compose.yaml"])
def test_a_container_sees_the_host_and_can_change_nothing_of_it(file: str) -> None:
    text = (CONTAINER / file).read_text(encoding="utf-8")
    assert re.search(r"--pid=host|pid: host", text)
    assert re.search(r"/:/host:ro,rslave|source: /, target: /host, read_only: true", text)
    assert re.search(r"DropCapability=all|cap_drop: \[ALL\]", text)
