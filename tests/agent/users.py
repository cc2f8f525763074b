"""Being somebody else than root for a while: root reads everything, so nothing is ever unreadable to it."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

_NOBODY = 65534


@contextlib.contextmanager
def unprivileged() -> Iterator[Path]:
    """A folder that everybody can enter (pytest's own are their user's alone). Within, a test may give up its
    privileges with `become_nobody`; they come back at the end."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    _, _, saved = os.getresuid()
    try:
        yield folder
    finally:
        os.setresuid(saved, saved, saved)
        for base, folders, _ in os.walk(folder):
            for name in folders:
                Path(base, name).chmod(0o755)
        shutil.rmtree(folder)


def become_nobody() -> None:
    """Give up root's rights, where there are any."""
    if os.geteuid() == 0:
        os.setresuid(_NOBODY, _NOBODY, 0)
