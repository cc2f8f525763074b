"""Rows of a register as the product takes them, and what was wrong with cells."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from collector.register.mapping import RegisterMapping

Severity = Literal["rejected", "warning", "left out"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a cell, and what to do.

    `rejected`: its row is not taken. `warning`: the row is taken without the cell's value. `left out`: the row holds no
    device (a sum, a repeated header), or one that another row has already.
    """

    cell: str
    field: str
    value: str
    problem: str
    remedy: str
    severity: Severity
    sheet: str = ""
    line: int = 0


@dataclass(slots=True)
class RegisterRow:
    """One row: a device, or so many equal ones. Texts are "" where the register says nothing, dates None.

    `status` is one of `mapping.STATUSES`, `share` (0..1) is the council's part of a joint service, `school` None where the
    register does not say. `cells` has the address of each field's cell.
    """

    sheet: str
    line: int
    asset_tag: str = ""
    serial: str = ""
    host_name: str = ""
    vendor: str = ""
    model: str = ""
    device_class: str = ""
    status: str = "in_use"
    organisation: str = ""
    site: str = ""
    address: str = ""
    postcode: str = ""
    uprn: str = ""
    space: str = ""
    space_kind: str = ""
    directorate: str = ""
    owner: str = ""
    tenure: str = "own"
    service_category: str = ""
    school: bool | None = None
    share: float = 1.0
    share_key: str = ""
    acquired_on: datetime.date | None = None
    disposed_on: datetime.date | None = None
    quantity: int = 1
    notes: str = ""
    cells: dict[str, str] = field(default_factory=dict)
    told: frozenset[str] = frozenset()
    """The fields for which the sheet has a column: what it says nothing of stays as it was."""

    @property
    def where(self) -> str:
        """The row as people find it again."""
        return f"{self.sheet}, row {self.line}" if self.sheet else f"row {self.line}"


@dataclass(frozen=True, slots=True)
class RegisterFile:
    """A register as it was read: sound rows, faults, and the mapping by which it was read.

    `headers` are those of all sheets; `unmapped` those that mean no field; `proposed` says that no mapping was given;
    `read_rows` counts rows that hold anything, headers and titles aside: taken, rejected and left out together.
    """

    name: str
    sha256: str
    rows: Sequence[RegisterRow]
    faults: Sequence[Fault]
    mapping: RegisterMapping
    proposed: bool
    headers: Sequence[str]
    unmapped: Sequence[str]
    read_rows: int
    left_out_sheets: Mapping[str, str] = field(default_factory=dict)
    """Sheets that were not read, with the reason."""
