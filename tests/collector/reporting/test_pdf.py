"""Page and PDF for members: what screen readers need is in them, and nothing is fetched or obeyed."""

import io
from collections.abc import Iterator
from typing import Any

import pikepdf
import pytest

from collector.reports.page import page
from collector.reports.pdf import pdf
from tests.carbon.reports import report
from tests.collector.reporting.made import empty_report, odd_report
from tests.collector.web.test_pages import Document


def _elements(node: Any) -> Iterator[Any]:
    """The elements of a structure tree."""
    if isinstance(node, pikepdf.Array):
        for one in node:
            yield from _elements(one)
    elif isinstance(node, pikepdf.Dictionary):
        if "/S" in node:
            yield node
        if "/K" in node:
            yield from _elements(node.K)


def test_a_pdf_is_tagged_and_says_its_language_title_charts_and_headers(caplog: pytest.LogCaptureFixture) -> None:
    made = pdf(odd_report())
    said = [one.message for one in caplog.records if one.levelname in ("ERROR", "WARNING")]
    assert [one for one in said if "🏛" not in one] == [], "DejaVu has no such sign"
    with pikepdf.open(io.BytesIO(made)) as file:
        root: Any = file.Root
        assert root.MarkInfo.Marked
        assert str(root.Lang) == "en-GB"
        assert root.ViewerPreferences.DisplayDocTitle
        with file.open_metadata() as metadata:
            assert metadata["dc:title"] == "Carbon of ICT: =Council & <b>Co</b>, 2024/25 (April 2024 to March 2025)"
            assert metadata["pdfuaid:part"] == "1"
        elements = list(_elements(root.StructTreeRoot))
        figures = [one for one in elements if one.S == "/Figure"]
        assert len(figures) == 3
        assert all(len(str(one.Alt)) > 60 for one in figures)
        tables = [one for one in elements if one.S == "/Table"]
        assert len(tables) >= 5
        for table in tables:
            inside = list(_elements(table.K))
            headers = {str(one.ID) for one in inside if one.S == "/TH"}
            assert headers
            for cell in (one for one in inside if one.S == "/TD"):
                assert {str(one) for one in cell.A.Headers} <= headers
                assert len(cell.A.Headers) == 2, "one of its row and one of its column"


def test_each_chart_has_words_and_each_table_headers_with_scope() -> None:
    made = page(report())
    assert '<html lang="en-GB">' in made
    document = Document()
    document.feed(made)

    def found(name: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in document.elements if tag == name]

    assert len(found("img")) == 3
    assert all(one["src"].startswith("data:image/svg+xml;base64,") and len(one["alt"]) > 60 for one in found("img"))
    assert {one.get("scope") for one in found("th")} == {"row", "col"}
    assert [row[0] for row in document.table("by site")] == ["Site", "County Hall", "homes of staff", "=Depot"]
    assert document.table("Emissions by scope")[-1] == ["All", "2,520", "100%"]


def test_a_page_calls_nowhere_and_shows_markup_as_text() -> None:
    made = page(odd_report())
    assert "<script" not in made
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in made
    assert "?bell" in made, "control characters may stand in no page"
    assert "\x07" not in made
    assert "=Council &amp; &lt;b&gt;Co&lt;/b&gt;" in made
    for word in ("http://", "https://", "url(", "@import", "<link"):
        assert word not in made, word


def test_an_empty_report_says_that_nothing_is_known() -> None:
    assert "Nothing is known of 2024/25" in page(empty_report())
