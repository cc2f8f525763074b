"""The bill of materials says what an installation is made of, no more and no less."""

import json
import subprocess
import sys
from pathlib import Path

from deploy.sbom import parts

ROOT = Path(__file__).parents[2]


def test_the_agent_is_made_of_two_libraries() -> None:
    assert [part.name for part in parts("agent")] == ["ictagent", "click", "psutil"]


def test_the_collectors_bill_is_closed_and_has_no_tool_of_development() -> None:
    found = {part.name: part for part in parts("collector")}
    assert {name for part in found.values() for name in part.needs} <= found.keys()
    assert not {"pytest", "mypy", "ruff", "hypothesis", "cyclonedx-python-lib"} & found.keys()
    assert all(part.licence not in ("", "not said") for part in found.values())


def test_the_bills_are_written_as_cyclonedx(tmp_path: Path) -> None:
    command = [sys.executable, "deploy/sbom.py", "--output", str(tmp_path)]
    said = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    assert "ictagent-agent.cdx.json: 3 components" in said
    bill = json.loads((tmp_path / "ictagent-collector.cdx.json").read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["name"] == "ictagent"
    expected = {f"pkg:pypi/{part.name}@{part.version}" for part in parts("collector")[1:]}
    assert {one["purl"] for one in bill["components"]} == expected
    references = {one["bom-ref"] for one in bill["components"]} | {bill["metadata"]["component"]["bom-ref"]}
    assert {one["ref"] for one in bill["dependencies"]} == references
