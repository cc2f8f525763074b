"""What the packaged program starts with. PyInstaller makes /usr/lib/ictagent/ictagent of it.

It evens out where a program that carries its interpreter differs from a Python environment, then is `ictagent`.
"""

import os
import runpy
import ssl
import sys
from pathlib import Path

from agent.cli import main

MODULES = ("collector.commands.agent_child",)
"""What ictagent runs as `sys.executable -m MODULE`: here the executable is no interpreter and does it itself."""
AUTHORITIES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu
    "/etc/pki/tls/certs/ca-bundle.crt",  # RHEL and its kin
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # Alpine
)


def restore_library_path() -> None:
    """Keep our libraries from programs that we run (systemctl, ipmitool): they have their own OpenSSL.

    The bootloader put our folder into LD_LIBRARY_PATH and the old value beside it; this process has read it already.
    """
    before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    os.environ.pop("LD_LIBRARY_PATH", None)
    if before is not None:
        os.environ["LD_LIBRARY_PATH"] = before


def find_authorities() -> None:
    """Name this system's list of authorities where the OpenSSL we carry, built on another system, looks elsewhere."""
    paths = ssl.get_default_verify_paths()
    if paths.cafile or "SSL_CERT_FILE" in os.environ or "SSL_CERT_DIR" in os.environ:
        return
    found = next((one for one in AUTHORITIES if Path(one).is_file()), None)
    if found:
        os.environ["SSL_CERT_FILE"] = found


if __name__ == "__main__":
    restore_library_path()
    find_authorities()
    if len(sys.argv) > 2 and sys.argv[1] == "-m" and sys.argv[2] in MODULES:
        sys.argv = sys.argv[2:]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        main(prog_name="ictagent")
