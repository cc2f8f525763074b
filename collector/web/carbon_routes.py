"""The officer's pages and files: footprint, why it changed, pathway, measures, factors, coverage, what was published."""

from starlette.routing import Route

from collector.web.carbon_api import footprint, reports
from collector.web.carbon_asked import officers
from collector.web.carbon_basis_pages import coverage_page, factors_page
from collector.web.carbon_downloads import download, downloads_page
from collector.web.carbon_footprint_page import footprint_page
from collector.web.carbon_plan_pages import measures_page, pathway_page
from collector.web.carbon_published_page import pack, published_page
from collector.web.carbon_why_page import why_page

CARBON_PAGES = [
    Route("/carbon/coverage", officers(coverage_page)),
    Route("/carbon/downloads", officers(downloads_page)),
    Route("/carbon/downloads/{file}", officers(download)),
    Route("/carbon/factors", officers(factors_page)),
    Route("/carbon/footprint", officers(footprint_page)),
    Route("/carbon/measures", officers(measures_page)),
    Route("/carbon/pathway", officers(pathway_page)),
    Route("/carbon/published", officers(published_page)),
    Route("/carbon/published/{number}/pack", officers(pack)),
    Route("/carbon/why", officers(why_page)),
]
CARBON_ROUTES = [
    Route("/v1/carbon/footprint", officers(footprint)),
    Route("/v1/carbon/reports", officers(reports)),
]
