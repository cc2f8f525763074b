"""Fits the power model on ../shared/power and prints how good it is beside the rule TDP x (0.3 + 0.7u).

    python tests/benchmarks/power_model_fit.py [--write]

Deterministic; `--write` replaces carbon/data/power_model.json and cpu_tdp.tsv. Errors are of models fitted without
the processors they are tested on (ten folds by CPU model). The tables themselves stay outside the project.
"""

import csv
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from carbon.cpu import normalised  # noqa: E402  # the script runs from a checkout

POWER = ROOT.parent / "shared" / "power"
Array = NDArray[np.float64]
COLUMNS = ("base", "socket", "tdp", "memory_gb", "ssd", "hdd")
WHOLE_MACHINES = ("Rack-mount", "Tower/Pedestal")
"""Blades and multi-node systems were measured with their enclosure: their watts are several machines'."""


def number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def rows(name: str) -> list[dict[str, str]]:
    with (POWER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def servers(table: list[dict[str, str]]) -> tuple[Array, Array, list[str], Array]:
    """Features, idle watts, CPU models and sockets x TDP of the servers whose facts are complete."""
    features, idle, models, ratings = [], [], [], []
    for row in table:
        sockets, tdp, memory, watts = (number(row[name]) for name in ("chips", "tdp_w", "memory_gb", "w_idle_sert"))
        if not (sockets > 0 and tdp > 0 and memory > 0 and watts > 0):
            continue
        disks = [max(0.0, np.nan_to_num(number(row[name]))) for name in ("ssd", "hdd")]
        features.append([1.0, sockets, sockets * tdp, memory, *disks])
        idle.append(watts)
        models.append(row["cpu_model"])
        ratings.append(sockets * tdp)
    return np.array(features), np.array(idle), models, np.array(ratings)


def fit(features: Array, watts: Array) -> Array:
    """Coefficients (not negative) that minimise the mean absolute logarithmic error, smoothed at its centre."""

    def loss(logs: Array) -> float:
        return float(np.mean(np.sqrt(np.log(features @ np.exp(logs) / watts) ** 2 + 0.02)))

    starts = [np.log(np.array([20.0, 10.0, 0.1, 0.1, 5.0, 5.0])), np.full(len(COLUMNS), np.log(0.5))]
    found = [minimize(loss, start, method="L-BFGS-B", bounds=[(-7.0, 6.0)] * len(COLUMNS)) for start in starts]
    best: Array = np.exp(min(found, key=lambda result: float(result.fun)).x)
    return best


def cross_validated(features: Array, watts: Array, models: list[str], folds: int = 10) -> Array:
    fold = np.array([int(hashlib.sha256(model.encode()).hexdigest(), 16) % folds for model in models])
    predicted = np.zeros(len(watts))
    for index in range(folds):
        held = fold == index
        if held.any():
            predicted[held] = features[held] @ fit(features[~held], watts[~held])
    return predicted


def loads() -> tuple[Array, Array, Array]:
    """Watts at idle and ten loads, sockets x TDP, and the year of single-node SPECpower results since 2012."""
    steps = ["w_idle", *(f"w_{load}" for load in range(10, 101, 10))]
    table = [row for row in rows("specpower_dev.tsv") if row["nodes"] == "1" and number(row["year"]) >= 2012]
    watts = np.array([[number(row[step]) for step in steps] for row in table])
    rating = np.array([number(row["chips"]) * number(row["tdp_w"]) for row in table])
    memory = np.array([number(row["memory_gb"]) for row in table])
    good = np.isfinite(watts).all(axis=1) & (rating > 0) & (memory > 0)
    sockets = np.array([number(row["chips"]) for row in table])
    features = np.column_stack(
        [np.ones(len(table)), sockets, rating, memory, np.ones(len(table)), np.zeros(len(table))]
    )
    return watts[good], rating[good], features[good]


def error(predicted: Array, watts: Array) -> str:
    ratio = predicted / watts - 1
    return f"median error {np.median(np.abs(ratio)):6.1%}, bias {np.median(ratio):+6.1%}"


def main() -> None:
    table = [row for row in rows("energystar_server_idle_dev.tsv") if row["suspect"] == "0"]
    whole = [row for row in table if row["form_factor"] in WHOLE_MACHINES]
    features, idle, models, ratings = servers(whole)
    all_features, all_idle, _, all_ratings = servers(table)
    coefficients = fit(features, idle)
    predicted = cross_validated(features, idle, models)
    low, high = np.quantile(idle / predicted, [0.1, 0.9])
    print(f"ENERGY STAR server idle, {len(idle)} rack and tower servers, cross-validated by CPU model")
    print(f"  ictagent             {error(predicted, idle)}")
    print(f"  TDP x (0.3 + 0.7u)   {error(0.3 * ratings, idle)}")
    print(f"  80% band {low:.2f} to {high:.2f} of the estimate")
    print(f"  all {len(all_idle)} rows, blade enclosures included (not cross-validated):")
    print(f"  ictagent             {error(all_features @ coefficients, all_idle)}")
    print(f"  TDP x (0.3 + 0.7u)   {error(0.3 * all_ratings, all_idle)}")

    watts, rating, spec_features = loads()
    spread = watts[:, -1:] - watts[:, :1]
    shape = np.maximum.accumulate(np.median((watts - watts[:, :1]) / spread, axis=0))
    dynamic = float(np.median(spread[:, 0] / rating))
    spec_idle = spec_features @ coefficients
    print(f"SPECpower, {len(watts)} single-node results since 2012 (tuned machines: their idle is lower than ordinary)")
    for step in (0, 1, 3, 5, 7, 10):
        ours = spec_idle + dynamic * rating * shape[step]
        print(f"  load {step * 10:3d}%  ictagent {error(ours, watts[:, step])}", end="")
        print(f"   TDP rule {error(rating * (0.3 + 0.07 * step), watts[:, step])}")
    full = watts[:, -1] / (spec_idle + dynamic * rating)
    full_low, full_high = np.quantile(full, [0.1, 0.9])
    print(f"  80% band at full load {full_low:.2f} to {full_high:.2f} of the estimate")

    computers = rows("energystar_computers.tsv")
    clients = {}
    for kind, types in (("laptop", ("Notebook", "Two-In-One Notebook")), ("desktop", ("Desktop",))):
        values = np.array([number(row["w_short_idle"]) for row in computers if row["type"] in types])
        clients[kind] = np.quantile(values[values > 0], [0.1, 0.5, 0.9])
        print(f"ENERGY STAR {kind} short idle: 10/50/90% {np.round(clients[kind], 1)} W")

    model = {
        "server": {
            **{name: round(float(value), 4) for name, value in zip(COLUMNS, coefficients, strict=True)},
            "dynamic_tdp": round(dynamic, 3),
            "psu_loss": 0.1,
            "default_memory_gb": 64,
            **band(low, high, min(full_low, 1.0), max(full_high, 1.0)),
        },
        **{kind: client(*clients[kind]) for kind in clients},
        "host_of_guests": {"threads": 80, "memory_gb": 384, "tdp": 150, **band(0.5, 2.0, 0.5, 2.0)},
        "load": {"shape": [round(float(value), 3) for value in shape]},
    }
    if "--write" in sys.argv:
        data = ROOT / "carbon" / "data"
        (data / "power_model.json").write_text(json.dumps(model, indent=2) + "\n", encoding="utf-8")
        (data / "cpu_tdp.tsv").write_text(ratings_table(), encoding="utf-8")
        print("written: carbon/data/power_model.json, cpu_tdp.tsv")
    else:
        print(json.dumps(model))


def band(low: float, high: float, full_low: float, full_high: float) -> dict[str, float]:
    names = ("idle_low", "idle_high", "full_low", "full_high")
    return {name: round(float(value), 3) for name, value in zip(names, (low, high, full_low, full_high), strict=True)}


def client(low: float, median: float, high: float) -> dict[str, float]:
    """A client's figures. Load was not measured: the processor's TDP and the supply's loss over it, with a wide band."""
    ends = band(low / median, high / median, 0.6, 1.5)
    return {"idle": round(float(median), 2), "dynamic_tdp": 1.15, "psu_loss": 0.15, "package_share": 0.3, **ends}


def ratings_table() -> str:
    """TDP by normalised CPU name; a name with several ratings is left to its family's rule."""
    found: dict[str, set[float]] = {}
    for name in ("specpower_dev.tsv", "energystar_server_idle_dev.tsv"):
        for row in rows(name):
            if number(row["tdp_w"]) > 0:
                found.setdefault(normalised(row["cpu_model"]), set()).add(number(row["tdp_w"]))
    lines = [f"{name}\t{min(watts):g}" for name, watts in sorted(found.items()) if len(watts) == 1]
    return "\n".join(["cpu_model\ttdp_watts", *lines]) + "\n"


if __name__ == "__main__":
    main()
