"""Takes the README's picture of the first page: python tests/collector/web/screenshot.py [docs/images/estate.png]

It needs Chromium. A collector with the estate of the tests is served on a loopback port and gone afterwards.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT))

from tests.collector.web.conftest import CHROMIUM, CHROMIUM_OPTIONS  # noqa: E402  # the script runs from a checkout
from tests.collector.web.estate_of_tests import ESTATE, settle_in  # noqa: E402
from tests.collector.web.served import serving  # noqa: E402

LARGEST_BYTES = 200_000


def take(picture: Path) -> None:
    """Write the picture, 1200 pixels wide, in light colours."""
    picture.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as directory,
        serving(Path(directory)) as served,
        sync_playwright() as playwright,
    ):
        settle_in(served, ESTATE, days=28)
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_OPTIONS)
        page = browser.new_page(viewport={"width": 1200, "height": 700}, color_scheme="light", locale="en-GB")
        page.goto(served.address)
        page.screenshot(path=picture, full_page=True)
        browser.close()
    if picture.stat().st_size > LARGEST_BYTES:
        sys.exit(f"{picture} is larger than {LARGEST_BYTES} bytes")


if __name__ == "__main__":
    take(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/images/estate.png")
