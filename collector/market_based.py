"""Residual mixes, what an organisation buys, and the market-based factor of it by all the evidence that stands."""

import datetime
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, select

from carbon.calendar import day_bounds
from carbon.errors import CarbonError
from carbon.market import MarketBased, Mix, Use, market_based, month_bounds
from collector.contracts import checked, contracts, mix_of
from collector.database.audit import audit
from collector.database.schema import residual_mix
from collector.device_energy import rules_by_organisation
from collector.documents import Document, insert_proved, withdraw_proved
from collector.errors import BadRequest
from collector.estate_totals import estate_totals
from collector.sites import detail_at, sites
from collector.taking import Who


def residual_mixes(connection: Connection) -> Sequence[Row[Any]]:
    """All residual mixes by period, withdrawn ones too."""
    return connection.execute(select(residual_mix).order_by(residual_mix.c.first_day, residual_mix.c.id)).all()


def add_residual_mix(
    connection: Connection,
    period: tuple[datetime.date, datetime.date],
    kg_per_kwh: Decimal,
    source: str,
    document: Document,
    who: Who,
) -> int:
    """Keep a UK residual mix; its number. Raises BadRequest where one of some of these days stands."""
    checked(lambda: Mix("the residual mix", *period, kg_per_kwh, source))
    if not source.strip():
        raise BadRequest("a residual mix needs its source", "say who publishes it, and where")
    first, last = (day.isoformat() for day in period)
    for row in residual_mixes(connection):
        if row.withdrawn_at is None and row.first_day <= last and first <= row.last_day:
            raise BadRequest(
                f"residual mix {row.id} holds from {row.first_day} to {row.last_day}",
                f"withdraw it first: ictagent carbon residual withdraw {row.id}",
            )
    values = {"first_day": first, "last_day": last, "kg_per_kwh": str(kg_per_kwh), "source": source}
    made = insert_proved(connection, residual_mix, values, document, who)
    audit(connection, who.now, who.actor, "carbon.residual.add", str(made), {**values, "sha256": document.sha256})
    return made


def withdraw_residual_mix(connection: Connection, mix_id: int, reason: str, who: Who) -> None:
    """Let a residual mix count no longer. Raises NotFound."""
    withdraw_proved(connection, residual_mix, residual_mix.c.id == mix_id, "residual", mix_id, reason, who)


def market_based_of(
    connection: Connection, organisation_id: int, use: Use, location: Callable[[str], Decimal]
) -> dict[tuple[str, str], MarketBased]:
    """`carbon.market.market_based` with the organisation's contracts and the residual mixes that stand.

    `use` is of electricity that the organisation buys itself: no homes, no landlord's supply. Raises BadRequest where the
    contracts contradict each other.
    """
    kept = [one.contract for one in contracts(connection, organisation_id)]
    residual = [
        mix_of(row, f"residual {row.id}", row.source) for row in residual_mixes(connection) if row.withdrawn_at is None
    ]
    try:
        return market_based(use, kept, residual, location)
    except CarbonError as error:
        raise BadRequest(str(error), "see `ictagent carbon contract list`") from error


def bought(
    connection: Connection, organisation_id: int, first_month: str, last_month: str, now: int
) -> dict[tuple[str, str], int]:
    """ICT's energy with overheads by site and month, microjoules: all that the organisation buys itself.

    Without homes, and without sites that are on their landlord's supply at the month's begin. What has no site stands
    under "".
    """
    time_zone = rules_by_organisation(connection)[organisation_id].time_zone
    ids = {row.name: row.id for row in sites(connection, now, organisation_id)}
    totals = estate_totals(connection, first_month, last_month, now, [organisation_id])
    found = {}
    for (site, month), total in totals.by("site", "month").items():
        begins = day_bounds(month_bounds(month)[0], time_zone)[0]
        if site not in ids or detail_at(connection, ids[site], begins)[0].tenure != "landlord":
            found[site, month] = total.it_uj + total.overhead_uj
    return found


def location_of(connection: Connection, organisation_id: int) -> Callable[[str], Decimal]:
    """The location's factor of a month, kgCO2e per kWh, by the organisation's year rule."""
    rules = rules_by_organisation(connection)[organisation_id]
    return lambda month: rules.factors(month_bounds(month)[0]).factors.s2_generation
