"""A mapping's file: TOML that people write."""

import tomllib
from pathlib import Path
from typing import Any

from collector.errors import BadRequest


def read_toml(path: Path, page: str) -> dict[str, Any]:
    """The values of a file. Raises BadRequest with what is wrong; `page` of the documentation has an example."""
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise BadRequest(
            f"{path} cannot be read: {error.strerror}", "check the file's name and who may read it"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"{path.name} is no TOML: {error}", f"see {page} for an example") from error
