"""A wheelhouse: every wheel that ictagent needs, for hosts without a way to a package index.

    python deploy/wheelhouse.py --output DIR [--extra all] [--python 3.11 --python 3.12] [--platform manylinux_2_28_x86_64]

The versions are those of constraints.txt. DIR/SHA256SUMS lists the files (`sha256sum --check SHA256SUMS` there). Without
--python and --platform the wheels are for the Python and machine that it is run on. The line to install from it is
printed at the end.
"""

import argparse
import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SUMS = "SHA256SUMS"


def collect(output: Path, extra: str, pythons: list[str], platforms: list[str]) -> list[Path]:
    """Build ictagent's wheel, fetch those that it needs, and list their sums. Raises CalledProcessError.

    `extra` is "" for the agent alone.
    """
    output.mkdir(parents=True, exist_ok=True)
    for stale in output.glob("ictagent-*.whl"):
        stale.unlink()
    _pip("wheel", "--no-deps", "--wheel-dir", str(output), str(ROOT))
    own = next(output.glob("ictagent-*.whl"))
    wanted = [
        *("--dest", str(output), "--constraint", str(ROOT / "constraints.txt"), "--only-binary", ":all:"),
        f"ictagent[{extra}] @ {own.as_uri()}" if extra else str(own),
    ]
    # pip takes wheels tagged for older systems only where each tag is named.
    chosen = [word for platform in platforms for word in ("--platform", platform)]
    for python in pythons or [""]:
        _pip("download", *(["--python-version", python] if python else []), *chosen, *wanted)
    wheels = sorted(output.glob("*.whl"))
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in wheels]
    (output / SUMS).write_text("".join(sums), encoding="utf-8")
    return wheels


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", arguments[0], "--quiet", *arguments[1:]]
    subprocess.run(command, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Collect the wheels for an installation without an index.")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where the wheels go")
    parser.add_argument("--extra", default="all", help='extra of ictagent; "" for the agent alone (default all)')
    parser.add_argument("--python", action="append", default=[], help="for this Python, such as 3.12; may be repeated")
    parser.add_argument("--platform", action="append", default=[], help="wheel tag of the hosts; may be repeated")
    arguments = parser.parse_args()
    try:
        wheels = collect(arguments.output, arguments.extra, arguments.python, arguments.platform)
    except subprocess.CalledProcessError as error:
        sys.exit(f"wheelhouse.py: pip did not succeed ({error.returncode}); its messages are above")
    megabytes = sum(path.stat().st_size for path in wheels) / 1e6
    print(f"{arguments.output}: {len(wheels)} wheels, {megabytes:.0f} MB, sums in {SUMS}")
    wanted = f"ictagent[{arguments.extra}]" if arguments.extra else "ictagent"
    print(f"on the host: pip install --no-index --find-links {arguments.output.name} '{wanted}'")


if __name__ == "__main__":
    main()
