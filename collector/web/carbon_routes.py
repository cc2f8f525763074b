"""The officer's pages: footprint, why it changed, pathway, measures, factors, coverage, files."""

from starlette.routing import Route

from collector.web.carbon_asked import officers
from collector.web.carbon_downloads import download, downloads_page
from collector.web.carbon_footprint_page import footprint_page

CARBON_PAGES = [
    Route("/carbon/footprint", officers(footprint_page)),
    Route("/carbon/downloads", officers(downloads_page)),
    Route("/carbon/downloads/{file}", officers(download)),
]
