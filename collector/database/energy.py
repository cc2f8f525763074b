"""Tables of energy: facts of readings, the half-hour ledger, its days, guests' parts of hosts, and what is sealed."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text

from collector.database.metadata import ROW_ID, instant, metadata, row_id, text


def _meter_id() -> Column[int]:
    return Column("meter_id", ROW_ID, ForeignKey("meter.id"), primary_key=True, nullable=False)


def _half_hour() -> Column[int]:
    return Column("half_hour", BigInteger, primary_key=True, nullable=False)


def amounts() -> list[Column[int]]:
    """The amounts of a half-hour or a day, in microjoules and seconds."""
    return [
        Column(name, BigInteger, nullable=False)
        for name in ("measured_uj", "estimated_uj", "low_uj", "high_uj", "covered_seconds", "spread_seconds")
    ]


# What reports said of a (meter, half-hour, epoch), one row a report until the ledger merges them into part ''.
# Insert-only while reports come in: nothing is read or locked. `body` is carbon.facts.to_text.
energy_fact = Table(
    "energy_fact",
    metadata,
    _meter_id(),
    _half_hour(),
    Column("epoch", Text, primary_key=True),
    Column("part", Text, primary_key=True),
    text("body"),
    sqlite_with_rowid=False,
)

# Half-hours whose facts changed since their ledger row was written.
ledger_due = Table(
    "ledger_due",
    metadata,
    _meter_id(),
    _half_hour(),
    Index("ix_ledger_due_half_hour", "half_hour"),
    sqlite_with_rowid=False,
)

# The record. The highest revision of a (meter, half-hour) holds; a sealed half-hour's rows never change.
# `evidence` is JSON: first and last counter, number of readings, or seconds in the eleven utilisation bins.
ledger = Table(
    "ledger",
    metadata,
    _meter_id(),
    _half_hour(),
    Column("revision", Integer, primary_key=True, nullable=False),
    *amounts(),
    text("method"),
    text("model_version"),
    Column("inventory_version", Integer, nullable=True),
    text("evidence"),
    instant("written_at"),
    Index("ix_ledger_half_hour", "half_hour"),
    sqlite_with_rowid=False,
)

# Sums of the ledger by local day of the organisation, kept by the transaction that writes the half-hours.
ledger_day = Table(
    "ledger_day",
    metadata,
    _meter_id(),
    Column("local_day", Text, primary_key=True),
    *amounts(),
    Column("half_hours", Integer, nullable=False),
    Column("dirty", Boolean, nullable=False),
    Index("ix_ledger_day_local_day", "local_day"),
    sqlite_with_rowid=False,
)

# Local days of devices whose series must be written anew: something that was true then has been edited.
series_due = Table(
    "series_due",
    metadata,
    Column("device_id", Text, ForeignKey("device.id"), primary_key=True),
    Column("local_day", Text, primary_key=True),
    sqlite_with_rowid=False,
)

# Published: rows of half-hours from `period_from` to before `period_to` are never changed in place.
sealed_period = Table(
    "sealed_period",
    metadata,
    row_id(),
    instant("period_from"),
    instant("period_to"),
    instant("sealed_at"),
    text("actor"),
)

# Which guests a host had in a half-hour, as its reports described them (canonical JSON of agent.report.Guest).
# Insert-only like energy_fact, whose rows of the same meter hold the guest's processor time.
guest_fact = Table(
    "guest_fact",
    metadata,
    _meter_id(),
    _half_hour(),
    Column("body", Text, primary_key=True),
    sqlite_with_rowid=False,
)

# A host's energy in a half-hour that was shared out to guests: all of it, and what no guest got. Attribution: the
# host's own rows are in the ledger. The highest revision holds, here and in guest_energy, which has the same.
guest_host = Table(
    "guest_host",
    metadata,
    Column("device_id", Text, ForeignKey("device.id"), primary_key=True),
    _half_hour(),
    Column("revision", Integer, primary_key=True, nullable=False),
    *(
        Column(f"{part}{name}_uj", BigInteger, nullable=False)
        for part in ("", "itself_", "headroom_")
        for name in ("energy", "low", "high")
    ),
    text("model_version"),
    instant("written_at"),
    sqlite_with_rowid=False,
)

# A guest's part of it. `body` describes the guest as guest_fact has it; `ran_seconds` is how long it ran.
guest_energy = Table(
    "guest_energy",
    metadata,
    _meter_id(),
    _half_hour(),
    Column("revision", Integer, primary_key=True, nullable=False),
    *(Column(name, BigInteger, nullable=False) for name in ("idle_uj", "active_uj", "low_uj", "high_uj")),
    Column("ran_seconds", Integer, nullable=False),
    text("body"),
    sqlite_with_rowid=False,
)

# Stretches of half-hours in which a guest had a part of a host's energy, by the UUID that links it to its own agent
# (collector.guest_links.link_uuid). Both ends are half-hours; the guest's meter says which host it is.
guest_stay = Table(
    "guest_stay",
    metadata,
    _meter_id(),
    Column("valid_from", BigInteger, primary_key=True, nullable=False),
    instant("valid_to"),
    text("link_uuid"),
    Index("ix_guest_stay_link_uuid", "link_uuid", "valid_to"),
    sqlite_with_rowid=False,
)
