"""Tables of what is known of electricity beyond the Government's factors: contracts with their evidence, residual mixes,
and HM Treasury's tables by year. Amounts and factors are text, because they are exact (`Decimal`); days are YYYY-MM-DD.

Nothing is deleted: what was withdrawn stays, with who and why, because a published report may rest on it.
"""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, UniqueConstraint

from collector.database.metadata import ROW_ID, instant, metadata, row_id, text


def _document() -> tuple[Column[str], Column[str]]:
    return text("document"), text("document_sha256")


def _written() -> tuple[Column[int], Column[str]]:
    return instant("added_at"), text("actor")


def _withdrawn() -> tuple[Column[int], Column[str], Column[str]]:
    return (
        instant("withdrawn_at", nullable=True),
        text("withdrawn_by", nullable=True),
        text("withdrawn_reason", nullable=True),
    )


# A contract of supply. `last_day` NULL: it goes on. Without rows in market_contract_site it supplies all sites.
market_contract = Table(
    "market_contract",
    metadata,
    row_id(),
    Column("organisation_id", ROW_ID, ForeignKey("organisation.id"), nullable=False),
    text("name"),
    text("supplier"),
    text("tariff"),
    text("first_day"),
    text("last_day", nullable=True),
    *_document(),
    *_written(),
    UniqueConstraint("organisation_id", "name"),
)

market_contract_site = Table(
    "market_contract_site",
    metadata,
    Column("contract_id", ROW_ID, ForeignKey("market_contract.id"), primary_key=True),
    Column("site_id", ROW_ID, ForeignKey("site.id"), primary_key=True),
)

# `rego`: certificates retired for a year from 1 April to 31 March: `quantity_kwh` of the `supplied_kwh` of the contract.
# `supplier_mix`: the tariff's disclosed mix, without quantities ('').
market_evidence = Table(
    "market_evidence",
    metadata,
    row_id(),
    Column("contract_id", ROW_ID, ForeignKey("market_contract.id"), nullable=False, index=True),
    text("kind"),
    text("first_day"),
    text("last_day"),
    text("kg_per_kwh"),
    text("quantity_kwh"),
    text("supplied_kwh"),
    text("retired_on"),
    *_document(),
    *_written(),
    *_withdrawn(),
    CheckConstraint("kind IN ('rego', 'supplier_mix')", name="kind"),
)

residual_mix = Table(
    "residual_mix",
    metadata,
    row_id(),
    text("first_day"),
    text("last_day"),
    text("kg_per_kwh"),
    text("source"),
    *_document(),
    *_written(),
    *_withdrawn(),
)

# An imported table by year (carbon.green_book.YearTable): `body` is its columns as JSON. The newest that is not
# withdrawn holds before the packaged one.
carbon_table = Table(
    "carbon_table",
    metadata,
    row_id(),
    text("kind"),
    text("version"),
    text("source"),
    text("unit"),
    text("body"),
    text("sha256"),
    *_written(),
    *_withdrawn(),
    CheckConstraint("kind IN ('electricity_factors', 'carbon_values')", name="kind"),
    Index("ix_carbon_table_kind", "kind", "id"),
)
