"""Every command says what it is for and shows an example that its own options accept."""

import re
import shlex
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from agent.cli import COMMANDS, main


def commands(group: click.Group, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


ALL = [(path, command) for path, command in commands(main, ()) if COMMANDS[path[0]][0].startswith("collector.")]


@pytest.mark.parametrize(("path", "command"), ALL, ids=[" ".join(path) for path, _ in ALL])
def test_help_has_an_example_with_options_that_exist(path: tuple[str, ...], command: click.Command) -> None:
    text = CliRunner().invoke(main, [*path, "--help"], terminal_width=200).output
    examples = re.findall(r"^ +ictagent (.*)$", text, re.MULTILINE)
    assert re.search("^ *Examples?:$", text, re.MULTILINE)
    assert examples
    options = {name for _, one in ALL for parameter in one.params for name in parameter.opts if name.startswith("--")}
    for example in examples:
        words = shlex.split(re.split(r"\s{3,}|\s+[>\\]", example)[0])
        assert {word.partition("=")[0] for word in words if word.startswith("--") and word != "--help"} <= options, (
            example
        )
        found: click.Command = main
        for word in words:
            if not isinstance(found, click.Group):
                break
            inner = found.get_command(click.Context(found), word)
            assert inner is not None, example
            found = inner
