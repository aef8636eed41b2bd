"""Running a load generator's program."""

from __future__ import annotations

import shutil
import subprocess


def run(command: list[str], package: str, seconds: float) -> str:
    """Run a program to its end and return its output.

    Args:
        command: the command line.
        package: Debian's package that has the program.
        seconds: how long it means to run; it gets a minute more.

    Raises:
        RuntimeError: the program is missing or fails.
    """
    if shutil.which(command[0]) is None:
        raise RuntimeError(f"{command[0]} is not on the PATH: apt-get install {package}")
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stdout[-500:]}{done.stderr[-500:]}")
    return done.stdout
