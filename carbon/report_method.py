"""The sections of a report for people that say how well it is known, what is not in it, and how it was made."""

from decimal import Decimal

from carbon.device_classes import CLASSES
from carbon.factors import YEAR_RULES
from carbon.report import ClassCoverage, Report
from carbon.report_words import Section, Table, date_words, figure_words, share_words
from carbon.units import kwh
from carbon.wording import mass_words, percent

_TIERS = {"measured": "measured", "estimated": "estimated", "filled": "filled", "profile": "by class profiles"}


def known(report: Report) -> Section:
    """What the energy rests on, and both coverages by class."""
    parts = dict.fromkeys(_TIERS, 0)
    for row in report.rows:
        one = row.activity
        parts["measured"] += one.measured_uj
        parts["profile" if one.subject.kind == "profile" else "estimated"] += one.estimated_uj
        parts["filled"] += one.filled_uj
    whole = sum(parts.values())
    shares = ", ".join(f"{share_words(amount, whole)} {_TIERS[name]}" for name, amount in parts.items() if amount)
    words = [f"Of the energy of ICT itself, {shares}."] if shares else []
    words.append(
        "Time covered is the part of the time with a reading, of devices that can be read. The estate covered is the part "
        "of registered devices in use that have a figure, of whatever kind."
    )
    if not report.coverage:
        return Section("How well it is known", tuple(words))
    head = ("Class", "registered", "measured", "estimated", "by profile", "no figure", "time covered", "estate covered")
    rows = tuple(_coverage(one) for one in report.coverage)
    return Section("How well it is known", tuple(words), Table("Coverage by class of devices", head, rows))


def _coverage(one: ClassCoverage) -> tuple[str, ...]:
    name = CLASSES[one.asset_class].words if one.asset_class in CLASSES else one.asset_class
    counts = (one.registered, one.measured, one.estimated, one.profile, one.absent)
    time, estate = one.time_coverage, one.estate_coverage
    return (name, *(f"{count:,}" for count in counts), _percent(time), _percent(estate))


def _percent(ratio: Decimal | None) -> str:
    return "-" if ratio is None else percent(float(ratio))


def not_in_the_total(report: Report) -> Section:
    """Services without a statement, memos, what lies outside of the boundary."""
    words = [f"Not reported, because its provider gave no statement: {name}." for name in report.not_reported]
    words += [
        f"Beside the total, and never taken off it: {line.name}, {figure_words(float(line.amount))} {line.unit}, "
        f"{mass_words(Decimal(abs(line.grams)) / 1000)} of CO2e."
        for line in report.other
        if line.memo
    ]
    if report.left_out_g:
        words.append(f"Outside of the boundary: {mass_words(Decimal(report.left_out_g) / 1000)} of CO2e.")
    excluded = {fill.device for fill in report.fills if fill.method == "excluded"}
    if excluded:
        words.append(f"Devices with silent months that nothing could stand for: {len(excluded)}.")
    return Section("What is not in the total", tuple(words) or ("Nothing that is known of is left out.",))


def method(report: Report) -> Section:
    """Factors, rules and evidence in sentences."""
    labels = sorted({row.applied.label for row in report.rows})
    words = [
        "Electricity is counted by meters where there are any, else estimated from what a machine is and how busy it is, "
        "or from class profiles; each kilowatt-hour counts once. Energy times the Government's conversion factors is CO2e.",
    ]
    if labels:
        words.append(f"Factors: {'; '.join(labels)}. Year rule: {YEAR_RULES[report.year_rule]}.")
    words += [
        f"Contract evidence: {one}." for one in sorted({row.market.evidence for row in report.rows if row.market})
    ]
    filled = sum(fill.energy_uj for fill in report.fills)
    if filled:
        words.append(f"Gaps filled: {len(report.fills)}, with {figure_words(kwh(filled))} kWh in all.")
    words += [one[:1].upper() + one[1:].rstrip(".") + "." for one in report.notes]
    words.append(f"Method version {report.method_version}; made on {date_words(report.made_at)}.")
    return Section("How it was calculated", tuple(words))
