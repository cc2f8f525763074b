"""One folder that holds ictagent, the libraries it uses and the interpreter it runs on, made by PyInstaller."""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Literal

Product = Literal["agent", "collector"]
ROOT = Path(__file__).parents[2]
ROOMS: dict[Product, tuple[str, ...]] = {
    "agent": ("agent",),
    "collector": ("agent", "collector", "carbon", "dashboards"),
}
LEFT_OUT = (
    # What the standard library offers and no part of ictagent uses.
    *("tkinter", "idlelib", "lib2to3", "pydoc_data", "turtledemo", "ensurepip", "venv", "curses", "readline"),
    # Tools of development that libraries use when they happen to be there.
    *("pytest", "_pytest", "mypy", "hypothesis", "IPython", "matplotlib", "numpy", "scipy", "pandas", "duckdb"),
    *(
        "setuptools",
        "pkg_resources",
        "pip",
        "wheel",
        "PyInstaller",
        "playwright",
        "pygments",
        "rich",
        "pikepdf",
        "lxml",
    ),
    *(
        "pydantic",
        "pydantic_settings",
        "yaml",
        "dotenv",
        "watchfiles",
        "trio",
        "gevent",
        "aiohttp",
        "lark",
        "fqdn",
        "webcolors",
    ),
    *("sqlalchemy.dialects.mysql", "sqlalchemy.dialects.oracle", "sqlalchemy.dialects.mssql", "sqlalchemy.testing"),
    "reactivex.testing",
)
NOT_OF_THE_AGENT = ("collector", "carbon", "dashboards", "sqlalchemy", "msgspec", "cryptography")
LEFT_TO_THE_SYSTEM = (
    *("libstdc++.so.6", "libgcc_s.so.1"),
    *("libpango*", "libharfbuzz*", "libgobject-2.0*", "libglib-2.0*", "libgio-2.0*", "libfontconfig*", "libfreetype*"),
    *("libfribidi*", "libthai*", "libdatrie*", "libgraphite2*", "libpcre2*", "libpng16*"),
)
"""Wheels ask the first of any system that their tag names; a copy of the build machine's would ask for its new glibc. So
would what PDFs are laid out with, which the packages recommend (`build.RECOMMENDED`)."""
KEPT_SECONDS = 3600.0
"""Folders of older sources are deleted after this time, when no build of theirs can be under way any more."""
READ_THEIR_METADATA = ("apscheduler", "altair", "psycopg", "jsonschema")
"""Distributions that look up their own entry points or version."""


def freeze(product: Product, work: Path, source_date_epoch: int) -> Path:
    """Make the folder of a product below `work`, or take the one that is there if nothing that goes in has changed.

    Builds that run beside this one wait for it, and keep the folder that they have when this one is of newer sources.
    Raises CalledProcessError with PyInstaller's own messages on stderr.
    """
    made_of = fingerprint(product)
    place = work / f"{product}-{made_of[:16]}"
    folder, stamp = place / "dist" / "ictagent", place / "made-of"
    work.mkdir(parents=True, exist_ok=True)
    with (work / f"{product}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.is_file():
            return folder
        for other in work.glob(f"{product}-*"):
            if time.time() - other.stat().st_mtime > KEPT_SECONDS:
                shutil.rmtree(other)
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        _make(product, place, folder, source_date_epoch)
        stamp.write_text(made_of)
    return folder


def _make(product: Product, place: Path, folder: Path, source_date_epoch: int) -> None:
    environment = os.environ | {"PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": str(source_date_epoch)}
    subprocess.run(_command(product, place), check=True, cwd=ROOT, env=environment, stdout=sys.stderr)
    if product == "collector":
        # Alembic reads migrations as files.
        source, target = (base / "collector/database/migrations" for base in (ROOT, folder / "_internal"))
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    _strip_interpreter(folder)
    for pattern in LEFT_TO_THE_SYSTEM:
        for path in (folder / "_internal").glob(pattern):
            path.unlink()
    shutil.rmtree(folder / "_internal/etc/fonts", ignore_errors=True)
    shutil.rmtree(place / "build")


def fingerprint(product: Product) -> str:
    """A hash over everything that a folder is made of: sources, this recipe, libraries with versions, interpreter."""
    digest = hashlib.sha256(f"{product} {sys.version} {platform.machine()} {sys.prefix}".encode())
    for one in sorted(f"{each.name}=={each.version}" for each in metadata.distributions()):
        digest.update(one.encode())
    for room in (*ROOMS[product], "deploy/packages"):
        for path in sorted((ROOT / room).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"\0{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _command(product: Product, place: Path) -> list[str]:
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN", "--onedir"]
    command += ["--name", "ictagent", "--paths", str(ROOT)]
    command += ["--distpath", str(place / "dist"), "--workpath", str(place / "build"), "--specpath", str(place)]
    for room in ROOMS[product]:
        command += ["--collect-submodules", room, "--collect-data", room]
    left_out: tuple[str, ...] = LEFT_OUT
    if product == "agent":
        left_out += NOT_OF_THE_AGENT
    else:
        command += [word for name in READ_THEIR_METADATA for word in ("--copy-metadata", name)]
    command += [word for name in left_out for word in ("--exclude-module", name)]
    return [*command, str(Path(__file__).with_name("program.py"))]


def _strip_interpreter(folder: Path) -> None:
    """Take the debugging symbols out of the interpreter, half its size. Wheels' libraries are left as they were made."""
    internal = folder / "_internal"
    for path in (
        *internal.glob("libpython*.so*"),
        *internal.glob("lib-dynload/*.so"),
        *internal.glob("python3*/lib-dynload/*.so"),
    ):
        subprocess.run(["strip", "--strip-unneeded", str(path)], check=True)
