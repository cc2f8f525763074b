"""A private PostgreSQL on a loopback port, gone with the test. It does not sync: these tests are not about power cuts."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url

from collector.database.engine import open_database
from tests.servers.process import free_port, stop, tail, wait_until


def binaries() -> Path | None:
    """Where Debian keeps PostgreSQL's programs, or None where it is missing."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


def new_database(server: str, name: str, template: str = "template1") -> str:
    """The URL of a database of this name, a copy of its template. An earlier one has gone, with all its connections."""
    opened = open_database(server)
    try:
        with opened.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
    finally:
        opened.close()
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@contextmanager
def postgres(directory: Path) -> Iterator[str]:
    """The URL of an empty database server. As root it runs as the user postgres, which initdb insists on.

    `directory` / "data" leads to its files, which lie elsewhere: each pytest that starts closes its own folders to
    other users, also under a server of a pytest that runs beside it.
    """
    programs = binaries()
    assert programs is not None
    with tempfile.TemporaryDirectory(prefix="ictagent-postgres-", ignore_cleanup_errors=True) as name:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "data").symlink_to(Path(name) / "data")
        yield from _serve(programs, Path(name))


def _serve(programs: Path, directory: Path) -> Iterator[str]:
    data = directory / "data"
    prefix: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(directory, "postgres")
        prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    initdb = [*prefix, str(programs / "initdb"), "-D", str(data), "-U", "ictagent", "--auth=trust", "-E", "UTF8"]
    subprocess.run([*initdb, "--no-sync"], check=True, capture_output=True, cwd="/")
    port = free_port()
    log = directory / "log"
    options = ["-p", str(port), "-k", str(directory), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
    with log.open("wb") as output:
        command = [*prefix, str(programs / "postgres"), "-D", str(data), *options, "-c", "max_connections=60"]
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd="/")
    try:
        ready = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
        wait_until(lambda: subprocess.run(ready, check=False).returncode == 0, f"PostgreSQL: {tail(log)}")
        yield f"postgresql://ictagent@127.0.0.1:{port}/postgres"
    finally:
        # Its fast way to end; the gentle one waits until the last client has gone.
        process.send_signal(signal.SIGINT)
        stop(process)
