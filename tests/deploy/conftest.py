"""The packages that the tests look into."""

from pathlib import Path

import pytest

from tests.deploy.packaging import Built, built_agent, frozen


@pytest.fixture(scope="session")
def agent_package(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return built_agent(tmp_path_factory.mktemp("agent"))


@pytest.fixture(scope="session")
def collector_program() -> Path:
    return frozen("collector") / "ictagent"
