"""A private PostgreSQL on a loopback port, gone with the test. It does not sync: these tests are not about power cuts."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.process import free_port, stop, tail, wait_until


def binaries() -> Path | None:
    """Where Debian keeps PostgreSQL's programs, or None where it is missing."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextmanager
def postgres(directory: Path) -> Iterator[str]:
    """The URL of an empty database server. As root it runs as the user postgres, which initdb insists on."""
    programs = binaries()
    assert programs is not None
    data = directory / "data"
    data.mkdir(parents=True)
    prefix: list[str] = []
    if os.geteuid() == 0:
        for path in (directory, data):
            shutil.chown(path, "postgres")
        for parent in directory.parents:
            if parent == Path("/tmp"):  # pytest's own temporary folder, whose modes we open for postgres
                break
            parent.chmod(parent.stat().st_mode | 0o055)
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
