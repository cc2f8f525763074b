"""Why a footprint changed between two periods: ten causes that add up to the change to the gram.

Months are paired (April with April). What stands in both periods is split by LMDI into its factors; what stands in one
only is added, retired, moved to or from a provider, or came into or fell out of what is covered. The causes are those
of the carbon reference, section 4.

Of a device that is read, energy is: mean power over what was read x seconds in use x what filling makes of the gaps.
So a gap that is filled as the device usually runs changes nothing, and one that is not filled shows as `gap_fill`.
"""

import calendar
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from carbon.activity import Subject
from carbon.explain_terms import split_change, whole_grams
from carbon.footprint_rows import FootprintRow

CAUSES: Mapping[str, str] = {
    "activity": "the same devices used more or less electricity",
    "added": "devices were added",
    "retired": "devices were retired",
    "moved": "services moved to or from cloud or colocation",
    "coverage": "more or less of the estate is covered",
    "method": "our own way of measuring changed",
    "gap_fill": "gaps were filled otherwise",
    "pue": "PUE of rooms",
    "grid_factor": "the grid's carbon intensity",
    "factor_method": "the method of the Government's factors",
}
"""Every cause, in the order of reports, and what it says to people."""

NOT_REAL = frozenset({"coverage", "method", "gap_fill", "factor_method"})
"""Causes by which a figure changes while what is emitted does not."""

NOT_OURS = frozenset({"grid_factor"})
"""A real change, but none of the organisation's making."""

Identity = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one that stands in one period only, or is measured otherwise in the second.

    `in_use_before` and `in_use_after`: whether it was in use in the paired month of the first and the second period
    (register, retirement). `profiled`: its class stood for it there. `moved`: its service went to or came from a
    provider. `method_ratio`: energy by the second period's way of measuring over that by the first's, for the same
    time; None where no time has both, and then the whole change of mean power is the method's. `read_instead`: of a
    class by profile, how many of its devices are read in the second period that were not in the first.
    """

    in_use_before: bool = False
    in_use_after: bool = False
    profiled: bool = False
    moved: bool = False
    method_ratio: Fraction | None = None
    read_instead: Fraction = Fraction(0)


NOTHING_KNOWN = Facts()


@dataclass(slots=True)
class Side:
    """One subject's month in one period: all its atoms together."""

    count: Fraction = Fraction(0)
    read_uj: int = 0
    filled_uj: int = 0
    activity_uj: int = 0
    covered_seconds: int = 0
    possible_seconds: int = 0
    grams: int = 0
    sources: set[str] = field(default_factory=set)
    sets: set[str] = field(default_factory=set)
    month: str = ""

    @property
    def it_uj(self) -> int:
        return self.read_uj + self.filled_uj

    def add(self, row: FootprintRow) -> None:
        one = row.activity
        self.count += one.count
        self.read_uj += one.measured_uj + one.estimated_uj
        self.filled_uj += one.filled_uj
        self.activity_uj += one.activity_uj
        self.covered_seconds += one.covered_seconds
        self.possible_seconds += one.possible_seconds
        self.grams += row.grams.total
        self.sources.add(one.source)
        self.sets.add(f"{row.applied.factors.name} {row.applied.factors.version}")
        self.month = one.subject.month


@dataclass(slots=True)
class Explanation:
    """Grams before and after, and the change by cause: `causes` has every cause and adds up to the change.

    `of` tells the same by subject, for those who ask which devices a cause is of.
    """

    before_g: int = 0
    after_g: int = 0
    causes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CAUSES, 0))
    of: dict[Identity, dict[str, int]] = field(default_factory=dict)

    @property
    def change_g(self) -> int:
        return self.after_g - self.before_g

    def add(self, identity: Identity, before: int, after: int, parts: Mapping[str, int]) -> None:
        self.before_g += before
        self.after_g += after
        mine = self.of.setdefault(identity, {})
        for cause, amount in parts.items():
            self.causes[cause] += amount
            mine[cause] = mine.get(cause, 0) + amount


def identity_of(subject: Subject) -> Identity:
    """What makes two months' atoms the same subject's: the device, or class and place."""
    if subject.device:
        return (subject.kind, subject.device, subject.supply)
    place = (subject.organisation, subject.directorate, subject.site, subject.space)
    return (subject.kind, *place, subject.service_category, subject.asset_class, str(subject.school), subject.supply)


def explain(
    before: Iterable[FootprintRow],
    after: Iterable[FootprintRow],
    months: Mapping[str, str],
    facts_of: Callable[[Identity, str, str], Facts] = lambda *_: NOTHING_KNOWN,
    method_share: Callable[[set[str], set[str]], Fraction] = lambda *_: Fraction(0),
) -> Explanation:
    """Split the change between two lists of rows over `CAUSES`.

    `months` names the second period's month for each of the first's (YYYY-MM both); rows of other months are left out.
    `facts_of` is asked with a subject's identity and its two months. `method_share` says which part (0..1, of the
    logarithm) of the change from some factor sets to others is one of their method.
    """
    first = _sides(before, {month: month for month in months})
    second = _sides(after, {later: month for month, later in months.items()})
    for sides in (first, second):
        _count_profiles_whole(sides)
    found = Explanation()
    for identity, month in sorted(first.keys() | second.keys()):
        one, other = first.get((identity, month)), second.get((identity, month))
        facts = facts_of(identity, month, months[month])
        if one is not None and other is not None:
            parts = _change(identity[0], one, other, facts, method_share)
        elif other is not None:
            parts = {_arrival(facts): other.grams}
        elif one is not None:
            parts = {_departure(facts): -one.grams}
        found.add(identity, one.grams if one else 0, other.grams if other else 0, parts)
    return found


def _sides(rows: Iterable[FootprintRow], months: Mapping[str, str]) -> dict[tuple[Identity, str], Side]:
    """Subjects' months, by the first period's name of the month."""
    found: dict[tuple[Identity, str], Side] = {}
    for row in rows:
        month = months.get(row.activity.subject.month)
        if month is not None:
            found.setdefault((identity_of(row.activity.subject), month), Side()).add(row)
    return found


def _count_profiles_whole(sides: Mapping[tuple[Identity, str], Side]) -> None:
    """Count a profile's devices by where they stand in all: one that is used at home more often is neither added there nor
    retired here.
    """
    whole: dict[tuple[Identity, str], Fraction] = {}
    mine = {key: ((key[0][:-1], key[1]), side) for key, side in sides.items() if key[0][0] == "profile"}
    for place, side in mine.values():
        whole[place] = whole.get(place, Fraction(0)) + side.count
    for place, side in mine.values():
        side.count = whole[place]


def _arrival(facts: Facts) -> str:
    """Why one stands in the second period only."""
    if facts.moved:
        return "moved"
    if facts.in_use_before:
        return "method" if facts.profiled else "coverage"
    return "added"


def _departure(facts: Facts) -> str:
    """Why one stands in the first period only."""
    if facts.moved:
        return "moved"
    if facts.in_use_after:
        return "method" if facts.profiled else "coverage"
    return "retired"


def _change(
    kind: str, one: Side, other: Side, facts: Facts, method_share: Callable[[set[str], set[str]], Fraction]
) -> dict[str, int]:
    """The change of a subject that stands in both."""
    change = other.grams - one.grams
    if not all(side.grams > 0 and side.it_uj > 0 and side.activity_uj > 0 for side in (one, other)):
        return {_cause_of_nothing(one, other): change}
    ratios = _by_count(one, other, facts) if kind == "profile" else _by_power(one, other, facts)
    ratios["pue"] = Fraction(other.activity_uj, other.it_uj) / Fraction(one.activity_uj, one.it_uj)
    if one.sets != other.sets or len(one.sets) > 1:
        # With one and the same set, what is left of the ratio is rounding to the gram.
        ratios["grid_factor"] = Fraction(other.grams, other.activity_uj) / Fraction(one.grams, one.activity_uj)
    parts = split_change(one.grams, other.grams, {name: ratio for name, ratio in ratios.items() if ratio != 1})
    if not parts:
        return {"activity": change}
    if "grid_factor" in parts:
        share = method_share(one.sets, other.sets)
        parts["factor_method"] = parts["grid_factor"] * share.numerator / share.denominator
        parts["grid_factor"] -= parts["factor_method"]
    return whole_grams(parts, change)


def _cause_of_nothing(one: Side, other: Side) -> str:
    """Why one side is nothing, or less: a device that was silent and could not be filled, or one that drew nothing."""
    silent = any(side.possible_seconds and not side.covered_seconds and not side.it_uj for side in (one, other))
    return "gap_fill" if silent else "activity"


def _by_count(one: Side, other: Side, facts: Facts) -> dict[str, Fraction]:
    """A class by profile: devices x energy of each."""
    registered = max(other.count, other.count + facts.read_instead)
    ratios = _in_use(registered / one.count)
    ratios["method"] = other.count / registered
    each = Fraction(other.it_uj) / other.count / (Fraction(one.it_uj) / one.count)
    same = other.sources == one.sources
    ratios["activity" if same else "method"] = each * ratios.get("activity" if same else "method", 1)
    return ratios


def _by_power(one: Side, other: Side, facts: Facts) -> dict[str, Fraction]:
    """A device or a rest: seconds in use x mean power x filling of gaps."""
    ratios: dict[str, Fraction] = {"activity": Fraction(1)}
    if one.possible_seconds and other.possible_seconds:
        length = Fraction(_days(other.month), _days(one.month))
        in_use = Fraction(other.possible_seconds, one.possible_seconds)
        ratios |= _in_use(in_use / length)
        ratios["activity"] = length
        power = _mean_power(other) / _mean_power(one)
        ratios["gap_fill"] = Fraction(other.it_uj, one.it_uj) / in_use / power
    else:
        power = Fraction(other.it_uj, one.it_uj)
    if one.sources == other.sources:
        ratios["activity"] *= power
    elif facts.method_ratio is not None and facts.method_ratio > 0:
        ratios["method"] = facts.method_ratio
        ratios["activity"] *= power / facts.method_ratio
    else:
        ratios["method"] = power
    return ratios


def _mean_power(side: Side) -> Fraction:
    """Microjoules a second while it was read; where it never was, as it is filled."""
    if side.covered_seconds and side.read_uj > 0:
        return Fraction(side.read_uj, side.covered_seconds)
    return Fraction(side.it_uj, side.possible_seconds)


def _in_use(ratio: Fraction) -> dict[str, Fraction]:
    """More of them, or for longer, is added; fewer is retired."""
    return {"added" if ratio > 1 else "retired": ratio}


def _days(month: str) -> int:
    return calendar.monthrange(int(month[:4]), int(month[5:]))[1]
