"""What all tests share: the folder of reference data beside the project, and how a missing part is treated."""

import os
from pathlib import Path
from typing import NoReturn

import pytest

SHARED = Path(__file__).parents[2] / "shared"


def missing(what: str) -> NoReturn:
    """A test needs a part that is not here: a failure on CI, elsewhere a skip with the reason."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and on CI nothing may be")
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The reference data beside the project; a user's clone has none."""
    if not (SHARED / "carbon.md").is_file():
        missing("the folder `shared` beside the checkout")
    return SHARED


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests with a limit of their own are the long ones: they begin first, so that none is left alone at the end."""
    items.sort(key=lambda item: item.get_closest_marker("timeout") is None)
