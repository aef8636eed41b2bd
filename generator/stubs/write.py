"""Writes a tree of generated modules, or shows how the files on disk differ from it."""

import difflib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from .errors import StubsError
from .headers import is_generated


def write_tree(files: Mapping[str, str], out: Path) -> list[str]:
    """Writes the files below `out`; an __init__.py that somebody else wrote stays.

    Args:
        files: text by relative path.
        out: the folder, made when missing.

    Returns:
        The paths that changed.

    Raises:
        StubsError: a file cannot be written; then none is.
    """
    changed = [path for path, text in files.items() if _differs(out / path, text)]
    _refuse_blocked(changed, out)
    existing = next(folder for folder in (out, *out.absolute().parents) if folder.is_dir())
    try:
        # All is written beside the folder first: what fails for want of space or rights, fails before any file changes.
        staging = Path(tempfile.mkdtemp(prefix=".plugsmith-", dir=existing))
    except OSError as error:
        raise StubsError(f"{existing}: cannot write ({error.strerror}): choose another --out") from error
    try:
        for number, path in enumerate(changed):
            (staging / str(number)).write_text(files[path], encoding="utf-8", newline="\n")
        for number, path in enumerate(changed):
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            os.replace(staging / str(number), out / path)
    except OSError as error:
        raise StubsError(f"{out}: cannot write ({error.strerror}): choose another --out") from error
    finally:
        shutil.rmtree(staging)
    return changed


def _refuse_blocked(paths: list[str], out: Path) -> None:
    problems: dict[str, None] = {}
    for target in (out / path for path in paths):
        if target.is_dir():
            problems[f"{target}: a folder stands where a file must go: remove it or choose another --out"] = None
        parent = next(parent for parent in target.absolute().parents if os.path.lexists(parent))
        if not parent.is_dir():
            problems[f"{parent}: a file stands where a folder must go: remove it or choose another --out"] = None
        elif not os.access(parent, os.W_OK):
            problems[f"{parent}: no right to write in this folder: choose another --out"] = None
    if problems:
        raise StubsError(*problems)


def differences(files: Mapping[str, str], out: Path) -> str:
    """Returns unified differences between what `out` holds and `files`; empty when there are none."""
    parts: list[str] = []
    for path, text in files.items():
        if _differs(out / path, text):
            target = out / path
            old = target.read_text("utf-8", errors="replace").splitlines(keepends=True) if target.is_file() else []
            new = text.splitlines(keepends=True)
            parts += difflib.unified_diff(old, new, str(target), f"{target} (generated)")
    return "".join(parts)


def stale_files(files: Mapping[str, str], out: Path) -> list[str]:
    """Returns generated files that lie beside those of `files` and are not among them."""
    folders = sorted({(out / path).parent for path in files})
    found = [path for folder in folders for path in sorted(folder.glob("*.py*")) if path.is_file()]
    names = {path: path.relative_to(out).as_posix() for path in found}
    return [name for path, name in names.items() if name not in files and is_generated(path)]


def _differs(path: Path, text: str) -> bool:
    if path.name == "__init__.py" and path.exists() and not is_generated(path):
        return False
    return not path.is_file() or path.read_bytes() != text.encode()
