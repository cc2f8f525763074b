"""The parts of the documentation that are written from the code: tables of measurements, commands and settings.

    python tests/documentation.py           says which parts differ
    python tests/documentation.py --write   writes them

A part stands in its page between `<!-- begin NAME -->` and `<!-- end NAME -->`; tests/test_docs.py compares.
"""

import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from agent.cli import main as root_command  # noqa: E402  # the script runs from a checkout
from agent.names import COMMON_TAGS, MEASUREMENTS, UNBOUNDED, Field, Measurement  # noqa: E402
from agent.settings import AgentSettings  # noqa: E402
from carbon.class_profiles import packaged_profiles  # noqa: E402
from carbon.export_columns import COLUMNS  # noqa: E402
from collector.settings import CollectorSettings  # noqa: E402
from collector.snmp.profile_files import profiles  # noqa: E402
from collector.snmp.traps.codes import EVENT_CODES  # noqa: E402
from collector.snmp.traps.meaning import event_files  # noqa: E402
from collector.snmp.traps.receiver import REASONS  # noqa: E402
from deploy.sbom import parts  # noqa: E402

DOCS = ROOT / "docs"
DEFAULTS_IN_WORDS = {
    ("agent", "state_directory"): "`/var/lib/ictagent` for root, else `$XDG_STATE_HOME/ictagent` "
    "(`~/.local/state/ictagent` where that is not set)",
    ("collector", "state_directory"): "`/var/lib/ictagent-collector`",
}
"""Defaults that depend on who runs it, or are paths made by a function."""


def commands(command: click.Command | None = None, path: str = "ictagent") -> Iterator[tuple[str, click.Command]]:
    """Every command and group with its full name, the root first."""
    command = command or root_command
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands(found, f"{path} {name}")


def options(command: click.Command) -> list[click.Option]:
    """A command's own options, without --help."""
    return [one for one in command.params if isinstance(one, click.Option)]


def default_of(command: click.Command, option: click.Option) -> str:
    """An option's default in words."""
    if option.required:
        return "required"
    if option.is_flag and not option.secondary_opts:
        return "off"
    value = option.to_info_dict()["default"]
    if value not in (None, ""):
        return f"`{value}`"
    module = command.callback.__module__ if command.callback else ""
    kinds: tuple[type[Any], ...] = ()
    if module == "agent.commands.run":
        kinds = (AgentSettings,)
    elif module.startswith("collector.") and not module.endswith(".up"):
        kinds = (CollectorSettings,)
    if any(option.name == one.name for kind in kinds for one in fields(kind)):
        return "as configured"
    return "see the meaning" if "default:" in (option.help or "") else "none"


def command_block() -> str:
    """Each command with what it does, its arguments and options."""
    parts = []
    for path, command in commands():
        context = click.Context(command, info_name=path)
        usage = " ".join(command.collect_usage_pieces(context))
        parts += [f"### {path}", "", f"`{path} {usage}`".replace(" `", "`"), ""]
        # Examples begin with a backspace, which tells click to leave their lines alone; the pages have their own.
        text = inspect.cleandoc(command.help or "").partition("\b")[0].strip()
        parts += [" ".join(text.split()), ""]
        rows = options(command)
        if rows:
            parts += ["| option | default | meaning |", "| --- | --- | --- |"]
            for one in rows:
                names = ", ".join(f"`{name}`" for name in (*one.opts, *one.secondary_opts))
                choices = f" One of {', '.join(one.type.choices)}." if isinstance(one.type, click.Choice) else ""
                parts.append(f"| {names} | {default_of(command, one)} | {one.help}{choices} |")
            parts.append("")
    return "\n".join(parts).strip()


def settings_block(section: str) -> str:
    """The settings of a section of the configuration files."""
    kind = {"agent": AgentSettings, "collector": CollectorSettings}[section]
    parts = ["| setting | default | environment | meaning |", "| --- | --- | --- | --- |"]
    parts += [
        f"| `{one.name}` | {setting_default(section, one)} | `{variable(section, one.name)}` | {one.metadata['description']} |"
        for one in fields(kind)
    ]
    return "\n".join(parts)


def variable(section: str, name: str) -> str:
    """The environment variable of a setting."""
    return f"ICTAGENT_{'' if section == 'agent' else section.upper() + '_'}{name.upper()}"


def setting_default(section: str, one: Any) -> str:
    if words := DEFAULTS_IN_WORDS.get((section, one.name)):
        return words
    assert one.default is not MISSING
    return "empty" if one.default in ("", ()) else f"`{one.default}`"


def measurement_block() -> str:
    """Every measurement: who writes it, its tags, its fields with type, unit and bounds."""
    return "\n\n".join(_measurement(one) for one in MEASUREMENTS.values())


def _measurement(one: Measurement) -> str:
    tags = [*(COMMON_TAGS if one.about_a_device else ()), *one.tags]
    writer = "the agent sends it, the collector adds the common tags" if one.sent_by_agents else "the collector"
    parts = [f"### {one.name}", "", one.description, ""]
    parts += [f"Written by: {writer}. Tags: {', '.join(f'`{tag}`' for tag in tags)}.", ""]
    parts += ["| field | type | unit | bounds | meaning |", "| --- | --- | --- | --- | --- |"]
    parts += [
        f"| `{field.name}` | {field.type} | {field.unit or '-'} | {_bounds(field)} | {field.description} |"
        for field in one.fields
    ]
    return "\n".join(parts)


def _bounds(field: Field) -> str:
    if field.type == "string" or field.low == -UNBOUNDED:
        return "-"
    return f"{_number(field.low)} to {_number(field.high)}"


def _number(value: float) -> str:
    return "2^63" if value == 2.0**63 else f"{value:,.10g}".replace(",", " ")


def device_block() -> str:
    """What can be read of which devices, by profile."""
    lines = [
        "| profile | what | kind | MIB | reads |",
        "| --- | --- | --- | --- | --- |",
    ]
    for profile in sorted(profiles().values(), key=lambda one: (one.kind, one.name)):
        quantities = sorted({one.quantity.replace("_", " ") for one in profile.reading})
        texts = [name for name in ("hardware", "version", "serial") if getattr(profile, name)]
        loads = [word for word, rules in (("processors", profile.processor), ("memory", profile.memory)) if rules]
        texts += [word for word, rules in (("members", profile.member), ("PoE classes", profile.powered_port)) if rules]
        reads = ", ".join([*quantities, *texts, *loads]) or "what it is"
        kind = profile.kind.replace("_", " ") or "any"
        title = profile.title.replace("|", "/")
        lines.append(f"| {profile.name} | {title} | {kind} | {', '.join(profile.mib)} | {reads} |")
    return "\n".join(lines)


def event_code_block() -> str:
    """What notifications can mean."""
    lines = ["| code | severity | polled | kept | what |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| `{code}` | {one.severity} | {'yes' if one.polls else 'no'} | {'yes' if one.kept else 'no'} | {one.words} |"
        for code, one in EVENT_CODES.items()
    ]
    return "\n".join(lines)


def event_file_block() -> str:
    """Whose notifications are known."""
    lines = ["| file | what | MIB | notifications |", "| --- | --- | --- | --- |"]
    for name, one in event_files().items():
        known = len({rule.oid for rule in one.event})
        lines.append(f"| {name} | {one.title} | {', '.join(one.mib)} | {known} |")
    return "\n".join(lines)


def trap_refusal_block() -> str:
    """Why a packet does not count."""
    lines = ["| reason | what |", "| --- | --- |"]
    return "\n".join([*lines, *(f"| `{reason}` | {words} |" for reason, words in REASONS.items())])


def component_block() -> str:
    """The libraries that come along, with their licence, and which of the two products they are in."""
    of_agent = {part.name for part in parts("agent")}
    lines = ["| library | version | licence | in |", "| --- | --- | --- | --- |"]
    for part in parts("collector")[1:]:
        where = "agent, collector" if part.name in of_agent else "collector"
        lines.append(f"| {part.name} | {part.version} | {part.licence} | {where} |")
    return "\n".join(lines)


def class_profile_block() -> str:
    """The packaged class profiles."""
    head = "| class | watts active / idle / asleep / off | hours active / idle / asleep | working days | other days | at home |"
    lines = [f"{head} kWh in 2026 | band |", "|---" * 8 + "|"]
    for name, one in packaged_profiles().items():
        watts = " / ".join(f"{each:g}" for each in (one.watts_active, one.watts_idle, one.watts_asleep, one.watts_off))
        hours = " / ".join(f"{each:g}" for each in (one.hours_active, one.hours_idle, one.hours_asleep))
        year = f"{one.year_wh(2026) / 1000:.1f}"
        band = f"{one.low_factor:g} to {one.high_factor:g}"
        cells = (name, watts, hours, one.working_days, one.other_days, f"{one.home_share:.0%}", year, band)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def column_block() -> str:
    """The columns of the detailed export."""
    rows = [f"| `{name}` | {column.unit} | {column.meaning} |" for name, column in COLUMNS.items()]
    return "\n".join(["| column | unit | meaning |", "| --- | --- | --- |", *rows])


BLOCKS = {
    "carbon-reports.md": {"columns": column_block},
    "class-profiles.md": {"class profiles": class_profile_block},
    "metrics.md": {"measurements": measurement_block},
    "devices.md": {"profiles": device_block},
    "snmp-events.md": {
        "event codes": event_code_block,
        "event files": event_file_block,
        "trap refusals": trap_refusal_block,
    },
    "command-line.md": {"commands": command_block},
    "configuration.md": {
        "agent settings": lambda: settings_block("agent"),
        "collector settings": lambda: settings_block("collector"),
    },
    # Other releases of Python need fewer libraries: the oldest one's list is the page's.
    **({"security.md": {"components": component_block}} if sys.version_info[:2] == (3, 11) else {}),
}
"""What is written from the code, by page and name of the part."""


def replaced(page: str, name: str, block: str) -> str:
    """The page with a part written anew. Raises ValueError where the page has no such part."""
    pattern = re.compile(rf"(<!-- begin {name} -->\n).*?(\n<!-- end {name} -->)", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"the page has no part between <!-- begin {name} --> and <!-- end {name} -->")
    return pattern.sub(lambda match: f"{match[1]}\n{block}\n{match[2]}", page, count=1)


def main() -> None:
    for name, blocks in BLOCKS.items():
        path = DOCS / name
        page = before = path.read_text(encoding="utf-8")
        for part, block in blocks.items():
            page = replaced(page, part, block())
        if page == before:
            print(f"docs/{name} is as the code")
        elif "--write" in sys.argv:
            path.write_text(page, encoding="utf-8")
            print(f"docs/{name} is written")
        else:
            print(f"docs/{name} differs from the code: python tests/documentation.py --write")


if __name__ == "__main__":
    main()
