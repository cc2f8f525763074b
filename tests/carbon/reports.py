"""Reports made by hand, for tests of what is made of one."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from carbon.activity import Activity, Kind, Subject, Supply
from carbon.factors import Applied, packaged_sets
from carbon.footprint_rows import FootprintRow, MarketRate, footprint_row
from carbon.report import ClassCoverage, Fill, OtherLine, Report
from carbon.spaces import NOT_SET, Pue

KWH = 3_600_000_000_000
ROOM = Pue(1.8, 1.5, 2.1, "assumed for a data room")


def applied(year: int) -> Applied:
    """A packaged set by its label."""
    found = next(one for one in packaged_sets() if one.year == year)
    return Applied(found, provisional=not found.final)


def row(
    device: str = "d1",
    month: str = "2024-06",
    *,
    site: str = "County Hall",
    space: str = "Server room",
    directorate: str = "Resources",
    category: str = "servers",
    asset_class: str = "server",
    kind: Kind = "device",
    supply: Supply = "own",
    kwh: int = 100,
    estimated_kwh: int = 0,
    filled_kwh: int = 0,
    overhead_kwh: int = 0,
    pue: Pue = NOT_SET,
    year: int = 2024,
    market: MarketRate | None = None,
) -> FootprintRow:
    """One atom with its grams."""
    subject = Subject(
        month,
        "Test Council",
        directorate,
        site,
        "10012345678",
        space,
        category,
        asset_class,
        False,
        kind,
        device,
        supply,
    )
    activity = Activity(
        subject,
        Fraction(1),
        kwh * KWH,
        estimated_kwh * KWH,
        filled_kwh * KWH,
        overhead_kwh * KWH,
        pue,
        29 * 86_400,
        30 * 86_400,
        "rapl",
        "no" if supply == "home" else "yes",
        {"rapl": (-kwh * KWH // 5, kwh * KWH // 5)},
    )
    return footprint_row(activity, applied(year), market)


def rows() -> list[FootprintRow]:
    """Two sites, homes, a landlord's supply, a class by profile, a room with PUE and a contract: two months."""
    by_contract = MarketRate(Decimal("0.05"), "REGO contract 1, half covered")
    return [
        one
        for month in ("2024-06", "2024-07")
        for one in (
            row("d1", month, kwh=250, overhead_kwh=200, pue=ROOM, market=by_contract),
            row("d2", month, kwh=0, estimated_kwh=120, filled_kwh=7, overhead_kwh=101, pue=ROOM),
            row("d3", month, site="=Depot", space="", category="networks", asset_class="switch", supply="landlord"),
            row(
                "",
                month,
                category="end_users",
                asset_class="laptop",
                kind="profile",
                kwh=0,
                estimated_kwh=640,
                space="",
            ),
            row(
                "",
                month,
                category="end_users",
                asset_class="laptop",
                kind="profile",
                supply="home",
                kwh=0,
                estimated_kwh=333,
                site="",
                space="",
            ),
        )
    ]


def report(of: Sequence[FootprintRow] | None = None) -> Report:
    """A report of these rows, or of `rows`, with other lines, a memo, a fill and coverage."""
    return Report(
        organisation="Test Council",
        time_zone="Europe/London",
        year_rule="majority",
        first_month="2024-04",
        last_month="2025-03",
        made_at=1_764_000_000,
        state="final",
        rows=rows() if of is None else of,
        other=(
            _line("1", "diesel of the generator", "1", "", Decimal("120.5"), "litres", 302_791),
            _line("2", "Microsoft 365", "3", "1", Decimal(1), "statement", 1_250_000),
            _line("3", "travel avoided", "3", "7", Decimal(9000), "km", -1_500_000, memo=True),
        ),
        not_reported=("Payroll as a service",),
        coverage=(
            ClassCoverage("server", 3, 1, 1, 0, 1, 29 * 86_400, 30 * 86_400),
            ClassCoverage("laptop", 40, 0, 0, 40, 0, 0, 0),
        ),
        fills=(Fill("d2", "2024-06", "same weekday and half-hour", 12, 7 * KWH, 6 * KWH, 8 * KWH),),
        notes=("class laptop by its profile",),
        full_time_equivalents=Decimal(4000),
    )


def _line(
    number: str, name: str, scope: str, category: str, amount: Decimal, unit: str, grams: int, *, memo: bool = False
) -> OtherLine:
    return OtherLine(
        id=number,
        month="2024-06",
        name=name,
        service=name if scope == "3" else "",
        site="County Hall",
        scope=scope,
        scope_3_category=category,
        amount=amount,
        unit=unit,
        grams=grams,
        basis="the provider's own" if category == "1" else "2024 diesel (average biofuel blend)",
        factor_row_id="",
        evidence="invoice.pdf",
        evidence_sha256="0" * 64,
        actor="officer",
        memo=memo,
    )
