"""The packages: ictagent-agent and ictagent-collector, each as .deb and .rpm, with the interpreter inside.

    python -m deploy.packages.build --output DIR [--package agent|collector] [--format deb|rpm] [--release N]

Run it from the checkout, with the Python of an environment that has `ictagent[all,packaging]` at constraints.txt: its
interpreter and libraries go into the packages, and the system it was built on decides how old a glibc will do. The
build computes that from the files, prints it, and writes it into the packages' needs.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

import agent
from deploy.packages.elf import ElfNeeds, needs
from deploy.packages.freeze import ROOT, Product, freeze

Format = Literal["deb", "rpm"]
HERE = Path(__file__).parent
LIBRARY = "/usr/lib/ictagent"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
OTHER: dict[Product, Product] = {"agent": "collector", "collector": "agent"}
SUMMARIES: dict[Product, str] = {
    "agent": "use, energy and carbon of this host: the agent",
    "collector": "use, energy and carbon of an estate: collector, pages and agent",
}
SHIPPED_BY = {
    "libstdc++.so.6": {"deb": "libstdc++6", "rpm": "libstdc++"},
    "libgcc_s.so.1": {"deb": "libgcc-s1", "rpm": "libgcc"},
    "libz.so.1": {"deb": "zlib1g", "rpm": "zlib"},  # PyInstaller's own program unpacks with it
}
"""Libraries left to the system, and the packages that have them."""
RECOMMENDED: dict[Format, list[str]] = {
    "deb": ["libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "fonts-dejavu-core"],
    "rpm": ["pango", "dejavu-sans-fonts"],
}
"""What a collector lays PDFs out with; all else works without it."""
DESCRIPTION = """\
ictagent tells a council what ICT it has, how busy it is, how much energy it
uses and what carbon that is. This package brings the program with its own
interpreter; `ictagent install` and `ictagent collector install` make services
of it, and after that upgrades of the package look after them."""


@dataclass(frozen=True, slots=True)
class Release:
    """What the packages are called: the version is ictagent's, the release counts packagings of one version."""

    version: str
    release: str
    source_date_epoch: int


def nfpm_configuration(
    product: Product, packed: Format, folder: Path, extras: Path, needed: ElfNeeds, release: Release
) -> dict[str, Any]:
    """What nfpm is told. `folder` holds the program, `extras` the scripts, the completion and the marker."""
    name, other = f"ictagent-{product}", f"ictagent-{OTHER[product]}"
    library = "libc6" if packed == "deb" else "glibc"
    relation = f"(>= {needed.glibc})" if packed == "deb" else f">= {needed.glibc}"
    configuration: dict[str, Any] = {
        "name": name,
        "arch": ARCHITECTURES[platform.machine()],
        "platform": "linux",
        "version": release.version,
        "release": release.release,
        "section": "admin",
        "priority": "optional",
        "maintainer": "ictagent <ictagent@localhost>",
        "description": f"{SUMMARIES[product]}\n{DESCRIPTION}",
        "license": "MIT",
        "mtime": _iso(release.source_date_epoch),
        "depends": [f"{library} {relation}", *(SHIPPED_BY[name][packed] for name in needed.missing)],
        "conflicts": [other],
        "contents": [
            {"src": f"{folder}/", "dst": LIBRARY, "type": "tree"},
            {"src": str(extras / "marker"), "dst": f"{LIBRARY}/packages/{name}", "file_info": {"mode": 0o644}},
            {"src": f"{LIBRARY}/ictagent", "dst": "/usr/bin/ictagent", "type": "symlink"},
            {
                "src": str(extras / "completion"),
                "dst": "/usr/share/bash-completion/completions/ictagent",
                "file_info": {"mode": 0o644},
            },
            {"src": str(ROOT / "LICENSE"), "dst": f"/usr/share/doc/{name}/copyright", "file_info": {"mode": 0o644}},
        ],
        "scripts": {
            "postinstall": str(extras / "postinst.sh"),
            "preremove": str(extras / "prerm.sh"),
            "postremove": str(extras / "postrm.sh"),
        },
        # Read by every dpkg and rpm, and made in a third of the time of xz, for a tenth more bytes.
        "deb": {"compression": "gzip"},
        "rpm": {"compression": "gzip", "group": "Applications/System", "summary": SUMMARIES[product]},
    }
    if packed == "deb":
        # For rpm this would be Obsoletes, by which every host with the agent would turn into a collector.
        configuration["replaces"] = [other]
    if product == "collector":
        configuration["provides"] = ["ictagent-agent"]
        configuration["recommends"] = RECOMMENDED[packed]
    return configuration


def pack(product: Product, folder: Path, formats: Sequence[Format], output: Path, release: Release) -> list[Path]:
    """Make packages of a folder that `freeze` made, and say what they need. Raises CalledProcessError where nfpm fails."""
    needed = needs(folder)
    if unknown := set(needed.missing) - SHIPPED_BY.keys():
        sys.exit(f"build.py: libraries that are neither carried nor known to be there: {', '.join(sorted(unknown))}")
    print(f"ictagent-{product}: needs glibc {needed.glibc} or newer (asked for by {', '.join(needed.asked_by[:3])})")
    made = []
    with tempfile.TemporaryDirectory() as temporary:
        extras = Path(temporary)
        program = _dated(folder, extras / "program", release.source_date_epoch)
        _write_extras(product, folder, extras)
        for packed in formats:
            configuration = extras / f"{packed}.json"  # JSON is YAML
            configuration.write_text(json.dumps(nfpm_configuration(product, packed, program, extras, needed, release)))
            made.append(_pack(configuration, packed, output, release))
    return made


def _dated(folder: Path, copy: Path, source_date_epoch: int) -> Path:
    """The folder again with the time of this release on its files: they may have been made for an earlier commit."""
    shutil.copytree(folder, copy, symlinks=True)
    for path in (copy, *copy.rglob("*")):
        os.utime(path, (source_date_epoch, source_date_epoch), follow_symlinks=False)
    return copy


def _write_extras(product: Product, folder: Path, extras: Path) -> None:
    names = {"@PACKAGE@": f"ictagent-{product}", "@OTHER@": f"ictagent-{OTHER[product]}"}
    for script in (HERE / "scripts").glob("*.sh"):
        text = script.read_text(encoding="utf-8")
        for placeholder, name in names.items():
            text = text.replace(placeholder, name)
        (extras / script.name).write_text(text, encoding="utf-8")
    (extras / "marker").write_text(
        "Tells the other package, when it goes, that this one has taken over.\n", encoding="utf-8"
    )
    completion = subprocess.run(
        [str(folder / "ictagent")],
        check=True,
        capture_output=True,
        env=os.environ | {"_ICTAGENT_COMPLETE": "bash_source"},
    )
    (extras / "completion").write_bytes(completion.stdout)


def _pack(configuration: Path, packed: Format, output: Path, release: Release) -> Path:
    output.mkdir(parents=True, exist_ok=True)
    before = {path: path.stat().st_mtime_ns for path in output.glob(f"*.{packed}")}
    nfpm = Path(sys.executable).with_name("nfpm")
    subprocess.run(
        [str(nfpm), "package", "--config", str(configuration), "--packager", packed, "--target", str(output)],
        check=True,
        stdout=sys.stderr,
        env=os.environ | {"SOURCE_DATE_EPOCH": str(release.source_date_epoch)},
    )
    made = next(path for path in output.glob(f"*.{packed}") if before.get(path) != path.stat().st_mtime_ns)
    print(f"{made}: {made.stat().st_size / 1e6:.1f} MB")
    return made


def _iso(epoch: int) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def source_date_epoch() -> int:
    """The time that goes into the packages: SOURCE_DATE_EPOCH, else that of the last commit."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    said = subprocess.run(["git", "log", "-1", "--format=%ct"], check=True, capture_output=True, text=True, cwd=ROOT)
    return int(said.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the packages of agent and collector.")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where the packages go")
    parser.add_argument("--package", choices=get_args(Product), action="append", help="only this one")
    parser.add_argument("--format", choices=get_args(Format), action="append", help="only this one")
    parser.add_argument("--release", default="1", help="number of this packaging of the version (default 1)")
    parser.add_argument("--work", type=Path, default=ROOT / "build/packages", metavar="DIR", help="kept between builds")
    arguments = parser.parse_args()
    release = Release(agent.__version__, arguments.release, source_date_epoch())
    for product in arguments.package or get_args(Product):
        folder = freeze(product, arguments.work.resolve(), release.source_date_epoch)
        pack(product, folder, arguments.format or get_args(Format), arguments.output, release)


if __name__ == "__main__":
    main()
