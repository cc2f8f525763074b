"""How far the estimates of network devices are from what such devices were measured to draw.

    python tests/benchmarks/network_power_backtest.py [--power DIR] [--recordings DIR] [--list] [--fit]

1. Measured switches (`../shared/power/switch_power_measured.tsv`), each estimated without its own measurement: first with
   datasheets and name plates of its model left in, then without any row of its model.
2. Devices among the recordings of `../shared/snmp` that report watts: their reading beside the estimate that they would
   have without it. Switches, routers and the like alone: servers and chassis of servers have a model of their own.
3. Datasheets' typical power, each model estimated from the others: how near families and sizes come. The band is not made
   for these; they are no measurements.

Error is |estimate - measured| / measured; the band holds a device whose measured watts lie within low and high. `--list`
prints every device of 1 and 2, `--fit` fits the rule of size anew.
"""

import argparse
import csv
import re
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from carbon import network_models, network_power  # noqa: E402  # the script runs from a checkout
from carbon.network_models import SIZE_FEEDING, Model, is_fast, models  # noqa: E402
from carbon.network_power import Typical, typical_power  # noqa: E402
from collector.snmp.device import evaluate_whole  # noqa: E402
from collector.snmp.estimate import estimated_power  # noqa: E402
from collector.snmp.places import FEEDING_KINDS  # noqa: E402
from tests.benchmarks.network_power_catalogue import measured as measured_row  # noqa: E402
from tests.servers.recordings import recording  # noqa: E402

SHARED = ROOT.parent / "shared"
COMPARED_KINDS = frozenset(
    {"switch", "router", "firewall", "wireless_controller", "access_point", "storage", "radio_link"}
)
DATA_CENTRE = re.compile(r"^(?:DCS|Nexus|QFX|NCS|ASR|N540|AWE|ISR|SRX|Meraki MX|uBR|Aironet|82|FPR|N9K|ACX|N2K|4104)")
"""Datasheets that the rule of size is not fitted on: no access switches."""

SWITCH_PLATES = re.compile(
    r"^(?:J?GS|XGS|T\d|TL-S|SG|D[EGX]S|Aruba [26]|ProCurve|V?\d{4}|x\d|USW?|ES-|UniFi Switch|EdgeSw|CSS|CRS|FortiSw|S\d{4}|ICX)"
)
LARGEST_PLATE_WATTS = 230.0
"""Name plates of switches; a larger one tells a supply."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A device's measured watts beside its estimate."""

    name: str
    kind: str
    measured: float
    estimate: Typical

    @property
    def error(self) -> float:
        return abs(self.estimate.watts - self.measured) / self.measured

    @property
    def held(self) -> bool:
        return self.estimate.low <= self.measured <= self.estimate.high


def without(drop: Callable[[Model], bool], kind: str, hardware: str, vendor: str) -> Typical:
    """An estimate from a catalogue that lacks some rows."""
    left = tuple(one for one in models() if not drop(one))
    network_power._base.cache_clear()
    with patch.object(network_models, "models", lambda: left):
        found = typical_power(kind, hardware, vendor)
    network_power._base.cache_clear()
    return found


def measured_switches(power: Path, *, whole_model: bool) -> list[Compared]:
    """Each measured switch, estimated without its measurement, or without all rows of its model."""
    with (power / "switch_power_measured.tsv").open(encoding="utf-8", newline="") as file:
        rows = [measured_row(one) for one in csv.DictReader(file, delimiter="\t")]
    found = {}
    for row in rows:
        name = f"{row['part_number']} {row['model']}".strip()
        mine = {network_models.runs(one) for one in (row["part_number"], row["model"]) if one}

        def is_mine(one: Model, mine: set[tuple[str, ...]] = mine) -> bool:
            return bool({one.runs, one.part_runs} & mine) and (whole_model or one.level == "measured")

        estimate = without(is_mine, "switch", name, row["vendor"])
        found[row["vendor"], name] = Compared(f"{row['vendor']} {name}", "switch", float(row["typical_w"]), estimate)
    return list(found.values())


def recorded_devices(recordings: Path) -> list[Compared]:
    """Every recorded device that measures its own watts, beside what would be said of it without."""
    found = []
    for path in sorted((recordings / "snmprec").glob("*.snmprec")):
        device = evaluate_whole(recording(path))
        power = device.power
        if (
            device.identity.kind in COMPARED_KINDS
            and power.watts
            and power.basis in ("device", "inlets", "psu_inputs", "psu_outputs")
        ):
            found.append(Compared(path.stem, device.identity.kind, power.watts, estimated_power(device)))
    return found


def print_matching(recordings: Path) -> None:
    """How near the catalogue comes to each recorded device, by its kind."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for path in sorted((recordings / "snmprec").glob("*.snmprec")):
        device = evaluate_whole(recording(path))
        level = "" if device.identity.hardware or device.identity.members else "no model told"
        if device.identity.kind not in FEEDING_KINDS:
            found[device.identity.kind or "unknown"][level or estimated_power(device).level] += 1
    levels = ("measured", "datasheet", "maximum", "family", "size", "kind", "virtual", "no model told")
    print(f"\nrecordings by how near the catalogue comes\n  {'':<20} " + " ".join(f"{one:>13}" for one in levels))
    for kind, counts in sorted(found.items()):
        print(f"  {kind:<20} " + " ".join(f"{counts[one] or '':>13}" for one in levels))


def datasheets() -> list[Compared]:
    """Each datasheet's typical power from the other models'."""
    found = []
    for one in models():
        if one.source != "datasheet" or one.level != "datasheet" or not one.watts or DATA_CENTRE.search(one.name):
            continue
        name = one.runs

        def is_mine(other: Model, name: tuple[str, ...] = name) -> bool:
            return other.runs == name

        found.append(Compared(one.name, "switch", one.watts, without(is_mine, "switch", one.name, one.vendor)))
    return found


def print_table(title: str, rows: Iterable[Compared]) -> None:
    """Errors and coverage, whole and by kind and level."""
    rows = list(rows)
    print(f"\n{title}")
    print(f"  {'':<28} {'n':>4} {'median error':>13} {'90% below':>10} {'bias':>7} {'in band':>8}")
    parts: dict[str, list[Compared]] = defaultdict(list)
    for row in rows:
        for part in ("all", f"kind {row.kind}", f"by {row.estimate.level}"):
            parts[part].append(row)
    for part, mine in sorted(parts.items()):
        errors = sorted(one.error for one in mine)
        bias = statistics.median(one.estimate.watts / one.measured for one in mine) - 1
        ninth = errors[min(len(errors) - 1, round(0.9 * (len(errors) - 1)))]
        print(
            f"  {part:<28} {len(mine):>4} {statistics.median(errors):>12.0%} {ninth:>10.0%} {bias:>+7.0%} "
            f"{sum(one.held for one in mine) / len(mine):>8.0%}"
        )


def print_devices(rows: Iterable[Compared]) -> None:
    for one in rows:
        band = f"{one.estimate.low:.0f} to {one.estimate.high:.0f}"
        mark = "" if one.held else "  outside"
        print(
            f"    {one.name[:40]:<40} {one.measured:>7.1f} W  {one.estimate.watts:>7.1f} W ({band}) {one.estimate.basis}{mark}"
        )


def fit() -> None:
    """Least squares of the logarithms: base, exponent of ports, factor of fast ports."""
    import numpy as np  # noqa: PLC0415  # for this alone

    rows = [
        one
        for one in models()
        if one.source != "nameplate" or (SWITCH_PLATES.search(one.name) and not one.feeds)
        if one.level != "maximum" or (one.watts or 0) < LARGEST_PLATE_WATTS
        if one.watts
        and one.ports
        and 4 < one.ports <= network_models.LARGEST_SWITCH_PORTS
        and not DATA_CENTRE.search(one.name)
    ]
    terms = np.array([[1.0, np.log((one.ports or 8) / 8), is_fast(one.name)] for one in rows])
    logs = np.log([(one.watts or 1.0) / (SIZE_FEEDING if one.feeds else 1.0) for one in rows])
    weight = np.sqrt([3.0 if one.level == "measured" else 1.0 for one in rows])
    found, *_ = np.linalg.lstsq(terms * weight[:, None], logs * weight, rcond=None)
    words = f"{np.exp(found[0]):.1f} W x (ports / 8) ** {found[1]:.2f}, fast x {np.exp(found[2]):.2f}"
    print(f"\nrule of size, {len(rows)} models: {words}")
    pairs = feeding_pairs()
    print(f"models with and without feeding others: {len(pairs)} pairs, x {statistics.median(pairs):.2f}")


def feeding_pairs() -> list[float]:
    """Watts of models that feed others over those that are the same but for it: `48P` beside `48T` or `48`."""
    known = {(one.vendor, one.runs): one for one in models() if one.watts and one.level != "maximum"}
    found = []
    for (vendor, runs), one in known.items():
        for place, run in enumerate(runs):
            if run not in ("P", "PS"):
                continue
            others = (runs[:place] + other + runs[place + 1 :] for other in ((), ("T",), ("TS",)))
            without = next((known[vendor, other] for other in others if (vendor, other) in known), None)
            if without is not None:
                found.append((one.watts or 0.0) / (without.watts or 1.0))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Estimates of network devices beside measured watts.")
    parser.add_argument("--power", type=Path, default=SHARED / "power", help="folder with the reference tables")
    parser.add_argument("--recordings", type=Path, default=SHARED / "snmp", help="folder with the recordings")
    parser.add_argument("--list", action="store_true", help="print every measured device")
    parser.add_argument("--fit", action="store_true", help="fit the rule of size")
    arguments = parser.parse_args()
    parts = {
        "measured switches, their measurement left out": measured_switches(arguments.power, whole_model=False),
        "measured switches, their model left out": measured_switches(arguments.power, whole_model=True),
        "recorded devices that report watts": recorded_devices(arguments.recordings),
        "datasheets' typical power, the model left out (no measurements)": datasheets(),
    }
    for title, rows in parts.items():
        print_table(title, rows)
        if arguments.list and "no measurements" not in title:
            print_devices(rows)
    print_matching(arguments.recordings)
    if arguments.fit:
        fit()


if __name__ == "__main__":
    main()
