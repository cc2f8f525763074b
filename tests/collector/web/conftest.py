"""Fixtures of the web's tests: collectors served by either access rule, a small estate, and a real Chromium."""

import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from collector.web.access import SignIn
from tests.collector.web.estate_of_tests import ESTATE, TROUBLES, settle_in
from tests.collector.web.served import Enrolled, Served, serving
from tests.conftest import missing

READ_TOKEN = "opens-the-pages-0123456789"
CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    # Names that a foreign page may have, without a name server.
    "--host-resolver-rules=MAP *.test 127.0.0.1",
]


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A collector served by the rule of `ictagent up`; each test enrols hosts of its own."""
    with serving(tmp_path_factory.mktemp("local")) as served:
        yield served


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Served]:
    """A collector that nobody else has touched, served by the rule of `ictagent up`."""
    with serving(tmp_path) as served:
        yield served


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A collector served by the rule of `ictagent collector run`; READ_TOKEN opens it."""
    with serving(tmp_path_factory.mktemp("guarded"), SignIn(lambda: READ_TOKEN)) as served:
        yield served


class Estate:
    """A served collector with the hosts of `estate_of_tests`; tests only read it."""

    def __init__(self, served: Served, hosts: dict[str, Enrolled]) -> None:
        self.served = served
        self.hosts = hosts
        self.client = served.client

    def path(self, name: str) -> str:
        """The path of a host's page."""
        return f"/devices/{self.hosts[name].device_id}"


# For one module at a time: five minutes after its reports the whole estate would be silent.
@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with serving(tmp_path_factory.mktemp("estate")) as served:
        yield Estate(served, settle_in(served, ESTATE + TROUBLES, days=2))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window. For one module: playwright's event loop counts as running in this thread for
    as long as it is open, and tests of other modules have loops of their own.
    """
    if not CHROMIUM.exists():
        missing("Chromium (Debian package chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[int]:
    """The port of another web server on this machine, with an empty page."""
    (tmp_path / "index.html").write_text("<!doctype html><title>foreign</title><body></body>")
    handler = partial(_Silent, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the parent's name for it
        """Say nothing."""
