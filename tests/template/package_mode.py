"""The distribution plugsmith-runtime, for repositories that depend on it."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from functools import cache
from pathlib import Path

from plugsmith_runtime.tools.check.managed_files import file_digests, render_manifest

from tests.support.environments import environments_home, uv
from tests.support.locking import exclusive
from tests.support.rendering import ROOT, RUNTIME


@cache
def runtime_wheel() -> Path:
    """The wheel of this checkout's runtime, in a folder of its content's own, which environments are known by."""
    content = render_manifest(file_digests(RUNTIME)) + (ROOT / "runtime/pyproject.toml").read_text()
    folder = environments_home() / f"runtime-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
    with exclusive(folder):
        if not list(folder.glob("*.whl")):
            command = ["build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable]
            subprocess.run([uv() or "uv", *command, "--out-dir", folder, ROOT / "runtime"], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel
