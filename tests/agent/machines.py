"""The captured machines, and the golden output of each.

`python -m tests.agent.machines` writes every `expected.json` anew; what git then shows is to be read, line by line.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

MACHINES = Path(__file__).parents[1] / "data/hosts"
NAMES = sorted(folder.name for folder in MACHINES.iterdir() if folder.is_dir())


def sampled(tree: Path) -> dict[str, Any]:
    """What the command says of a tree."""
    command = [sys.executable, "-m", "agent", "sample", "--root", str(tree), "--interval", "0.1", "--output", "json"]
    done = subprocess.run(command, capture_output=True, check=True, cwd=MACHINES.parents[2])
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def golden(tree: Path) -> dict[str, Any]:
    """The whole output, with what belongs to this machine and moment replaced: times, utilisation, random ids."""
    report = sampled(tree)
    # psutil reads the machine the test runs on, whatever the root.
    report["series"] = report["rows"] = "of this machine"
    report["samples"] = "times"
    report["agent_version"] = "of this release"
    named = []
    for meter, unix_ns, interval_ns, values, differences in report["readings"]:
        name, source, kind, covers, epoch, parent = report["meters"][meter]
        assert unix_ns > 0
        assert interval_ns > 0
        named.append(
            {
                "meter": name,
                "source": source,
                "kind": kind,
                "covers": covers,
                "epoch": "boot" if epoch == report["boot_id"] else ("random" if epoch else ""),
                "parent": parent,
                "values": values if source != "cpu_time" else "of this machine",
                "differences": differences if source != "cpu_time" else "of this machine",
            }
        )
    report["readings"] = named
    del report["meters"]
    return report


def main() -> None:
    for name in NAMES:
        text = json.dumps(golden(MACHINES / name), indent=1, ensure_ascii=False)
        (MACHINES / name / "expected.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
