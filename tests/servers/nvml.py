"""A library with NVML's entry points, built by the machine's C compiler and called like NVIDIA's own."""

import shutil
import subprocess
from pathlib import Path

from tests.conftest import missing

SOURCE = Path(__file__).with_name("nvml.c")


def built(folder: Path) -> Path:
    """The library, as `libnvidia-ml.so.1` in this folder."""
    compiler = shutil.which("cc")
    if compiler is None:
        missing("a C compiler (cc)")
    library = folder / "libnvidia-ml.so.1"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE)], check=True)
    return library
