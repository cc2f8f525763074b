"""A report's atoms and factor sets as text records, and back: what is written is all that the grams are made of."""

import json
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from carbon.activity import Activity, Subject
from carbon.factors import Applied, FactorSet, LineFactor
from carbon.footprint_rows import LINES, FootprintRow, Grams, MarketRate
from carbon.spaces import Pue

SUBJECT = (
    "month",
    "organisation",
    "directorate",
    "site",
    "uprn",
    "space",
    "service_category",
    "asset_class",
    "school",
    "kind",
    "device",
    "supply",
)
ENERGY = ("measured_uj", "estimated_uj", "filled_uj", "overhead_uj", "covered_seconds", "possible_seconds")
GRAMS = (*LINES, "s2_market")
COLUMNS = (
    *SUBJECT,
    "count",
    *ENERGY,
    "pue",
    "pue_low",
    "pue_high",
    "pue_source",
    "source",
    "inside",
    "errors",
    "factor_set",
    "provisional",
    "market_kg_per_kwh",
    "market_evidence",
    *(f"{name}_g" for name in GRAMS),
)
"""Of activity.csv, in order."""


def set_id(factors: FactorSet) -> str:
    """What names a factor set in a pack: label, version and file."""
    return f"{factors.name}|{factors.version}|{factors.sha256 or factors.provenance}"


def row_record(row: FootprintRow) -> dict[str, str]:
    """An atom with its grams as text, by `COLUMNS`."""
    one, subject = row.activity, row.activity.subject
    values: dict[str, Any] = {name: getattr(subject, name) for name in SUBJECT}
    values["school"] = "yes" if subject.school else "no"
    values["count"] = str(one.count)
    values |= {name: getattr(one, name) for name in ENERGY}
    values |= {"pue": one.pue.value, "pue_low": one.pue.low, "pue_high": one.pue.high, "pue_source": one.pue.source}
    values |= {"source": one.source, "inside": one.inside}
    values["errors"] = json.dumps(dict(one.errors), sort_keys=True, ensure_ascii=False)
    values["factor_set"] = set_id(row.applied.factors)
    values["provisional"] = "yes" if row.applied.provisional else "no"
    values["market_kg_per_kwh"] = "" if row.market is None else str(row.market.kg_per_kwh)
    values["market_evidence"] = "" if row.market is None else row.market.evidence
    values |= {f"{name}_g": getattr(row.grams, name) for name in GRAMS}
    return {name: str(values[name]) for name in COLUMNS}


def row_of(record: Mapping[str, str], sets: Mapping[str, FactorSet]) -> FootprintRow:
    """The atom of a record. Raises KeyError or ValueError where it is none."""
    subject = Subject(**{**{name: record[name] for name in SUBJECT}, "school": record["school"] == "yes"})  # type: ignore[arg-type]  # kind and supply are checked by what reads them
    activity = Activity(
        subject,
        Fraction(record["count"]),
        **{name: int(record[name]) for name in ENERGY},
        pue=Pue(float(record["pue"]), float(record["pue_low"]), float(record["pue_high"]), record["pue_source"]),
        source=record["source"],
        inside=record["inside"],  # type: ignore[arg-type]  # as written by row_record
        errors={group: (low, high) for group, (low, high) in json.loads(record["errors"]).items()},
    )
    rate = record["market_kg_per_kwh"]
    return FootprintRow(
        activity,
        Grams(**{name: int(record[f"{name}_g"]) for name in GRAMS}),
        Applied(sets[record["factor_set"]], record["provisional"] == "yes"),
        MarketRate(Decimal(rate), record["market_evidence"]) if rate else None,
    )


def set_record(factors: FactorSet) -> dict[str, Any]:
    """A factor set with the rows it was read from, as JSON values."""
    return {
        "name": factors.name,
        "year": factors.year,
        "version": factors.version,
        "final": factors.final,
        "sha256": factors.sha256,
        "provenance": factors.provenance,
        **{name: str(getattr(factors, name)) for name in LINES},
        "lines": [
            {
                "key": line.key,
                "value": None if line.value is None else str(line.value),
                "row_id": line.row_id,
                "cell": line.cell,
            }
            for line in factors.lines
        ],
    }


def set_of(record: Mapping[str, Any]) -> FactorSet:
    """The factor set of a record."""
    return FactorSet(
        record["name"],
        record["year"],
        record["version"],
        record["final"],
        s2_generation=Decimal(record["s2_generation"]),
        s3_td=Decimal(record["s3_td"]),
        s3_wtt_generation=Decimal(record["s3_wtt_generation"]),
        s3_wtt_td=Decimal(record["s3_wtt_td"]),
        lines=tuple(
            LineFactor(one["key"], None if one["value"] is None else Decimal(one["value"]), one["row_id"], one["cell"])
            for one in record["lines"]
        ),
        sha256=record["sha256"],
        provenance=record["provenance"],
    )
