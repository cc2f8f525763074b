"""The tables. Units stand in the names: `_ns` Unix nanoseconds, `_at`, `valid_from`, `valid_to` and `half_hour`
Unix seconds (UTC), `_uj` microjoules. `valid_to` NULL means "still so". Bodies are canonical JSON: hashes are stable.

The tables stand in the modules by subject; importing this one knows them all.
"""

from collector.database.accounts import (
    account,
    api_token,
    api_token_organisation,
    login_try,
    session,
    user_organisation,
)
from collector.database.class_profiles import class_count, class_profile
from collector.database.delivery import (
    collector_instance,
    dead_letter,
    outbox,
    outbox_cursor,
    rejected_rows,
    report_sequence,
    report_stream,
)
from collector.database.energy import (
    energy_fact,
    guest_energy,
    guest_fact,
    guest_host,
    guest_stay,
    ledger,
    ledger_day,
    ledger_due,
    sealed_period,
    series_due,
)
from collector.database.estate import (
    accounting_override,
    device,
    device_accounting,
    device_evidence,
    device_placement,
    device_status,
    diagnosis,
    inventory,
    meter,
    meter_edge,
    organisation,
    site,
    source_state,
    space,
    space_pue,
)
from collector.database.events import snmp_event
from collector.database.factors import factor_acceptance, factor_import, factor_line
from collector.database.footprint import base_year, full_time_equivalent, gap_fill, inventory_boundary, service_unit
from collector.database.grid import grid_intensity, grid_region, grid_try
from collector.database.lines import (
    line_entry,
    other_line,
    product_footprint,
    provider_service,
    provider_statement,
    service_life,
    statement_row,
    supplier,
    supplier_vendor,
)
from collector.database.market import carbon_table, market_contract, market_contract_site, market_evidence, residual_mix
from collector.database.measures import carbon_offset, carbon_target, measure, measure_exclusion, scenario
from collector.database.metadata import metadata
from collector.database.meter_files import meter_bill, meter_file, meter_file_reading, supplier_mapping
from collector.database.metering import meter_place
from collector.database.neighbourhood import device_feed, managed_device, snmp_neighbour
from collector.database.network import snmp_asked, snmp_device, snmp_poller
from collector.database.people import agent_key, audit_log, enrolment_token, key_sender, setting
from collector.database.power_path import power_link
from collector.database.published import coverage_acceptance, published_report
from collector.database.register import (
    register_import,
    register_item,
    register_mapping,
    register_placement,
    register_state,
)
from collector.database.sites import organisation_boundary, site_detail

__all__ = [
    "account",
    "accounting_override",
    "agent_key",
    "api_token",
    "api_token_organisation",
    "audit_log",
    "base_year",
    "carbon_offset",
    "carbon_table",
    "carbon_target",
    "class_count",
    "class_profile",
    "collector_instance",
    "coverage_acceptance",
    "dead_letter",
    "device",
    "device_accounting",
    "device_evidence",
    "device_feed",
    "device_placement",
    "device_status",
    "diagnosis",
    "energy_fact",
    "enrolment_token",
    "factor_acceptance",
    "factor_import",
    "factor_line",
    "full_time_equivalent",
    "gap_fill",
    "grid_intensity",
    "grid_region",
    "grid_try",
    "guest_energy",
    "guest_fact",
    "guest_host",
    "guest_stay",
    "inventory",
    "inventory_boundary",
    "key_sender",
    "ledger",
    "ledger_day",
    "ledger_due",
    "line_entry",
    "login_try",
    "managed_device",
    "market_contract",
    "market_contract_site",
    "market_evidence",
    "measure",
    "measure_exclusion",
    "metadata",
    "meter",
    "meter_bill",
    "meter_edge",
    "meter_file",
    "meter_file_reading",
    "meter_place",
    "organisation",
    "organisation_boundary",
    "other_line",
    "outbox",
    "outbox_cursor",
    "power_link",
    "product_footprint",
    "provider_service",
    "provider_statement",
    "published_report",
    "register_import",
    "register_item",
    "register_mapping",
    "register_placement",
    "register_state",
    "rejected_rows",
    "report_sequence",
    "report_stream",
    "residual_mix",
    "scenario",
    "sealed_period",
    "series_due",
    "service_life",
    "service_unit",
    "session",
    "setting",
    "site",
    "site_detail",
    "snmp_asked",
    "snmp_device",
    "snmp_event",
    "snmp_neighbour",
    "snmp_poller",
    "source_state",
    "space",
    "space_pue",
    "statement_row",
    "supplier",
    "supplier_mapping",
    "supplier_vendor",
    "user_organisation",
]
