"""Python environments that tests make once and share, so that a second run needs no network."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .locking import exclusive

READY = "ready"


def environment(name: str, requirements: Sequence[str], python: str | None = None) -> Path:
    """Return the Python of an environment that has `requirements` installed.

    Made on first use and kept for later calls with the same name, requirements and Python; several test processes
    may ask at once. Made by uv when it is on the PATH, otherwise by venv and pip.

    Args:
        name: a short word for the folder, for people who look into it.
        requirements: what pip would be given, one item each (paths to wheels or folders with extras too). The
            content of a local folder is not part of the key: give a wheel, or a new name, when it changes.
        python: an interpreter, or (with uv only) a version such as "3.12"; the running one when None.

    Raises:
        RuntimeError: the environment cannot be made; the installer's output is in the message.
    """
    key = hashlib.sha256("\n".join([python or sys.executable, *requirements]).encode()).hexdigest()[:12]
    home = environments_home() / f"{name}-{key}"
    with exclusive(home):
        if not (home / READY).exists():
            shutil.rmtree(home, ignore_errors=True)
            _make(home, requirements, python or sys.executable)
            (home / READY).touch()
    return home / "bin" / "python"


def environments_home() -> Path:
    """The folder that holds the environments, kept out of git and out of Copier's copies by a .gitignore of its own."""
    named = os.environ.get("PLUGSMITH_TEST_ENVIRONMENTS")
    home = Path(named) if named else Path(__file__).resolve().parents[2] / ".test-environments"
    home.mkdir(parents=True, exist_ok=True)
    (home / ".gitignore").write_text("*\n")
    return home


def uv() -> str | None:
    """The uv beside the running Python or on the PATH, if there is one."""
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.exists() else shutil.which("uv")


def _make(home: Path, requirements: Sequence[str], python: str) -> None:
    target = str(home / "bin" / "python")
    if tool := uv():
        _run([tool, "venv", "--quiet", "--python", python, str(home)])
        install = [tool, "pip", "install", "--quiet", "--python", target]
    else:
        _run([python, "-m", "venv", str(home)])
        install = [target, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if requirements:
        _run([*install, *requirements])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"cannot make a test environment: {' '.join(command)}\n{done.stdout}")
