"""The target of an organisation and its offsets, by a person's word: the newest word holds, none is deleted."""

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, func, insert, select

from carbon.errors import CarbonError
from carbon.pathway import SHAPES, Shape, Target, pathway
from collector.base_years import base_year_of
from collector.database.audit import audit
from collector.database.schema import carbon_offset, carbon_target
from collector.documents import Document, insert_proved, withdraw_proved
from collector.errors import BadRequest, NotFound
from collector.taking import Who


@dataclass(frozen=True, slots=True)
class NewTarget:
    """A target as it is told: grams at most from the financial year on that begins in `year`."""

    year: int
    value_g: int
    shape: Shape = "linear"
    rate: Decimal | None = None
    budget_g: int | None = None


def set_target(connection: Connection, organisation_id: int, new: NewTarget, reason: str, who: Who) -> int:
    """Set the target, against the base year that holds; its number. Raises BadRequest, or NotFound without a base year."""
    if new.shape not in SHAPES:
        raise BadRequest(f"{new.shape} is no shape of a pathway", f"use one of {', '.join(SHAPES)}")
    base = base_year_of(connection, organisation_id).base
    try:
        pathway(Target(base.year, base.value_g, new.year, new.value_g, new.rate, new.budget_g), new.shape)
    except CarbonError as error:
        raise BadRequest(str(error), f"the base year is {base.year} with {base.value_g} grams") from error
    values = {
        "organisation_id": organisation_id,
        "year": new.year,
        "value_g": new.value_g,
        "shape": new.shape,
        "rate": "" if new.rate is None else f"{new.rate:f}",
        "budget_g": new.budget_g,
        "reason": reason,
    }
    made = connection.execute(insert(carbon_target).values(**values, added_at=who.now, actor=who.actor))
    number = int((made.inserted_primary_key or (0,))[0])
    audit(connection, who.now, who.actor, "carbon.target.set", str(number), values)
    return number


def target_of(connection: Connection, organisation_id: int) -> tuple[Target, Shape]:
    """The target that holds, with the base year that holds, and its shape. Raises NotFound where one is missing."""
    base = base_year_of(connection, organisation_id).base
    query = select(carbon_target).where(carbon_target.c.organisation_id == organisation_id)
    row = connection.execute(query.order_by(carbon_target.c.id.desc()).limit(1)).first()
    if row is None:
        raise NotFound("no target was set", "set it: ictagent carbon target set FY2030 0")
    rate = Decimal(row.rate) if row.rate else None
    shape: Shape = row.shape
    return Target(base.year, base.value_g, row.year, row.value_g, rate, row.budget_g), shape


def add_offset(
    connection: Connection, organisation_id: int, year: int, grams: int, standard: str, document: Document, who: Who
) -> int:
    """Keep an offset that was bought for a financial year; its number. Raises BadRequest."""
    if grams <= 0 or not standard.strip():
        raise BadRequest("an offset needs more than 0 tonnes and its standard", "give both")
    values = {"organisation_id": organisation_id, "year": year, "grams": grams, "standard": standard}
    number = insert_proved(connection, carbon_offset, values, document, who)
    detail = {**values, "document": document.name, "sha256": document.sha256}
    audit(connection, who.now, who.actor, "carbon.offset.add", str(number), detail)
    return number


def withdraw_offset(connection: Connection, organisation_id: int, number: int, reason: str, who: Who) -> None:
    """Let an offset count no longer. Raises NotFound."""
    wanted = (carbon_offset.c.id == number) & (carbon_offset.c.organisation_id == organisation_id)
    withdraw_proved(connection, carbon_offset, wanted, "offset", number, reason, who)


def offsets_of(connection: Connection, organisation_id: int) -> dict[int, int]:
    """Grams of offsets that stand, by financial year."""
    query = (
        select(carbon_offset.c.year, func.sum(carbon_offset.c.grams))
        .where(carbon_offset.c.organisation_id == organisation_id, carbon_offset.c.withdrawn_at.is_(None))
        .group_by(carbon_offset.c.year)
    )
    return {year: int(grams) for year, grams in connection.execute(query)}
