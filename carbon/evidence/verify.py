"""Verify a pack from itself alone: its hashes, every atom's grams from energy and factor row, every figure from atoms.

Nothing is trusted that can be reckoned. What cannot be told from the pack alone (that the energies are those of the
collector's ledger) is what `ictagent carbon verify` adds on the collector.
"""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from carbon.evidence.pack import FORMAT, MANIFEST
from carbon.evidence.records import row_of, set_of
from carbon.factors import FactorSet
from carbon.figures import figures
from carbon.footprint_rows import FootprintRow, footprint_row
from carbon.report import Report

MOST_BYTES = 512 * 1024 * 1024
"""Of a pack unpacked; 5,000 devices and a year are about 40 MB."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What does not hold: in which file of the pack, at which place of it, and how it is instead."""

    file: str
    place: str
    message: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found: problems (none: it holds), how many atoms and figures were reckoned anew, and the total."""

    problems: tuple[Problem, ...]
    atoms: int
    figures: int
    total_g: int


class PackError(ValueError):
    """The bytes are no evidence pack that can be read."""


def unzipped(body: bytes) -> dict[str, bytes]:
    """The files of an archive. Raises PackError for anything but a whole archive of a bearable size."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            if sum(member.file_size for member in archive.infolist()) > MOST_BYTES:
                raise PackError(f"the archive holds over {MOST_BYTES} bytes: this is no evidence pack")
            names = archive.namelist()
            if len(set(names)) != len(names):
                raise PackError("the archive has two files of one name")
            return {name: archive.read(name) for name in names}
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise PackError(f"this is no whole archive: {error}") from error


def verify(files: Mapping[str, bytes]) -> Verified:
    """Everything that a pack says of itself. Raises PackError where it cannot be read at all."""
    problems = list(_hashes(files))
    rows, broken = _rows(files)
    problems += broken
    problems += _grams(rows)
    count, wrong = _figures(files, rows)
    problems += wrong
    problems += _total(files, rows)
    return Verified(tuple(problems), len(rows), count, sum(row.grams.total for row in rows))


def _hashes(files: Mapping[str, bytes]) -> Iterator[Problem]:
    manifest = _read(files, MANIFEST, json.loads)
    if (
        not isinstance(manifest, dict)
        or manifest.get("format") != FORMAT
        or not isinstance(manifest.get("files"), dict)
    ):
        raise PackError(f"{MANIFEST} is not one of {FORMAT}")
    told = manifest["files"]
    for name in sorted(told.keys() - files.keys()):
        yield Problem(name, "", "the manifest names it, and it is not there")
    for name in sorted(files.keys() - told.keys() - {MANIFEST}):
        yield Problem(name, "", "it is not in the manifest")
    for name in sorted(told.keys() & files.keys()):
        found = hashlib.sha256(files[name]).hexdigest()
        if found != told[name]:
            yield Problem(name, "", f"its SHA-256 is {found}, not {told[name]} as the manifest says")


def _rows(files: Mapping[str, bytes]) -> tuple[list[FootprintRow], list[Problem]]:
    sets = _read(files, "factors.json", _sets)
    records = _read(files, "activity.csv", _records)
    rows, problems = [], []
    for line, record in enumerate(records, start=2):
        try:
            rows.append(row_of(record, sets))
        except (KeyError, ValueError, TypeError, ArithmeticError) as error:
            problems.append(Problem("activity.csv", f"line {line}", f"it cannot be read: {error!r}"))
    return rows, problems


def _grams(rows: list[FootprintRow]) -> Iterator[Problem]:
    for line, row in enumerate(rows, start=2):
        again = footprint_row(row.activity, row.applied, row.market)
        if again.grams != row.grams:
            yield Problem("activity.csv", f"line {line}", f"its grams are {again.grams}, not {row.grams}")


def _figures(files: Mapping[str, bytes], rows: list[FootprintRow]) -> tuple[int, list[Problem]]:
    told = {one["id"]: one["grams"] for one in _read(files, "figures.csv", _records)}
    reckoned = {one.id: str(one.grams) for one in figures(_report_of(rows))}
    problems = [
        Problem("figures.csv", name, f"it is {reckoned.get(name, 'not there')} grams, not {told.get(name, 'there')}")
        for name in sorted(told.keys() | reckoned.keys())
        if told.get(name) != reckoned.get(name)
    ]
    return len(reckoned), problems


def _total(files: Mapping[str, bytes], rows: list[FootprintRow]) -> Iterator[Problem]:
    other = _read(files, "other_lines.csv", _records)
    counted = sum(int(line["grams"]) for line in other if line["memo"] != "yes")
    total = sum(row.grams.total for row in rows) + counted
    told = _read(files, "report.json", json.loads)["total_g"]
    if told != total:
        yield Problem("report.json", "total_g", f"rows and other lines are {total} grams, not {told}")


def _report_of(rows: list[FootprintRow]) -> Report:
    return Report("", "Europe/London", "majority", "", "", 0, "final", rows)


def _records(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def _sets(text: str) -> dict[str, FactorSet]:
    return {name: set_of(one) for name, one in json.loads(text).items()}


def _read(files: Mapping[str, bytes], name: str, reader: Callable[[str], Any]) -> Any:
    if name not in files:
        raise PackError(f"the pack has no {name}")
    try:
        return reader(files[name].decode())
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, csv.Error) as error:
        raise PackError(f"{name} cannot be read: {error!r}") from error
