"""Keeps a bundle in a folder: `--folder F --key K FILE`."""

import shutil
import sys
from pathlib import Path

_, folder, _, key, file = sys.argv[1:]
shutil.copy(file, Path(folder) / key)
