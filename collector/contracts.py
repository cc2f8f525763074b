"""Contracts of supply and what proves them: certificates and disclosed mixes; withdrawn, never deleted."""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from carbon.errors import CarbonError
from carbon.market import Contract, Mix, Rego, rego_year
from collector.database.audit import audit
from collector.database.schema import market_contract, market_contract_site, market_evidence, site
from collector.documents import Document, insert_proved, withdraw_proved
from collector.errors import BadRequest, NotFound
from collector.sites import find_site
from collector.taking import Who


@dataclass(frozen=True, slots=True)
class NewContract:
    """A contract as it is told: `sites` are names, none means all. `last_day` None: it goes on."""

    name: str
    supplier: str
    tariff: str
    sites: Sequence[str]
    first_day: datetime.date
    last_day: datetime.date | None


@dataclass(frozen=True, slots=True)
class KeptContract:
    """A contract with its row and all its evidence, withdrawn pieces too."""

    row: Row[Any]
    sites: Sequence[str]
    evidence: Sequence[Row[Any]]

    @property
    def contract(self) -> Contract:
        """As `carbon.market` takes it: with the evidence that was not withdrawn."""
        standing = [one for one in self.evidence if one.withdrawn_at is None]
        return Contract(
            id=f"contract {self.row.id}",
            name=self.row.name,
            supplier=self.row.supplier,
            sites=frozenset(self.sites) or None,
            first_day=datetime.date.fromisoformat(self.row.first_day),
            last_day=datetime.date.fromisoformat(self.row.last_day) if self.row.last_day else None,
            regos=[_rego(one) for one in standing if one.kind == "rego"],
            mixes=[mix_of(one, f"mix {one.id}", one.document) for one in standing if one.kind == "supplier_mix"],
        )


def contracts(connection: Connection, organisation_id: int) -> list[KeptContract]:
    """An organisation's contracts by first day."""
    mine = market_contract.c.organisation_id == organisation_id
    query = select(market_contract).where(mine).order_by(market_contract.c.first_day, market_contract.c.id)
    places = (
        select(market_contract_site.c.contract_id, site.c.name)
        .join(site, site.c.id == market_contract_site.c.site_id)
        .order_by(site.c.name)
    )
    sites: dict[int, list[str]] = {}
    for row in connection.execute(places):
        sites.setdefault(row.contract_id, []).append(row.name)
    evidence: dict[int, list[Any]] = {}
    for row in connection.execute(select(market_evidence).order_by(market_evidence.c.first_day, market_evidence.c.id)):
        evidence.setdefault(row.contract_id, []).append(row)
    return [KeptContract(row, sites.get(row.id, []), evidence.get(row.id, [])) for row in connection.execute(query)]


def find_contract(connection: Connection, organisation_id: int, name: str) -> KeptContract:
    """The contract of this name. Raises NotFound."""
    for one in contracts(connection, organisation_id):
        if one.row.name == name:
            return one
    raise NotFound(f"there is no contract {name}", "see `ictagent carbon contract list`")


def add_contract(connection: Connection, organisation_id: int, new: NewContract, document: Document, who: Who) -> int:
    """Keep a contract; its number. Raises BadRequest where another one supplies one of the sites on one of the days."""
    if not new.name.strip() or not new.supplier.strip():
        raise BadRequest("a contract needs a name and a supplier", "give both")
    if new.last_day and new.last_day < new.first_day:
        raise BadRequest(
            f"the contract ends on {new.last_day}, before it begins on {new.first_day}", "correct the days"
        )
    ids = {name: find_site(connection, organisation_id, name) for name in new.sites}
    for one in contracts(connection, organisation_id):
        if one.row.name == new.name:
            raise BadRequest(f"there is a contract {new.name} already", "give another name, or end that one")
        _require_apart(one, new)
    values = {
        "organisation_id": organisation_id,
        "name": new.name,
        "supplier": new.supplier,
        "tariff": new.tariff,
        "first_day": new.first_day.isoformat(),
        "last_day": new.last_day.isoformat() if new.last_day else None,
    }
    contract_id = insert_proved(connection, market_contract, values, document, who)
    if ids:
        rows = [{"contract_id": contract_id, "site_id": site_id} for site_id in ids.values()]
        connection.execute(insert(market_contract_site), rows)
    detail = {**values, "sites": sorted(new.sites), "document": document.name, "sha256": document.sha256}
    audit(connection, who.now, who.actor, "carbon.contract.add", str(contract_id), detail)
    return contract_id


def end_contract(
    connection: Connection, organisation_id: int, name: str, last_day: datetime.date, reason: str, who: Who
) -> None:
    """Let a contract supply until a day, that one included. Raises BadRequest where that is not in it."""
    row = find_contract(connection, organisation_id, name).row
    if last_day.isoformat() < row.first_day or (row.last_day and last_day.isoformat() > row.last_day):
        raise BadRequest(
            f"{last_day} is no day of {name}, which goes from {row.first_day} to {row.last_day or 'today and on'}",
            "a contract is only ever shortened; add the next one",
        )
    mine = market_contract.c.id == row.id
    connection.execute(update(market_contract).where(mine).values(last_day=last_day.isoformat()))
    detail = {"last_day": last_day.isoformat(), "before": row.last_day, "reason": reason}
    audit(connection, who.now, who.actor, "carbon.contract.end", str(row.id), detail)


@dataclass(frozen=True, slots=True)
class NewRego:
    """Certificates of the year from 1 April of `year`. All amounts as they are printed."""

    year: int
    quantity_kwh: Decimal
    supplied_kwh: Decimal
    retired_on: datetime.date
    kg_per_kwh: Decimal


def add_rego(
    connection: Connection, organisation_id: int, name: str, new: NewRego, document: Document, who: Who
) -> int:
    """Keep certificates of a contract; their number. Raises BadRequest where they cannot be of it."""
    row = find_contract(connection, organisation_id, name).row
    first, last = rego_year(new.year)
    if first.isoformat() > (row.last_day or "9999") or last.isoformat() < row.first_day:
        raise BadRequest(f"{name} supplies on no day from {first} to {last}", "give the year of the certificates")
    if new.retired_on > datetime.datetime.fromtimestamp(who.now, datetime.UTC).date():
        raise BadRequest(f"the certificates are not retired before {new.retired_on}", "add them when they are")
    checked(lambda: Rego("the certificates", first, last, *_amounts(new), new.retired_on, new.kg_per_kwh))
    values = {
        "kind": "rego",
        "first_day": first.isoformat(),
        "last_day": last.isoformat(),
        "kg_per_kwh": str(new.kg_per_kwh),
        "quantity_kwh": str(new.quantity_kwh),
        "supplied_kwh": str(new.supplied_kwh),
        "retired_on": new.retired_on.isoformat(),
    }
    return _add_evidence(connection, row.id, values, document, who)


def add_mix(
    connection: Connection,
    organisation_id: int,
    name: str,
    period: tuple[datetime.date, datetime.date],
    kg_per_kwh: Decimal,
    document: Document,
    who: Who,
) -> int:
    """Keep the disclosed mix of a contract's tariff; its number."""
    row = find_contract(connection, organisation_id, name).row
    checked(lambda: Mix("the mix", *period, kg_per_kwh, document.name))
    values = {
        "kind": "supplier_mix",
        "first_day": period[0].isoformat(),
        "last_day": period[1].isoformat(),
        "kg_per_kwh": str(kg_per_kwh),
        "quantity_kwh": "",
        "supplied_kwh": "",
        "retired_on": "",
    }
    return _add_evidence(connection, row.id, values, document, who)


def withdraw_evidence(connection: Connection, organisation_id: int, evidence_id: int, reason: str, who: Who) -> None:
    """Let certificates or a mix of one of the organisation's contracts count no longer. Raises NotFound."""
    mine = select(market_contract.c.id).where(market_contract.c.organisation_id == organisation_id)
    wanted = (market_evidence.c.id == evidence_id) & market_evidence.c.contract_id.in_(mine)
    withdraw_proved(connection, market_evidence, wanted, "evidence", evidence_id, reason, who)


def _require_apart(one: KeptContract, new: NewContract) -> None:
    days_apart = (one.row.last_day or "9999") < new.first_day.isoformat() or (
        new.last_day is not None and new.last_day.isoformat() < one.row.first_day
    )
    shared = set(one.sites) & set(new.sites) if one.sites and new.sites else {"all sites"}
    if not days_apart and shared:
        where = ", ".join(sorted(shared))
        raise BadRequest(
            f"{one.row.name} supplies {where} from {one.row.first_day} to {one.row.last_day or 'today and on'}",
            "end it first: ictagent carbon contract end",
        )


def _add_evidence(
    connection: Connection, contract_id: int, values: dict[str, Any], document: Document, who: Who
) -> int:
    same = (market_evidence.c.contract_id == contract_id) & (market_evidence.c.document_sha256 == document.sha256)
    standing = same & market_evidence.c.withdrawn_at.is_(None) & (market_evidence.c.kind == values["kind"])
    held = connection.execute(
        select(market_evidence.c.id).where(standing, market_evidence.c.first_day == values["first_day"])
    ).scalar()
    if held is not None:
        raise BadRequest(
            f"{document.name} is evidence {held} of the same period already",
            f"withdraw that first: ictagent carbon contract withdraw {held}",
        )
    made = insert_proved(connection, market_evidence, {"contract_id": contract_id, **values}, document, who)
    detail = {"contract": contract_id, **values, "document": document.name, "sha256": document.sha256}
    audit(connection, who.now, who.actor, "carbon.evidence.add", str(made), detail)
    return made


def checked(make: Callable[[], object]) -> None:
    """Raise BadRequest where what is to be kept would be no evidence to `carbon.market`."""
    try:
        make()
    except CarbonError as error:
        raise BadRequest(str(error), "correct it") from error


def _amounts(new: NewRego) -> tuple[Decimal, Decimal]:
    return new.quantity_kwh, new.supplied_kwh


def _rego(row: Row[Any]) -> Rego:
    first, last, retired = map(datetime.date.fromisoformat, (row.first_day, row.last_day, row.retired_on))
    amounts = Decimal(row.quantity_kwh), Decimal(row.supplied_kwh)
    return Rego(f"rego {row.id}", first, last, *amounts, retired, Decimal(row.kg_per_kwh))


def mix_of(row: Row[Any], name: str, source: str) -> Mix:
    """A row of a disclosed or residual mix as `carbon.market` takes it."""
    first, last = map(datetime.date.fromisoformat, (row.first_day, row.last_day))
    return Mix(name, first, last, Decimal(row.kg_per_kwh), source)
