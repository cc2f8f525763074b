"""A kernel's energy counter that a test advances: a copy of /sys/class with a RAPL zone, for an agent's mount namespace."""

import contextlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from collector.database.schema import meter
from collector.ledger import provisional
from tests.conftest import missing
from tests.servers.ictagent import CollectorProgram

RANGE_UJ = 262_143_328_850
"""The range of a RAPL counter, after which it begins at zero again."""


@dataclass
class EnergyCounter:
    """A package zone's counter below `classes`; `value` counts on past the range, what is written wraps."""

    classes: Path
    value: int = 262_143_000_000

    @property
    def prefix(self) -> list[str]:
        """What starts an agent in a mount namespace where this is /sys/class."""
        return ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /sys/class && exec "$@"', str(self.classes)]

    def advance(self, energy_uj: int) -> None:
        """Count on, in one step as a kernel does."""
        self.value += energy_uj
        self.write()

    def write(self) -> None:
        path = self.classes / "powercap/intel-rapl:0/energy_uj"
        new = path.with_name("new")
        new.write_text(f"{self.value % (RANGE_UJ + 1)}\n")
        new.replace(path)


def energy_counter(directory: Path) -> EnergyCounter:
    """A counter of its own for one test. Skips where a mount namespace cannot be had."""
    classes = directory / "class"
    classes.mkdir(parents=True)
    tried = subprocess.run(
        ["unshare", "--mount", "mount", "--bind", str(classes), "/sys/class"], capture_output=True, check=False
    )
    if os.geteuid() != 0 or tried.returncode != 0:
        missing("a mount namespace of our own (root)")
    for name in ("net", "block", "dmi", "hwmon"):
        with contextlib.suppress(OSError):
            shutil.copytree(f"/sys/class/{name}", classes / name, symlinks=True)
    zone = classes / "powercap/intel-rapl:0"
    zone.mkdir(parents=True)
    (zone / "name").write_text("package-0\n")
    (zone / "max_energy_range_uj").write_text(f"{RANGE_UJ}\n")
    counter = EnergyCounter(classes)
    counter.write()
    return counter


def counted_uj(collector: CollectorProgram) -> int:
    """Measured microjoules of the only device, the open half-hour included."""
    with collector.database() as database, database.read() as connection:
        device_id = connection.execute(select(meter.c.device_id)).scalars().first()
        if device_id is None:
            return 0
        rows = provisional(connection, device_id)
        return sum(row["measured_uj"] for by_time in rows.values() for row in by_time.values())
