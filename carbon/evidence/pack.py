"""The files of an evidence pack, and the pack as one archive whose bytes depend on nothing but the report."""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from carbon.evidence.records import COLUMNS, row_record, set_id, set_record
from carbon.figures import figures
from carbon.report import Fill, OtherLine, Report

FORMAT = "ictagent evidence pack 1"
MANIFEST = "manifest.json"
_STAMP = (1980, 1, 1, 0, 0, 0)
"""Of every member: an archive's own times would make two packs of one report differ."""


def pack_files(report: Report, attached: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """All files by name, the manifest first. `attached` are further ones: ledger hashes, boundary, acceptances, method."""
    sets = {set_id(row.applied.factors): row.applied.factors for row in report.rows}
    files = {
        "report.json": _json(_head(report)),
        "activity.csv": _csv(COLUMNS, (row_record(row) for row in report.rows)),
        "factors.json": _json({name: set_record(sets[name]) for name in sorted(sets)}),
        "figures.csv": _csv(("id", "grams"), ({"id": one.id, "grams": one.grams} for one in figures(report))),
        "other_lines.csv": _csv(tuple(OtherLine.__slots__), (_plain(line) for line in report.other)),
        "fills.csv": _csv(tuple(Fill.__slots__), (_plain(fill) for fill in report.fills)),
        "coverage.json": _json([asdict(one) for one in report.coverage]),
        **(attached or {}),
    }
    manifest = {
        "format": FORMAT,
        "files": {name: hashlib.sha256(body).hexdigest() for name, body in sorted(files.items())},
    }
    return {MANIFEST: _json(manifest), **dict(sorted(files.items()))}


def pack_sha256(files: Mapping[str, bytes]) -> str:
    """What names a pack: the hash of its manifest, which has the hash of everything else."""
    return hashlib.sha256(files[MANIFEST]).hexdigest()


def zipped(files: Mapping[str, bytes]) -> bytes:
    """The archive of a pack."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            member = zipfile.ZipInfo(name, _STAMP)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            archive.writestr(member, body)
    return whole.getvalue()


def _head(report: Report) -> dict[str, Any]:
    """A report's plain fields."""
    names = (
        "organisation",
        "time_zone",
        "year_rule",
        "first_month",
        "last_month",
        "made_at",
        "state",
        "method_version",
        "restated_from",
        "left_out_g",
    )
    fte = report.full_time_equivalents
    return {
        **{name: getattr(report, name) for name in names},
        "full_time_equivalents": None if fte is None else str(fte),
        "not_reported": list(report.not_reported),
        "notes": list(report.notes),
        "total_g": report.total_g,
    }


def _plain(one: OtherLine | Fill) -> dict[str, Any]:
    return {
        name: value if not isinstance(value, bool) else "yes" if value else "no" for name, value in asdict(one).items()
    }


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
