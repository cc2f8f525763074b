"""How much of what recordings of real devices hold is read, and read right.

    python tests/benchmarks/snmp_corpus.py [--recordings DIR] [--only REGEX] [--missing [WHAT]] [--council A]

For the recordings in `../shared/snmp` (their README explains the tables): found/expected for each quantity, a value
equal within 0.5% at the same OID; hardware, version and serial equal but for case and punctuation; each processor's and
memory pool's percentage within 0.5 points at the same OID. Rows whose `note` says that the expected value is wrong are
listed apart with what we say instead. Figures that are no consumption (optical, statistics, ratings) are counted apart.
"""

import argparse
import csv
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from collector.snmp.device import DeviceReading, evaluate_whole  # noqa: E402  # the script runs from a checkout
from tests.servers.recordings import recording  # noqa: E402

SHARED = ROOT.parent / "shared" / "snmp"
QUANTITIES = {
    "power": "power",
    "power_consumed": "energy",
    "current": "current",
    "voltage": "voltage",
    "frequency": "frequency",
    "load": "load",
    "runtime": "runtime",
    "charge": "charge",
    "power_factor": "power_factor",
}
NO_CONSUMPTION = {"optical", "rf", "statistic", "rating", "poe_budget", "apparent", "reactive", "derived"}
CLOSE = 0.005
POINTS = 0.5


@dataclass(frozen=True, slots=True)
class Row:
    """One expected figure or text, what we found instead, and whether that is it."""

    recording: str
    what: str
    council: str
    wanted: str
    found: str
    good: bool
    note: str = ""


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def close(found: float, wanted: float) -> bool:
    return abs(found - wanted) <= CLOSE * max(abs(wanted), abs(found)) + 1e-9


def power_rows(rows: list[dict[str, str]], said: dict[str, DeviceReading]) -> Iterator[Row]:
    for row in rows:
        device = said[row["recording"]]
        quantity = QUANTITIES[row["sensor_class"]]
        at = [one for one in device.readings if one.oid == row["sensor_oid"]]
        mine = [one for one in at if one.quantity == quantity]
        wanted = float(row["expected"])
        # A sum of a split counter and the unit of a ratio apart, the expected value is the profile's unit.
        good = any(
            close(one.value, wanted) or (quantity == "power_factor" and close(one.value * 100, wanted)) for one in mine
        )
        text = "; ".join(f"{one.value:g} {one.unit} {one.role} ({one.profile})" for one in at) or "nothing"
        kind = quantity if row["role"] not in NO_CONSUMPTION else f"{quantity}, no consumption ({row['role']})"
        place = f"{row['mib_object'] or row['descr']} {row['sensor_oid']} raw {row['raw']}"
        yield Row(
            row["recording"], kind, row["council"], f"{wanted:g} [{place}]", text, good, row["note"] or _check(row)
        )


def _check(row: dict[str, str]) -> str:
    return "" if row["check"] == "ok" else row["check"]


def _same_text(found: str, wanted: str) -> bool:
    return re.sub(r"\W+", "", found).lower() == re.sub(r"\W+", "", wanted).lower()


def inventory_rows(rows: list[dict[str, str]], said: dict[str, DeviceReading]) -> Iterator[Row]:
    for row in rows:
        identity = said[row["recording"]].identity
        for what in ("hardware", "version", "serial"):
            wanted, found = row[what], getattr(identity, what)
            if wanted:
                made = " (made by LibreNMS)" if row[f"{what}_found"] == "no" else ""
                yield Row(row["recording"], what + made, row["council"], wanted, found, _same_text(found, wanted))


def utilisation_rows(rows: list[dict[str, str]], said: dict[str, DeviceReading]) -> Iterator[Row]:
    for row in rows:
        device = said[row["recording"]]
        entries: dict[str, float] = {}
        if row["kind"] == "processor":
            entries = {one.oid: one.percent for one in device.processors}
        else:
            entries = {one.oid: one.percent for one in device.memory}
        oids = {row[name] for name in ("oid_or_used_oid", "free_oid", "total_oid", "perc_oid") if row[name]}
        found = [percent for oid, percent in entries.items() if oid in oids]
        wanted = float(row["expected_percent"] or 0)
        good = any(abs(one - wanted) <= POINTS + 1e-9 for one in found)
        text = "; ".join(f"{one:g}" for one in found) or f"nothing ({len(entries)} others)"
        place = f"{row['subtype']} {' '.join(sorted(oids))} raw {row['raw']}"
        yield Row(row["recording"], row["kind"], row["council"], f"{wanted:g} [{place}]", text, good, _check(row))


def compared(folder: Path, is_mine: Callable[[str], bool]) -> list[Row]:
    """Every expected figure and text of the recordings whose names are asked for, beside what we say."""
    tables = {
        name: [row for row in table(folder / f"{name}.tsv") if is_mine(row["recording"])]
        for name in ("power", "inventory", "utilisation")
    }
    names = {row["recording"] for rows in tables.values() for row in rows}
    said = {name: evaluate_whole(recording(folder / "snmprec" / f"{name}.snmprec")) for name in sorted(names)}
    return [
        *power_rows(tables["power"], said),
        *inventory_rows(tables["inventory"], said),
        *utilisation_rows(tables["utilisation"], said),
    ]


def print_table(rows: list[Row], title: str) -> None:
    print(f"\n{title}")
    print(f"  {'':<44} {'council A':>18} {'A and B':>18} {'all':>18}")
    by_what: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_what[row.what].append(row)
    for what, mine in sorted(by_what.items()):
        parts = []
        for council in ("A", "AB", "ABC"):
            wanted = [row for row in mine if row.council in council]
            good = sum(row.good for row in wanted)
            parts.append(f"{good}/{len(wanted)} {100 * good / len(wanted):.1f}%" if wanted else "-")
        print(f"  {what:<44} " + " ".join(f"{one:>18}" for one in parts))


def main() -> None:
    parser = argparse.ArgumentParser(description="What the profiles read of the recordings.")
    parser.add_argument("--recordings", type=Path, default=SHARED, help="folder with snmprec/ and the tables")
    parser.add_argument("--only", default="", help="recordings whose name matches this regular expression")
    parser.add_argument(
        "--missing", nargs="?", const="", default=None, metavar="WHAT", help="list what is not read right"
    )
    parser.add_argument("--council", default="ABC", help="with --missing: only these")
    arguments = parser.parse_args()
    rows = compared(arguments.recordings, lambda name: re.search(arguments.only, name) is not None)
    plain, noted = [row for row in rows if not row.note], [row for row in rows if row.note]
    print(f"{len({row.recording for row in rows})} recordings, {len(rows)} expected figures and texts")
    print_table(plain, "found/expected")
    print_table(noted, "apart: rows whose note or check says that the expected value is not the plain truth")
    for row in noted:
        if "LibreNMS" in row.note or "VA" in row.note or "sentinel" in row.note:
            print(f"  {row.recording}: {row.what}: expected {row.wanted} ({row.note}); we say {row.found}")
    if arguments.missing is not None:
        print("\nnot read right")
        for row in plain:
            if not row.good and arguments.missing in row.what and row.council in arguments.council:
                print(f"  {row.recording} ({row.council}) {row.what}: expected {row.wanted}; found {row.found}")


if __name__ == "__main__":
    main()
