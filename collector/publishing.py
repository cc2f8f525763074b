"""Publishing: one person prepares a report with its evidence pack, which seals its months; another one approves it.

What was prepared is what is approved: the pack's bytes are kept, and nothing is reckoned anew. A published report is never
changed and never withdrawn: a later one restates it, and says why.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from carbon.evidence.pack import pack_files, pack_sha256, zipped
from carbon.months import is_over, month_bounds
from carbon.report import Report
from collector.coverage_acceptance import LEAST_COVERAGE, unaccepted_coverage
from collector.database.audit import audit
from collector.database.engine import Database
from collector.database.schema import organisation, published_report, sealed_period
from collector.errors import BadRequest, NotFound
from collector.evidence_files import attached_files
from collector.fills import Fills
from collector.footprints import footprint_report
from collector.gap_fills import keep_fills
from collector.ledger_evidence import ledger_months
from collector.taking import Progress, Who, silent

_HEADS = [column for column in published_report.c if column.name != "pack"]


@dataclass(frozen=True, slots=True)
class Restatement:
    """What a report corrects: the number of the published one, and why."""

    of: int
    reason: str


def prepare(
    database: Database,
    organisation_id: int,
    months: tuple[str, str],
    who: Who,
    restates: Restatement | None = None,
    progress: Progress = silent,
) -> int:
    """Seal the months, make the report and its pack, and keep both for approval; their number.

    Late reports into sealed months become higher revisions, which this report does not know. Raises BadRequest with all
    that stands against publishing; then nothing is sealed.
    """
    with database.read() as connection:
        of = connection.execute(select(organisation).where(organisation.c.id == organisation_id)).one()
        _refuse_second(connection, organisation_id, months, restates)
    with _sealed(database, month_bounds(months[0], of.time_zone)[0], month_bounds(months[1], of.time_zone)[1], who) as (
        seal_id
    ):
        with database.read() as connection:
            fills = Fills(connection, of, who.now)
            report = footprint_report(connection, organisation_id, *months, who.now, fills)
            refuse_unready(connection, organisation_id, report, who.now)
            if restates is not None:
                report = replace(report, state="restated", restated_from=str(restates.of))
            ledger = list(ledger_months(connection, organisation_id, of.time_zone, *months, progress))
            old = published(connection, organisation_id, restates.of) if restates is not None else None
            reason = restates.reason if restates is not None else ""
            files = pack_files(report, attached_files(connection, organisation_id, report, ledger, who, old, reason))
        keep_fills(database, fills.kept.fresh)
        values = {
            "organisation_id": organisation_id,
            "first_month": months[0],
            "last_month": months[1],
            "state": "prepared",
            "total_g": report.total_g,
            "pack_sha256": pack_sha256(files),
            "seal_id": seal_id,
            "restates": None if restates is None else restates.of,
            "reason": reason,
            "prepared_at": who.now,
            "prepared_by": who.actor,
        }
        archive = zipped(files)
        with database.write() as connection:
            _refuse_second(connection, organisation_id, months, restates)
            made = connection.execute(insert(published_report).values(**values, pack=archive))
            number = int((made.inserted_primary_key or (0,))[0])
            audit(connection, who.now, who.actor, "carbon.publish.prepare", str(number), values)
    return number


def approve(connection: Connection, organisation_id: int, number: int, who: Who) -> Row[Any]:
    """Publish what was prepared. Raises BadRequest where the same person prepared it, or NotFound."""
    row = _prepared(connection, organisation_id, number)
    if person(row.prepared_by) == person(who.actor):
        raise BadRequest(
            f"{who.actor} prepared report {number}: another person approves it",
            "let a colleague approve it, on this machine or with --account and their own password",
        )
    _refuse_second(connection, organisation_id, (row.first_month, row.last_month), _restatement(row), but=number)
    values = {"state": "published", "approved_at": who.now, "approved_by": who.actor}
    connection.execute(update(published_report).where(published_report.c.id == number).values(**values))
    detail = {"pack_sha256": row.pack_sha256, "prepared_by": row.prepared_by, "restates": row.restates}
    audit(connection, who.now, who.actor, "carbon.publish.approve", str(number), detail)
    return row


def withdraw(connection: Connection, organisation_id: int, number: int, reason: str, who: Who) -> None:
    """Drop what was prepared, and its seal. Raises NotFound, or BadRequest for what is published."""
    if not reason.strip():
        raise BadRequest("withdrawing needs its reason: an auditor will ask", "give it with --reason")
    row = _prepared(connection, organisation_id, number)
    values = {"state": "withdrawn", "withdrawn_at": who.now, "withdrawn_by": who.actor, "withdrawn_reason": reason}
    mine = published_report.c.id == number
    connection.execute(update(published_report).where(mine).values(**values, seal_id=None))
    connection.execute(delete(sealed_period).where(sealed_period.c.id == row.seal_id))
    audit(connection, who.now, who.actor, "carbon.publish.withdraw", str(number), {"reason": reason})


def published(connection: Connection, organisation_id: int, number: int) -> Row[Any]:
    """A report of any state, without its pack. Raises NotFound."""
    mine = (published_report.c.id == number) & (published_report.c.organisation_id == organisation_id)
    row = connection.execute(select(*_HEADS).where(mine)).first()
    if row is None:
        raise NotFound(f"there is no published report {number}", "see `ictagent carbon publish list`")
    return row


def publications(connection: Connection, organisation_id: int) -> Sequence[Row[Any]]:
    """All reports of an organisation that were ever prepared, oldest first, without their packs."""
    query = select(*_HEADS).where(published_report.c.organisation_id == organisation_id)
    return connection.execute(query.order_by(published_report.c.id)).all()


def pack_of(connection: Connection, number: int) -> bytes:
    """The archive of a report."""
    archive: bytes = connection.execute(
        select(published_report.c.pack).where(published_report.c.id == number)
    ).scalar_one()
    return archive


def restated_by(rows: Sequence[Row[Any]]) -> dict[int, int]:
    """Which published report stands in the place of which."""
    return {row.restates: row.id for row in rows if row.state == "published" and row.restates is not None}


def latest(connection: Connection, organisation_id: int) -> Row[Any]:
    """The report that was published last. Raises NotFound."""
    rows = [row for row in publications(connection, organisation_id) if row.state == "published"]
    if not rows:
        raise NotFound("nothing was published yet", "see `ictagent carbon publish prepare --help`")
    return max(rows, key=lambda row: (row.approved_at, row.id))


def refuse_unready(connection: Connection, organisation_id: int, report: Report, now: int) -> None:
    """Raise BadRequest with everything that stands against publishing a report, and what to do about each."""
    against = list(_against(connection, organisation_id, report, now))
    if against:
        problems, remedies = zip(*against, strict=True)
        raise BadRequest(
            f"{report.first_month} to {report.last_month} cannot be published: {'; '.join(problems)}",
            "; ".join(dict.fromkeys(remedies)),
        )


def person(actor: str) -> str:
    """Who an actor is, whichever way they came: `cli:anna` and `user:Anna` are one.

    >>> person("cli:anna") == person("user:Anna")
    True
    """
    return actor.partition(":")[2].casefold()


def _against(connection: Connection, organisation_id: int, report: Report, now: int) -> Iterator[tuple[str, str]]:
    if not is_over(report.last_month, report.time_zone, now):
        yield f"{report.last_month} is not over", "wait for its end"
    sets = {row.applied for row in report.rows}
    for label in sorted({one.label for one in sets if one.provisional}):
        yield (
            f"the factors of {label} may not be published",
            "import the Government's file: ictagent carbon factors import FILE",
        )
    for line in report.other:
        if line.provisional:
            yield f"the factor of {line.name} ({line.month}) is provisional", "import the Government's file"
    changes = sorted({(one.factors.year, words) for one in sets for words in one.factors.unaccepted})
    for year, words in changes:
        yield f"nobody accepted: {words}", f"ictagent carbon factors accept {year} --reason WHY"
    for low in unaccepted_coverage(connection, organisation_id, report):
        yield (
            f"{low.asset_class} has readings of {low.time_coverage:.1%} of its time, under {LEAST_COVERAGE:.0%}",
            f"ictagent carbon coverage accept {low.asset_class} --from {report.first_month} --to {report.last_month} "
            "--reason WHY",
        )
    if report.state == "provisional" and is_over(report.last_month, report.time_zone, now) and not sets:
        yield "nothing is counted in it", "give months with energy"


@contextmanager
def _sealed(database: Database, begins: int, ends: int, who: Who) -> Iterator[int]:
    """A seal that stays only if all goes well."""
    with database.write() as connection:
        values = {"period_from": begins, "period_to": ends, "sealed_at": who.now, "actor": who.actor}
        made = connection.execute(insert(sealed_period).values(**values))
        seal_id = int((made.inserted_primary_key or (0,))[0])
    try:
        yield seal_id
    except BaseException:
        with database.write() as connection:
            connection.execute(delete(sealed_period).where(sealed_period.c.id == seal_id))
        raise


def _refuse_second(
    connection: Connection, organisation_id: int, months: tuple[str, str], restates: Restatement | None, but: int = 0
) -> None:
    """Raise BadRequest where a report of these months is prepared or stands already, unless it is the one restated."""
    rows = publications(connection, organisation_id)
    gone = restated_by(rows)
    if restates is not None and restates.of in gone:
        raise BadRequest(
            f"report {restates.of} was restated by {gone[restates.of]}", f"restate {gone[restates.of]} instead"
        )
    for row in rows:
        if row.id in (but, *gone) or (row.first_month, row.last_month) != months:
            continue
        if row.state == "prepared":
            raise BadRequest(
                f"{months[0]} to {months[1]} is prepared as {row.id} already",
                f"approve or withdraw it: ictagent carbon publish approve|withdraw {row.id}",
            )
        if row.state == "published" and (restates is None or restates.of != row.id):
            raise BadRequest(
                f"{months[0]} to {months[1]} is published as {row.id}",
                f"correct it: ictagent carbon restate {row.id} --reason WHY",
            )


def _restatement(row: Row[Any]) -> Restatement | None:
    return None if row.restates is None else Restatement(row.restates, row.reason)


def _prepared(connection: Connection, organisation_id: int, number: int) -> Row[Any]:
    row = published(connection, organisation_id, number)
    if row.state != "prepared":
        remedy = f"ictagent carbon restate {number} --reason WHY" if row.state == "published" else "prepare it anew"
        raise BadRequest(f"report {number} is {row.state}, and not to be decided any more", remedy)
    return row
