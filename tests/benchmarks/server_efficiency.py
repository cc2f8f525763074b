"""Writes carbon/data/server_efficiency.tsv from the SPECpower results beside the checkout.

    python tests/benchmarks/server_efficiency.py [--power DIR] [--output FILE]

Of each year: the median of operations a second and watt at a fifth of full load, of single-node results of five years
around it, never below the year before. No result is reproduced; the results stay outside the project.
"""

import argparse
import csv
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
POWER = ROOT.parent / "shared" / "power"
TABLE = ROOT / "carbon" / "data" / "server_efficiency.tsv"
FIRST, LAST = 2008, 2025
AROUND = 2
"""Years to either side: one year has as few as two results."""
LOAD = 0.2


def efficiencies(power: Path) -> list[tuple[int, int, int]]:
    """Year, number of results, and operations per second and watt."""
    with (power / "specpower_dev.tsv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["nodes"] == "1"]
    known = [
        (int(row["year"]), LOAD * float(row["ssj_ops_100"]) / float(row["w_20"]))
        for row in rows
        if row["ssj_ops_100"] and row["w_20"]
    ]
    found: list[tuple[int, int, int]] = []
    best = 0
    for year in range(FIRST, LAST + 1):
        mine = [one for at, one in known if abs(at - year) <= AROUND]
        best = max(best, round(median(mine)))
        found.append((year, len(mine), best))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Write servers' efficiency by year.")
    parser.add_argument("--power", type=Path, default=POWER, help="folder with the reference tables")
    parser.add_argument("--output", type=Path, default=TABLE)
    arguments = parser.parse_args()
    with arguments.output.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(("year", "results", "operations_per_second_and_watt"))
        writer.writerows(efficiencies(arguments.power))


if __name__ == "__main__":
    main()
