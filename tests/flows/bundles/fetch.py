"""Executes a bundle of a folder: `--folder F --key K`."""

import sys
from pathlib import Path

from prefect.bundles.execute import execute_bundle_from_file

if __name__ == "__main__":
    _, folder, _, key = sys.argv[1:]
    execute_bundle_from_file(str(Path(folder) / key))
