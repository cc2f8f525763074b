"""`ictagent carbon`: from the ledger to figures that an auditor can follow. A table of commands, imported when called."""

import importlib

import click

COMMANDS: dict[str, str] = {
    "report": "collector.commands.carbon_report:report",
    "export": "collector.commands.carbon_report:export",
    "publish": "collector.commands.carbon_publish:publish",
    "verify": "collector.commands.carbon_verify:verify",
    "restate": "collector.commands.carbon_publish:restate",
    "coverage": "collector.commands.carbon_coverage:coverage",
    "factors": "collector.commands.carbon_factors:factors",
    "tables": "collector.commands.carbon_tables:tables",
    "contract": "collector.commands.carbon_contract:contract",
    "residual": "collector.commands.carbon_residual:residual",
    "intensity": "collector.commands.carbon_intensity:intensity",
    "line": "collector.commands.carbon_line:line",
    "service": "collector.commands.carbon_service:service",
    "statement": "collector.commands.carbon_statement:statement",
    "embodied": "collector.commands.carbon_embodied:embodied",
    "life": "collector.commands.carbon_embodied:life",
    "pcf": "collector.commands.carbon_pcf:pcf",
    "explain": "collector.commands.carbon_explain:explain",
    "footprint": "collector.commands.carbon_footprint:footprint",
    "fills": "collector.commands.carbon_fills:fills",
    "boundary": "collector.commands.carbon_boundary:boundary",
    "base-year": "collector.commands.carbon_base_year:base_year",
    "fte": "collector.commands.carbon_years:fte",
    "unit": "collector.commands.carbon_years:unit",
    "compare-bids": "collector.commands.carbon_bids:compare_bids",
    "supplier": "collector.commands.carbon_supplier:supplier",
    "target": "collector.commands.carbon_target:target",
    "offset": "collector.commands.carbon_target:offset",
    "measure": "collector.commands.carbon_measure:measure",
    "scenario": "collector.commands.carbon_scenario:scenario",
    "pathway": "collector.commands.carbon_pathway:show_pathway",
    "indicators": "collector.commands.carbon_indicators:indicators",
    "like-for-like": "collector.commands.carbon_like_for_like:like",
}
"""Each command's place, in the order in which --help lists them. Add yours here: nothing else is needed."""


class CarbonGroup(click.Group):
    """A group whose commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx  # the table is the same everywhere
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module_name, _, attribute = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module_name), attribute)
        return command


@click.group(cls=CarbonGroup)
def carbon() -> None:
    """Carbon: factors and tables, contracts, footprint, reports, and the way to net zero.

    \b
    Examples:
      ictagent carbon report --from FY2024
      ictagent carbon export --from FY2024 --output-file ict-2024.xlsx
      ictagent carbon factors list
      ictagent carbon tables list
    """
