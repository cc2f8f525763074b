"""Small `/sys` trees for one source at a time; whole machines are in tests/data/hosts."""

from pathlib import Path


def write(root: Path, files: dict[str, str]) -> Path:
    """Files below `root`, each with the line break that the kernel adds."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root


def zone(root: Path, name: str, label: str, energy_uj: str = "1000000", range_uj: str = "262143328850") -> None:
    """A powercap zone."""
    base = f"sys/class/powercap/{name}"
    write(root, {f"{base}/name": label, f"{base}/energy_uj": energy_uj, f"{base}/max_energy_range_uj": range_uj})


def chip(root: Path, number: int, driver: str, address: str, **files: str) -> Path:
    """An hwmon chip with its device."""
    device = root / f"sys/devices/{address}"
    folder = device / f"hwmon/hwmon{number}"
    write(folder, {"name": driver, **files})
    (folder / "device").symlink_to("../..")
    listed = root / f"sys/class/hwmon/hwmon{number}"
    listed.parent.mkdir(parents=True, exist_ok=True)
    listed.symlink_to(f"../../devices/{address}/hwmon/hwmon{number}")
    return folder


def battery(root: Path, name: str = "BAT0", **files: str) -> Path:
    """A battery; by itself it discharges."""
    folder = root / f"sys/class/power_supply/{name}"
    write(folder, {"type": "Battery", "status": "Discharging", **files})
    return folder
