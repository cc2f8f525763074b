"""Why an organisation's footprint changed from one period to another: two reports and what the estate knows of both.

The split itself is `carbon.explain`; here is what it must be told: whether a device that stands in one period only was
there before, was profiled, or moved to a provider, and how two ways of measuring it compare.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from sqlalchemy import Connection, select

from carbon.activity import Subject, Supply
from carbon.calendar import half_hour_of, local_day
from carbon.explain import CAUSES, Explanation, Facts, Identity, explain, identity_of
from carbon.explain_lines import explain_lines
from carbon.factor_methods import method_share
from carbon.figures import DIMENSIONS
from carbon.months import is_over, months_between
from carbon.report import Report
from collector.database.schema import device, organisation, provider_service, register_import, register_state
from collector.errors import BadRequest
from collector.footprints import footprint_report
from collector.method_overlap import method_ratio
from collector.register_queries import IN_USE


@dataclass(frozen=True, slots=True)
class Explained:
    """Both reports, the months that were compared (first period's by second's), and the change by cause."""

    before: Report
    after: Report
    months: dict[str, str]
    explanation: Explanation


def explained(
    connection: Connection, organisation_id: int, before: tuple[str, str], after: tuple[str, str], now: int
) -> Explained:
    """The change between two periods of first and last month (YYYY-MM) each. `now` in Unix seconds.

    Only whole months that both have are compared: of a year that is not over, those that are, with the same of the year
    before. Raises BadRequest where the periods overlap or lie in the wrong order.
    """
    if before[1] >= after[0]:
        raise BadRequest(
            f"{before[0]} to {before[1]} does not lie before {after[0]} to {after[1]}",
            "give --from the earlier period and --to the later one",
        )
    time_zone = connection.execute(
        select(organisation.c.time_zone).where(organisation.c.id == organisation_id)
    ).scalar_one()
    pairs = zip(months_between(*before), months_between(*after), strict=False)
    months = {first: second for first, second in pairs if is_over(second, time_zone, now)}
    if not months:
        raise BadRequest(f"no month of {after[0]} to {after[1]} is over yet", "give a period of which a month is over")
    firsts, lasts = list(months), list(months.values())
    first = footprint_report(connection, organisation_id, firsts[0], firsts[-1], now)
    second = footprint_report(connection, organisation_id, lasts[0], lasts[-1], now)
    facts = _Facts(connection, organisation_id, first, second, months)
    found = explain(first.rows, second.rows, months, facts.of, method_share)
    explain_lines(found, first.other, second.other, months, facts.service_existed)
    return Explained(first, second, months, found)


def by_dimension(found: Explained, dimension: str) -> dict[str, dict[str, int]]:
    """The causes by a dimension of `carbon.figures` (site, category, ...): a device that moved is where it is now.

    What is not of electricity stands under "other lines". The parts add up to the whole.
    """
    of = DIMENSIONS[dimension]
    where = {
        identity_of(row.activity.subject): of(row) for report in (found.before, found.after) for row in report.rows
    }
    parts: dict[str, dict[str, int]] = {}
    for identity, causes in found.explanation.of.items():
        mine = parts.setdefault(where.get(identity, "other lines"), dict.fromkeys(CAUSES, 0))
        for cause, amount in causes.items():
            mine[cause] += amount
    return dict(sorted(parts.items()))


def largest(found: Explained, cause: str, count: int) -> list[tuple[Identity, int]]:
    """Of whom a cause is most, up or down."""
    parts = ((identity, causes.get(cause, 0)) for identity, causes in found.explanation.of.items())
    return sorted((one for one in parts if one[1]), key=lambda one: (-abs(one[1]), one[0]))[:count]


class _Facts:
    """What the register, the device table and both reports' rows say of a subject."""

    def __init__(
        self,
        connection: Connection,
        organisation_id: int,
        before: Report,
        after: Report,
        months: Mapping[str, str],
    ) -> None:
        self._connection, self._time_zone = connection, before.time_zone
        self._in_use = _months_in_use(connection, organisation_id, before.time_zone)
        self._services = {
            row.name: (row.first_month, row.last_month)
            for row in connection.execute(
                select(provider_service).where(provider_service.c.organisation_id == organisation_id)
            )
        }
        reports = (before, after)
        self._sources = [_sources(report) for report in reports]
        self._supplies = [_supplies(report) for report in reports]
        self._profiled = [_profiled(report) for report in reports]
        self._classes = {
            row.activity.subject.device: row.activity.subject.asset_class
            for report in reports
            for row in report.rows
            if row.activity.subject.device
        }
        self._read_instead = self._devices_read_instead(before, after, months)

    def of(self, identity: Identity, before: str, after: str) -> Facts:
        """Of a subject in a pair of months."""
        if identity[0] == "profile":
            return Facts(read_instead=self._read_instead.get((identity[:-1], before), Fraction(0)))
        if identity[0] != "device":
            return Facts()
        _, device_id, supply = identity
        one, other = self._sources[0].get((device_id, before), ""), self._sources[1].get((device_id, after), "")
        mine = zip(self._supplies, (before, after), strict=True)
        return Facts(
            in_use_before=self._was_in_use(device_id, before),
            in_use_after=self._was_in_use(device_id, after),
            profiled=self._was_profiled(device_id, 0, before) if other else self._was_profiled(device_id, 1, after),
            moved=any(supplies.get((device_id, month), set()) - {supply} for supplies, month in mine),
            method_ratio=self._ratio(device_id, before, after, (one, other)),
        )

    def service_existed(self, name: str, month: str) -> bool:
        """Whether a service was there in a month."""
        first, last = self._services.get(name, ("0000-00", None))
        return first <= month and (last is None or month <= last)

    def _ratio(self, device_id: str, before: str, after: str, sources: tuple[str, str]) -> Fraction | None:
        if not all(sources) or sources[0] == sources[1]:
            return None
        return method_ratio(self._connection, device_id, before, after, sources, self._time_zone)

    def _was_in_use(self, device_id: str, month: str) -> bool:
        return any(first <= month <= last for first, last in self._in_use.get(device_id, ()))

    def _was_profiled(self, device_id: str, period: int, month: str) -> bool:
        return (self._classes.get(device_id, ""), month) in self._profiled[period]

    def _devices_read_instead(
        self, before: Report, after: Report, months: Mapping[str, str]
    ) -> dict[tuple[Identity, str], Fraction]:
        """By class and place, and the first period's month: devices that are read in the second period and were in use and
        profiled in the first, less those that went the other way.
        """
        found: dict[tuple[Identity, str], Fraction] = {}
        back = {later: month for month, later in months.items()}
        for report, period, sign in ((after, 0, 1), (before, 1, -1)):
            for row in report.rows:
                subject = row.activity.subject
                month = back.get(subject.month, "") if sign > 0 else subject.month
                other = month if sign > 0 else months.get(month, "")
                if subject.kind != "device" or not other or (subject.device, other) in self._sources[period]:
                    continue
                if self._was_in_use(subject.device, other) and self._was_profiled(subject.device, period, other):
                    key = (_place(subject), month)
                    found[key] = found.get(key, Fraction(0)) + sign * row.activity.count
        return found


def _place(subject: Subject) -> Identity:
    """A class at a place, as `carbon.explain.identity_of` names its profile, but for the supply."""
    return identity_of(replace(subject, kind="profile", device=""))[:-1]


def _sources(report: Report) -> dict[tuple[str, str], str]:
    """By device and month, the way it was measured; of several the one with most energy."""
    found: dict[tuple[str, str], tuple[int, str]] = {}
    for row in report.rows:
        one = row.activity
        if one.subject.kind == "device":
            key = (one.subject.device, one.subject.month)
            found[key] = max(found.get(key, (-1, "")), (one.it_uj, one.source))
    return {key: source for key, (_, source) in found.items()}


def _supplies(report: Report) -> dict[tuple[str, str], set[Supply]]:
    found: dict[tuple[str, str], set[Supply]] = {}
    for row in report.rows:
        subject = row.activity.subject
        if subject.kind == "device":
            found.setdefault((subject.device, subject.month), set()).add(subject.supply)
    return found


def _profiled(report: Report) -> set[tuple[str, str]]:
    """Classes by month that a profile stands for."""
    subjects = (row.activity.subject for row in report.rows)
    return {(one.asset_class, one.month) for one in subjects if one.kind == "profile"}


def _months_in_use(connection: Connection, organisation_id: int, time_zone: str) -> dict[str, list[tuple[str, str]]]:
    """By device, stretches of months (YYYY-MM) in which the register has it in use: from its acquisition, where that is
    known, to where another state or its retirement ends it.
    """
    columns = [register_state.c[name] for name in ("device_id", "status", "acquired_on", "valid_from", "valid_to")]
    query = (
        select(*columns, device.c.retired_at)
        .join(register_import, register_import.c.id == register_state.c.import_id)
        .join(device, device.c.id == register_state.c.device_id)
        .where(register_import.c.state == "visible", register_import.c.organisation_id == organisation_id)
        .where(register_state.c.status.in_(IN_USE))
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for row in connection.execute(query):
        first = row.acquired_on[:7] or _month_of(row.valid_from, time_zone)
        ends = [at for at in (row.valid_to, row.retired_at) if at is not None]
        last = _month_of(min(ends) - 1, time_zone) if ends else "9999-12"
        found.setdefault(row.device_id, []).append((first, last))
    return found


def _month_of(at: int, time_zone: str) -> str:
    return f"{local_day(half_hour_of(at), time_zone):%Y-%m}"
