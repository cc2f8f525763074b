"""The Government's files of conversion factors as bytes on a disk: checked for what they are, hashed, and read."""

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

from carbon.errors import FactorFileError
from carbon.factor_file import DOWNLOAD, FactorFile, read_factor_file
from collector.errors import BadRequest
from collector.tables.sheets import WORKBOOKS, read_sheets

MOST_BYTES = 30 * 1024 * 1024
MOST_UNPACKED_BYTES = 100 * 1024 * 1024
"""The published files have up to 3 MB, and unpack to 12."""


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What a file says, its name and its hash."""

    name: str
    sha256: str
    factors: FactorFile


def read_file(path: Path) -> ReadFile:
    """Read a flat file, .xlsx or .xls. Raises BadRequest with the cell that is wrong."""
    if path.suffix.lower() not in WORKBOOKS:
        raise BadRequest(f"{path.name} is no workbook", f"give the file as published: {DOWNLOAD}")
    try:
        whole = path.stat().st_size
        _require_modest(path.name, whole, MOST_BYTES)
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as packed:
                unpacked = sum(one.file_size for one in packed.infolist())
            _require_modest(path.name, unpacked, MOST_UNPACKED_BYTES)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise BadRequest(
            f"{path} cannot be read: {error.strerror or error}", "check the file's name and who may read it"
        ) from error
    except zipfile.BadZipFile as error:
        raise BadRequest(f"{path.name} is damaged: {error}", DOWNLOAD) from error
    try:
        sheets = read_sheets(path)
    except BadRequest as error:
        raise BadRequest(error.message, DOWNLOAD) from error
    try:
        return ReadFile(path.name, sha256, read_factor_file(sheets))
    except FactorFileError as error:
        raise BadRequest(f"{path.name}, {error.message}", error.remedy) from error


def _require_modest(name: str, size: int, most: int) -> None:
    if size > most:
        raise BadRequest(
            f"{name} would take {size // 1024 // 1024} MB, and the Government's files take a few", DOWNLOAD
        )
