"""The documentation is true: what it names exists, and what exists is named. tests/test_docs_run.py runs its commands."""

import ast
import inspect
import json
import pkgutil
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from importlib import import_module, resources
from pathlib import Path
from types import ModuleType

import click
import pytest
from starlette.routing import Route

import agent
import carbon
import collector
import dashboards
from agent import report
from agent.errors import ConfigurationError
from agent.settings import AgentSettings, check_agent, load
from agent.sources import SOURCES
from carbon.factor_lines import FACTOR_LINES
from carbon.factors import YEAR_RULES, packaged_sets
from carbon.power_model import MODEL_VERSION
from carbon.power_supply import loss_ratio, ratings
from carbon.spaces import ASSUMED
from carbon.uncertainty import DEFAULT_TIER, METER_TIERS
from collector import errors
from collector.settings import CollectorSettings
from collector.snmp.held_diagnoses import POLL_CODES
from collector.web.answers import ERROR_CODES
from collector.web.api import ROUTES
from collector.web.pages import PAGES
from collector.wire import LARGEST_BODY_BYTES, LARGEST_UNPACKED_BYTES
from tests.conftest import missing
from tests.documentation import BLOCKS, DOCS, ROOT, commands, replaced

PAGES_OF_DOCS = sorted(DOCS.glob("*.md"))
DOCUMENTS = [ROOT / "README.md", *PAGES_OF_DOCS]
PRODUCT = [
    path for room in ("agent", "carbon", "collector", "dashboards") for path in sorted((ROOT / room).rglob("*.py"))
]


def text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def table_rows(page: str, heading: str) -> list[list[str]]:
    """Cells of the first table below a heading, without the head."""
    below = page.partition(f"{heading}\n")[2]
    assert below, f"there is no heading {heading!r}"
    lines = iter(below.splitlines())
    table = []
    for line in lines:
        if line.startswith("|"):
            table.append([cell.strip() for cell in line.strip("|").split("|")])
        elif table or line.startswith("#"):
            break
    return table[2:]


@pytest.mark.parametrize(("page", "part"), [(page, part) for page, parts in BLOCKS.items() for part in parts])
def test_a_part_written_from_the_code_is_as_the_code(page: str, part: str) -> None:
    found = text(page)
    assert found == replaced(found, part, BLOCKS[page][part]()), "run: python tests/documentation.py --write"


def test_every_page_is_reached_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in PAGES_OF_DOCS if f"(docs/{path.name})" not in readme] == []


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        path = (document.parent / name) if name else document
        if not path.is_file() or (anchor and anchor not in _anchors(path)):
            broken.append(target)
    assert broken == []


def _command_lines() -> Iterator[tuple[str, str]]:
    """Every line in a code block, in a help text or between backticks that calls ictagent, with its place."""
    for document in DOCUMENTS:
        page = document.read_text(encoding="utf-8")
        for block in re.findall(r"^```console\n(.*?)^```", page, re.DOTALL | re.MULTILINE):
            for line in block.splitlines():
                if found := re.match(r"\$ (?:sudo )?ictagent (.*)", line):
                    yield document.name, found[1]
        for inline in re.findall(
            r"`ictagent ([^`\n]*)`", re.sub(r"^```.*?^```", "", page, flags=re.DOTALL | re.MULTILINE)
        ):
            if "COMMAND" not in inline:
                yield document.name, inline
    for path, command in commands():
        for part in (command.help or "", str(command.epilog or "")):
            for line in re.findall(r"^ *ictagent (.*)$", re.sub(r"\\\n\s*", "", part), re.MULTILINE):
                yield f"{path} --help", re.split(r" {2,}", line)[0]


@pytest.mark.parametrize(("place", "line"), sorted(set(_command_lines())))
def test_every_command_that_is_shown_exists_with_its_options(place: str, line: str) -> None:
    words = [word for word in shlex.split(re.split(r" [>|&]", line)[0]) if word != "..."]
    command: click.Command = import_module("agent.cli").main
    path = "ictagent"
    while isinstance(command, click.Group) and words and not words[0].startswith(("-", "[")):
        path += f" {words[0]}"
        found = command.get_command(click.Context(command), words.pop(0))
        assert found is not None, f"{place}: there is no command {path}"
        command = found
    known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | {"--help"}
    for word in words:
        if word.startswith("--"):
            assert word.partition("=")[0] in known, f"{place}: {path} has no option {word}"
    if words and not {"--help", "[OPTIONS]"} & set(words) and not isinstance(command, click.Group):
        with command.make_context(path, list(words)) as context:
            assert context.command is command


def test_commands_named_in_messages_exist() -> None:
    wrong = []
    for path in PRODUCT:
        for constant in _strings(path):
            for first, second in re.findall(r"\bictagent ([a-z-]+)(?: ([a-z-]+))?", constant):
                named = dict(commands())
                group = named.get(f"ictagent {first}")
                if isinstance(group, click.Group) and second and f"ictagent {first} {second}" not in named:
                    wrong.append(f"{path.name}: ictagent {first} {second}")
    assert wrong == []


def test_every_command_shows_an_example() -> None:
    named = dict(commands())
    for path, command in named.items():
        own = f"{command.help} {command.epilog}"
        above = named[path.rpartition(" ")[0]].help if " " in path else ""
        assert "Example" in own or "Example" in (above or ""), f"{path} has no example, and its group has none"


def _strings(path: Path) -> list[str]:
    """The text constants of a module that are no docstrings, f-strings up to their first value."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    later_parts = {part for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values[1:]}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings | later_parts
    ]


def test_every_error_code_is_documented_with_its_status() -> None:
    documented = {row[0].strip("`"): int(row[1]) for row in table_rows(text("api.md"), "## Errors")}
    assert sorted(documented) == sorted(ERROR_CODES)
    classes = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.CollectorError)]
    statuses = {one.code: one.status for one in classes}
    assert {code: status for code, status in documented.items() if code in statuses} == {
        code: status for code, status in statuses.items() if code in ERROR_CODES
    }


def test_every_route_is_documented_and_every_documented_route_exists() -> None:
    headings = set(re.findall(r"^### (GET|POST|DELETE) (\S+)$", text("api.md"), re.MULTILINE))
    routes = {
        (method, route.path)
        for route in ROUTES
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert headings == routes
    assert [page.path for page in PAGES if f"`{page.path}`" not in text("api.md")] == []
    assert f"at most {LARGEST_BODY_BYTES // 2**20} MiB as sent and {LARGEST_UNPACKED_BYTES // 2**20} MiB" in text(
        "api.md"
    )


def test_every_energy_source_is_documented_with_its_band() -> None:
    sources = [row[0].strip("`") for row in table_rows(text("supported-hosts.md"), "## Energy sources")]
    assert sources == list(SOURCES)
    bands = {}
    for names, band, *_ in table_rows(text("methods-energy.md"), "## Low and high"):
        bands.update(dict.fromkeys(names.split(", "), float(band.strip("%")) / 100))
    assert bands == {**METER_TIERS, "any other": DEFAULT_TIER}


def test_every_environment_variable_is_documented() -> None:
    documented = set(re.findall(r"ICTAGENT_[A-Z_]+", text("configuration.md")))
    named = {name for path in PRODUCT for one in _strings(path) for name in re.findall(r"ICTAGENT_[A-Z_]{2,}", one)}
    assert named - documented == set()
    defaults = {"agent": AgentSettings(), "collector": CollectorSettings()}
    for section, kind in (("agent", AgentSettings), ("collector", CollectorSettings)):
        for name in load(section, kind, environment={}, directory=Path("/nowhere")).origins:
            variable = f"ICTAGENT_{'' if section == 'agent' else 'COLLECTOR_'}{name.upper()}"
            assert variable in documented
            value = getattr(defaults[section], name)
            given = ",".join(value) if isinstance(value, tuple) else str(value)
            if given or isinstance(value, (str, tuple)):
                loaded = load(section, kind, environment={variable: given}, directory=Path("/nowhere"))
                assert loaded.origins[name] == variable


def test_the_bounds_of_the_agents_settings_are_as_documented() -> None:
    page = text("configuration.md")
    interval = re.search(r"`interval_seconds` (\d+) to (\d+)", page)
    longest_report = re.search(r"`report_seconds` from `interval_seconds` to ([\d,]+)", page)
    least_spool = re.search(r"`spool_limit_bytes` at least\s+([\d,]+)", page)
    assert interval and longest_report and least_spool
    low, high = float(interval[1]), float(interval[2])
    report_high, spool = (int(found[1].replace(",", "")) for found in (longest_report, least_spool))
    check_agent(AgentSettings(interval_seconds=low, report_seconds=report_high, spool_limit_bytes=spool))
    check_agent(AgentSettings(interval_seconds=high, report_seconds=high))
    for beyond in (
        AgentSettings(interval_seconds=low - 0.01),
        AgentSettings(interval_seconds=high + 0.01, report_seconds=high + 1),
        AgentSettings(report_seconds=report_high + 1),
        AgentSettings(spool_limit_bytes=spool - 1),
    ):
        with pytest.raises(ConfigurationError):
            check_agent(beyond)


def test_the_report_format_is_documented() -> None:
    page = text("reports.md")
    keys = {name for row in table_rows(page, "## Form") for name in re.findall(r"`(\w+)`", row[0])}
    assert keys == set(report.Report.__dataclass_fields__)
    headers = (report.WALL_CLOCK_HEADER, report.BOOT_CLOCK_HEADER, report.BOOT_ID_HEADER)
    assert [header for header in headers if f"`{header}`" not in page] == []
    kinds = [row[0].strip("`") for row in table_rows(page, "## Energy readings")]
    assert kinds == list(report.MeterKind.__args__)  # type: ignore[attr-defined]  # a Literal knows its values
    covers = report.Covers.__args__  # type: ignore[attr-defined]  # likewise
    assert [name for name in covers if f"`{name}`" not in page] == []
    assert f"| `version` | {report.FORMAT_VERSION} |" in page


def test_every_reason_for_which_a_row_is_refused_is_documented() -> None:
    page = text("reports.md")
    checks = {one for one in _strings(ROOT / "collector" / "checks.py") if " " in one}
    checks |= {one for one in _strings(ROOT / "collector" / "guest_checks.py") if " guest " in f" {one} "}
    events = {one for one in _strings(ROOT / "collector" / "prepare.py") if one.startswith("event at")}
    assert len(checks) > 15
    assert events
    assert sorted(one for one in checks | events if one.strip() not in page) == []


def _calls(name: str) -> Iterator[ast.Call]:
    for path in PRODUCT:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                yield node


def _codes(name: str, argument: int) -> set[str]:
    """The text constants that calls of a name have as this argument."""
    places = (node.args[argument] for node in _calls(name) if len(node.args) > argument)
    return {place.value for place in places if isinstance(place, ast.Constant) and isinstance(place.value, str)}


def test_every_event_and_diagnosis_is_documented() -> None:
    events = {row[0].strip("`") for row in table_rows(text("reports.md"), "## Events")}
    assert events == _codes("Event", 1)
    diagnoses = _codes("Diagnosis", 0) | _codes("diagnose", 2) | _codes("DiagnosisFound", 0) | set(POLL_CODES)
    assert len(diagnoses) >= 10
    page = text("troubleshooting.md")
    assert [code for code in diagnoses if not re.search(rf"diagnosis [^|]*\*{code.replace('_', ' ')}\*", page)] == []


def test_the_power_model_is_documented_with_its_coefficients() -> None:
    page = text("methods-power.md")
    model = json.loads((resources.files("carbon") / "data" / "power_model.json").read_text(encoding="utf-8"))
    assert MODEL_VERSION in page
    server = model["server"]
    terms = [f"{server['base']} + sockets x ({server['socket']} + {server['tdp']} x TDP)"]
    terms += [f"{server['memory_gb']} x GB", f"{server['ssd']} x SSDs", f"{server['hdd']} x HDDs"]
    terms += [f"idle + {server['dynamic_tdp']} x sockets", f"memory {server['default_memory_gb']} GB"]
    terms += [f"idle {model['laptop']['idle']} W", f"{model['desktop']['idle']} W for a desktop"]
    terms += [f"idle + {model['laptop']['dynamic_tdp']} x TDP"]
    guests = model["host_of_guests"]
    terms += [f"{guests['threads']} threads, {guests['memory_gb']} GB, TDP {guests['tdp']} W"]
    terms += [f"| shape | {' | '.join(str(share) for share in model['load']['shape'])} |"]
    assert [term for term in terms if term not in page] == []
    kinds = {"server": "server", "laptop": "laptop", "desktop": "desktop", "virtual machine": "host_of_guests"}
    expected = [
        [name, *(f"{model[kind][f'{at}_low']} to {model[kind][f'{at}_high']}" for at in ("idle", "full"))]
        for name, kind in kinds.items()
    ]
    assert table_rows(page, "## Range") == expected


def test_the_efficiency_of_power_supplies_is_documented_as_packaged() -> None:
    page = text("methods-power.md")
    assert table_rows(page, "## Power supplies") == [
        [name, *(str(curve.get(load, "")) for load in (0.1, 0.2, 0.5, 1.0))] for name, curve in ratings().items()
    ]
    lost = loss_ratio()
    assert f"({lost.value:.0%} of the output)" in page
    assert f"titanium at 50% ({lost.low:.0%}) to bronze at 10% ({lost.high:.0%})" in page


def test_factor_sets_year_rules_and_pue_are_documented_as_packaged() -> None:
    page = text("methods-carbon.md")
    assert table_rows(page, "## Factor sets") == [
        [
            one.name,
            one.version,
            *map(str, (one.s2_generation, one.s3_td, one.s3_wtt_generation, one.s3_wtt_td)),
            "" if one.final else "provisional",
        ]
        for one in packaged_sets()
    ]
    assert table_rows(text("factors.md"), "## Lines") == [
        [f"`{one.key}`", one.name, one.scope, one.unit] for one in FACTOR_LINES.values()
    ]
    rules = [row[0].split()[0].strip("`") for row in table_rows(page, "## Which set applies")]
    assert rules == list(YEAR_RULES)
    assert table_rows(page, "## PUE") == [
        [f"`{kind}`", str(pue.value), str(pue.low), str(pue.high), pue.source] for kind, pue in ASSUMED.items()
    ]


def test_the_nginx_configuration_of_the_storage_page_is_one(tmp_path: Path) -> None:
    if shutil.which("nginx") is None:
        missing("nginx (Debian package nginx-light)")
    found = re.search(r"```nginx\n(.*?)```", text("storage.md"), re.DOTALL)
    assert found
    names = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = " ".join(f"{name}_temp_path {tmp_path / name};" for name in names)
    whole = f"pid {tmp_path}/pid; events {{}} http {{ access_log off; {folders} {found[1]} }}"
    (tmp_path / "nginx.conf").write_text(whole)
    log = str(tmp_path / "log")
    command = ["nginx", "-t", "-e", log, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stderr


def _modules() -> Iterator[ModuleType]:
    for room in (agent, carbon, collector, dashboards):
        yield room
        for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            # A migration's environment and revisions run within Alembic only, and `__main__` runs the command.
            if ".migrations." not in found.name and not found.name.endswith("__main__"):
                yield import_module(found.name)


def test_every_module_and_every_public_function_of_the_carbon_room_says_what_it_is() -> None:
    modules = list(_modules())
    assert len(modules) > 80
    assert [module.__name__ for module in modules if not inspect.getdoc(module)] == []
