"""Writes carbon/data/network_power.tsv from the reference tables beside the checkout.

    python tests/benchmarks/network_power_catalogue.py [--power DIR] [--output FILE]

Datasheets (CC0-1.0) and name plates (CC0-1.0) with their figures as they stand, measured ones as facts with their source
(carbon/data/SOURCES.md). What cannot be is left out: a large switch of a few watts, a typical power above the maximum.
"""

import argparse
import csv
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
POWER = ROOT.parent / "shared" / "power"
CATALOGUE = ROOT / "carbon" / "data" / "network_power.tsv"
COLUMNS = ("vendor", "model", "part_number", "source", "typical_w", "max_w", "max_poe_w", "ports", "poe")
MEASURED = {"ENERGY STAR LNE v1": "measured_energystar", "adlerweb/SwitchPower": "measured_switchpower"}
NAMES = {"DELL": "Dell", "Ubiquity": "Ubiquiti", "HP": "HPE", "Aruba": "HPE"}
"""Makers as they are written once."""
NETWORK_MAKERS = frozenset(
    """3Com|Adtran|Alcatel-Lucent|Allied Telesis|Arista|Avocent|Brocade|Check Point|Ciena|Cisco|D-Link|Datto|Deciso|Dell|Edgecore
    |EnGenius|Extreme Networks|F5|FS|Fortinet|HPE|Huawei|Infoblox|Juniper|LANCOM|Mellanox|MikroTik|Netgear|Netonix|Opengear
    |Palo Alto|Peplink|QNAP|Riverbed|Ruckus|SonicWall|Sophos|Synology|TP-Link|Ubiquiti|WatchGuard|YAMAHA|ZTE|Zyxel""".replace(
        "\n    ", ""
    ).split("|")
)
"""Whose name plates are taken: makers of what is asked over SNMP and has no meter."""
SERVERS = re.compile(
    r"ProLiant|PowerEdge|Apollo|Synergy|UCS|\bM\d+ PSU|\bPSU\b|DKMM|DMPU|SmartPower|Supply|OptiXtrans|2288H|BladeSystem"
)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def watts(text: str) -> float:
    return float(text or 0)


def shown(value: float) -> str:
    return f"{value:g}" if value else ""


def measured(row: dict[str, str]) -> dict[str, str]:
    """A measured switch. SwitchPower writes the part number behind the name."""
    model, part = row["model"].replace("\u2011", "-"), ""
    if row["source"].startswith("adlerweb") and " " in model:
        model, _, part = model.rpartition(" ")
        if model.startswith("POWERCONNECT"):
            model, part = f"PowerConnect {part}", ""
    ports = int(watts(row["ports"]))
    return {
        "vendor": NAMES.get(row["vendor"], row["vendor"]),
        "model": model,
        "part_number": part,
        "source": MEASURED[row["source"]],
        "typical_w": shown(watts(row["w_30"] or row["w_idle"])),
        "ports": str(ports),
        "poe": "1" if row["poe"] or re.search(r"\d[A-Z]?P$|PoE", model) else "",
    }


def datasheet(row: dict[str, str]) -> dict[str, str] | None:
    typical, maximum = watts(row["typical_w"]), watts(row["max_w"])
    if row["suspect"] == "1" or not (typical or maximum) or (maximum and typical > 1.1 * maximum):
        return None
    if row["model"].startswith(("Nexus", "N9K")) and typical < 20:
        return None
    poe = watts(row["max_poe_w"])
    return {
        "vendor": row["vendor"],
        "model": row["model"],
        "source": "datasheet",
        "typical_w": shown(typical),
        "max_w": shown(maximum),
        "max_poe_w": shown(poe),
        "poe": "1" if poe else "",
    }


def nameplate(row: dict[str, str]) -> dict[str, str] | None:
    """A name plate's maximum, and as typical what the library calls the allocated draw, where that is no PoE budget."""
    maximum, allocated = watts(row["max_draw_w_each"]), watts(row["allocated_draw_w_each"])
    if row["manufacturer"] not in NETWORK_MAKERS or not (maximum or allocated) or SERVERS.search(row["model"]):
        return None
    poe = (
        row["poe_pse_ports"] not in ("", "0")
        or row["manufacturer"] == "Netonix"
        or bool(re.search(r"PoE|PWR|FPOE|\d(L|F|M|H)?PS?\b|\d{2,4}W\b|HP\b", row["model"], re.IGNORECASE))
    )
    if allocated > maximum > 0 or (poe and allocated > 0.35 * maximum):
        allocated = 0.0
    return {
        "vendor": NAMES.get(row["manufacturer"], row["manufacturer"]),
        "model": row["model"],
        "part_number": row["part_number"] if row["part_number"] != row["model"] else "",
        "source": "nameplate",
        "typical_w": shown(allocated),
        "max_w": shown(maximum),
        "ports": row["interfaces"] if row["interfaces"] != "0" else "",
        "poe": "1" if poe else "",
    }


def catalogue(power: Path) -> list[dict[str, str]]:
    """Every row, by maker and model."""
    rows = [measured(one) for one in table(power / "switch_power_measured.tsv")]
    found = [*map(datasheet, table(power / "network_datasheet_power.tsv"))]
    found += map(nameplate, table(power / "netbox_nameplate_power.tsv"))
    rows += [one for one in found if one is not None]
    unique = {tuple(row.get(name, "") for name in COLUMNS): row for row in rows}
    return [unique[key] for key in sorted(unique)]


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the catalogue of typical power.")
    parser.add_argument("--power", type=Path, default=POWER, help="folder with the reference tables")
    parser.add_argument("--output", type=Path, default=CATALOGUE)
    arguments = parser.parse_args()
    with arguments.output.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, delimiter="\t", lineterminator="\n", restval="")
        writer.writeheader()
        writer.writerows(catalogue(arguments.power))


if __name__ == "__main__":
    main()
