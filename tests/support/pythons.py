"""Finds the Pythons of this machine, so that a test can ask for one and be skipped where it is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path


def find_python(version: str) -> Path | None:
    """Find an interpreter on the PATH, then among those of pyenv.

    Args:
        version: its version, as in "3.12".

    Returns:
        Its path; None when the machine has none.
    """
    for candidate in _candidates(version):
        asked = [candidate, "-c", "import sys; print(*sys.version_info[:2], sep='.'); print(sys.executable)"]
        try:
            done = subprocess.run(asked, capture_output=True, text=True, check=False)
        except OSError:
            continue
        # pyenv's own scripts stand on the PATH also for versions that are not switched on, and fail.
        found, _, executable = done.stdout.strip().partition("\n")
        if done.returncode == 0 and found == version:
            return Path(executable)
    return None


def _candidates(version: str) -> Iterator[str]:
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if found := shutil.which(f"python{version}", path=folder):
            yield found
    home = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(str(path) for path in home.glob(f"versions/{version}.*/bin/python"))
