"""Which column is what, and what a register's words mean: proposed, shown, saved as TOML and used again."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from carbon.device_classes import CLASSES
from collector.errors import BadRequest
from collector.register.fields import FIELDS, words
from collector.tables.dates import DateOrder
from collector.tables.toml_file import read_toml

STATUSES = ("in_use", "spare", "disposed", "on_loan", "unknown")
TENURES = ("own", "leased", "landlord")
_VALUES: dict[str, Iterable[str]] = {"device_class": (*CLASSES, "ignore"), "status": STATUSES, "tenure": TENURES}


@dataclass(frozen=True, slots=True)
class RegisterMapping:
    """How a register is read.

    `columns` names for each field the headers it may have, of which a sheet has one; `values` says for a field what a
    word of the register means (`ignore` as a class leaves the row out); `left_out` are sheets that hold no devices.
    """

    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    left_out: Sequence[str] = ()
    dates: DateOrder = "day first"

    def to_toml(self) -> str:
        """The mapping as a file that people can edit."""
        lines = [f"dates = {_quoted(self.dates)}"]
        if self.left_out:
            lines.append(f"left_out = [{', '.join(map(_quoted, self.left_out))}]  # sheets")
        lines += ["", "[columns]  # field = the headers that it may have"]
        lines += [
            f"{name} = [{', '.join(map(_quoted, self.columns[name]))}]" for name in FIELDS if name in self.columns
        ]
        for name, meanings in self.values.items():
            lines += ["", f"[values.{name}]  # their word = ours"]
            lines += [f"{_quoted(theirs)} = {_quoted(ours)}" for theirs, ours in meanings.items()]
        return "\n".join(lines) + "\n"

    def to_json(self) -> dict[str, Any]:
        """The mapping as plain values, for the database; `from_values` takes them back."""
        return {
            "dates": self.dates,
            "left_out": list(self.left_out),
            "columns": {name: list(headers) for name, headers in self.columns.items()},
            "values": {name: dict(meanings) for name, meanings in self.values.items()},
        }


def read_mapping(path: Path) -> RegisterMapping:
    """A mapping from its file. Raises BadRequest with the line or name that is wrong."""
    return from_values(read_toml(path, "docs/register.md"), path.name)


def from_values(values: Mapping[str, Any], name: str) -> RegisterMapping:
    """A mapping from plain values. Raises BadRequest, which names what is wrong in `name`."""
    _known(values, ("dates", "left_out", "columns", "values"), name)
    dates = values.get("dates", "day first")
    if dates not in ("day first", "month first"):
        raise BadRequest(f"{name}: dates = {dates!r}", 'write "day first" or "month first"')
    columns = _table(values, "columns", name)
    _known(columns, FIELDS, f"{name}, [columns]")
    meanings = _table(values, "values", name)
    _known(meanings, _VALUES, f"{name}, [values]")
    for field_name, table in meanings.items():
        if not isinstance(table, Mapping):
            raise BadRequest(f"{name}: [values.{field_name}] is no table", "write: their word = our word")
        for theirs, ours in table.items():
            if ours not in _VALUES[field_name]:
                raise BadRequest(
                    f"{name}: [values.{field_name}] {theirs!r} = {ours!r}",
                    f"use one of {', '.join(_VALUES[field_name])}",
                )
    return RegisterMapping(
        {one: _texts(headers, f"{name}: [columns] {one}") for one, headers in columns.items()},
        {one: {words(theirs): ours for theirs, ours in table.items()} for one, table in meanings.items()},
        _texts(values.get("left_out", []), f"{name}: left_out"),
        dates,
    )


def fingerprint(headers: Iterable[str]) -> str:
    """What files with the same headers have in common, in whatever order: a saved mapping is found again by it."""
    return hashlib.sha256("\n".join(sorted({words(header) for header in headers})).encode()).hexdigest()


def _quoted(text: str) -> str:
    escaped = (
        text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    )
    return f'"{escaped}"'


def _known(values: Mapping[str, Any], names: Iterable[str], where: str) -> None:
    strange = sorted(set(values) - set(names))
    if strange:
        raise BadRequest(f"{where}: {strange[0]!r} is not known", f"use {', '.join(names)}")


def _table(values: Mapping[str, Any], key: str, name: str) -> Mapping[str, Any]:
    table = values.get(key, {})
    if not isinstance(table, Mapping):
        raise BadRequest(f"{name}: {key} is no table", f"write it as [{key}]")
    return table


def _texts(value: object, where: str) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, (list, tuple)) or not all(isinstance(one, str) for one in listed):
        raise BadRequest(f"{where} is no text or list of texts", 'write "Header" or ["Header", "Other header"]')
    return tuple(listed)
