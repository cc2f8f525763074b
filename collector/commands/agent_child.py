"""The agent as a child of `ictagent up`, which ends when its parent does, also when that was killed (-9).

Run as `python -m collector.commands.agent_child PARENT ARGUMENTS...`, where the arguments are those of `ictagent`. The
kernel sends the child SIGTERM when its parent is gone, so it spools a last report and leaves no process behind.
"""

import ctypes
import os
import signal
import sys

from agent.cli import main

_PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that this process gets when its parent dies."""


def end_with_parent(parent: int) -> None:
    """Ask the kernel for SIGTERM at the parent's death; end at once if it is dead already. Linux only."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(0)


if __name__ == "__main__":
    end_with_parent(int(sys.argv[1]))
    main(args=sys.argv[2:], prog_name="ictagent")
