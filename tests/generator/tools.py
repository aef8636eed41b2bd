"""What the tests of the generator share."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

from plugsmith_runtime.tools.check.managed_files import file_digests, render_manifest

from generator.runtime_files import MANIFEST, PACKAGED, RUNTIME

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 60.0


def plugsmith(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run the command line of this checkout in another process, without a terminal."""
    command = [sys.executable, "-m", "generator", *arguments]
    environ = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT}/runtime"}
    return subprocess.run(
        command,
        cwd=cwd,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )


def copy_checkout(dest: Path) -> Path:
    """Copy what the generator reads and writes to a folder of its own."""
    for folder in ("proto", RUNTIME.as_posix()):
        shutil.copytree(ROOT / folder, dest / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (dest / "docs").mkdir()
    shutil.copytree(ROOT / PACKAGED, dest / PACKAGED)
    for file in ("copier.yml", "docs/hooks.md"):
        shutil.copy(ROOT / file, dest / file)
    # As it is after `nox -s stubs`, which another test asks for.
    (dest / MANIFEST).write_text(render_manifest(file_digests(dest / RUNTIME)), encoding="utf-8")
    return dest


def edit(file: Path, old: str, new: str) -> None:
    """Replace a text that occurs in a file, once."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def load(file: Path, name: str) -> ModuleType:
    """Import a file as the module `name`."""
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
