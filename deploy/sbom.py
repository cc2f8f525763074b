"""The bill of materials: which libraries the agent and the collector bring along, as CycloneDX 1.6 JSON.

    python deploy/sbom.py --output DIR       writes ictagent-agent.cdx.json and ictagent-collector.cdx.json

It is read from the metadata of what is installed, by following `Requires-Dist` from ictagent, so it says what was
built and not what was meant. docs/security.md has the same as a table.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PRODUCTS = {"agent": "", "collector": "all"}
"""What is shipped, with the extra of `ictagent` that it is made of."""


BY_THEIR_FILE = {"pysnmp": "BSD-2-Clause"}
"""Licences that stand in a distribution's licence file alone and not in its metadata."""


@dataclass(frozen=True, slots=True)
class Part:
    """A distribution that comes along: its name, version, licence as its metadata has it, and what it needs itself."""

    name: str
    version: str
    licence: str
    needs: tuple[str, ...]


def parts(product: str) -> list[Part]:
    """Every distribution of a product (a key of `PRODUCTS`), ictagent first, then by name.

    Raises PackageNotFoundError naming a distribution that is needed and not installed.
    """
    found: dict[str, Part] = {}
    extras: dict[str, set[str]] = {}
    waiting = [("ictagent", extra) for extra in {"", PRODUCTS[product]}]
    while waiting:
        name, extra = waiting.pop()
        if extra in extras.setdefault(name, set()):
            continue
        extras[name].add(extra)
        installed = distribution(name)
        wanted = list(_requirements(installed, extra))
        for requirement in wanted:
            waiting += [(canonicalize_name(requirement.name), one) for one in {"", *requirement.extras}]
        before = found[name].needs if name in found else ()
        # An extra of a distribution that names the distribution itself (`ictagent[all]`) is no need of its own.
        needs = {*before, *(canonicalize_name(one.name) for one in wanted)} - {name}
        found[name] = Part(name, installed.version, _licence(installed), tuple(sorted(needs)))
    return sorted(found.values(), key=lambda part: (part.name != "ictagent", part.name))


def _requirements(installed: Distribution, extra: str) -> Iterator[Requirement]:
    """What a distribution needs here: for no extra its plain needs, for an extra those that it adds."""
    for text in installed.requires or []:
        requirement = Requirement(text)
        plain = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if plain if not extra else (not plain and requirement.marker and requirement.marker.evaluate({"extra": extra})):
            yield requirement


def _licence(installed: Distribution) -> str:
    """The licence in one line: the expression, else the classifiers' names, else the first line of the free text."""
    metadata = installed.metadata
    if "License-Expression" in metadata:
        return metadata["License-Expression"]
    classifiers = [
        text for text in metadata.get_all("Classifier") or [] if text.startswith("License :: OSI Approved ::")
    ]
    if classifiers:
        return "; ".join(re.sub(r"^License :: OSI Approved :: ", "", text) for text in classifiers)
    lines = "".join(metadata.get_all("License") or []).strip().splitlines()
    return lines[0] if lines else BY_THEIR_FILE.get(canonicalize_name(metadata["Name"]), "not said")


def bill(product: str) -> Bom:
    """The bill of materials of a product, with what needs what."""
    components = {
        part.name: Component(
            name=part.name,
            version=part.version,
            type=ComponentType.APPLICATION if part.name == "ictagent" else ComponentType.LIBRARY,
            licenses=[DisjunctiveLicense(name=part.licence)],
            purl=PackageURL("pypi", None, part.name, part.version),
            bom_ref=f"{part.name}@{part.version}",
        )
        for part in parts(product)
    }
    bom = Bom(components=[component for name, component in components.items() if name != "ictagent"])
    bom.metadata.component = components["ictagent"]
    for part in parts(product):
        needed = [Dependency(components[name].bom_ref) for name in part.needs]
        bom.dependencies.add(Dependency(components[part.name].bom_ref, dependencies=needed))
    return bom


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the bills of materials of agent and collector.")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where to write them")
    directory = parser.parse_args().output
    directory.mkdir(parents=True, exist_ok=True)
    for product in PRODUCTS:
        try:
            text = make_outputter(bill(product), OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2)
        except PackageNotFoundError as error:
            sys.exit(
                f"sbom.py: {error.name} is not installed; run it with the Python of an environment that has ictagent[all]"
            )
        path = directory / f"ictagent-{product}.cdx.json"
        path.write_text(text + "\n", encoding="utf-8")
        print(f"{path}: {len(parts(product))} components")


if __name__ == "__main__":
    main()
