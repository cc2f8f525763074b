"""Tables of the way to the target: the target itself, offsets, measures with their state, what they leave out, scenarios.

A person's word is replaced, never deleted. Energy is in microjoules, emissions in grams, money in pence.
"""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Integer, Table, UniqueConstraint
from sqlalchemy import text as sql

from collector.database.metadata import ROW_ID, instant, metadata, row_id, text

SHAPES = ("linear", "contraction", "constant_rate", "budget")
MEASURE_STATES = ("open", "accepted", "dismissed")


def _organisation_id() -> Column[int]:
    return Column("organisation_id", ROW_ID, ForeignKey("organisation.id"), nullable=False, index=True)


# What an organisation wants to emit at most, from which financial year on (`year`: the one in which it begins), and by
# which shape it goes there from its base year. `rate` is Decimal text, '' for the shape's own. The newest row holds.
carbon_target = Table(
    "carbon_target",
    metadata,
    row_id(),
    _organisation_id(),
    Column("year", Integer, nullable=False),
    Column("value_g", BigInteger, nullable=False),
    text("shape"),
    text("rate"),
    Column("budget_g", BigInteger, nullable=True),
    text("reason"),
    instant("added_at"),
    text("actor"),
    CheckConstraint("shape IN (" + ", ".join(f"'{one}'" for one in SHAPES) + ")", name="shape"),
)

# Offsets bought for a financial year: beside the footprint, never taken off it.
carbon_offset = Table(
    "carbon_offset",
    metadata,
    row_id(),
    _organisation_id(),
    Column("year", Integer, nullable=False),
    Column("grams", BigInteger, nullable=False),
    text("standard"),
    text("document"),
    text("document_sha256"),
    instant("added_at"),
    text("actor"),
    instant("withdrawn_at", nullable=True),
    text("withdrawn_by", nullable=True),
    text("withdrawn_reason", nullable=True),
)

# A measure. `saved` is JSON: a year's microjoules by device, as last found. `key` tells two of one rule apart, so that
# what is found again is the same row, with its state. `done_on` is the day from which on it is carried out.
measure = Table(
    "measure",
    metadata,
    row_id(),
    _organisation_id(),
    text("rule"),
    text("key"),
    text("title"),
    text("saved"),
    text("confidence"),
    text("why"),
    Column("embodied_g", BigInteger, nullable=False),
    Column("cost_pence", BigInteger, nullable=True),
    text("owner"),
    text("state"),
    text("reason"),
    text("until"),
    text("done_on"),
    instant("found_at"),
    instant("seen_at"),
    text("actor"),
    UniqueConstraint("organisation_id", "rule", "key"),
    CheckConstraint("state IN ('open', 'accepted', 'dismissed')", name="state"),
)

# What a rule must never propose: a device, or with '' for it everything.
measure_exclusion = Table(
    "measure_exclusion",
    metadata,
    row_id(),
    _organisation_id(),
    text("rule"),
    text("device_id"),
    text("reason"),
    instant("added_at"),
    text("actor"),
    instant("withdrawn_at", nullable=True),
    text("withdrawn_by", nullable=True),
    text("withdrawn_reason", nullable=True),
    Index(
        "uq_measure_exclusion_open",
        "organisation_id",
        "rule",
        "device_id",
        unique=True,
        sqlite_where=sql("withdrawn_at IS NULL"),
        postgresql_where=sql("withdrawn_at IS NULL"),
    ),
)

# A "what if", saved by name: `body` is JSON of carbon.scenario.Scenario.
scenario = Table(
    "scenario",
    metadata,
    row_id(),
    _organisation_id(),
    text("name"),
    text("body"),
    instant("saved_at"),
    text("actor"),
    UniqueConstraint("organisation_id", "name"),
)
