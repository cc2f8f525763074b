"""Changing single settings in a configuration file and leaving the rest, comments too, as a person wrote it."""

import json
import re
import tomllib
from collections.abc import Mapping

from agent.errors import ConfigurationError

Plain = str | int | float | bool


def with_settings(text: str, section: str, values: Mapping[str, Plain | None]) -> str:
    """The text with these settings in the section; None takes a setting out. Unchanged where they are so already.

    Raises ConfigurationError for a text that cannot be changed line by line.
    """
    if _holds(text, section, values):
        return text
    lines = text.splitlines()
    head = next((number for number, line in enumerate(lines) if _is_head(line, section)), None)
    if head is None:
        lines += ["", f"[{section}]"] if lines else [f"[{section}]"]
        head = len(lines) - 1
    end = next((number for number in range(head + 1, len(lines)) if lines[number].lstrip().startswith("[")), len(lines))
    body = lines[head + 1 : end]
    for name, value in values.items():
        own = re.compile(rf"\s*{re.escape(name)}\s*=")
        place = next((number for number, line in enumerate(body) if own.match(line)), None)
        written = [] if value is None else [f"{name} = {_toml(value)}"]
        if place is not None:
            body[place : place + 1] = written
        else:
            # Below what is there, above the empty lines before the next section.
            last = max((number for number, line in enumerate(body) if line.strip()), default=-1)
            body[last + 1 : last + 1] = written
    changed = "\n".join([*lines[: head + 1], *body, *lines[end:]]) + "\n"
    if not _holds(changed, section, values):
        raise ConfigurationError(
            f"the section [{section}] is written in a form that cannot be changed: write it by hand"
        )
    return changed


def _is_head(line: str, section: str) -> bool:
    return re.fullmatch(rf"\s*\[\s*{re.escape(section)}\s*\]\s*(#.*)?", line) is not None


def _holds(text: str, section: str, values: Mapping[str, Plain | None]) -> bool:
    try:
        found = tomllib.loads(text).get(section)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"the configuration is not TOML: {error}") from error
    return isinstance(found, dict) and all(found.get(name) == value for name, value in values.items())


def _toml(value: Plain) -> str:
    """JSON's texts, numbers and truths are TOML's too, but for a character that JSON writes as two."""
    return json.dumps(value, ensure_ascii=False)
