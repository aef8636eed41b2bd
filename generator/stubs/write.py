"""Writes a tree of generated modules, or shows how the files on disk differ from it."""

import difflib
from collections.abc import Mapping
from pathlib import Path

from .errors import StubsError


def write_tree(files: Mapping[str, str], out: Path) -> list[str]:
    """Writes the files below `out`; an __init__.py that exists is somebody's own and stays.

    Args:
        files: text by relative path.
        out: the folder, made when missing.

    Returns:
        The paths that changed.

    Raises:
        StubsError: a file cannot be written.
    """
    changed = [path for path, text in files.items() if _differs(out / path, text)]
    try:
        for path in changed:
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            (out / path).write_text(files[path], encoding="utf-8", newline="\n")
    except OSError as error:
        raise StubsError(f"{error.filename}: cannot write ({error.strerror}): choose another --out") from error
    return changed


def differences(files: Mapping[str, str], out: Path) -> str:
    """Returns unified differences between what `out` holds and `files`; empty when there are none."""
    parts: list[str] = []
    for path, text in files.items():
        if _differs(out / path, text):
            target = out / path
            old = target.read_text("utf-8").splitlines(keepends=True) if target.is_file() else []
            new = text.splitlines(keepends=True)
            parts += difflib.unified_diff(old, new, str(target), f"{target} (generated)")
    return "".join(parts)


def _differs(path: Path, text: str) -> bool:
    if path.name == "__init__.py":
        return not path.exists()
    return not path.is_file() or path.read_bytes() != text.encode()
