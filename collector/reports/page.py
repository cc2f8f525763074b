"""A report as one HTML page for members, which needs nothing beside itself: charts are in it, and it calls nowhere."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from carbon.report import Report
from carbon.report_summary import summary
from collector.reports.charts import draw
from collector.web.charts import image, printable


def page(report: Report) -> str:
    """The page as text."""
    made = summary(report)
    text = _environment.get_template("report.html").render(
        title=made.title,
        organisation=report.organisation,
        state=report.state,
        state_words=made.state,
        sections=made.sections,
        draw=draw,
        image=image,
    )
    return printable(text)


_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
