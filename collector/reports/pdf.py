"""A report as a tagged PDF (PDF/UA-1) for members: the page, laid out by WeasyPrint.

Screen readers find its language, title, headings, tables with their headers, and the words of each chart.
"""

from carbon.report import Report
from collector.errors import CollectorError
from collector.reports.page import page

_REMEDY = (
    "install the extra `reports` and, on Debian, libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"
)


class PdfUnavailable(CollectorError):
    """What lays PDFs out is not on this machine."""


def pdf(report: Report) -> bytes:
    """The PDF. Raises PdfUnavailable where WeasyPrint or the libraries that it draws text with are missing."""
    try:
        from weasyprint import HTML  # noqa: PLC0415  # a second and 40 MB that no other format needs
        from weasyprint.urls import URLFetcher  # noqa: PLC0415
    except (ImportError, OSError) as error:
        raise PdfUnavailable(f"a PDF cannot be made here: {str(error).splitlines()[0]}", _REMEDY) from error
    # Charts are in the page: whatever a name might smuggle in, nothing is fetched from disk or network.
    within = URLFetcher(allowed_protocols={"data"}, fail_on_errors=True)
    found = HTML(string=page(report), url_fetcher=within).write_pdf(pdf_variant="pdf/ua-1")
    assert isinstance(found, bytes)  # noqa: S101  # without a target it gives the file
    return found
