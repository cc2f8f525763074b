"""The page of a report for members in a browser: no violation that axe finds, on a telephone."""

from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser as Chromium

from collector.reports.page import page
from tests.collector.reporting.made import empty_report, odd_report

_TELEPHONE = 320
"""Pixels; what fits there fits a desk."""


def test_axe_finds_no_violation_and_the_page_does_not_scroll_sideways(chromium: Chromium, tmp_path: Path) -> None:
    context = chromium.new_context(viewport={"width": _TELEPHONE, "height": 800})
    try:
        shown = context.new_page()
        for name, report in (("odd", odd_report()), ("empty", empty_report())):
            file = tmp_path / f"{name}.html"
            file.write_text(page(report), encoding="utf-8")
            shown.goto(file.as_uri())
            result = Axe().run(shown)
            assert result.violations_count == 0, result.generate_report()
            assert shown.evaluate("document.documentElement.scrollWidth") <= _TELEPHONE
            for image in shown.locator("img").all():
                assert image.evaluate("one => one.complete && one.naturalWidth") > 300
    finally:
        context.close()
