"""Kill (-9) agent and collector at 200 random points; what was acknowledged must be there, and count once.

    python -m tests.benchmarks.kills [--kills 200] [--seed N]

It runs tests/system/test_kills.py, which CI runs with fewer, and prints its seed, whom the kills met, and how many
reports were acknowledged meanwhile. Needs root: the agent reads an energy counter of the test's in a mount namespace.
"""

import argparse
import os
import subprocess
import sys
import time


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--kills", type=int, default=200)
    asked.add_argument("--seed", default="")
    options = asked.parse_args()
    chosen = {"ICTAGENT_TEST_KILLS": str(options.kills), "ICTAGENT_TEST_SEED": options.seed}
    started = time.monotonic()
    test = ["tests/system/test_kills.py", "-q", "-s", "-p", "no:xdist", "--timeout", str(60 + 5 * options.kills)]
    ran = subprocess.run([sys.executable, "-m", "pytest", *test], env=os.environ | chosen, check=False)
    print(f"{options.kills} kills in {time.monotonic() - started:.0f} s")
    return ran.returncode


if __name__ == "__main__":
    sys.exit(main())
