"""Tables of the grid's carbon intensity: slots by region, which outward postcode is of which region, what was tried."""

from sqlalchemy import BigInteger, Column, Float, Index, Integer, Table, Text

from collector.database.metadata import instant, metadata, text

# gCO2 per kWh. `region` is `national`, or a region's number. Forecasts are overwritten by later ones: `retrieved_at` says
# when this one was told. A regional slot has no `actual`. `level` is
# NESO's index in words.
grid_intensity = Table(
    "grid_intensity",
    metadata,
    Column("region", Text, primary_key=True),
    Column("half_hour", BigInteger, primary_key=True),
    Column("forecast", Float, nullable=True),
    Column("actual", Float, nullable=True),
    text("level"),
    instant("retrieved_at"),
    Index("ix_grid_intensity_half_hour", "half_hour"),
    sqlite_with_rowid=False,
)

grid_region = Table(
    "grid_region",
    metadata,
    Column("outward", Text, primary_key=True),
    Column("region_id", Integer, nullable=False),
    text("name"),
    instant("told_at"),
)

# The last try of a region (`national`) or an outward postcode: `problem` is "" where it went well.
grid_try = Table(
    "grid_try",
    metadata,
    Column("subject", Text, primary_key=True),
    instant("tried_at"),
    instant("answered_at", nullable=True),
    text("problem"),
    Column("faults", Integer, nullable=False),
    Column("disagreeing", Integer, nullable=False),
)
