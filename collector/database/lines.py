"""Tables of emissions that are not of metered electricity, and of embodied carbon and who supplies: other lines, services
of providers with their statements, product carbon footprints, service lives, suppliers.

Amounts are text, because they are exact (`Decimal`); months are YYYY-MM, days YYYY-MM-DD. What a figure rests on is
withdrawn, never deleted: a published report may rest on it.
"""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Table, Text, UniqueConstraint

from collector.database.metadata import ROW_ID, instant, metadata, row_id, text

SERVICE_KINDS = ("cloud", "saas", "colocation")
PCF_KINDS = ("pcf", "component", "spend")
PCF_STATES = ("received", "asked", "not asked", "refused")
SUPPLIES = ("goods", "services", "both")


def _organisation_id() -> Column[int]:
    return Column("organisation_id", ROW_ID, ForeignKey("organisation.id"), nullable=False, index=True)


def _site_id() -> Column[int]:
    return Column("site_id", ROW_ID, ForeignKey("site.id"), nullable=True)


def _proved() -> tuple[Column[str], Column[str], Column[int], Column[str]]:
    return text("document"), text("document_sha256"), instant("added_at"), text("actor")


def _withdrawn() -> tuple[Column[int], Column[str], Column[str]]:
    return (
        instant("withdrawn_at", nullable=True),
        text("withdrawn_by", nullable=True),
        text("withdrawn_reason", nullable=True),
    )


def _one_of(name: str, values: tuple[str, ...]) -> CheckConstraint:
    return CheckConstraint(f"{name} IN (" + ", ".join(f"'{one}'" for one in values) + ")", name=name)


# What was entered at once: a line by hand, or a file of them. `document` proves it; `list_sha256` is of the file that
# was imported, '' by hand.
line_entry = Table(
    "line_entry",
    metadata,
    row_id(),
    _organisation_id(),
    text("list_sha256"),
    *_proved(),
    *_withdrawn(),
)

# One line: `kind` of carbon.other_lines. `kg_per_unit` and `factor_source` are its own factor, '' for the Government's.
other_line = Table(
    "other_line",
    metadata,
    row_id(),
    Column("entry_id", ROW_ID, ForeignKey("line_entry.id"), nullable=False, index=True),
    text("month"),
    text("kind"),
    text("name"),
    _site_id(),
    text("amount"),
    text("kg_per_unit"),
    text("factor_source"),
    text("note"),
)

# A service that a provider runs for the organisation. `last_month` NULL: it goes on. `metered`: its devices are in the
# ledger already, so its statements are memos.
provider_service = Table(
    "provider_service",
    metadata,
    row_id(),
    _organisation_id(),
    text("name"),
    text("provider"),
    text("kind"),
    text("scope_3_category"),
    _site_id(),
    Column("metered", Boolean, nullable=False),
    text("first_month"),
    text("last_month", nullable=True),
    instant("added_at"),
    text("actor"),
    UniqueConstraint("organisation_id", "name"),
    _one_of("kind", SERVICE_KINDS),
)

# A file about a service. Of the statements that stand, the newest with a row of a day holds for that day.
# `accounts` is JSON: which of the provider's accounts were taken, [] for all.
provider_statement = Table(
    "provider_statement",
    metadata,
    row_id(),
    Column("service_id", ROW_ID, ForeignKey("provider_service.id"), nullable=False, index=True),
    text("layout"),
    text("method"),
    text("accounts"),
    *_proved(),
    *_withdrawn(),
)

# One figure of a statement, of the days from `first_day` to `last_day` of one month. `amount` in `unit`: kgCO2e as the
# provider says it, or kWh, or pounds, which `kg_per_unit` of `factor_source` makes emissions of. `scope` and `basis` are
# the provider's words of its own. `counts`: not a second telling of the same by another basis.
statement_row = Table(
    "statement_row",
    metadata,
    row_id(),
    Column("statement_id", ROW_ID, ForeignKey("provider_statement.id"), nullable=False, index=True),
    text("month"),
    text("first_day"),
    text("last_day"),
    text("name"),
    text("scope"),
    text("basis"),
    text("amount"),
    text("unit"),
    text("kg_per_unit"),
    text("factor_source"),
    Column("counts", Boolean, nullable=False),
)

# What making one device emits, by its maker (pcf), by its parts (component) or by its price (spend); kgCO2e, '' where
# the document does not say. `model` '' is any of the class (spend only).
product_footprint = Table(
    "product_footprint",
    metadata,
    row_id(),
    _organisation_id(),
    text("kind"),
    text("vendor"),
    text("model"),
    text("device_class"),
    text("total_kg"),
    text("use_kg"),
    text("transport_kg"),
    text("end_of_life_kg"),
    text("document_date"),
    *_proved(),
    *_withdrawn(),
    _one_of("kind", PCF_KINDS),
)

service_life = Table(
    "service_life",
    metadata,
    Column("organisation_id", ROW_ID, ForeignKey("organisation.id"), primary_key=True, nullable=False),
    Column("device_class", Text, primary_key=True, nullable=False),
    text("years"),
    text("reason"),
    instant("added_at"),
    text("actor"),
)

# Who supplies, as it stands; what stood before is in the audit log. `document` proves plan or footprint, '' for none.
supplier = Table(
    "supplier",
    metadata,
    row_id(),
    _organisation_id(),
    text("name"),
    *(
        text(name)
        for name in (
            "supplies",
            "contract",
            "contract_end",
            "carbon_plan",
            "target_year",
            "pcf_state",
            "pcf_date",
            "next_date",
            "note",
        )
    ),
    *_proved(),
    UniqueConstraint("organisation_id", "name"),
)

# Makers whose devices a supplier sells, by the plain name that the register has.
supplier_vendor = Table(
    "supplier_vendor",
    metadata,
    Column("supplier_id", ROW_ID, ForeignKey("supplier.id"), primary_key=True, nullable=False),
    Column("vendor", Text, primary_key=True, nullable=False),
    Index("ix_supplier_vendor_vendor", "vendor"),
)
