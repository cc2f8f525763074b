"""Write the test estate as plain files: `python -m tests.data.estate DIRECTORY`."""

import argparse
from pathlib import Path

from tests.data.estate.files import write

parser = argparse.ArgumentParser(prog="python -m tests.data.estate", description=__doc__)
parser.add_argument("directory", type=Path)
parser.add_argument("--seed", type=int, default=2030)
arguments = parser.parse_args()
for path in write(arguments.directory, arguments.seed):
    print(path)
