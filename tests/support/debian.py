"""Files of Debian packages, unpacked once and kept like the environments; nothing is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from .environments import environments_home

DOWNLOAD_LIMIT = 300.0


def unpacked(package: str) -> Path | None:
    """Return the folder that holds the files of a Debian package; None on a system without Debian's tools.

    Args:
        package: its name.

    Raises:
        RuntimeError: the package cannot be downloaded; what apt-get said is in the message.
    """
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return None
    home = environments_home() / f"debian-{package}"
    if not (home / "files").exists():
        home.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ["apt-get", "download", package],
            cwd=home, capture_output=True, text=True, timeout=DOWNLOAD_LIMIT, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{package} cannot be downloaded (apt-get update may help):\n{done.stderr}")
        subprocess.run(["dpkg-deb", "-x", str(next(home.glob("*.deb"))), str(home / "part")], check=True)
        (home / "part").rename(home / "files")
    return home / "files"
